//! What an operator can set on a driver: a plain struct, with a schema that the host reads without running any code.
//!
//! The values come from the `settings` of the driver's entry in `plugins.toml`. The host checks them against the schema
//! before it builds the driver; the driver reads them once more into its struct, and every error names the key.

use crate::abi::note::Part;
use crate::error::DriverError;
use crate::json::Json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A struct of settings. Implemented by [`settings!`](crate::settings!).
pub trait Settings: Sized {
    /// The schema as pieces of a JSON list, for the ELF note.
    #[doc(hidden)]
    const SCHEMA: &'static [Part];

    /// Reads the values; a key that is left out gets its default.
    ///
    /// # Errors
    /// `invalid`, with the key: unknown, missing, of the wrong type, or out of range.
    #[doc(hidden)]
    fn from_table(table: BTreeMap<String, Json>) -> Result<Self, DriverError>;

    /// Reads settings from a JSON text, as in a driver's own tests.
    ///
    /// # Errors
    /// `invalid`, with the key.
    fn from_json(text: &str) -> Result<Self, DriverError> {
        read(text)
    }
}

/// Settings of a driver that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoSettings;

impl Settings for NoSettings {
    const SCHEMA: &'static [Part] = &[];
    fn from_table(table: BTreeMap<String, Json>) -> Result<Self, DriverError> {
        unknown_keys(&table, &[]).map(|()| NoSettings)
    }
}

pub(crate) fn read<S: Settings>(text: &str) -> Result<S, DriverError> {
    match Json::parse(if text.is_empty() { "{}" } else { text }) {
        Ok(Json::Table(table)) => S::from_table(table),
        Ok(other) => Err(DriverError::invalid(format!(
            "settings must be a table, not {}",
            other.kind()
        ))),
        Err(why) => Err(DriverError::invalid(format!(
            "settings cannot be read: {why}"
        ))),
    }
}

#[doc(hidden)]
pub fn unknown_keys(table: &BTreeMap<String, Json>, known: &[&str]) -> Result<(), DriverError> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(DriverError::invalid("no such setting").at(key)),
        None => Ok(()),
    }
}

/// A type that one setting can have.
pub trait Setting: Sized {
    /// The schema's word for it.
    const TYPE: &'static str;
    /// What is expected, for messages.
    const EXPECTED: &'static str;
    /// The value when the key is absent and has no default; `None` makes the key required.
    fn absent() -> Option<Self> {
        None
    }
    /// Reads a value; `None` when it has another type.
    fn read(json: &Json) -> Option<Self>;
    /// The value as a number, for `min` and `max`.
    fn number(&self) -> Option<f64> {
        None
    }
    /// The value as a text, for `one_of`.
    fn word(&self) -> Option<&str> {
        None
    }
}

macro_rules! whole_numbers {
    ($($ty:ty),*) => {$(
        impl Setting for $ty {
            const TYPE: &'static str = "integer";
            const EXPECTED: &'static str = "a whole number";
            fn read(json: &Json) -> Option<Self> {
                match json { Json::Integer(n) => Self::try_from(*n).ok(), _ => None }
            }
            fn number(&self) -> Option<f64> { Some(*self as f64) }
        }
    )*};
}
whole_numbers!(i64, u64, i32, u32, u16, u8, usize);

impl Setting for f64 {
    const TYPE: &'static str = "float";
    const EXPECTED: &'static str = "a number";
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Integer(n) => Some(*n as f64),
            Json::Float(n) => Some(*n),
            _ => None,
        }
    }
    fn number(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Setting for bool {
    const TYPE: &'static str = "boolean";
    const EXPECTED: &'static str = "`true` or `false`";
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Bool(b) => Some(*b),
            _ => None,
        }
    }
}

impl Setting for String {
    const TYPE: &'static str = "string";
    const EXPECTED: &'static str = "text";
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Text(t) => Some(t.clone()),
            _ => None,
        }
    }
    fn word(&self) -> Option<&str> {
        Some(self)
    }
}

impl Setting for PathBuf {
    const TYPE: &'static str = "string";
    const EXPECTED: &'static str = "a path";
    fn read(json: &Json) -> Option<Self> {
        String::read(json).map(PathBuf::from)
    }
}

