//! What the machine gives: a clock that makes sense, enough open files.
//!
//! Must not know longshore's files beyond the newest one's age. Called by `doctor`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};

use super::report::Report;
use crate::cli::exit::Exit;
use crate::config::Config;
use crate::config::address::Database;

/// No clock is right that shows less, in seconds since 1970: the start of 2026.
const NOW_MIN_S: u64 = 1_767_225_600;
/// A file may be this much newer than now: other machines write it, too.
const SKEW_MAX: Duration = Duration::from_secs(60);
/// With fewer open files than this a host cannot work.
const FILES_MIN: u64 = 64;
/// With fewer open files than this many clients at a time are turned away.
const FILES_LOW: u64 = 1024;

/// `config` is absent when it is not valid.
pub(super) fn check(config: Option<&Config>, report: &mut Report) {
    clock(config, report);
    open_files(report);
}

fn clock(config: Option<&Config>, report: &mut Report) {
    const CHECK: &str = "clock";
    let now = SystemTime::now();
    let help = "set the clock, and keep it right with NTP: services report by it";
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    if since.as_secs() < NOW_MIN_S {
        return report.warning(CHECK, "the clock is before 2026", help);
    }
    let database = config.and_then(|c| match &c.database.url {
        Database::Sqlite(path) => path.metadata().ok()?.modified().ok(),
        Database::Postgres(_) => None,
    });
    let ahead = database.and_then(|changed| changed.duration_since(now).ok());
    match ahead.filter(|by| *by > SKEW_MAX) {
        Some(by) => {
            let seconds = by.as_secs();
            let message = format!("the database was changed {seconds} s after now");
            report.warning(CHECK, message, help);
        }
        None => report.ok(CHECK, "later than all that is on disk", Vec::new()),
    }
}

fn open_files(report: &mut Report) {
    const CHECK: &str = "open_files";
    let limit = getrlimit(Resource::Nofile);
    let help = "raise the limit: `ulimit -n 4096`, or `LimitNOFILE=` of the unit";
    match limit.current {
        Some(n) if n < FILES_MIN => {
            let message = format!("{n} open files are allowed, {FILES_MIN} are needed");
            report.failed(CHECK, Exit::Failed, message, help);
        }
        Some(n) if n < FILES_LOW => {
            let message = format!("only {n} open files are allowed");
            report.warning(CHECK, message, help);
        }
        Some(n) => report.ok(CHECK, format!("{n} are allowed"), Vec::new()),
        None => report.ok(CHECK, "no limit", Vec::new()),
    }
}
