//! The wire form of objects: names of the members, version rule, and times.
//!
//! Must not know any object by name. Used by `base.rs` and by serializers that look for objects
//! inside messages.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::error::ObjectError;
use crate::field::{Field, Kind, invalid};

/// Member that holds the class name; a map that has it is an object.
pub const NAME: &str = "nova_object.name";
/// Member that holds the project namespace.
pub const NAMESPACE: &str = "nova_object.namespace";
/// Member that holds the version.
pub const VERSION: &str = "nova_object.version";
/// Member that holds the set fields.
pub const DATA: &str = "nova_object.data";
/// Member that lists the changed fields; absent when there are none.
pub const CHANGES: &str = "nova_object.changes";
/// The only namespace understood here.
pub const OUR_NAMESPACE: &str = "nova";

/// The class name of a wire object; nothing when the value is not an object.
pub fn object_name(value: &Value) -> Option<&str> {
    value.get(NAME)?.as_str()
}

/// Finds the data of a wire object after its name, namespace and version were accepted.
pub(crate) fn open<'v>(
    value: &'v Value,
    name: &str,
    own_version: &str,
) -> Result<&'v Map<String, Value>, ObjectError> {
    let found = text(value, NAME)?;
    let namespace = text(value, NAMESPACE)?;
    let version = text(value, VERSION)?;
    if namespace != OUR_NAMESPACE || found != name {
        return Err(ObjectError::UnsupportedObject(format!(
            "{namespace}.{found}"
        )));
    }
    if !compatible(version, own_version) {
        return Err(ObjectError::IncompatibleObjectVersion(
            name.to_owned(),
            version.to_owned(),
            own_version.to_owned(),
        ));
    }
    value
        .get(DATA)
        .and_then(Value::as_object)
        .ok_or_else(|| ObjectError::InvalidField(DATA.to_owned(), "it is missing".to_owned()))
}

fn text<'v>(value: &'v Value, member: &str) -> Result<&'v str, ObjectError> {
    value
        .get(member)
        .and_then(Value::as_str)
        .ok_or_else(|| ObjectError::InvalidField(member.to_owned(), "it is missing".to_owned()))
}

/// Same major and not a newer minor; a third component is ignored.
pub fn compatible(version: &str, own: &str) -> bool {
    let parts = |text: &str| -> Option<(u32, u32)> {
        let mut numbers = text.split('.').map(|part| part.parse::<u32>().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    match (parts(version), parts(own)) {
        (Some((major, minor)), Some((own_major, own_minor))) => {
            major == own_major && minor <= own_minor
        }
        _ => false,
    }
}

/// A point in time, UTC, in whole seconds (the wire form has no more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(Timestamp);

impl DateTime {
    /// From seconds since 1970-01-01T00:00:00Z; out of range values are cut to the range.
    pub fn from_unix(seconds: i64) -> Self {
        let bound = if seconds < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        Self(Timestamp::from_second(seconds).unwrap_or(bound))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn as_unix(self) -> i64 {
        self.0.as_second()
    }

    fn cut(stamp: Timestamp) -> Self {
        Self::from_unix(stamp.as_second())
    }
}

/// The present, the only place where this crate reads the clock.
pub fn now() -> DateTime {
    DateTime::cut(Timestamp::now())
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for DateTime {
    type Err = ObjectError;
    /// Text without a zone counts as UTC; fractions of a second are cut.
    fn from_str(text: &str) -> Result<Self, ObjectError> {
        let zoned = text.parse::<Timestamp>();
        let stamp = zoned.or_else(|_| {
            text.parse::<civil::DateTime>()?
                .to_zoned(TimeZone::UTC)
                .map(|at| at.timestamp())
        });
        let reason = "expected a time such as `2026-01-02T03:04:05Z`";
        stamp
            .map(Self::cut)
            .map_err(|_| ObjectError::InvalidField("datetime".to_owned(), reason.to_owned()))
    }
}

impl Field for DateTime {
    type Ref<'a> = DateTime;
    const KIND: Kind = Kind::Text;
    fn unset() -> Self {
        Self(Timestamp::UNIX_EPOCH)
    }
    fn view(&self) -> DateTime {
        *self
    }
    fn primitive(&self) -> Value {
        Value::from(self.to_string())
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        let parsed = value.as_str().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| invalid(field, "a time such as 2026-01-02T03:04:05Z", value))
    }
}
