//! The error codes of the `service` area, spelled here and nowhere else in the crate.
//!
//! A code never changes its meaning; the texts beside it may improve. The program's `explain`
//! command joins this table with those of the other crates.

pub use longshore_messaging::Code;

pub(crate) const ALREADY_STARTED: &str = "service/already-started";
pub(crate) const STOPPING: &str = "service/stopping";
pub(crate) const DRAIN_CUT_SHORT: &str = "service/drain-cut-short";
pub(crate) const REPORT_LOST: &str = "service/report-lost";
pub(crate) const REPORT_TIMEOUT: &str = "service/report-timeout";
pub(crate) const PANICKED: &str = "service/panicked";
pub(crate) const SIGNALS: &str = "service/signals";

/// Every code this crate can report.
pub const TABLE: &[Code] = &[
    Code {
        code: ALREADY_STARTED,
        title: "the service is already started",
        cause: "a service was started again without being stopped",
        cure: "stop it first; this is a fault of the program that starts it",
    },
    Code {
        code: STOPPING,
        title: "the start was given up because a stop was asked for",
        cause: "a signal to stop came while services were being started",
        cure: "nothing to do; the services started so far are stopped again",
    },
    Code {
        code: DRAIN_CUT_SHORT,
        title: "work in progress did not finish within the grace period",
        cause: "a method, a periodic task or a request took longer than the graceful timeout",
        cure: "raise `graceful_shutdown_timeout`; what was cut short is recovered at the next \
               start",
    },
    Code {
        code: REPORT_LOST,
        title: "the service cannot report that it lives",
        cause: "the database, or the conductor that writes to it, does not answer",
        cure: "check them; the service goes on and reports again as soon as it can",
    },
    Code {
        code: REPORT_TIMEOUT,
        title: "a heartbeat took too long",
        cause: "the write of the service record neither succeeded nor failed in time",
        cure: "check the load of the database or of the conductor",
    },
    Code {
        code: PANICKED,
        title: "a periodic task or a heartbeat panicked",
        cause: "a bug in the named task; it runs again at its next time",
        cure: "report it with the log of the service",
    },
    Code {
        code: SIGNALS,
        title: "the program cannot listen for signals",
        cause: "the operating system refused to install a handler",
        cure: "check the limits of the process, such as the number of open files",
    },
];
