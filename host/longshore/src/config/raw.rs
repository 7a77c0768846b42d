//! The configuration as typed: one value per key of the table, each with where it was written.
//!
//! Layers are laid over each other: defaults, file, environment, flags. Relative paths are
//! anchored here, because each layer has its own directory. It must not know what a value means;
//! `resolved` does. Called by `config::load`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_loader::diagnostic::{Diagnostic, Place, Severity};
use longshore_loader::map::Placed;
use longshore_loader::spanned::{self, Parsed, Table, Value};

use super::keys::{self, Fallback, KEYS, Key, Kind, RENAMED, SECTIONS};
use super::read::{self, Input};
use super::{diagnose, environment};
use crate::codes;

/// The value of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// Not set, and computed later.
    Absent,
    /// A text, a word or a path.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// Names in order.
    Names(Vec<Placed<String>>),
    /// Names with multipliers, in order.
    Weights(Vec<Weight>),
}

/// A weigher in use.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// The weigher's name, and where it stands.
    pub name: Placed<String>,
    /// Its multiplier, and where it stands.
    pub multiplier: Placed<f64>,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct RawValue {
    /// The value.
    pub setting: Setting,
    /// `Place::Program` for a default.
    pub place: Place,
}

/// A command-line flag that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The key's section.
    pub section: &'static str,
    /// The key's name.
    pub name: &'static str,
    /// The text.
    pub value: String,
    /// The flag, as it is shown.
    pub flag: &'static str,
}

/// All values, in the order of `KEYS`.
#[derive(Debug, Clone)]
pub struct RawConfig {
    values: Vec<RawValue>,
}

impl RawConfig {
    /// The defaults. Paths are relative to `base`.
    pub fn defaults(base: &Path) -> RawConfig {
        let value = |key: &Key| RawValue {
            setting: fallback(key, base),
            place: Place::Program,
        };
        RawConfig {
            values: KEYS.iter().map(value).collect(),
        }
    }

    /// The value of a key of the table.
    pub fn get(&self, section: &str, name: &str) -> &RawValue {
        let at = keys::position(section, name).expect("only keys of the table are asked for");
        &self.values[at]
    }

    /// Keys and values, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Key, &RawValue)> {
        KEYS.iter().zip(&self.values)
    }

    /// Replaces a value, for what is computed.
    pub(super) fn set(&mut self, section: &str, name: &str, setting: Setting, place: Place) {
        let at = keys::position(section, name).expect("only keys of the table are set");
        self.values[at] = RawValue { setting, place };
    }

    /// Lays a file over the values. What is wrong is reported, in the order of the text; the
    /// other keys count.
    pub(super) fn add_file(&mut self, bytes: &[u8], name: &str, base: &Path) -> Vec<Diagnostic> {
        let parsed = spanned::parse(bytes, name, &codes::AREA);
        let mut layer = FileLayer::new(self, &parsed, base);
        for member in &parsed.root.members {
            layer.section(member);
        }
        let found = layer.found;
        merge(parsed.diagnostics, found)
    }

    /// Lays the variables that begin with `LONGSHORE__` over the values.
    pub(super) fn add_environment(
        &mut self,
        variables: &[(String, String)],
        base: &Path,
    ) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (name, value) in environment::ours(variables, &mut found) {
            if let Some(change) = environment::read(name, value, &mut found) {
                self.change(change, base);
            }
        }
        found
    }

    /// Lays flags over the values. The command line has checked their texts.
    pub(super) fn add_flags(&mut self, flags: &[Override], base: &Path) {
        for flag in flags {
            let Some(at) = keys::position(flag.section, flag.name) else {
                continue;
            };
            let place = Place::CommandLine(flag.flag.to_owned());
            let setting = anchored(&KEYS[at], Setting::Text(flag.value.clone()), base);
            self.values[at] = RawValue { setting, place };
        }
    }

    fn change(&mut self, change: environment::Change, base: &Path) {
        let value = &mut self.values[change.at];
        match (change.setting, &mut value.setting) {
            (Setting::Weights(more), Setting::Weights(old)) if change.patch => {
                for weight in more {
                    match old.iter_mut().find(|w| w.name.value == weight.name.value) {
                        Some(known) => *known = weight,
                        None => old.push(weight),
                    }
                }
            }
            (setting, _) => value.setting = anchored(&KEYS[change.at], setting, base),
        }
        value.place = change.place;
    }
}

