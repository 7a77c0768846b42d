//! The exit codes of the program, which scripts depend on. Spelled here and nowhere else.
//!
//! The number tells kinds of failure apart, the error's code tells the causes. Deaths by signal
//! are 128 + n and are the business of whoever waits for signals.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was told; a clean stop by a signal too.
    Done,
    /// The operation failed, or a command found problems.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// The configuration or the map is invalid.
    Configuration,
    /// A plugin was refused or failed its check.
    Plugin,
    /// The API, the broker or the database cannot be reached or used.
    Unreachable,
    /// It took longer than allowed.
    TimedOut,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Configuration => 3,
            Exit::Plugin => 4,
            Exit::Unreachable => 5,
            Exit::TimedOut => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
