//! What the host lends a driver: its place in the map, the host's name, a directory, the log, and per call a deadline
//! and a cancel flag. Statics of the host (its `log`, its tokio) are not visible from a plugin; these are what to use.

use crate::abi::services::Services;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// Given to [`Driver::new`](crate::Driver::new); keep a clone for as long as you need it.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    services: Services,
    driver: u64,
    namespace: String,
    name: String,
    host: String,
    state_dir: PathBuf,
}

impl Context {
    pub(crate) fn new(
        services: Services,
        driver: u64,
        namespace: &str,
        name: &str,
        host: &str,
        state_dir: PathBuf,
    ) -> Self {
        let (namespace, name, host) = (namespace.to_owned(), name.to_owned(), host.to_owned());
        Self(Arc::new(Inner {
            services,
            driver,
            namespace,
            name,
            host,
            state_dir,
        }))
    }

    /// The namespace the driver was loaded from, such as `longshore.virt.driver`.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// The name the operator uses for the driver.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The name of the host (the compute service) that this driver serves.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// A directory of this driver's own, which survives restarts. It may not exist yet: create it when you need it.
    pub fn state_dir(&self) -> &Path {
        &self.0.state_dir
    }

    /// The host's log. Records carry the driver's name.
    pub fn log(&self) -> Log {
        Log {
            services: self.0.services,
            driver: self.0.driver,
        }
    }

    /// Whether the host is leaving: threads that a driver has started should end soon.
    pub fn shutting_down(&self) -> bool {
        self.0.services.shutting_down()
    }

    pub(crate) fn services(&self) -> Services {
        self.0.services
    }

    pub(crate) fn driver(&self) -> u64 {
        self.0.driver
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("namespace", &self.namespace())
            .field("name", &self.name())
            .field("host", &self.host())
            .field("state_dir", &self.state_dir())
            .finish()
    }
}

/// How much a log record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// Something failed and someone should look.
    Error = 1,
    /// Something is odd.
    Warn = 2,
    /// Something happened.
    Info = 3,
    /// How it happened.
    Debug = 4,
    /// Every step of it.
    Trace = 5,
}

/// The host's log, from inside a driver. A record that nobody keeps costs one atomic load and is not formatted.
#[derive(Clone, Copy)]
pub struct Log {
    services: Services,
    driver: u64,
}

impl Log {
    /// Whether records of `level` are kept.
    pub fn enabled(&self, level: Level) -> bool {
        self.services.enabled(level as u32)
    }

    /// Writes a record, if its level is kept. Use `format_args!` for a text with values in it.
    #[track_caller]
    pub fn write(&self, level: Level, text: impl Display) {
        if self.enabled(level) {
            let place = std::panic::Location::caller();
            let text = text.to_string();
            self.services.log(
                self.driver,
                level as u32,
                "driver",
                &text,
                place.file(),
                place.line(),
            );
        }
    }

    /// Writes an error record.
    #[track_caller]
    pub fn error(&self, text: impl Display) {
        self.write(Level::Error, text);
    }

    /// Writes a warning.
    #[track_caller]
    pub fn warn(&self, text: impl Display) {
        self.write(Level::Warn, text);
    }

    /// Writes an info record.
    #[track_caller]
    pub fn info(&self, text: impl Display) {
        self.write(Level::Info, text);
    }

    /// Writes a debug record.
    #[track_caller]
    pub fn debug(&self, text: impl Display) {
        self.write(Level::Debug, text);
    }
}

/// Given with each call that may take long. Nothing in it outlives the call.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    pub(crate) services: Services,
    pub(crate) request_id: &'a str,
    pub(crate) deadline_ns: u64,
    pub(crate) cancel: &'a AtomicU32,
}

impl<'a> CallContext<'a> {
    /// A context for a call: who asked, until when (on the host's clock, 0 = no deadline), and the flag that cancels it.
    pub fn new(
        services: Services,
        request_id: &'a str,
        deadline_ns: u64,
        cancel: &'a AtomicU32,
    ) -> Self {
        Self {
            services,
            request_id,
            deadline_ns,
            cancel,
        }
    }

    /// The id of the request that caused the call, for log lines.
    pub fn request_id(&self) -> &str {
        self.request_id
    }

    /// Whether the caller no longer wants the answer. Look at it between steps; answer `cancelled` when it is true.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) != 0
    }

    /// How long is left until the deadline; `None` when there is no deadline, zero when it has passed.
    pub fn remaining(&self) -> Option<Duration> {
        if self.deadline_ns == 0 {
            return None;
        }
        Some(Duration::from_nanos(
            self.deadline_ns.saturating_sub(self.services.now_ns()),
        ))
    }

    /// `Err(cancelled)` or `Err(timeout)` when the call should stop, for use with `?` between steps.
    pub fn check(&self) -> Result<(), crate::DriverError> {
        if self.is_cancelled() {
            return Err(crate::DriverError::cancelled("the caller asked to stop"));
        }
        match self.remaining() {
            Some(left) if left.as_nanos() == 0 => {
                Err(crate::DriverError::timeout("the deadline has passed").retry())
            }
            _ => Ok(()),
        }
    }
}
