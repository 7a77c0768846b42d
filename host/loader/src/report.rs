//! What a loader decided, entry by entry, in order: kept and shown, where stevedore logs and forgets.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;

use longshore_plugin_api::DriverError;

use crate::diagnostic::{Diagnostic, Style, render};
use crate::inspect::Refusal;

/// Why an entry point could not be used. Boxed: it is large, and rare.
#[derive(Debug, Clone)]
pub struct LoadFailure(Box<FailureParts>);

/// The parts of a `LoadFailure`.
#[derive(Debug, Clone)]
pub struct FailureParts {
    /// Code, namespace, driver, file, why and what to do.
    pub refusal: Refusal,
    /// Places in the map that are wrong, if it is the map or the settings in it.
    pub diagnostics: Vec<Diagnostic>,
    /// What the driver's constructor said, if it got that far.
    pub driver_error: Option<DriverError>,
    /// How it counts.
    pub kind: FailureKind,
}

/// How a failure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The map has no such name.
    NoMatch,
    /// The map has several, and its policy does not choose.
    MultipleMatches,
    /// The map switches it off.
    Disabled,
    /// The file is not there.
    Missing,
    /// The driver says that it is not for this machine: a skip, not an error.
    Unavailable,
    /// The file, the settings or the driver were refused.
    Refused,
    /// The program's own check of the extension gave an error.
    CheckFailed,
}

impl LoadFailure {
    pub(crate) fn new(kind: FailureKind, refusal: Refusal) -> LoadFailure {
        LoadFailure(Box::new(FailureParts {
            refusal,
            diagnostics: Vec::new(),
            driver_error: None,
            kind,
        }))
    }

    pub(crate) fn with_diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> LoadFailure {
        self.0.diagnostics = diagnostics;
        self
    }

    pub(crate) fn with_driver_error(mut self, error: DriverError) -> LoadFailure {
        self.0.driver_error = Some(error);
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.refusal.code
    }

    /// The namespace and the name of the entry point.
    pub fn entry(&self) -> (&str, &str) {
        let namespace = self.refusal.namespace.as_deref().unwrap_or_default();
        let name = self.refusal.driver.as_deref().unwrap_or_default();
        (namespace, name)
    }

    /// Whether it is a skip and no error: the driver says that it is not for this machine.
    pub fn is_skip(&self) -> bool {
        self.kind == FailureKind::Unavailable
    }

    /// One line, for logs.
    pub fn one_line(&self) -> String {
        self.refusal.one_line()
    }

    /// Whether the error means "this name cannot be found or chosen" (stevedore's `NoUniqueMatch`).
    pub fn is_no_unique_match(&self) -> bool {
        use FailureKind::{Disabled, MultipleMatches, NoMatch};
        matches!(self.kind, NoMatch | MultipleMatches | Disabled)
    }
}

impl std::ops::Deref for LoadFailure {
    type Target = FailureParts;
    fn deref(&self) -> &FailureParts {
        &self.0
    }
}

impl fmt::Display for LoadFailure {
    /// The text for people. Diagnostics of the map stand in place of the general text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.diagnostics.is_empty() {
            write!(f, "{}", self.refusal)
        } else {
            f.write_str(&render(&self.diagnostics, Style::default()))
        }
    }
}

impl std::error::Error for LoadFailure {}

/// So that a driver which is made at first use can be called with one kind of error. The driver's own error, if its
/// constructor gave one, stays as it is.
impl From<LoadFailure> for DriverError {
    fn from(failure: LoadFailure) -> DriverError {
        let parts = *failure.0;
        match (parts.driver_error, parts.kind) {
            (Some(error), _) => error,
            (None, FailureKind::Unavailable | FailureKind::Missing) => {
                DriverError::unavailable(parts.refusal.one_line())
            }
            (None, _) => DriverError::internal(parts.refusal.one_line()),
        }
    }
}

/// One line.
impl From<LoadFailure> for String {
    fn from(failure: LoadFailure) -> String {
        failure.one_line()
    }
}

/// What became of one entry point.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is loaded, from this file.
    Loaded(PathBuf),
    /// It is not.
    Failed(LoadFailure),
}

/// One line of a report.
#[derive(Debug, Clone)]
pub struct ReportLine {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Which host the driver was built for; empty when it is for the whole process.
    pub host: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a loader decided, in order.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    lines: VecDeque<ReportLine>,
}

impl LoadReport {
    /// Most lines that are kept; older ones go first. A line per entry and host stays far below.
    pub const LINES_MAX: usize = 10_000;

    pub(crate) fn add(&mut self, namespace: &str, name: &str, host: &str, outcome: Outcome) {
        if self.lines.len() >= Self::LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(ReportLine {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            host: host.to_owned(),
            outcome,
        });
    }

    /// The lines, in the order things happened.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &ReportLine> {
        self.lines.iter()
    }

    /// What failed.
    pub fn failures(&self) -> impl Iterator<Item = &LoadFailure> {
        self.lines.iter().filter_map(|line| match &line.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Loaded(_) => None,
        })
    }

    /// The last line about an entry.
    pub fn of(&self, namespace: &str, name: &str) -> Option<&ReportLine> {
        let mut newest = self.lines.iter().rev();
        newest.find(|l| l.namespace == namespace && l.name == name)
    }
}
