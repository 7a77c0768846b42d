//! `ObjectError`: everything that can go wrong with an object, in a form that survives RPC.
//!
//! Must not know the database or the transport. An error crosses the wire as (class, message,
//! code); `from_remote` builds the same variant again, taking the nouns from the backticks of the
//! message. Used by the store, the conductor and every caller of a remotable method.

use std::fmt;

use crate::codes;

/// What a compare-and-swap expected, and what it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Identifier of the instance.
    pub uuid: String,
    /// The expected values, comma separated; an idle task state is `none`.
    pub expected: String,
    /// The value found.
    pub actual: String,
}

/// Failure of an operation on a versioned object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectError {
    /// No such instance, or it is deleted.
    InstanceNotFound(String),
    /// No such record of another kind: (kind, identifier).
    NotFound(String, String),
    /// A record with this identity exists: (kind, identifier).
    Exists(String, String),
    /// Another operation owns the instance's task state.
    UnexpectedTaskState(Conflict),
    /// The instance is being deleted, so the operation must give way.
    UnexpectedDeletingTaskState(Conflict),
    /// A state other than the task state is not as expected.
    InstanceUpdateConflict(Conflict),
    /// An object refuses an action: (action, reason).
    ObjectAction(String, String),
    /// The object was never created or read: (method, object name).
    OrphanedObject(String, String),
    /// A wire object is newer than this program: (name, version, supported version).
    IncompatibleObjectVersion(String, String, String),
    /// A wire object of an unknown kind or namespace.
    UnsupportedObject(String),
    /// The object has no such remotable method: (object name, method).
    UnsupportedMethod(String, String),
    /// A field or argument does not fit its type: (field, reason).
    InvalidField(String, String),
    /// The database failed.
    Store {
        /// The store's own code.
        code: String,
        /// The store's own one-line text.
        text: String,
    },
    /// A failure of another layer or of an unknown class, as received.
    Remote {
        /// Class name sent by the peer.
        class: String,
        /// Message sent by the peer.
        message: String,
        /// Code sent by the peer, empty when it sent none.
        code: String,
    },
}

impl ObjectError {
    /// The class name that travels on the wire (the field's own exception names).
    pub fn class(&self) -> &'static str {
        match self {
            Self::InstanceNotFound(_) => "InstanceNotFound",
            Self::NotFound(..) => "NotFound",
            Self::Exists(..) => "ObjectExists",
            Self::UnexpectedTaskState(_) => "UnexpectedTaskStateError",
            Self::UnexpectedDeletingTaskState(_) => "UnexpectedDeletingTaskStateError",
            Self::InstanceUpdateConflict(_) => "InstanceUpdateConflict",
            Self::ObjectAction(..) => "ObjectActionError",
            Self::OrphanedObject(..) => "OrphanedObjectError",
            Self::IncompatibleObjectVersion(..) => "IncompatibleObjectVersion",
            Self::UnsupportedObject(_) => "UnsupportedObjectError",
            Self::UnsupportedMethod(..) => "UnsupportedMethod",
            Self::InvalidField(..) => "ValueError",
            Self::Store { .. } => "DBError",
            Self::Remote { .. } => "RemoteError",
        }
    }

    /// The stable code, `area/slug`.
    pub fn code(&self) -> &str {
        match self {
            Self::InstanceNotFound(_) | Self::NotFound(..) => codes::NOT_FOUND,
            Self::Exists(..) => codes::EXISTS,
            Self::UnexpectedTaskState(_) => codes::TASK_STATE,
            Self::UnexpectedDeletingTaskState(_) => codes::DELETING,
            Self::InstanceUpdateConflict(_) => codes::CONFLICT,
            Self::ObjectAction(..) => codes::ACTION,
            Self::OrphanedObject(..) => codes::ORPHANED,
            Self::IncompatibleObjectVersion(..) => codes::VERSION,
            Self::UnsupportedObject(_) => codes::UNSUPPORTED,
            Self::UnsupportedMethod(..) => codes::METHOD,
            Self::InvalidField(..) => codes::FIELD,
            Self::Store { code, .. } | Self::Remote { code, .. } => code,
        }
    }

    /// Rebuilds an error from what a peer sent; an unknown class becomes [`ObjectError::Remote`].
    pub fn from_remote(class: &str, message: &str, code: &str) -> Self {
        let noun = |index: usize| {
            message
                .split('`')
                .nth(2 * index + 1)
                .unwrap_or("")
                .to_owned()
        };
        let conflict = || Conflict {
            uuid: noun(0),
            expected: noun(1),
            actual: noun(2),
        };
        match class {
            "InstanceNotFound" => Self::InstanceNotFound(noun(0)),
            "NotFound" => Self::NotFound(noun(0), noun(1)),
            "ObjectExists" => Self::Exists(noun(0), noun(1)),
            "UnexpectedTaskStateError" => Self::UnexpectedTaskState(conflict()),
            "UnexpectedDeletingTaskStateError" => Self::UnexpectedDeletingTaskState(conflict()),
            "InstanceUpdateConflict" => Self::InstanceUpdateConflict(conflict()),
            "ObjectActionError" => Self::ObjectAction(noun(0), noun(1)),
            "OrphanedObjectError" => Self::OrphanedObject(noun(0), noun(1)),
            "IncompatibleObjectVersion" => {
                Self::IncompatibleObjectVersion(noun(0), noun(1), noun(2))
            }
            "UnsupportedObjectError" => Self::UnsupportedObject(noun(0)),
            "UnsupportedMethod" => Self::UnsupportedMethod(noun(0), noun(1)),
            "ValueError" => Self::InvalidField(noun(0), noun(1)),
            "DBError" => Self::Store {
                code: code.to_owned(),
                text: message.to_owned(),
            },
            other => Self::Remote {
                class: other.to_owned(),
                message: message.to_owned(),
                code: code.to_owned(),
            },
        }
    }
}

