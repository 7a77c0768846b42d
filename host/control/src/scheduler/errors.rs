//! Why hosts could not be picked, and how it goes back to the caller.
//!
//! Must not know RPC beyond the failure's form. Made by the selection, read by the manager.

use std::fmt;
use std::time::Duration;

use longshore_messaging::Failure;
use longshore_plugin_api::Category;

use super::selection::host_states::FilterCount;
use super::selection::story::Story;
use crate::codes;
use crate::driver_call::{CallError, one_line};

/// The keyword argument of a failure under which its details travel.
pub(crate) const DETAILS_KEY: &str = "details";

/// A request for hosts failed; nothing stays consumed.
#[derive(Clone, Debug)]
pub enum SelectError {
    /// The hosts do not suffice: the reason, and what each filter left for the last instance.
    NoValidHost {
        /// What the driver said.
        reason: String,
        /// Hosts known.
        known: usize,
        /// Hosts that the request allows, before filters.
        eligible: usize,
        /// Start and end of each filter that ran.
        filters: Vec<FilterCount>,
        /// For which instance, and what the last hosts had.
        story: Box<Story>,
    },
    /// A driver failed: its role and name, and how.
    Driver(String, CallError),
    /// A driver answered what cannot be: its role and name, and what.
    BadValue(String, String),
    /// The request cannot be right.
    BadSpec(String),
    /// No driver that is enabled honours the policy of the request's group: the policy, and the
    /// driver that would.
    UnsupportedPolicy(&'static str, String),
    /// Too many requests are waiting; nothing was begun.
    Busy(usize),
    /// The requests before it took this long; it was not begun.
    Waited(Duration),
    /// Records could not be read, by their own code and text.
    Records(String, String),
}

impl SelectError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::NoValidHost { .. } => codes::NO_VALID_HOST,
            Self::Driver(_, error) => error.code(),
            Self::BadValue(..) => codes::DRIVER_BAD_VALUE,
            Self::BadSpec(_) => codes::BAD_SPEC,
            Self::UnsupportedPolicy(..) => codes::UNSUPPORTED_POLICY,
            Self::Busy(_) | Self::Waited(_) => codes::BUSY,
            Self::Records(code, _) => code,
        }
    }

    /// The class that travels on the wire.
    fn class(&self) -> &'static str {
        match self {
            Self::NoValidHost { .. } => "NoValidHost",
            Self::Driver(..) | Self::BadValue(..) => "SchedulerDriverError",
            Self::BadSpec(_) => "InvalidInput",
            Self::UnsupportedPolicy(..) => "UnsupportedPolicyException",
            Self::Busy(_) | Self::Waited(_) => "SchedulerBusy",
            Self::Records(..) => "DBError",
        }
    }

    /// The failure for the caller.
    pub fn to_failure(&self) -> Failure {
        let failure =
            Failure::new(self.class(), self.to_string()).with_code(self.code().to_owned());
        match self.details() {
            Some(details) => failure.with_kwarg(DETAILS_KEY, details),
            None => failure,
        }
    }

    /// The whole story, of several lines, where there is more than the error's one.
    pub fn details(&self) -> Option<String> {
        let Self::NoValidHost {
            reason,
            known,
            eligible,
            filters,
            story,
        } = self
        else {
            return None;
        };
        Some(story.text((*known, *eligible), filters, reason))
    }

    /// Whether it is the driver's word that no host satisfies the request.
    pub(super) fn is_no_valid_host(error: &CallError) -> bool {
        error.category() == Some(Category::NoValidHost)
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValidHost {
                reason,
                known,
                eligible,
                filters,
                story,
            } => {
                write!(f, "no valid host was found{}: ", story.which())?;
                no_valid_host(f, (*known, *eligible), filters, reason)
            }
            Self::Driver(who, error) => write!(f, "{who} failed: {error}"),
            Self::BadValue(who, what) => write!(f, "{who} gave {what}"),
            Self::BadSpec(what) => f.write_str(what),
            Self::UnsupportedPolicy(policy, by) => write!(
                f,
                "the server group's policy `{policy}` is not supported: {by} is not enabled"
            ),
            Self::Busy(max) => write!(f, "{max} requests wait for the scheduler already"),
            Self::Waited(limit) => {
                write!(f, "the requests before it held the scheduler for {limit:?}")
            }
            Self::Records(_, text) => write!(f, "cannot read the hosts' records: {text}"),
        }
    }
}

impl std::error::Error for SelectError {}

/// The step that took the last host. If none did, the scheduler had its own reason.
fn no_valid_host(
    f: &mut fmt::Formatter<'_>,
    (known, eligible): (usize, usize),
    filters: &[FilterCount],
    reason: &str,
) -> fmt::Result {
    if known == 0 {
        return write!(f, "no host is known");
    }
    if eligible == 0 {
        return write!(f, "the request allows none of {known} hosts");
    }
    match filters.iter().find(|step| step.end == 0) {
        Some(step) => write!(f, "filter `{}` left 0 of {} hosts", step.filter, step.start),
        None => {
            let left = filters.last().map_or(eligible, |step| step.end);
            let reason = one_line(reason);
            write!(f, "{left} of {known} hosts were left; {reason}")
        }
    }
}
