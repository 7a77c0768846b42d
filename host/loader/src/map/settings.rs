//! Settings from TOML to JSON, keeping the place of every key.
//!
//! Dates become texts; numbers that JSON cannot hold are refused with the key's name. Tables
//! merge table by table when a later file patches an entry. Must not know what a setting means.

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};

use crate::diagnostic::{Place, Source, Span};
use crate::spanned::{Node, Reader, Table, Value};

/// Settings and their places.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) values: Map<String, Json>,
    pub(super) spots: Spots,
}

impl Settings {
    /// Converts the table under `settings`; what cannot be converted is reported to `reader`.
    pub(super) fn read(reader: &mut Reader<'_>, table: &Table) -> Settings {
        let mut conversion = Conversion {
            source: Arc::clone(reader.source()),
            reader,
            pointer: String::new(),
            path: "settings".to_owned(),
            spots: Vec::with_capacity(table.members.len()),
        };
        let values = conversion.object(table);
        let mut spots = conversion.spots;
        spots.sort_unstable_by(|a, b| a.pointer.cmp(&b.pointer));
        Settings {
            values,
            spots: Spots(spots),
        }
    }

    /// Lays `later` over these: tables are merged, everything else is replaced.
    pub(super) fn patch(&mut self, later: Settings) {
        merge(&mut self.values, later.values);
        self.spots.patch(later.spots);
    }
}

/// Where each setting is written, sorted by JSON pointer.
#[derive(Debug, Clone, Default)]
pub(super) struct Spots(Vec<Spot>);

/// Where one setting is written.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pointer: Box<str>,
    source: Arc<Source>,
    key: Span,
    value: Span,
}

impl Spot {
    pub(super) fn key(&self) -> Place {
        Place::text(&self.source, self.key.clone())
    }

    pub(super) fn value(&self) -> Place {
        Place::text(&self.source, self.value.clone())
    }
}

impl Spots {
    pub(super) fn get(&self, pointer: &str) -> Option<&Spot> {
        let at = self
            .0
            .binary_search_by(|s| (*s.pointer).cmp(pointer))
            .ok()?;
        self.0.get(at)
    }

    fn patch(&mut self, later: Spots) {
        // The sort is stable and the later ones stand first, so they are the ones that stay.
        let mut all = later.0;
        all.append(&mut self.0);
        all.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        all.dedup_by(|a, b| a.pointer == b.pointer);
        self.0 = all;
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

/// Appends a key to a JSON pointer.
fn push_key(pointer: &mut String, key: &str) {
    if key.contains(['~', '/']) {
        pointer.push_str(&crate::settings_check::pointer(key));
    } else {
        pointer.push('/');
        pointer.push_str(key);
    }
}

/// Walks a table; `pointer` and `path` are those of the value at hand.
struct Conversion<'r, 'a> {
    reader: &'r mut Reader<'a>,
    source: Arc<Source>,
    pointer: String,
    path: String,
    spots: Vec<Spot>,
}

impl Conversion<'_, '_> {
    fn object(&mut self, table: &Table) -> Map<String, Json> {
        let mut out = Map::new();
        for member in &table.members {
            let (pointer, path) = (self.pointer.len(), self.path.len());
            push_key(&mut self.pointer, &member.key);
            self.path.push('.');
            self.path.push_str(&member.key);
            let json = self.json(&member.node);
            self.spot(&member.key_span, &member.node.span);
            self.pointer.truncate(pointer);
            self.path.truncate(path);
            out.insert(member.key.clone(), json);
        }
        out
    }

    fn spot(&mut self, key: &Span, value: &Span) {
        self.spots.push(Spot {
            pointer: self.pointer.as_str().into(),
            source: Arc::clone(&self.source),
            key: key.clone(),
            value: value.clone(),
        });
    }

    fn json(&mut self, node: &Node) -> Json {
        match &node.value {
            Value::String(text) | Value::Datetime(text) => Json::String(text.clone()),
            Value::Integer(number) => Json::from(*number),
            Value::Float(_) => {
                // `Reader::float` reports what is not finite, with the key.
                let finite = self.reader.float(&self.path, node).unwrap_or_default();
                Number::from_f64(finite).map_or(Json::Null, Json::Number)
            }
            Value::Boolean(b) => Json::Bool(*b),
            Value::Array(items) => Json::Array(self.array(items)),
            Value::Table(table) => Json::Object(self.object(table)),
        }
    }

    fn array(&mut self, items: &[Node]) -> Vec<Json> {
        let mut out = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let (pointer, path) = (self.pointer.len(), self.path.len());
            let number = i.to_string();
            for part in ["/", &number] {
                self.pointer.push_str(part);
            }
            for part in ["[", &number, "]"] {
                self.path.push_str(part);
            }
            out.push(self.json(item));
            self.spot(&item.span, &item.span);
            self.pointer.truncate(pointer);
            self.path.truncate(path);
        }
        out
    }
}