/// A noun for a message: its own backticks would break the reading back on the other side.
struct Noun<'a>(&'a str);

impl fmt::Display for Noun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.replace('`', "'"))
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InstanceNotFound(uuid) => {
                write!(f, "instance {} could not be found", Noun(uuid))
            }
            Self::NotFound(kind, id) => write!(f, "{} {} could not be found", Noun(kind), Noun(id)),
            Self::Exists(kind, id) => write!(f, "{} {} exists already", Noun(kind), Noun(id)),
            Self::UnexpectedTaskState(c) => conflict(f, "task state", c),
            Self::UnexpectedDeletingTaskState(c) => conflict(f, "task state", c),
            Self::InstanceUpdateConflict(c) => conflict(f, "state", c),
            Self::ObjectAction(action, reason) => {
                write!(f, "object action {} failed: {}", Noun(action), Noun(reason))
            }
            Self::OrphanedObject(method, name) => {
                write!(
                    f,
                    "cannot call {} on orphaned {} object",
                    Noun(method),
                    Noun(name)
                )
            }
            Self::IncompatibleObjectVersion(name, version, supported) => write!(
                f,
                "object {} of version {} is not supported, supported version is {}",
                Noun(name),
                Noun(version),
                Noun(supported)
            ),
            Self::UnsupportedObject(name) => write!(f, "unsupported object type {}", Noun(name)),
            Self::UnsupportedMethod(name, method) => {
                write!(
                    f,
                    "object {} has no remotable method {}",
                    Noun(name),
                    Noun(method)
                )
            }
            Self::InvalidField(field, reason) => {
                write!(f, "field {} is invalid: {}", Noun(field), Noun(reason))
            }
            Self::Store { text, .. } => f.write_str(text),
            Self::Remote { class, message, .. } => write!(f, "remote error: {class} {message}"),
        }
    }
}

fn conflict(f: &mut fmt::Formatter<'_>, what: &str, c: &Conflict) -> fmt::Result {
    let (uuid, expected, actual) = (Noun(&c.uuid), Noun(&c.expected), Noun(&c.actual));
    write!(
        f,
        "conflict updating instance {uuid}: expected {what} {expected}, actual {actual}"
    )
}

impl std::error::Error for ObjectError {}
