//! The longshore note: what a plugin says of itself, as JSON in an ELF note.
//!
//! The note is foreign text: everything in it is bounded and checked before anyone sees it. It
//! must not know files; `inspect` finds the note's bytes. Unknown keys are accepted, so newer
//! plugin-api releases may add some.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::codes;
use crate::diagnostic::escape;
use crate::elf::{ElfNote, ElfRefusal};

/// Name of the ELF note.
pub const NOTE_NAME: &[u8] = b"longshore";
/// Type of the ELF note.
pub const NOTE_TYPE: u32 = 1;
/// Format of the JSON inside.
pub const NOTE_FORMAT: u32 = 1;
/// Longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 256 << 10;
/// Most entry points in one file.
pub const ENTRIES_MAX: usize = 1_000;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 200;

/// The plugin-api version this host speaks, major and minor.
pub const HOST_API: ApiVersion = ApiVersion { major: 1, minor: 0 };

/// A plugin-api version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// Another major version is another contract.
    pub major: u32,
    /// A newer minor version has more methods.
    pub minor: u32,
}

impl ApiVersion {
    /// Reads `1.0`.
    pub fn parse(text: &str) -> Option<ApiVersion> {
        let (major, minor) = text.split_once('.')?;
        Some(ApiVersion {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The content of the note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Format of the note.
    pub v: u32,
    /// The plugin's name, usually its crate's.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// Licence, an SPDX expression.
    #[serde(default)]
    pub license: String,
    /// The plugin-api version it was built against.
    pub api: String,
    /// The compiler's own words.
    #[serde(default)]
    pub rustc: String,
    /// The target triple.
    #[serde(default)]
    pub target: String,
    /// `unwind` or `abort`.
    pub panic: String,
    /// The drivers it holds.
    #[serde(default)]
    pub entries: Vec<EntryMetadata>,
}

/// One driver of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryMetadata {
    /// The namespace it belongs to.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The id of its kind, for example `longshore.filter`.
    pub kind: String,
    /// The name of the trait.
    #[serde(default, rename = "trait")]
    pub trait_name: String,
    /// The revision of the kind.
    pub revision: u32,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// Its settings.
    #[serde(default)]
    pub settings: Vec<SettingSchema>,
}

/// One setting of a driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingSchema {
    /// The key.
    pub key: String,
    /// What value it takes.
    #[serde(rename = "type")]
    pub kind: SettingType,
    /// What it is when absent.
    #[serde(default)]
    pub default: Option<serde_json::Value>,
    /// Must be given.
    #[serde(default)]
    pub required: bool,
    /// One line about it.
    #[serde(default)]
    pub help: String,
    /// Least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The only texts allowed; empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// Its value is never shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Types of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingType {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    List,
    /// A table, not looked into.
    Table,
}

impl Metadata {
    /// The driver that an entry of the map means: the one it names, or the one called like the entry, or the only one
    /// of the namespace.
    pub fn driver(
        &self,
        namespace: &str,
        name: &str,
        export: Option<&str>,
    ) -> Option<&EntryMetadata> {
        let offered = || self.entries.iter().filter(|e| e.namespace == namespace);
        let wanted = export.unwrap_or(name);
        let named = offered().find(|e| e.name == wanted);
        named.or_else(|| match (export, offered().next(), offered().nth(1)) {
            (None, Some(only), None) => Some(only),
            _ => None,
        })
    }
}

/// Finds and checks the longshore note.
///
/// # Errors
/// `plugin/no-entry`, `abi/bad-header`, `abi/version`, `plugin/bad-metadata`.
pub fn read(notes: &[ElfNote<'_>]) -> Result<Metadata, ElfRefusal> {
    let mut ours = notes.iter().filter(|n| n.name == NOTE_NAME);
    let Some(note) = ours.next() else {
        let why = "it has no longshore note";
        return Err(refuse(
            codes::PLUGIN_NO_ENTRY,
            why,
            "write `export_plugin!{…}` in its `lib.rs`",
        ));
    };
    if ours.next().is_some() {
        return Err(bad_header("it has two longshore notes"));
    }
    if note.kind != NOTE_TYPE {
        return Err(bad_header(&format!(
            "its longshore note is of type {}",
            note.kind
        )));
    }
    if note.desc.len() > NOTE_BYTES_MAX {
        let size = note.desc.len();
        return Err(bad_header(&format!(
            "its note has {size} bytes, the limit is {NOTE_BYTES_MAX}"
        )));
    }
    let metadata = parse(note.desc)?;
    check_version(&metadata)?;
    check_names(&metadata)?;
    Ok(metadata)
}

fn refuse(code: &'static str, why: impl Into<String>, help: impl Into<String>) -> ElfRefusal {
    ElfRefusal {
        code,
        why: why.into(),
        help: help.into(),
    }
}

fn bad_header(why: &str) -> ElfRefusal {
    let help = "build it again with the same `longshore-plugin-api` on a clean target";
    refuse(codes::ABI_BAD_HEADER, why, help)
}

/// The versions are looked at before the rest: a later format may have another shape.
fn parse(desc: &[u8]) -> Result<Metadata, ElfRefusal> {
    #[derive(Deserialize)]
    struct Start {
        v: u32,
        api: String,
    }
    let desc = desc.strip_suffix(b"\0").unwrap_or(desc);
    let damaged = |e: serde_json::Error| {
        bad_header(&format!(
            "its note cannot be read: {}",
            escape(&e.to_string())
        ))
    };
    let start: Start = serde_json::from_slice(desc).map_err(damaged)?;
    if start.v != NOTE_FORMAT {
        check_api(&start.api)?;
        let why = format!(
            "its note has format {}, this host reads {NOTE_FORMAT}",
            start.v
        );
        return Err(bad_header(&why));
    }
    check_api(&start.api)?;
    serde_json::from_slice(desc).map_err(damaged)
}

fn check_api(api: &str) -> Result<(), ElfRefusal> {
    let Some(built) = ApiVersion::parse(api) else {
        return Err(bad_header(&format!(
            "its plugin-api version `{}` is no version",
            escape(api)
        )));
    };
    let host = HOST_API;
    if built.major == host.major && built.minor <= host.minor {
        return Ok(());
    }
    let why = format!("it is built for plugin-api {built}, this host speaks {host}");
    let help = if built.major == host.major {
        format!("upgrade the host, or build it against plugin-api {host} or older")
    } else {
        format!("build it against plugin-api {}.x", host.major)
    };
    Err(refuse(codes::ABI_VERSION, why, help))
}

/// Refuses a plugin whose panic would end the host.
///
/// # Errors
/// `abi/panic-abort`.
pub fn check_panic(metadata: &Metadata) -> Result<(), ElfRefusal> {
    if metadata.panic != "unwind" {
        let why = format!(
            "it is built with `panic = \"{}\"`: a panic in this driver would end the host",
            escape(&metadata.panic)
        );
        let help = "set `panic = \"unwind\"` in its profile and build it again, or accept that with \
                    `allow_panic_abort = true` in its entry";
        return Err(refuse(codes::ABI_PANIC_ABORT, why, help));
    }
    Ok(())
}

fn check_version(metadata: &Metadata) -> Result<(), ElfRefusal> {
    if semver::Version::parse(&metadata.version).is_err() {
        let why = format!(
            "its version `{}` is not a semantic version",
            escape(&metadata.version)
        );
        return Err(bad_metadata(why, "write a version such as `1.2.3`"));
    }
    Ok(())
}

fn bad_metadata(why: String, help: &str) -> ElfRefusal {
    refuse(codes::PLUGIN_BAD_METADATA, why, help)
}

fn check_names(metadata: &Metadata) -> Result<(), ElfRefusal> {
    if !is_plugin_name(&metadata.plugin) {
        let why = format!(
            "the plugin's name `{}` is not valid",
            escape(&metadata.plugin)
        );
        return Err(bad_metadata(
            why,
            "use letters, digits, `_` and `-`, at most 63",
        ));
    }
    let count = metadata.entries.len();
    if count == 0 || count > ENTRIES_MAX {
        let why = format!("it has {count} entry points, from 1 to {ENTRIES_MAX} are accepted");
        return Err(bad_metadata(why, "name its drivers in `export_plugin!{…}`"));
    }
    let mut seen = HashSet::new();
    for entry in &metadata.entries {
        check_entry(entry)?;
        if !seen.insert((&entry.namespace, &entry.name)) {
            let why = format!("it has `{}` in `{}` twice", entry.name, entry.namespace);
            return Err(bad_metadata(why, "give each driver a name of its own"));
        }
    }
    Ok(())
}

fn check_entry(entry: &EntryMetadata) -> Result<(), ElfRefusal> {
    if !is_driver_name(&entry.name) {
        let why = format!(
            "the name `{}` must match `[a-z][a-z0-9_]{{0,62}}`",
            escape(&entry.name)
        );
        return Err(bad_metadata(why, "rename the driver"));
    }
    for text in [&entry.namespace, &entry.kind] {
        if !is_dotted_name(text) {
            let why = format!(
                "`{}` of driver `{}` is not a dotted name",
                escape(text),
                entry.name
            );
            return Err(bad_metadata(
                why,
                "write a name such as `longshore.virt.driver`",
            ));
        }
    }
    if entry.description.chars().count() > DESCRIPTION_CHARS_MAX {
        let why = format!(
            "the description of `{}` is over {DESCRIPTION_CHARS_MAX} characters",
            entry.name
        );
        return Err(bad_metadata(why, "shorten it"));
    }
    let mut keys = HashSet::new();
    for setting in &entry.settings {
        if !is_driver_name(&setting.key) || !keys.insert(&setting.key) {
            let key = escape(&setting.key);
            let why = format!(
                "the setting `{key}` of `{}` is not valid, or comes twice",
                entry.name
            );
            return Err(bad_metadata(
                why,
                "use lower case letters, digits and `_`, each key once",
            ));
        }
    }
    Ok(())
}

/// `[a-z][a-z0-9_]{0,62}`.
fn is_driver_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_plugin_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 63
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn is_dotted_name(name: &str) -> bool {
    let part = |p: &str| {
        !p.is_empty()
            && p.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    name.len() <= 255 && name.split('.').all(part)
}