impl<T: Setting> Setting for Vec<T> {
    const TYPE: &'static str = "list";
    const EXPECTED: &'static str = "a list";
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::List(items) => items.iter().map(T::read).collect(),
            _ => None,
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const EXPECTED: &'static str = T::EXPECTED;
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Null => Some(None),
            other => T::read(other).map(Some),
        }
    }
    fn number(&self) -> Option<f64> {
        self.as_ref().and_then(T::number)
    }
    fn word(&self) -> Option<&str> {
        self.as_ref().and_then(T::word)
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    const TYPE: &'static str = "table";
    const EXPECTED: &'static str = "a table";
    fn read(json: &Json) -> Option<Self> {
        match json {
            Json::Table(table) => table
                .iter()
                .map(|(k, v)| Some((k.clone(), T::read(v)?)))
                .collect(),
            _ => None,
        }
    }
}

/// Reads one setting: its value, else its default, else what its type says.
#[doc(hidden)]
pub fn field<T: Setting>(
    table: &mut BTreeMap<String, Json>,
    key: &str,
    default: Option<&str>,
    limits: &[(&str, &str)],
) -> Result<T, DriverError> {
    let json = match (table.remove(key), default) {
        (Some(json), _) => json,
        (None, Some(text)) => Json::parse(text).map_err(|why| {
            DriverError::internal(format!("its default `{text}` cannot be read: {why}")).at(key)
        })?,
        (None, None) => {
            return T::absent().ok_or_else(|| DriverError::invalid("is required").at(key))
        }
    };
    let wrong =
        || DriverError::invalid(format!("expected {}, found {}", T::EXPECTED, json.kind())).at(key);
    let value = T::read(&json).ok_or_else(wrong)?;
    for (limit, text) in limits {
        if let Some(why) = breaks(&value, limit, text) {
            return Err(DriverError::invalid(why).at(key));
        }
    }
    Ok(value)
}

fn breaks<T: Setting>(value: &T, limit: &str, text: &str) -> Option<String> {
    let bound = Json::parse(text).ok();
    match (limit, bound) {
        ("min", Some(bound)) if value.number() < f64::read(&bound) && value.number().is_some() => {
            Some(format!("must be at least {text}"))
        }
        ("max", Some(bound)) if value.number() > f64::read(&bound) => {
            Some(format!("must be at most {text}"))
        }
        ("one_of", Some(Json::List(words))) => {
            let word = value.word()?;
            let known = words
                .iter()
                .any(|w| matches!(w, Json::Text(t) if t == word));
            (!known).then(|| format!("must be one of {text}"))
        }
        _ => None,
    }
}

