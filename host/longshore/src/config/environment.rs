//! Variables such as `LONGSHORE__SCHEDULER__DRIVER` that set keys.
//!
//! A value is read as TOML if it then has the key's type, else it is a text. The variables are
//! passed in; this file must not look at the process. Called by `raw`.

use std::sync::Arc;

use longshore_loader::diagnostic::{Diagnostic, Place, Source};
use longshore_loader::spanned::{self, Node, Parsed, Value};

use super::diagnose;
use super::keys::{self, KEYS, Key, Kind, VARIABLE_PREFIX};
use super::raw::Setting;
use super::read::{self, Input};
use crate::codes;

/// Most variables that set keys.
pub const VARIABLES_MAX: usize = 1_000;
/// Longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 64 << 10;

/// What a variable changes.
pub(super) struct Change {
    /// The key, by its place in `KEYS`.
    pub(super) at: usize,
    /// Its value.
    pub(super) setting: Setting,
    /// The variable.
    pub(super) place: Place,
    /// Only the weighers that are named change.
    pub(super) patch: bool,
}

/// The variables that set keys, sorted by name: the order in which a process gets them is chance.
pub(super) fn ours<'v>(
    variables: &'v [(String, String)],
    found: &mut Vec<Diagnostic>,
) -> Vec<(&'v str, &'v str)> {
    let mut ours: Vec<(&str, &str)> = variables
        .iter()
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    ours.sort_unstable();
    if ours.len() > VARIABLES_MAX {
        found.push(diagnose::too_many_variables(ours[VARIABLES_MAX].0));
        ours.truncate(VARIABLES_MAX);
    }
    ours
}

/// Reads one variable; reports and returns nothing if it cannot be used.
pub(super) fn read(name: &str, value: &str, found: &mut Vec<Diagnostic>) -> Option<Change> {
    let mut wrong = Vec::new();
    let change = change(name, value, &mut wrong);
    found.extend(wrong.into_iter().map(|d| named(name, d)));
    change
}

fn change(name: &str, value: &str, wrong: &mut Vec<Diagnostic>) -> Option<Change> {
    let place = Place::Environment(name.to_owned());
    let path = name.strip_prefix(VARIABLE_PREFIX)?.to_lowercase();
    let mut parts = path.splitn(3, "__");
    let (section, key, item) = (parts.next()?, parts.next().unwrap_or(""), parts.next());
    if !keys::SECTIONS.contains(&section) {
        wrong.push(diagnose::variable_table(section, place));
        return None;
    }
    if key.is_empty() {
        wrong.push(diagnose::variable_without_key(section, place));
        return None;
    }
    let Some(at) = keys::position(section, key) else {
        wrong.push(diagnose::unknown_key(section, key, place));
        return None;
    };
    let patch = item.is_some();
    if patch && KEYS[at].kind != Kind::Weights {
        let key = path.split_once("__").map_or(key, |(_, key)| key);
        wrong.push(diagnose::unknown_key(section, key, place));
        return None;
    }
    if value.is_empty() || value.len() > VALUE_BYTES_MAX {
        wrong.push(diagnose::variable_size(value.len(), VALUE_BYTES_MAX, place));
        return None;
    }
    let setting = match item {
        Some(item) => weight(&KEYS[at], name, item, value, wrong)?,
        None => setting(&KEYS[at], name, value, wrong)?,
    };
    Some(Change {
        at,
        setting,
        place,
        patch,
    })
}

fn setting(key: &Key, name: &str, value: &str, wrong: &mut Vec<Diagnostic>) -> Option<Setting> {
    let is_text = matches!(key.kind, Kind::Text | Kind::Path | Kind::Word(_));
    let (node, source) = match toml_value(value) {
        Some((node, source)) if !is_text || matches!(node.value, Value::String(_)) => {
            (node, source)
        }
        _ => text(value),
    };
    let input = Input::Variable {
        name: name.to_owned(),
        source,
    };
    read::setting(key, &node, &input, wrong)
}

/// `LONGSHORE__SCHEDULER__WEIGHERS__RAM=2.0`: a table with one member.
fn weight(
    key: &Key,
    name: &str,
    item: &str,
    value: &str,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Setting> {
    let (node, source) = toml_value(value).unwrap_or_else(|| text(value));
    let member = spanned::Member {
        key: item.to_owned(),
        key_span: 0..0,
        node,
    };
    let table = spanned::Table {
        members: vec![member],
    };
    let node = Node {
        span: 0..0,
        value: Value::Table(table),
    };
    let input = Input::Variable {
        name: name.to_owned(),
        source,
    };
    read::setting(key, &node, &input, wrong)
}

fn toml_value(value: &str) -> Option<(Node, Arc<Source>)> {
    // A line break could begin another key.
    if value.contains('\n') {
        return None;
    }
    let text = format!("v = {value}");
    let Parsed {
        source,
        root,
        diagnostics,
    } = spanned::parse(text.as_bytes(), "", &codes::AREA);
    let only = diagnostics.is_empty() && root.members.len() == 1;
    let member = root.members.into_iter().next().filter(|_| only)?;
    Some((member.node, source))
}

fn text(value: &str) -> (Node, Arc<Source>) {
    let node = Node {
        span: 0..value.len(),
        value: Value::String(value.to_owned()),
    };
    (node, Source::new("", value))
}

/// Says which variable, and that its value does not fit: it has no type of its own.
fn named(name: &str, mut d: Diagnostic) -> Diagnostic {
    if d.code == codes::WRONG_TYPE {
        d.code = codes::BAD_VALUE;
    }
    d.what = format!("environment variable `{name}`: {}", d.what);
    if d.why.is_none() && !d.label.is_empty() {
        d.why = Some(std::mem::take(&mut d.label));
    }
    d
}
