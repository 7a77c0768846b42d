//! Settings from TOML to JSON, keeping the place of every key.
//!
//! Dates become texts; numbers that JSON cannot hold are refused with the key's name. Tables
//! merge table by table when a later file patches an entry. Must not know what a setting means.

use serde_json::{Map, Number, Value as Json};

use super::entry::{KeyPlaces, SettingSpans};
use crate::spanned::{Node, Reader, Table, Value};

/// Settings and their places.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) values: Map<String, Json>,
    pub(super) spans: SettingSpans,
}

impl Settings {
    /// Converts the table under `settings`; what cannot be converted is reported to `reader`.
    pub(super) fn read(reader: &mut Reader<'_>, table: &Table) -> Settings {
        let mut spans = SettingSpans::new();
        let values = object(reader, "settings", "", table, &mut spans);
        Settings { values, spans }
    }

    /// Lays `later` over these: tables are merged, everything else is replaced.
    pub(super) fn patch(&mut self, later: Settings) {
        merge(&mut self.values, later.values);
        self.spans.extend(later.spans);
    }
}

fn merge(base: &mut Map<String, Json>, later: Map<String, Json>) {
    for (key, value) in later {
        match (base.get_mut(&key), value) {
            (Some(Json::Object(old)), Json::Object(new)) => merge(old, new),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn object(
    reader: &mut Reader<'_>,
    path: &str,
    pointer: &str,
    table: &Table,
    spans: &mut SettingSpans,
) -> Map<String, Json> {
    let mut out = Map::new();
    for member in &table.members {
        let path = format!("{path}.{}", member.key);
        let pointer = format!("{pointer}{}", crate::settings_check::pointer(&member.key));
        let key = reader.place(&member.key_span);
        let value = reader.place(&member.node.span);
        let json = json(reader, &path, &pointer, &member.node, spans);
        spans.insert(pointer, KeyPlaces { key, value });
        out.insert(member.key.clone(), json);
    }
    out
}

fn json(
    reader: &mut Reader<'_>,
    path: &str,
    pointer: &str,
    node: &Node,
    spans: &mut SettingSpans,
) -> Json {
    match &node.value {
        Value::String(text) | Value::Datetime(text) => Json::String(text.clone()),
        Value::Integer(number) => Json::from(*number),
        Value::Float(_) => {
            // `Reader::float` reports what is not finite, with the key.
            let finite = reader.float(path, node).unwrap_or_default();
            Number::from_f64(finite).map_or(Json::Null, Json::Number)
        }
        Value::Boolean(b) => Json::Bool(*b),
        Value::Array(items) => {
            let mut out = Vec::with_capacity(items.len());
            for (i, item) in items.iter().enumerate() {
                let pointer = format!("{pointer}/{i}");
                let place = reader.place(&item.span);
                out.push(json(reader, &format!("{path}[{i}]"), &pointer, item, spans));
                spans.insert(
                    pointer,
                    KeyPlaces {
                        key: place.clone(),
                        value: place,
                    },
                );
            }
            Json::Array(out)
        }
        Value::Table(table) => Json::Object(object(reader, path, pointer, table, spans)),
    }
}
