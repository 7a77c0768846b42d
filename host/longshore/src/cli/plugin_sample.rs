//! The lines for `plugins.toml` that `plugin show --sample` prints: an entry with each setting.
//!
//! Made from what `plugin show` says; must not know where that came from.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::names::text;
use crate::config::show::quoted;

/// TOML with one line of help per setting. Required ones are to be filled in, the others stand in
/// comments with their defaults.
pub(crate) fn lines(item: &Json) -> String {
    let (namespace, name) = (text(item, "namespace"), text(item, "name"));
    let mut out = format!(
        "[{}.{}]\nlib = {}\n",
        quoted(namespace),
        quoted(name),
        lib(item)
    );
    if let Some(export) = item.get("export").and_then(Json::as_str) {
        let _ = writeln!(out, "export = {}", quoted(export));
    }
    let schema = item.get("settings_schema").and_then(Json::as_array);
    let Some(schema) = schema.filter(|s| !s.is_empty()) else {
        return out;
    };
    let _ = writeln!(out, "\n[{}.{}.settings]", quoted(namespace), quoted(name));
    for setting in schema {
        let required = setting["required"] == Json::Bool(true);
        let mark = if required { "" } else { "# " };
        let _ = writeln!(out, "# {}", text(setting, "help"));
        let _ = writeln!(
            out,
            "{mark}{} = {}",
            quoted(text(setting, "key")),
            value(setting)
        );
    }
    out
}

fn lib(item: &Json) -> String {
    quoted(text(item, "lib"))
}

/// The default, or an empty value of the type.
fn value(setting: &Json) -> String {
    match &setting["default"] {
        Json::Null => match text(setting, "type") {
            "integer" => "0".to_owned(),
            "float" => "0.0".to_owned(),
            "boolean" => "false".to_owned(),
            "list" => "[]".to_owned(),
            "table" => "{}".to_owned(),
            _ => "\"\"".to_owned(),
        },
        default => toml(default),
    }
}

fn toml(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(members) => {
            let pair = |(k, v): (&String, &Json)| format!("{} = {}", quoted(k), toml(v));
            let members: Vec<String> = members.iter().map(pair).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}
