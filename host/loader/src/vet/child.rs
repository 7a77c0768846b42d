//! The process in which a plugin is tried: opens it, builds its driver, drops it, and says what it saw.
//!
//! Runs foreign code that was never run before, so nothing here may be relied on by others: whatever this process does,
//! the guardian tells how it ended. Must not call a driver's methods.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use longshore_plugin_api::__abi::host::{self as bridge, BuildError};
use rustix::process::{
    Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit, setsid,
};

use super::dirs;
use super::frame::{self, Nonce};
use super::protocol::{Answer, Message, Refused, Request, Step};
use crate::dynlib;
use crate::inspect::{Refusal, inspect_with};
use crate::process::{Inventory, ProcessState};
use crate::{codes, library, log};

/// Descriptors that a child may have.
const DESCRIPTORS_MAX: u64 = 1_024;

/// The channel to the guardian.
struct Channel {
    stream: UnixStream,
    nonce: Nonce,
}

impl Channel {
    fn say(&mut self, message: &Message) -> io::Result<()> {
        frame::write(&mut self.stream, &self.nonce, message)
    }

    fn step(&mut self, step: Step) -> io::Result<()> {
        self.say(&Message::Step(step))
    }
}

/// The whole life of the child. Returns only when it cannot even say what went wrong.
pub(super) fn run() -> ExitCode {
    let (mut channel, request) = match settle() {
        Ok(settled) => settled,
        Err(error) => return lost(&error),
    };
    let answer = match tried(&mut channel, &request) {
        Ok(answer) => answer,
        Err(error) => return lost(&error),
    };
    if let Err(error) = channel.say(&Message::Answer(answer)) {
        return lost(&error);
    }
    // The guardian looks for what is left while this process lives, and then kills it: no exit handler of the plugin runs.
    match io::copy(&mut channel.stream, &mut io::sink()) {
        Ok(_) => ExitCode::FAILURE,
        Err(error) => lost(&error),
    }
}

/// Stderr ends in the guardian's report.
fn lost(error: &io::Error) -> ExitCode {
    // Nobody is left to tell when this fails.
    let _ = writeln!(io::stderr(), "vetting: {error}");
    ExitCode::FAILURE
}

/// Gets rid of everything but the channel, and within the limits.
fn settle() -> io::Result<(Channel, Request)> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    setsid()?;
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::options().read(true).write(true).open("/dev/null")?)?;
    dynlib::inherit_none();
    let (nonce, request) = frame::read_first::<Request>(&mut stream)?;
    // A guardian that died before the death signal was set would leave this process alone for ever.
    if getppid().map(|p| p.as_raw_pid()) != Some(request.guardian) {
        return Err(io::Error::other("the guardian is gone"));
    }
    limit(Resource::Core, 0)?;
    limit(Resource::As, request.memory_bytes_max)?;
    limit(Resource::Fsize, request.file_bytes_max)?;
    limit(Resource::Nofile, DESCRIPTORS_MAX)?;
    let cpu = Rlimit {
        current: Some(request.cpu_seconds_max),
        maximum: Some(request.cpu_seconds_max + 1),
    };
    setrlimit(Resource::Cpu, cpu)?;
    log::set_sink(Box::new(|_, record| {
        // Part of the output, which is all that is kept of this process.
        let _ = writeln!(io::stderr(), "{}", record.text);
    }));
    Ok((Channel { stream, nonce }, request))
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, to: u64) -> io::Result<()> {
    let has = rustix::process::getrlimit(resource);
    let to = has.maximum.map_or(to, |max| max.min(to));
    setrlimit(
        resource,
        Rlimit {
            current: Some(to),
            maximum: Some(to),
        },
    )?;
    Ok(())
}

/// Takes the steps that a host takes with a plugin. Only failures of the channel are errors.
fn tried(channel: &mut Channel, request: &Request) -> io::Result<Answer> {
    let mut answer = Answer::default();
    let file = match File::open(&request.file) {
        Ok(file) => file,
        Err(error) => {
            let help = "see whether the file is still there and readable";
            answer.refused = Some(refused(codes::PLUGIN_UNREADABLE, error.to_string(), help));
            return Ok(answer);
        }
    };
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let before = Look::now();
    channel.step(Step::Loading)?;
    let plugin = match dynlib::open(&path, log::services()) {
        Ok(plugin) => plugin,
        Err(error) => {
            answer.refused = Some(of_refusal(library::not_opened(&request.shown, &error)));
            answer.changes = before.changes_to(&Look::now());
            return Ok(answer);
        }
    };
    let loaded = Inventory::now();
    answer.early_threads = before.inventory.new_threads(&loaded);
    channel.step(Step::Comparing)?;
    let compared = inspect_with(&path, true).and_then(|i| library::agrees(&plugin, &i));
    if let Err(refusal) = compared {
        answer.refused = Some(of_refusal(refusal));
    } else {
        channel.step(Step::Building)?;
        build(channel, &plugin, request, &mut answer)?;
    }
    let after = Look::now();
    answer.changes = before.changes_to(&after);
    answer.leaks = loaded
        .new_threads(&after.inventory)
        .into_iter()
        .map(|t| format!("thread {t}"))
        .collect();
    let descriptors = before.inventory.new_descriptors(&after.inventory);
    answer.leaks.extend(descriptors);
    Ok(answer)
}

/// One look at this process.
struct Look {
    state: ProcessState,
    inventory: Inventory,
}

impl Look {
    fn now() -> Look {
        Look {
            state: ProcessState::now(),
            inventory: Inventory::now(),
        }
    }

    /// What a plugin has no business to change, one text each.
    fn changes_to(&self, now: &Look) -> Vec<String> {
        let state = self.state.differences(&now.state).into_iter();
        let descriptors = self.inventory.changed_descriptors(&now.inventory);
        state.map(|(_, words)| words).chain(descriptors).collect()
    }
}

/// Builds the driver and drops it.
fn build(
    channel: &mut Channel,
    plugin: &bridge::Plugin,
    request: &Request,
    answer: &mut Answer,
) -> io::Result<()> {
    let (namespace, export) = (&request.namespace, &request.export);
    let Some(entry) = plugin.entry(namespace, export) else {
        let why = format!("it offers no `{export}` in `{namespace}`");
        let help = "run `longshore plugin inspect` to see all it offers";
        answer.refused = Some(refused(codes::PLUGIN_NO_SUCH_DRIVER, why, help));
        return Ok(());
    };
    let number = log::register(namespace, export, "");
    let dir = dirs::state(&request.dir);
    let context = bridge::context(log::services(), number, namespace, export, "", dir);
    match entry.try_build(&request.settings, &context) {
        Ok(driver) => {
            channel.step(Step::Dropping)?;
            answer.driver_error = driver.end().err().map(|e| e.to_string());
        }
        // The host gets the same error, in full, when it builds the driver; it is no danger.
        Err(BuildError::Driver(error)) => answer.driver_error = Some(error.to_string()),
        Err(BuildError::Layout(why)) => {
            let help = "keep one `longshore-plugin-api` in the plugin's lock file: `cargo tree -d`";
            answer.refused = Some(refused(codes::ABI_LAYOUT, why, help));
        }
        Err(BuildError::Absent | BuildError::WrongKind(..)) => {}
    }
    Ok(())
}

fn refused(code: &str, why: String, help: &str) -> Refused {
    let (code, help) = (code.to_owned(), help.to_owned());
    Refused { code, why, help }
}

fn of_refusal(refusal: Refusal) -> Refused {
    refused(refusal.code, refusal.why, &refusal.help)
}
