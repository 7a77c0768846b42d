//! `DriverError`: how a driver says that a call failed. The host acts on the category, never on the text.

use std::fmt;

/// The longest message, hint or place that a host keeps of an error, in bytes.
pub const TEXT_MAX: usize = 4096;

/// What kind of failure it is. The list is closed: a host decides by it whether to retry, reschedule or give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum Category {
    /// Anything that has no category of its own, bugs included.
    Internal = 0,
    /// What was named does not exist.
    NotFound = 1,
    /// What was to be made is there already.
    AlreadyExists = 2,
    /// The request or a setting cannot be right, whatever the state of the world.
    Invalid = 3,
    /// This driver does not do that.
    NotSupported = 4,
    /// A disk, directory or quota is full.
    NoSpace = 5,
    /// The host has too little memory, processor time or another resource.
    NoCapacity = 6,
    /// No host satisfies the request.
    NoValidHost = 7,
    /// Something else is being done to the same thing; later it may work.
    Busy = 8,
    /// What the driver stands on (a hypervisor, a service, a device) does not answer.
    Unavailable = 9,
    /// The caller asked to stop.
    Cancelled = 10,
    /// It took longer than the deadline.
    Timeout = 11,
}

impl Category {
    /// The category's word, as people and programs read it: `no-valid-host`.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Internal => "internal",
            Category::NotFound => "not-found",
            Category::AlreadyExists => "already-exists",
            Category::Invalid => "invalid",
            Category::NotSupported => "not-supported",
            Category::NoSpace => "no-space",
            Category::NoCapacity => "no-capacity",
            Category::NoValidHost => "no-valid-host",
            Category::Busy => "busy",
            Category::Unavailable => "unavailable",
            Category::Cancelled => "cancelled",
            Category::Timeout => "timeout",
        }
    }

    pub(crate) fn from_number(number: u32) -> Self {
        const ALL: [Category; 12] = [
            Category::Internal,
            Category::NotFound,
            Category::AlreadyExists,
            Category::Invalid,
            Category::NotSupported,
            Category::NoSpace,
            Category::NoCapacity,
            Category::NoValidHost,
            Category::Busy,
            Category::Unavailable,
            Category::Cancelled,
            Category::Timeout,
        ];
        ALL.get(number as usize)
            .copied()
            .unwrap_or(Category::Internal)
    }
}

/// Who made the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Driver,
    Panic,
    BadValue,
}

/// Why a call failed: a category for the host, a text for people.
///
/// ```
/// use longshore_plugin_api::DriverError;
/// let error = DriverError::no_space("`/var/lib/demo` has 0 bytes left").hint("free some space").retry();
/// assert_eq!(error.category().as_str(), "no-space");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverError(Box<Parts>);

/// Boxed, so that a `Result` of a number fits into two registers and a call that succeeds does not pay for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    category: Category,
    retry: bool,
    origin: Origin,
    message: String,
    hint: String,
    place: String,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $category:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(Category::$category, message)
        }
    )*};
}

impl DriverError {
    /// An error of this category; `message` names the thing and says why, in lower case and without a full stop.
    pub fn new(category: Category, message: impl Into<String>) -> Self {
        let (hint, place) = (String::new(), String::new());
        Self(Box::new(Parts {
            category,
            retry: false,
            origin: Origin::Driver,
            message: message.into(),
            hint,
            place,
        }))
    }

    constructors! {
        /// A failure without a category of its own.
        internal => Internal;
        /// What was named does not exist.
        not_found => NotFound;
        /// What was to be made is there already.
        already_exists => AlreadyExists;
        /// The request or a setting cannot be right.
        invalid => Invalid;
        /// This driver does not do that.
        not_supported => NotSupported;
        /// A disk, directory or quota is full.
        no_space => NoSpace;
        /// Too little memory, processor time or another resource.
        no_capacity => NoCapacity;
        /// No host satisfies the request.
        no_valid_host => NoValidHost;
        /// Something else is being done to the same thing.
        busy => Busy;
        /// What the driver stands on does not answer.
        unavailable => Unavailable;
        /// The caller asked to stop.
        cancelled => Cancelled;
        /// It took longer than the deadline.
        timeout => Timeout;
    }

