//! The life of the program: surroundings, command line, configuration, command, exit code.
//!
//! Everything is decided in the library; here it gets the real streams, the real surroundings and
//! who starts the services.

#![forbid(unsafe_code)]

use std::io::{self, IsTerminal as _};

use longshore::cli::render::Streams;
use longshore::cli::{self, World};
use longshore::config::Surroundings;
use longshore::wiring;
use longshore_loader::{dynlib, vet};

fn main() {
    // This program is also the process in which a plugin is tried.
    vet::run_if_child();
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
        around: Surroundings::of_process(),
        starter: &wiring::up,
    };
    let exit = cli::run(std::env::args_os(), world);
    // What plugins registered to run at the end of the process does not run: everything that counts is written.
    dynlib::leave(exit.code())
}
