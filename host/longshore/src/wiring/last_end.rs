//! How the last process on this state directory ended, and what follows for the drivers that were in a call: said
//! aloud, and kept in the quarantine. Then this process's own record begins.
//!
//! Called by `up` after the lock, before anything is loaded. Must not load drivers.

use std::io;
use std::path::Path;
use std::sync::Arc;

use longshore_loader::diagnostic::escape;
use longshore_loader::quarantine::{Quarantine, Verdict};
use longshore_loader::record::{Death, InFlight, post_mortem};

use super::output::last_words;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::codes;

/// Reads what the last process left, and begins anew.
///
/// # Errors
/// When files of the state directory cannot be used.
pub(super) fn judge(dir: &Path) -> Result<(Arc<InFlight>, Quarantine), Failure> {
    let cannot = |what: &str, why: io::Error| {
        let name = escape(&dir.display().to_string());
        let what = format!("cannot use {what} in the state directory `{name}`");
        let help = "make it writable for this user, or set `host.state_dir`";
        Failure::new(Exit::Unreachable, codes::STATE_DIR, what)
            .why(why.to_string())
            .help(help)
    };
    let mut quarantine = Quarantine::open(dir).map_err(|e| cannot("the quarantine", e))?;
    let death = post_mortem(dir).map_err(|e| cannot("the record of calls", e))?;
    if let Some(death) = death.filter(Death::is_unexplained) {
        let verdicts = quarantine.note(&death);
        say(&death, &verdicts.map_err(|e| cannot("the quarantine", e))?);
        for line in last_words(dir) {
            tracing::warn!(pid = death.pid, "its last words: {line}");
        }
    }
    let record = InFlight::open(dir).map_err(|e| cannot("the record of calls", e))?;
    Ok((Arc::new(record), quarantine))
}

fn say(death: &Death, verdicts: &[Verdict]) {
    let pid = death.pid;
    if verdicts.is_empty() {
        tracing::warn!(
            pid,
            "the last process ended without a stop, with no driver in a call"
        );
    }
    for verdict in verdicts {
        match verdict {
            Verdict::Suspected { driver, call } => {
                let (namespace, name) = (&driver.namespace, &driver.name);
                let (version, digest) = (&driver.version, &driver.digest);
                tracing::warn!(
                    pid,
                    namespace,
                    version,
                    digest,
                    "the last process died while in `{name}.{call}`; once more soon, and the driver is locked out"
                );
            }
            Verdict::LockedOut(lock) => {
                let refusal = lock.refusal();
                let (code, why, help) = (refusal.code, &refusal.why, &refusal.help);
                tracing::error!(pid, code, "locked out: {why} (do: {help})");
            }
        }
    }
}