/// One file while it is read.
struct FileLayer<'a> {
    config: &'a mut RawConfig,
    input: Input,
    base: &'a Path,
    /// The text is not TOML: what stands in no table may only have lost its header.
    broken: bool,
    found: Vec<Diagnostic>,
}

impl<'a> FileLayer<'a> {
    fn new(config: &'a mut RawConfig, parsed: &Parsed, base: &'a Path) -> FileLayer<'a> {
        FileLayer {
            config,
            input: Input::File(Arc::clone(&parsed.source)),
            base,
            broken: !parsed.diagnostics.is_empty(),
            found: Vec::new(),
        }
    }

    fn section(&mut self, member: &spanned::Member) {
        let place = self.input.place(&member.key_span);
        let Some(section) = SECTIONS.iter().find(|s| **s == member.key) else {
            if !self.broken {
                let is_table = matches!(member.node.value, Value::Table(_));
                self.found
                    .push(diagnose::unknown_table(&member.key, is_table, place));
            }
            return;
        };
        match &member.node.value {
            Value::Table(table) => self.keys(section, table),
            other => {
                let place = self.input.place(&member.node.span);
                self.found
                    .push(diagnose::not_a_table(section, other.kind(), place));
            }
        }
    }

    fn keys(&mut self, section: &'static str, table: &Table) {
        for member in &table.members {
            let place = self.input.place(&member.key_span);
            let renamed = RENAMED
                .iter()
                .find(|(s, old, _)| *s == section && *old == member.key);
            let name = match renamed {
                Some((_, old, new)) => {
                    self.found
                        .push(diagnose::renamed(section, old, new, place.clone()));
                    if table.get(new).is_some() {
                        continue;
                    }
                    new
                }
                None => member.key.as_str(),
            };
            let Some(at) = keys::position(section, name) else {
                self.found
                    .push(diagnose::unknown_key(section, &member.key, place));
                continue;
            };
            let key = &KEYS[at];
            if let Some(setting) = read::setting(key, &member.node, &self.input, &mut self.found) {
                let place = self.input.place(&member.node.span);
                let setting = anchored(key, setting, self.base);
                self.config.values[at] = RawValue { setting, place };
            }
        }
    }
}

/// Adds what was found in the tree to what the reader of TOML reported. After an error, its line
/// is not looked at again; the order is that of the text.
fn merge(mut known: Vec<Diagnostic>, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let line = |d: &Diagnostic| d.place.position().map(|p| p.line);
    let lines: Vec<_> = known.iter().map(line).collect();
    let new = |d: &Diagnostic| d.severity == Severity::Warning || !lines.contains(&line(d));
    known.extend(found.into_iter().filter(new));
    known.sort_by_key(|d| d.place.position());
    known
}

fn fallback(key: &Key, base: &Path) -> Setting {
    let placed = |text: &&str| Placed {
        value: (*text).to_owned(),
        place: Place::Program,
    };
    match key.fallback {
        Fallback::Computed => Setting::Absent,
        Fallback::Text(text) => anchored(key, Setting::Text(text.to_owned()), base),
        Fallback::Integer(number) => Setting::Integer(number),
        Fallback::Float(number) => Setting::Float(number),
        Fallback::Boolean(b) => Setting::Boolean(b),
        Fallback::Names(names) => Setting::Names(names.iter().map(placed).collect()),
        Fallback::Weights(weights) => {
            let weight = |(name, multiplier): &(&str, f64)| Weight {
                name: placed(name),
                multiplier: Placed {
                    value: *multiplier,
                    place: Place::Program,
                },
            };
            Setting::Weights(weights.iter().map(weight).collect())
        }
    }
}

/// Makes the paths in a value independent of the working directory.
fn anchored(key: &Key, setting: Setting, base: &Path) -> Setting {
    let Setting::Text(text) = setting else {
        return setting;
    };
    let join = |path: &str| -> String {
        let path: PathBuf = base.join(path);
        path.display().to_string()
    };
    let text = match (key.section, key.name) {
        _ if key.kind == Kind::Path => join(&text),
        ("database", "url") => match text.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() && !path.starts_with(":") => {
                format!("sqlite://{}", join(path))
            }
            _ => text,
        },
        ("api", "listen") => match text.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => format!("unix:{}", join(path)),
            _ => text,
        },
        _ => text,
    };
    Setting::Text(text)
}