/// The text of a literal that is the same in Rust and in JSON. Anything else fails to compile: the note would be
/// unreadable, or a limit would be left out of the check.
#[doc(hidden)]
pub const fn json_literal(text: &'static str) -> &'static str {
    let bytes = text.as_bytes();
    let mut i = 0;
    let mut in_text = false;
    let mut last = b' ';
    while i < bytes.len() {
        let byte = bytes[i];
        if in_text && byte == b'\\' {
            i += 1;
            assert!(
                i < bytes.len() && matches!(bytes[i], b'"' | b'\\' | b'n' | b'r' | b't'),
                "in the text of a default, only these escapes mean the same in JSON: \\\" \\\\ \\n \\r \\t"
            );
        } else if byte == b'"' {
            assert!(
                in_text || !matches!(last, b'r' | b'b' | b'#'),
                "write the text of a default as JSON: no raw texts, no bytes"
            );
            in_text = !in_text;
        } else if !in_text {
            assert!(
                !last.is_ascii_digit() || byte == b'e' || byte == b'E' || !is_word(byte),
                "write the number of a default or limit as JSON: 1000000, not 1_000_000, 0x10 or 10u32"
            );
            assert!(
                last != b'.' || byte.is_ascii_digit(),
                "write the number of a default or limit as JSON: 1.0, not 1."
            );
        }
        last = if in_text { b' ' } else { byte };
        i += 1;
    }
    assert!(
        last != b'.',
        "write the number of a default or limit as JSON: 1.0, not 1."
    );
    text
}

/// A byte that may belong to a word; digits apart.
const fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

/// Declares the settings of a driver.
///
/// Each field has a doc comment (the operator reads it in `longshore plugin show`), a type and, unless it is required,
/// a default written as JSON (what is not JSON, such as `1_000`, does not compile). `min`, `max`, `one_of` and `secret`
/// may follow.
///
/// ```
/// longshore_plugin_api::settings! {
///     /// How the demo driver behaves.
///     pub struct DemoSettings {
///         /// Where instances are kept.
///         directory: String;
///         /// How many instances it takes.
///         slots: u32 = 8, min = 1, max = 512;
///         /// What happens to one that does not fit.
///         overflow: String = "refuse", one_of = ["refuse", "queue"];
///     }
/// }
/// use longshore_plugin_api::Settings;
/// let settings = DemoSettings::from_json(r#"{"directory": "/srv/demo"}"#).unwrap();
/// assert_eq!((settings.slots, settings.overflow.as_str()), (8, "refuse"));
/// let error = DemoSettings::from_json(r#"{"directory": "/srv/demo", "slots": 0}"#).unwrap_err();
/// assert_eq!(error.to_string(), "`slots`: must be at least 1");
/// ```
///
/// ```compile_fail,E0080
/// longshore_plugin_api::settings! {
///     struct Wrong {
///         /// JSON has no such number.
///         slots: u32 = 8, max = 1_000;
///     }
/// }
/// const _: usize = <Wrong as longshore_plugin_api::Settings>::SCHEMA.len();
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! settings {
    ($(#[$meta:meta])* $vis:vis struct $Name:ident {
        $($(#[doc = $help:literal])* $key:ident: $ty:ty $(= $default:expr)? $(, $limit:ident = $bound:expr)*;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $Name {
            $($(#[doc = $help])* pub $key: $ty,)*
        }

        impl $crate::Settings for $Name {
            const SCHEMA: &'static [$crate::__abi::note::Part] = {
                use $crate::__abi::note::Part::{Comma, Json, Text};
                &[$(
                    Json(concat!("{\"key\":\"", stringify!($key), "\",\"type\":\"")),
                    Json(<$ty as $crate::Setting>::TYPE),
                    Json("\",\"default\":"),
                    Json($crate::__settings::json_literal($crate::__default_or_null!($($default)?))),
                    $(
                        Json(concat!(",\"", stringify!($limit), "\":")),
                        Json($crate::__settings::json_literal(stringify!($bound))),
                    )*
                    Json(",\"required\":"),
                    Json($crate::__required!($ty $(, $default)?)),
                    Json(",\"help\":\""),
                    $(Text($help),)*
                    Json("\"}"),
                    Comma,
                )*]
            };

            fn from_table(
                mut table: ::std::collections::BTreeMap<::std::string::String, $crate::__json::Json>,
            ) -> ::core::result::Result<Self, $crate::DriverError> {
                $crate::__settings::unknown_keys(&table, &[$(stringify!($key)),*])?;
                let this = Self {
                    $($key: $crate::__settings::field(
                        &mut table,
                        stringify!($key),
                        $crate::__default_or_none!($($default)?),
                        &[$((stringify!($limit), stringify!($bound))),*],
                    )?,)*
                };
                ::core::result::Result::Ok(this)
            }
        }
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __default_or_null {
    () => {
        "null"
    };
    ($default:expr) => {
        stringify!($default)
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __default_or_none {
    () => {
        ::core::option::Option::None
    };
    ($default:expr) => {
        ::core::option::Option::Some(stringify!($default))
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __required {
    ($ty:ty) => {
        $crate::__settings::required::<$ty>()
    };
    ($ty:ty, $default:expr) => {
        "false"
    };
}

/// Whether a key without a default must be given: unless its type is an `Option`.
#[doc(hidden)]
pub const fn required<T: Setting + Optional>() -> &'static str {
    if T::OPTIONAL {
        "false"
    } else {
        "true"
    }
}

/// Tells `Option` from the rest in a constant.
#[doc(hidden)]
pub trait Optional {
    /// Whether the type is an `Option`.
    const OPTIONAL: bool = false;
}

impl<T> Optional for Option<T> {
    const OPTIONAL: bool = true;
}
impl<T> Optional for Vec<T> {}
impl<T> Optional for BTreeMap<String, T> {}
macro_rules! not_optional {
    ($($ty:ty),*) => { $(impl Optional for $ty {})* };
}
not_optional!(i64, u64, i32, u32, u16, u8, usize, f64, bool, String, PathBuf);

#[cfg(test)]
mod tests {
    use super::json_literal;

    #[test]
    fn only_what_json_reads_the_same_is_a_default() {
        for good in [
            "null",
            "true",
            "1",
            "-1.5",
            "1e3",
            "[]",
            "[\"a_1\", \"b.\"]",
            r#""say \"hi\" 0x10\n""#,
        ] {
            assert_eq!(json_literal(good), good);
        }
        for bad in [
            "1_000",
            "0x10",
            "10u32",
            "1.",
            "[1.]",
            "r\"a\"",
            r#""\u{e9}""#,
            r#""\'""#,
        ] {
            assert!(
                std::panic::catch_unwind(|| json_literal(bad)).is_err(),
                "{bad}"
            );
        }
    }
}
