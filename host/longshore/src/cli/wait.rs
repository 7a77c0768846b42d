//! Waiting until servers are in a state, by asking again and again.
//!
//! Bounded by the command's `--timeout`; the pause between questions grows to one second. Called
//! by `server`.

use std::time::Duration;

use longshore_loader::diagnostic::escape;
use serde_json::Value as Json;

use super::client::{Client, encoded};
use super::clock::Deadline;
use super::exit::Exit;
use super::failure::Failure;
use super::names::text;
use super::progress::Progress;
use crate::codes;

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// This status with no task left, or ERROR.
    Status(&'static str),
    /// It no longer exists.
    Gone,
}

/// How to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long at most.
    pub(crate) timeout: Duration,
    /// Show a spinner.
    pub(crate) shown: bool,
}

/// Waits for all of `servers`; returns them as they then are, those that are gone left out.
pub(crate) fn wait(
    client: &Client,
    servers: Vec<Json>,
    until: Until,
    patience: Patience,
) -> Result<Vec<Json>, Failure> {
    let deadline = Deadline::after(patience.timeout);
    let progress = Progress::start(patience.shown, waiting_text(&servers));
    let mut states: Vec<Option<Json>> = servers.into_iter().map(Some).collect();
    let mut pending: Vec<usize> = (0..states.len()).collect();
    let mut pause = PAUSE_MIN;
    loop {
        let mut left = Vec::new();
        for at in pending {
            let Some(server) = &states[at] else { continue };
            let path = format!("/v2.1/servers/{}", encoded(text(server, "id")));
            match client.find(&path)?.map(|mut a| a["server"].take()) {
                Some(now) => {
                    if !is_over(&now, until) {
                        left.push(at);
                    }
                    states[at] = Some(now);
                }
                None if until == Until::Gone => states[at] = None,
                None => return Err(vanished(server)),
            }
        }
        if left.is_empty() {
            return Ok(states.into_iter().flatten().collect());
        }
        let waiting: Vec<Json> = left.iter().filter_map(|at| states[*at].clone()).collect();
        progress.say(waiting_text(&waiting));
        if !deadline.pause(pause) {
            return Err(timed_out(&waiting, until, patience.timeout));
        }
        pause = (pause * 3 / 2).min(PAUSE_MAX);
        pending = left;
    }
}

fn is_over(server: &Json, until: Until) -> bool {
    let status = text(server, "status");
    let has_task = server
        .get("OS-EXT-STS:task_state")
        .is_some_and(|task| !task.is_null());
    match until {
        Until::Status(wanted) => status == "ERROR" || (status == wanted && !has_task),
        Until::Gone => status == "DELETED" || (status == "ERROR" && !has_task),
    }
}

fn waiting_text(servers: &[Json]) -> String {
    match servers {
        [only] => format!(
            "{}: {}",
            escape(text(only, "name")),
            escape(text(only, "status"))
        ),
        several => format!("waiting for {} servers", several.len()),
    }
}

fn vanished(server: &Json) -> Failure {
    let what = format!("server `{}` no longer exists", escape(text(server, "name")));
    Failure::new(Exit::Failed, codes::UNKNOWN_NAME, what)
        .why("it was deleted while it was waited for")
        .help("create it again, if it is still wanted")
}

fn timed_out(waiting: &[Json], until: Until, timeout: Duration) -> Failure {
    let goal = match until {
        Until::Status(status) => format!("is not {status}"),
        Until::Gone => "still exists".to_owned(),
    };
    let first = waiting.first();
    let name = first.map_or("", |s| text(s, "name"));
    let status = first.map_or("", |s| text(s, "status"));
    let more = match waiting.len() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    let seconds = timeout.as_secs();
    let what = format!("server `{}` {goal} after {seconds} s{more}", escape(name));
    Failure::new(Exit::TimedOut, codes::WAIT_TIMEOUT, what)
        .why(format!(
            "its status is {}; the operation goes on",
            escape(status)
        ))
        .help("look again with `longshore server show`, or give `--timeout` more seconds")
}
