//! Advice for keys that are right somewhere else, or that other programs call so.
//!
//! Only words; what is known where stands in the files that read the tables. Called when a key is
//! unknown.

use super::keys::{ENTRY_KEYS, POLICY_KEYS, RESERVED_KEYS};
use crate::diagnostic::escape;

/// Words that other formats use, and ours.
const ALIKE: &[(&str, &str)] = &[
    ("library", "lib"),
    ("file", "lib"),
    ("path", "lib"),
    ("module", "lib"),
    ("symbol", "export"),
    ("attr", "export"),
    ("entry", "export"),
    ("config", "settings"),
    ("options", "settings"),
    ("params", "settings"),
    ("prio", "priority"),
    ("digest", "sha256"),
    ("hash", "sha256"),
    ("description", "about"),
    ("disabled", "enabled"),
];

/// A table of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table<'a> {
    /// The document itself.
    Document,
    /// `[longshore]`.
    Reserved,
    /// A policy.
    Policy,
    /// An entry of this namespace.
    Entry(&'a str),
}

/// Our word for a key of an entry that is unknown.
pub(super) fn ours(key: &str) -> Option<&'static str> {
    ALIKE
        .iter()
        .find(|(odd, _)| *odd == key)
        .map(|(_, ours)| *ours)
}

/// What to do about an unknown key, if it is known elsewhere or under another name.
pub(super) fn advice(key: &str, at: Table<'_>) -> Option<String> {
    if let (Table::Entry(_), Some(ours)) = (at, ours(key)) {
        let right = if key == "disabled" {
            "enabled = false"
        } else {
            ours
        };
        return Some(format!("it is called `{right}` here"));
    }
    let belongs = if RESERVED_KEYS.contains(&key) {
        "`[longshore]`".to_owned()
    } else if POLICY_KEYS.contains(&key) {
        match at {
            Table::Entry(namespace) => format!("`[longshore.policy.\"{}\"]`", escape(namespace)),
            _ => "`[longshore.defaults]`".to_owned(),
        }
    } else if ENTRY_KEYS.contains(&key) && at != Table::Document {
        "an entry of a namespace".to_owned()
    } else {
        return None;
    };
    Some(format!("`{key}` belongs to {belongs}: move it there"))
}
