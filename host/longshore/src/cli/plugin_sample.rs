//! The lines for `plugins.toml` that `plugin show --sample` prints: an entry with each setting.
//!
//! Made from what `plugin show` says; must not know where that came from.

use std::fmt::Write as _;

use longshore_loader::diagnostic::escape;
use serde_json::Value as Json;

use super::names::text;
use super::plugin_settings;
use crate::config::show::quoted;

/// TOML with one line of help per setting. All of them stand in comments with their defaults: what
/// is not changed need not be written. Required ones say so.
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
        let _ = writeln!(out, "# {}", remark(setting));
        let key = quoted(text(setting, "key"));
        let _ = writeln!(out, "# {key} = {}", value(setting));
    }
    out
}

/// The help, with what is allowed, on one line.
fn remark(setting: &Json) -> String {
    let mut facts: Vec<String> = Vec::new();
    if setting["required"] == Json::Bool(true) {
        facts.push("required".to_owned());
    }
    facts.extend(plugin_settings::limits(setting));
    let help = match text(setting, "help") {
        "" => text(setting, "type"),
        help => help,
    };
    let help = escape(help);
    if facts.is_empty() {
        help
    } else {
        format!("{help} ({})", facts.join(", "))
    }
}

fn lib(item: &Json) -> String {
    quoted(text(item, "lib"))
}

/// The default, or an empty value of the type.
pub(crate) fn value(setting: &Json) -> String {
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
