//! The life of the program: surroundings, command line, configuration, command, exit code.
//!
//! Everything is decided in the library; here the process is looked at, and nowhere else.

#![forbid(unsafe_code)]

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use longshore::cli::exit::Exit;
use longshore::cli::failure::Failure;
use longshore::cli::render::Streams;
use longshore::cli::up::Start;
use longshore::cli::{self, World};
use longshore::codes;
use longshore::config::Surroundings;
use longshore_loader::map::Environment;

fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let columns = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    let streams = Streams {
        out_columns: columns,
        err_is_terminal: err.is_terminal(),
        no_color: std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()),
        out: &mut out,
        err: &mut err,
    };
    let world = World {
        streams,
        around: surroundings(),
        starter: &start,
    };
    cli::run(std::env::args_os(), world).into()
}

fn surroundings() -> Surroundings {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((
            name.into_string().ok()?,
            value.to_string_lossy().into_owned(),
        ))
    };
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = Some(machine.trim()).filter(|n| !n.is_empty());
    let binary = std::env::current_exe().ok();
    Surroundings {
        variables: std::env::vars_os().filter_map(text).collect(),
        map: Environment::from_process(),
        working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        binary_dir: binary.and_then(|b| b.parent().map(PathBuf::from)),
        system_dir: PathBuf::from("/etc/longshore"),
        machine: machine.unwrap_or("localhost").to_owned(),
        ..Surroundings::default()
    }
}

fn start(_: Start) -> Result<Exit, Failure> {
    Err(Failure::new(
        Exit::Failed,
        codes::REFUSED,
        "this build has no services to start",
    ))
}
