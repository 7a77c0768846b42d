//! What can go wrong for a caller, each with its stable code and what to do.
//!
//! `Display` says this layer's own part on one line. Text that came from a peer is escaped and
//! clipped, since it ends up in logs and terminals.

use std::fmt;
use std::time::Duration;

use crate::codes;
use crate::failure::{Failure, MODULE_MESSAGING};
use crate::version::Version;

/// Longest text of a peer that is shown, in bytes before escaping.
pub const PEER_TEXT_MAX: usize = 1024;

/// An RPC operation failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RpcError {
    /// No reply within the timeout. The method may have run, or may still run.
    Timeout {
        /// Id of the message that has no reply.
        msg_id: String,
        /// The method that was called.
        method: String,
        /// The queue it was sent to.
        queue: String,
        /// How long the caller waited.
        timeout: Duration,
    },
    /// A bound was reached; nothing was sent.
    Backpressure {
        /// The queue, or what else is full.
        queue: String,
        /// Its bound.
        len_max: usize,
    },
    /// The method ran and failed, or could not be dispatched.
    Remote(Failure),
    /// The version cap forbids this message; nothing was sent.
    VersionCap {
        /// Version of the message; none if it carries none.
        requested: Option<Version>,
        /// The cap.
        cap: Version,
    },
    /// Text given as version does not parse; nothing was sent.
    BadVersion {
        /// The text.
        text: String,
    },
    /// The target does not fit the operation; nothing was sent.
    InvalidTarget {
        /// What is wrong with it.
        problem: &'static str,
        /// The target as text.
        target: String,
    },
    /// The arguments are neither an object nor null; nothing was sent.
    BadArguments {
        /// The method that should have been called.
        method: String,
    },
    /// The message is larger than [`MESSAGE_LEN_MAX`](crate::message::MESSAGE_LEN_MAX) bytes.
    TooLarge {
        /// The method of the request, or what the reply answers.
        method: String,
        /// Size of the message in bytes.
        len: usize,
    },
    /// The reply is not in the wire format.
    BadReply {
        /// What is wrong with it.
        problem: String,
    },
    /// A reply was published to a queue that does not exist.
    NoReplyQueue {
        /// Name of the queue.
        queue: String,
    },
    /// The transport has ended.
    Closed,
}

impl RpcError {
    /// The stable code; for a remote failure the one it carries.
    pub fn code(&self) -> &str {
        match self {
            Self::Timeout { .. } => codes::TIMEOUT,
            Self::Backpressure { .. } => codes::BACKPRESSURE,
            Self::Remote(failure) => failure.code().unwrap_or(codes::REMOTE),
            Self::VersionCap { .. } => codes::VERSION_CAP,
            Self::BadVersion { .. } => codes::BAD_VERSION,
            Self::InvalidTarget { .. } => codes::INVALID_TARGET,
            Self::BadArguments { .. } => codes::BAD_ARGUMENTS,
            Self::TooLarge { .. } => codes::TOO_LARGE,
            Self::BadReply { .. } => codes::BAD_REPLY,
            Self::NoReplyQueue { .. } => codes::NO_REPLY_QUEUE,
            Self::Closed => codes::CLOSED,
        }
    }

    /// What to do, from the code table; empty for codes of other crates.
    pub fn hint(&self) -> &'static str {
        let row = codes::TABLE.iter().find(|row| row.code == self.code());
        row.map_or("", |row| row.cure)
    }

    /// The remote failure, if that is what happened.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Remote(failure) => Some(failure),
            _ => None,
        }
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout {
                msg_id,
                method,
                queue,
                timeout,
            } => write!(
                f,
                "timed out waiting for a reply to message id {msg_id}: no answer to `{method}` \
                 from `{queue}` within {timeout:?}"
            ),
            Self::Backpressure { queue, len_max } => {
                write!(
                    f,
                    "cannot send to `{queue}`: it holds its maximum of {len_max}"
                )
            }
            Self::Remote(failure) => write!(f, "the called method failed with {failure}"),
            Self::VersionCap { requested, cap } => {
                let requested = requested.map_or_else(|| "none".to_owned(), |v| v.to_string());
                write!(
                    f,
                    "requested message version {requested} is not allowed by the version cap \
                     {cap}: the major must be equal and the minor not greater"
                )
            }
            Self::BadVersion { text } => {
                write!(
                    f,
                    "version `{}` is not of the form `major.minor`",
                    one_line(text)
                )
            }
            Self::InvalidTarget { problem, target } => write!(f, "{problem}: {target}"),
            Self::BadArguments { method } => {
                write!(
                    f,
                    "the arguments of `{method}` are neither an object nor null"
                )
            }
            Self::TooLarge { method, len } => write!(
                f,
                "the message for `{}` has {len} bytes, the maximum is {}",
                one_line(method),
                crate::message::MESSAGE_LEN_MAX
            ),
            Self::BadReply { problem } => write!(f, "cannot read the reply: {problem}"),
            Self::NoReplyQueue { queue } => {
                write!(f, "reply queue `{}` does not exist", one_line(queue))
            }
            Self::Closed => write!(f, "the transport is closed"),
        }
    }
}

impl std::error::Error for RpcError {}

/// A method that fails because a call of its own failed: what came from a third service is passed
/// on as it is, the rest becomes a failure of the messaging layer.
impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        let class = match error {
            RpcError::Remote(failure) => return failure,
            RpcError::Timeout { .. } => "MessagingTimeout",
            RpcError::InvalidTarget { .. } => "InvalidTarget",
            _ => "MessagingException",
        };
        Self::new(class, error.to_string())
            .with_module(MODULE_MESSAGING)
            .with_code(error.code().to_owned())
    }
}

/// Makes text of a peer fit for one line of a log: control characters escaped, length bounded.
pub(crate) fn one_line(text: &str) -> String {
    let end = text.floor_char_boundary(PEER_TEXT_MAX);
    let mut line: String = text[..end]
        .chars()
        .flat_map(|c| {
            let escape = c.is_control().then(|| c.escape_default());
            let plain = escape.is_none().then_some(c);
            escape.into_iter().flatten().chain(plain)
        })
        .collect();
    if end < text.len() {
        line.push('…');
    }
    line
}