    /// Says what the operator can do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// Names the key path of the setting that is wrong, such as `image_dirs` or `limits.ram`.
    pub fn at(mut self, key: impl Into<String>) -> Self {
        self.0.place = key.into();
        self
    }

    /// Says that the same call may succeed later.
    pub fn retry(mut self) -> Self {
        self.0.retry = true;
        self
    }

    /// The category.
    pub fn category(&self) -> Category {
        self.0.category
    }

    /// Why it failed.
    pub fn message(&self) -> &str {
        if self.0.message.is_empty() {
            "(driver gave no reason)"
        } else {
            &self.0.message
        }
    }

    /// What to do about it, or nothing.
    pub fn help(&self) -> Option<&str> {
        Some(self.0.hint.as_str()).filter(|h| !h.is_empty())
    }

    /// The key path of a settings error, or nothing.
    pub fn key(&self) -> Option<&str> {
        Some(self.0.place.as_str()).filter(|p| !p.is_empty() && self.0.origin == Origin::Driver)
    }

    /// Whether the same call may succeed later.
    pub fn may_retry(&self) -> bool {
        self.0.retry
    }

    /// `file:line` of the panic that this error stands for; `None` if the driver returned the error itself.
    pub fn panicked_at(&self) -> Option<&str> {
        (self.0.origin == Origin::Panic).then_some(self.0.place.as_str())
    }

    /// Whether a value that the driver gave was refused at the border.
    pub fn is_bad_value(&self) -> bool {
        self.0.origin == Origin::BadValue
    }

    pub(crate) fn panicked(message: String, place: String) -> Self {
        let hint = String::from("this is a bug in the driver; report it to its author");
        Self(Box::new(Parts {
            category: Category::Internal,
            retry: false,
            origin: Origin::Panic,
            message,
            hint,
            place,
        }))
    }

    pub(crate) fn bad_value(what: String) -> Self {
        let mut error = Self::internal(what);
        error.0.origin = Origin::BadValue;
        error
    }

    pub(crate) fn into_parts(self) -> (Category, bool, u32, String, String, String) {
        let Parts {
            category,
            retry,
            origin,
            message,
            hint,
            place,
        } = *self.0;
        (category, retry, origin as u32, message, hint, place)
    }

    pub(crate) fn from_parts(
        category: Category,
        retry: bool,
        origin: u32,
        message: String,
        hint: String,
        place: String,
    ) -> Self {
        let origin = match origin {
            1 => Origin::Panic,
            2 => Origin::BadValue,
            _ => Origin::Driver,
        };
        Self(Box::new(Parts {
            category,
            retry,
            origin,
            message,
            hint,
            place,
        }))
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.origin {
            Origin::Panic => write!(f, "panicked at {}: {}", self.0.place, self.message()),
            Origin::BadValue => write!(f, "gave {}", self.message()),
            Origin::Driver if self.0.place.is_empty() => f.write_str(self.message()),
            Origin::Driver => write!(f, "`{}`: {}", self.0.place, self.message()),
        }
    }
}

impl std::error::Error for DriverError {}

impl From<std::io::Error> for DriverError {
    /// Keeps the system's text; the category follows the error's kind where one fits.
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let category = match error.kind() {
            ErrorKind::NotFound => Category::NotFound,
            ErrorKind::AlreadyExists => Category::AlreadyExists,
            ErrorKind::TimedOut => Category::Timeout,
            // ENOSPC has no stable kind on the oldest supported compiler.
            _ if error.raw_os_error() == Some(28) => Category::NoSpace,
            _ => Category::Internal,
        };
        Self::new(category, error.to_string())
    }
}
