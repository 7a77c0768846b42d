//! What makes a spawn fail, wait or panic on command. Knows nothing of guests; `driver` asks it
//! before each spawn.

use crate::settings::FakeSettings;
use longshore_plugin_api::{CallContext, DriverError, Instance};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a slow spawn sleeps before it looks at the context again.
const STEP: Duration = Duration::from_millis(5);

/// Decides about each spawn.
pub(crate) struct Faults {
    settings: FakeSettings,
    host_fails: bool,
    spawns: AtomicU64,
}

impl Faults {
    /// The faults that `settings` ask for on `host`.
    pub(crate) fn new(settings: FakeSettings, host: &str) -> Self {
        let host_fails = settings.fail_on_hosts.iter().any(|name| name == host);
        Self {
            settings,
            host_fails,
            spawns: AtomicU64::new(0),
        }
    }

    /// Waits, panics or fails, as asked for this spawn.
    pub(crate) fn before_spawn(
        &self,
        context: &CallContext<'_>,
        instance: &Instance,
        host: &str,
    ) -> Result<(), DriverError> {
        let count = self.spawns.fetch_add(1, Ordering::Relaxed) + 1;
        self.wait(context, &instance.name)?;
        let (name, settings) = (&instance.name, &self.settings);
        if matches(&settings.panic_spawn_match, name) {
            panic!("asked to panic by `panic_spawn_match`");
        }
        let every = u64::from(settings.fail_spawn_every);
        let key = if self.host_fails {
            "fail_on_hosts"
        } else if matches(&settings.fail_spawn_match, name) {
            "fail_spawn_match"
        } else if every > 0 && count % every == 0 {
            "fail_spawn_every"
        } else {
            return Ok(());
        };
        let id = &instance.id;
        let message = format!("host `{host}` has no room for `{id}`: asked to fail by `{key}`");
        Err(DriverError::no_capacity(message))
    }

    fn wait(&self, context: &CallContext<'_>, name: &str) -> Result<(), DriverError> {
        let settings = &self.settings;
        let all = settings.slow_spawn_match.is_empty();
        if !settings.ignore_cancel {
            context.check()?;
        }
        if settings.slow_ms == 0 || !(all || matches(&settings.slow_spawn_match, name)) {
            return Ok(());
        }
        let (start, whole) = (Instant::now(), Duration::from_millis(settings.slow_ms));
        loop {
            if !settings.ignore_cancel {
                context.check()?;
            }
            match whole.checked_sub(start.elapsed()) {
                Some(left) if left > Duration::from_millis(0) => thread::sleep(left.min(STEP)),
                _ => return Ok(()),
            }
        }
    }
}

fn matches(part: &str, name: &str) -> bool {
    !part.is_empty() && name.contains(part)
}
