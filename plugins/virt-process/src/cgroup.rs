//! Limits by cgroup (v2), for operators who have delegated one: memory that is really used, and
//! processor time. The directory is given by `settings`; `launch` makes an instance's group,
//! `driver` removes it.

use crate::errors::gone_is_fine;
use crate::home::Home;
use crate::spec::Spec;
use longshore_plugin_api::DriverError;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The period that processor time is shared out in, µs.
const PERIOD_US: u64 = 100_000;

/// How long a group may stay busy after its last process has ended.
const REMOVE_WAIT_MAX: Duration = Duration::from_secs(1);

/// How long between two tries.
const STEP: Duration = Duration::from_millis(10);

/// What the operator can do.
const DELEGATE: &str =
    "delegate the group of setting `cgroup`, with `+memory +cpu` in its `cgroup.subtree_control`";

/// The group of one instance; `None` if none is delegated.
pub(crate) fn of(delegated: &str, home: &Home) -> Option<PathBuf> {
    let group = || Path::new(delegated).join(format!("longshore-{}", home.name));
    (!delegated.is_empty()).then(group)
}

/// Whether the delegated group, if there is to be one, is there.
///
/// # Errors
/// `unavailable`.
pub(crate) fn ready(delegated: &str) -> Result<(), DriverError> {
    if delegated.is_empty() || Path::new(delegated).is_dir() {
        return Ok(());
    }
    let message = format!("the cgroup `{delegated}` is not there");
    Err(DriverError::unavailable(message)
        .hint(DELEGATE)
        .at("cgroup"))
}

/// Makes the group and sets its limits.
///
/// # Errors
/// `unavailable`: it is not there, not delegated, or its controllers are not enabled.
pub(crate) fn create(group: &Path, spec: &Spec) -> Result<(), DriverError> {
    let wrong = |what: &Path, error: std::io::Error| {
        DriverError::unavailable(format!(
            "cannot use the cgroup file `{}`: {error}",
            what.display()
        ))
        .hint(DELEGATE)
    };
    if !group.is_dir() {
        fs::create_dir(group).map_err(|error| wrong(group, error))?;
    }
    let mut limits = Vec::new();
    if spec.memory_mb > 0 {
        limits.push((
            "memory.max",
            spec.memory_mb.saturating_mul(1 << 20).to_string(),
        ));
    }
    if spec.vcpus > 0 {
        let quota = u64::from(spec.vcpus) * PERIOD_US;
        limits.push(("cpu.max", format!("{quota} {PERIOD_US}")));
    }
    for (file, limit) in limits {
        let path = group.join(file);
        fs::write(&path, limit).map_err(|error| wrong(&path, error))?;
    }
    Ok(())
}

/// Removes the group, if it is there. Its processes have ended; one that has hidden from that by
/// leaving the session and clearing its environment is killed here, where the kernel can (5.14).
///
/// # Errors
/// `busy` if it cannot be removed.
pub(crate) fn remove(group: &Path) -> Result<(), DriverError> {
    if let Ok(mut kill) = OpenOptions::new()
        .write(true)
        .open(group.join("cgroup.kill"))
    {
        // If it fails the group stays busy, which is the error to tell.
        let _ = kill.write_all(b"1");
    }
    let start = Instant::now();
    loop {
        match gone_is_fine(fs::remove_dir(group)) {
            Ok(()) => return Ok(()),
            Err(_) if start.elapsed() < REMOVE_WAIT_MAX => thread::sleep(STEP),
            Err(error) => {
                let message = format!("cannot remove the cgroup `{}`: {error}", group.display());
                return Err(DriverError::busy(message).retry());
            }
        }
    }
}
