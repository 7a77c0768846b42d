//! An entry point: what the map says of one driver, and where it says so.
//!
//! A value without behaviour beyond questions about itself. Must not know files, policies or
//! other entries.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::settings::{Spot, Spots};
use crate::diagnostic::{Diagnostic, Place};

/// Longest name of an entry or namespace, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// Priorities reach from minus this to this.
pub const PRIORITY_MAX: i64 = 1_000;

/// One entry point. Immutable once the map is built.
#[derive(Debug, Clone)]
pub struct EntryPoint {
    /// The namespace it is in.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: String,
    /// The library as written; empty for an alias or a mask.
    pub lib: String,
    /// The directory that a `lib` with a `/` is relative to: that of the file which says so.
    pub dir: Arc<Path>,
    /// The driver inside the library, if the map names it.
    pub export: Option<String>,
    /// This name stands for another one of the namespace.
    pub alias: Option<String>,
    /// Why it is switched off, if it is.
    pub disabled: Option<Disabled>,
    /// It is meant to stand beside earlier ones of its name: `append = true`.
    pub append: bool,
    /// An absent library is no failure.
    pub optional: bool,
    /// The library may be built with `panic = "abort"`, so that a panic in it ends the host.
    pub allow_panic_abort: bool,
    /// Smaller goes first.
    pub priority: i64,
    /// What the driver gets.
    pub settings: Map<String, Json>,
    /// A text to warn with on use.
    pub deprecated: Option<String>,
    /// One line about it.
    pub about: Option<String>,
    /// A semantic-version requirement on the plugin.
    pub version: Option<String>,
    /// The digest the file must have, lower case.
    pub sha256: Option<String>,
    /// Where the map says so.
    pub origin: Place,
    /// Why it cannot be used, if the map itself is wrong about it.
    pub fault: Option<Arc<Diagnostic>>,
    pub(super) spots: Spots,
    pub(super) rank: usize,
}

impl EntryPoint {
    /// Not switched off. An entry with a `fault` may be enabled and still unusable.
    pub fn is_enabled(&self) -> bool {
        self.disabled.is_none()
    }

    /// The target as written in the short form: `lib` or `lib:export`.
    pub fn target(&self) -> String {
        match &self.export {
            Some(export) => format!("{}:{export}", self.lib),
            None => self.lib.clone(),
        }
    }

    /// `namespace/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Its place among all entries as they were written, first to last.
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// The same entry with other settings, which the program gives.
    pub(crate) fn with_settings(&self, settings: Map<String, Json>) -> EntryPoint {
        EntryPoint {
            settings,
            spots: Spots::default(),
            origin: Place::Program,
            ..self.clone()
        }
    }

    /// Where a setting's value stands, by JSON pointer (`/ratio`); the nearest known parent, or
    /// the entry.
    pub fn setting_place(&self, pointer: &str) -> Place {
        self.spot(pointer)
            .map_or_else(|| self.origin.clone(), Spot::value)
    }

    /// Where a setting's key stands, by JSON pointer.
    pub fn setting_key_place(&self, pointer: &str) -> Place {
        self.spot(pointer)
            .map_or_else(|| self.origin.clone(), Spot::key)
    }

    fn spot(&self, pointer: &str) -> Option<&Spot> {
        let mut pointer = pointer;
        loop {
            if let Some(found) = self.spots.get(pointer) {
                return Some(found);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }

    /// The same words: export or alias, and settings. Whether the library is the same one is
    /// another question.
    pub(super) fn says_the_same(&self, other: &EntryPoint) -> bool {
        self.export == other.export && self.alias == other.alias && self.settings == other.settings
    }

    /// The same library by its text alone.
    pub(super) fn has_same_lib_text(&self, other: &EntryPoint) -> bool {
        self.lib == other.lib && (!self.is_relative() || self.dir == other.dir)
    }

    /// Whether the library is found from the directory of the file that says so.
    pub(super) fn is_relative(&self) -> bool {
        self.lib.contains('/') && !self.lib.starts_with('/')
    }
}

/// Why an entry is switched off, and where that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// What switched it off.
    pub by: DisabledBy,
    /// Where.
    pub place: Place,
}

/// What switches an entry off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledBy {
    /// `enabled = false`.
    Entry,
    /// `name = false`.
    Mask,
    /// The policy's `disabled`.
    Policy,
    /// The policy's `only` does not list it.
    Only,
    /// `LONGSHORE_DISABLE`.
    Environment,
}

impl fmt::Display for Disabled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.by {
            DisabledBy::Entry => "`enabled = false`",
            DisabledBy::Mask => "masked with `false`",
            DisabledBy::Policy => "listed under `disabled`",
            DisabledBy::Only => "not listed under `only`",
            DisabledBy::Environment => "switched off",
        };
        write!(f, "{how} ({})", self.place)
    }
}

/// Splits `LIB:EXPORT` at the last colon, if what follows can be an export.
pub fn split_target(target: &str) -> (&str, Option<&str>) {
    match target.rsplit_once(':') {
        Some((lib, export)) if is_export(export) => (lib, Some(export)),
        _ => (target, None),
    }
}

fn is_export(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Why a name of an entry or a namespace is not valid.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > NAME_BYTES_MAX {
        Some("it is longer than 255 bytes")
    } else if name.chars().any(char::is_control) {
        Some("it has control characters")
    } else if name.trim() != name {
        Some("it starts or ends with a space")
    } else {
        None
    }
}

/// Why a library or export is not valid, and what to do.
pub(super) fn lib_fault(lib: &str) -> Option<(&'static str, &'static str)> {
    let write = "write `LIBRARY` or `LIBRARY:EXPORT`";
    if lib.is_empty() {
        Some(("the library's name is empty", write))
    } else if lib.chars().any(char::is_control) {
        Some(("it has control characters", write))
    } else if lib.len() > 4096 {
        Some(("it is longer than 4096 bytes", write))
    } else if lib.split('/').any(|part| part == "..") {
        let help = "use an absolute path, or add the directory to `search`";
        Some(("`..` may not leave the search path", help))
    } else if !lib.contains('/') && lib.contains(':') {
        Some(("what follows a colon is not an export", write))
    } else if lib.ends_with('/') || lib == "." {
        Some(("it names a directory", write))
    } else {
        None
    }
}

/// Why an export is not valid.
pub(super) fn export_fault(export: &str) -> Option<&'static str> {
    (!is_export(export)).then_some("an export is a name of letters, digits, `_`, `.` and `-`")
}
