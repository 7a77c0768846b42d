//! The effective configuration as TOML that reads back to the same meaning, or as JSON.
//!
//! Passwords are replaced by `***`, here as everywhere. Called by `config show`; prints nothing
//! itself.

use std::fmt::Write as _;

use longshore_loader::diagnostic::escape;
use serde_json::{Map, Value as Json, json};

use super::keys::{Key, SECTIONS};
use super::raw::{RawConfig, RawValue, Setting};

/// TOML, section by section; with `origin` each line says where its value comes from.
pub fn to_toml(raw: &RawConfig, origin: bool) -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let blank = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{blank}[{section}]");
        for (key, value) in raw.iter().filter(|(k, _)| k.section == *section) {
            let comment = if origin {
                format!("  # {}", value.place)
            } else {
                String::new()
            };
            match toml_value(&value.setting) {
                Some(text) => {
                    let _ = writeln!(out, "{} = {text}{comment}", key.name);
                }
                None => {
                    let _ = writeln!(out, "# {} is not set", key.name);
                }
            }
        }
    }
    out
}

/// JSON, an object per section; with `origin` each value is an object of value and origin.
pub fn to_json(raw: &RawConfig, origin: bool) -> Json {
    let mut sections = Map::new();
    for section in SECTIONS {
        let members = raw.iter().filter(|(k, _)| k.section == *section);
        let members = members.map(|(key, value)| member(key, value, origin));
        sections.insert((*section).to_owned(), Json::Object(members.collect()));
    }
    Json::Object(sections)
}

fn member(key: &Key, value: &RawValue, origin: bool) -> (String, Json) {
    let json = json_value(&value.setting);
    let json = if origin {
        json!({ "value": json, "origin": value.place.to_string() })
    } else {
        json
    };
    (key.name.to_owned(), json)
}

fn toml_value(setting: &Setting) -> Option<String> {
    Some(match setting {
        Setting::Absent => return None,
        Setting::Text(text) => quoted(&masked(text)),
        Setting::Integer(number) => number.to_string(),
        Setting::Float(number) => format!("{number:?}"),
        Setting::Boolean(b) => b.to_string(),
        Setting::Names(names) => {
            let names: Vec<String> = names.iter().map(|n| quoted(&n.value)).collect();
            format!("[{}]", names.join(", "))
        }
        Setting::Weights(weights) if weights.is_empty() => "{}".to_owned(),
        Setting::Weights(weights) => {
            let weight = |w: &super::raw::Weight| {
                format!(
                    "{} = {:?}",
                    bare_or_quoted(&w.name.value),
                    w.multiplier.value
                )
            };
            let weights: Vec<String> = weights.iter().map(weight).collect();
            format!("{{ {} }}", weights.join(", "))
        }
    })
}

fn json_value(setting: &Setting) -> Json {
    match setting {
        Setting::Absent => Json::Null,
        Setting::Text(text) => json!(masked(text)),
        Setting::Integer(number) => json!(number),
        Setting::Float(number) => json!(number),
        Setting::Boolean(b) => json!(b),
        Setting::Names(names) => names.iter().map(|n| json!(n.value)).collect(),
        Setting::Weights(weights) => {
            let weight = |w: &super::raw::Weight| (w.name.value.clone(), json!(w.multiplier.value));
            Json::Object(weights.iter().map(weight).collect())
        }
    }
}

/// Only addresses hold passwords; other texts must not change.
fn masked(text: &str) -> String {
    if text.contains("://") && text.contains('@') {
        escape(text)
    } else {
        text.to_owned()
    }
}

fn bare_or_quoted(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// A basic string of TOML.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
