//! Settings of a driver as text: what may be set, and what is.
//!
//! A line with the key, below it type, limits and help, wrapped. Called by `plugin inspect` and
//! `plugin show`; must not know where the schema came from.

use longshore_loader::diagnostic::{escape, quoted_list};
use serde_json::Value as Json;

use super::layout::wrapped;
use super::names::text;
use super::render::{Screen, Tone, cell};

/// What may be set, as a paragraph. Starts with a line break.
pub(crate) fn schema_text(screen: &Screen<'_>, schema: &Json, indent: usize) -> String {
    let (key, help) = (text(schema, "key"), text(schema, "help"));
    let colon = if help.is_empty() { "" } else { ": " };
    let whole = format!("{key} ({}){colon}{help}", facts(schema, true));
    let lines = wrapped(&escape(&whole), screen.columns(), indent + 4);
    format!(
        "\n{:indent$}{}",
        "",
        lines.join(&format!("\n{:1$}", "", indent + 4))
    )
}

/// What is set: the key with its value and where that comes from, then the facts.
pub(crate) fn in_force_text(screen: &Screen<'_>, force: &Json, schema: Option<&Json>) -> String {
    const INDENT: usize = 2;
    let key = escape(text(force, "key"));
    let required = schema.is_some_and(|s| s["required"] == true);
    let line = match (force["from"].as_str(), required) {
        (Some(from), _) => {
            let from = screen.paint(Tone::Faint, &format!("({})", escape(from)));
            format!("{key} = {}  {from}", escape(&force["value"].to_string()))
        }
        (None, true) => format!("{key}  {}", screen.paint(Tone::Bad, "(required, not set)")),
        (None, false) => format!("{key}  {}", screen.paint(Tone::Faint, "(not set)")),
    };
    let facts = match schema {
        Some(schema) => facts_text(screen, schema, force["from"] != "default"),
        None => format!("\n{:1$}not a setting of this driver", "", INDENT + 4),
    };
    format!("\n{:INDENT$}{line}{facts}", "")
}

fn facts_text(screen: &Screen<'_>, schema: &Json, with_default: bool) -> String {
    const INDENT: usize = 6;
    let help = text(schema, "help");
    let colon = if help.is_empty() { "" } else { ": " };
    let whole = format!("{}{colon}{help}", facts(schema, with_default));
    let lines = wrapped(&escape(&whole), screen.columns(), INDENT);
    let line = |line: &String| format!("\n{:INDENT$}{}", "", screen.paint(Tone::Faint, line));
    lines.iter().map(line).collect()
}

/// Type, limits and default.
fn facts(schema: &Json, with_default: bool) -> String {
    let mut facts = vec![text(schema, "type").to_owned()];
    if schema["required"] == true {
        facts.push("required".to_owned());
    }
    facts.extend(limits(schema));
    if schema["secret"] == true {
        facts.push("secret".to_owned());
    }
    if with_default && !schema["default"].is_null() {
        facts.push(format!("default {}", schema["default"]));
    }
    facts.join(", ")
}

/// What values are allowed.
pub(crate) fn limits(schema: &Json) -> Option<String> {
    let words: Vec<&str> = schema["one_of"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    if !words.is_empty() {
        return Some(format!("one of {}", quoted_list(&words)));
    }
    let limit = |key: &str| match &schema[key] {
        Json::Number(n) if n.as_f64().is_some_and(|n| n.fract() == 0.0) => {
            Some(format!("{:.0}", n.as_f64().unwrap_or_default()))
        }
        Json::Null => None,
        other => Some(cell(other)),
    };
    match (limit("min"), limit("max")) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("{min} or more")),
        (None, Some(max)) => Some(format!("{max} or less")),
        (None, None) => None,
    }
}
