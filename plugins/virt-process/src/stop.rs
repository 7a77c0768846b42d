//! Ends the processes of an instance: asks, waits, kills, and looks that nobody is left. A process
//! is only ever signalled after its start time was compared, so that a number that was given to
//! another is never hit. Knows nothing of starting; `driver` and `launch` call it.

use crate::children;
use crate::home::Home;
use crate::proc::{self, Process};
use longshore_plugin_api::{CallContext, DriverError};
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The signal that asks.
pub(crate) const TERM: &str = "TERM";
/// The signal that does not.
pub(crate) const KILL: &str = "KILL";

/// How long killed processes may take to be gone. Only one that hangs in the kernel takes longer.
const KILL_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long between two looks.
const STEP: Duration = Duration::from_millis(10);

/// What [`signal`] ends with when the process is gone.
const GONE: i32 = 3;

/// Sends a signal to a process, and to its whole group if it leads one. `false`: it is gone.
///
/// # Errors
/// The shell cannot be run, or the system refuses.
pub(crate) fn signal(process: Process, signal: &str) -> io::Result<bool> {
    let status = Command::new("/bin/sh")
        .args(["-c", include_str!("signal.sh"), "signal"])
        .args([&process.pid.to_string(), &process.start.to_string(), signal])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let code = match status {
        Ok(status) => status.code(),
        // The shell has ended, and did what it does; whether in vain shows the process.
        Err(error) if children::is_lost(&error) => return Ok(process.stat().is_some()),
        Err(error) => return Err(error),
    };
    match code {
        Some(0) => Ok(true),
        Some(GONE) => Ok(false),
        // It may have ended between the look and the signal.
        _ if process.stat().is_none() => Ok(false),
        _ => Err(io::Error::new(
            io::ErrorKind::Other,
            "the system refused the signal",
        )),
    }
}

/// Stops an instance: asks it and waits for `grace`, then kills it. Succeeds when it is off.
///
/// # Errors
/// `cancelled` or `timeout` while it is waited for; `busy` if a process cannot be ended.
pub(crate) fn stop(
    home: &Home,
    grace: Duration,
    context: &CallContext<'_>,
) -> Result<(), DriverError> {
    let first = home.running();
    // Processes may leave the group and clear the mark, but they stay in the session.
    let session = first.map_or_else(Vec::new, |first| proc::in_session(first.pid));
    if let (Some(first), true) = (first, grace > Duration::from_secs(0)) {
        send(home, first, TERM)?;
        // What is left of the call's time must be enough to kill it.
        let grace = context
            .remaining()
            .map_or(grace, |left| grace.min(left / 2));
        let start = Instant::now();
        while first.is_alive() && start.elapsed() < grace {
            context.check()?;
            thread::sleep(STEP);
        }
    }
    kill(home, &session)
}

/// Kills everything that belongs to an instance, and the processes in `others`. Succeeds when all
/// of it is gone.
///
/// # Errors
/// `busy` if a process is still there after a while.
pub(crate) fn kill(home: &Home, others: &[Process]) -> Result<(), DriverError> {
    let start = Instant::now();
    loop {
        let mut left: Vec<Process> = children::of(&home.directory).into_iter().collect();
        left.extend(home.running());
        left.extend(others);
        left.extend(proc::marked(&home.directory));
        left.retain(|process| process.is_alive());
        left.sort_unstable_by_key(|process| process.pid);
        left.dedup();
        for process in &left {
            send(home, *process, KILL)?;
        }
        children::ended(&home.directory);
        if left.is_empty() {
            return Ok(());
        }
        if start.elapsed() > KILL_WAIT_MAX {
            let message = format!("process {} of `{}` cannot be killed", left[0].pid, home.id);
            return Err(DriverError::busy(message)
                .hint("it hangs in the kernel; see dmesg")
                .retry());
        }
        thread::sleep(STEP);
    }
}

fn send(home: &Home, process: Process, what: &str) -> Result<(), DriverError> {
    signal(process, what).map(drop).map_err(|error| {
        let Process { pid, .. } = process;
        let message = format!(
            "cannot send {what} to process {pid} of `{}`: {error}",
            home.id
        );
        DriverError::unavailable(message).retry()
    })
}
