//! Cases in files, `tests/cases/{filter,weigher}/<name>.toml`, with the answers that Nova gave.
//! Knows the form of cases as far as to lay them out for a reader.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use longshore_tests::files::workspace;
use serde_json::{Map, Value, json};

use super::Kind;

/// In place of null, which TOML does not have: Nova raised.
const RAISES: &str = "raises";

/// Where the cases of a driver are.
pub(super) fn path(kind: Kind, driver: &str) -> PathBuf {
    let dir = workspace().join("tests/cases").join(kind.word());
    dir.join(format!("{driver}.toml"))
}

/// The cases of a driver, each with the answer that it has beside it.
///
/// # Panics
/// As [`read`].
pub(super) fn cases_of(kind: Kind, driver: &str) -> Vec<(Value, Value)> {
    let mut cases = read(&path(kind, driver));
    for (case, _) in &mut cases {
        case["kind"] = json!(kind.word());
        case["driver"] = json!(driver);
    }
    cases
}

/// The cases of a file, each with the answer that it has beside it.
///
/// # Panics
/// If the file is missing or damaged.
pub(super) fn read(path: &Path) -> Vec<(Value, Value)> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file: Value = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let cases = file["case"].as_array().cloned().unwrap_or_default();
    cases.into_iter().map(split).collect()
}

/// Takes the answer out of a case, and puts null where Nova raised.
fn split(mut case: Value) -> (Value, Value) {
    let mut answer = Map::new();
    if case[RAISES] == true {
        return (case, Value::Null);
    }
    for list in ["passes", "limits", "raw", "weights"] {
        if let Some(Value::Array(mut items)) = case.as_object_mut().and_then(|c| c.remove(list)) {
            items
                .iter_mut()
                .filter(|item| **item == RAISES)
                .for_each(|item| *item = Value::Null);
            answer.insert(list.to_owned(), json!(items));
        }
    }
    (case, Value::Object(answer))
}

/// The file of a driver's cases and answers.
pub(super) fn write(kind: Kind, driver: &str, release: &str, cases: &[(Value, Value)]) -> String {
    let (kind, mut text) = (kind.word(), String::new());
    let _ = writeln!(
        text,
        "# Cases of the {kind} `{driver}`, and what Nova {release} answers. Not written by hand:"
    );
    let _ = writeln!(
        text,
        "# LONGSHORE_UPDATE=1 cargo test -p longshore-tests --test it -- nova"
    );
    let _ = writeln!(text, "nova = \"{release}\"");
    for (case, answer) in cases {
        text += "\n[[case]]\n";
        for key in ["settings", "multiplier", "request"] {
            let value = &case[key];
            if !value.is_null() && *value != json!({}) {
                let _ = writeln!(text, "{key} = {}", inline(value));
            }
        }
        text += "hosts = [\n";
        for host in case["hosts"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "    {},", host_line(host));
        }
        text += "]\n";
        if answer.is_null() {
            let _ = writeln!(text, "{RAISES} = true");
        }
        for (list, items) in answer.as_object().into_iter().flatten() {
            let _ = writeln!(text, "{list} = {}", inline(items));
        }
    }
    text
}

/// A value on one line. What is null is left out of tables.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => format!("\"{RAISES}\""),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members =
                members.map(|(key, value)| format!("{} = {}", key_of(key), inline(value)));
            let members: Vec<String> = members.collect();
            if members.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", members.join(", "))
            }
        }
        // Texts, numbers and truth values are written as in JSON.
        other => other.to_string(),
    }
}

/// A host with its name first.
fn host_line(host: &Value) -> String {
    let mut facts = host.as_object().cloned().unwrap_or_default();
    let name = facts.remove("host").unwrap_or_default();
    let rest = inline(&Value::Object(facts));
    match rest.strip_prefix("{ ") {
        Some(rest) => format!("{{ host = {name}, {rest}"),
        None => format!("{{ host = {name} }}"),
    }
}

fn key_of(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        Value::from(key).to_string()
    }
}
