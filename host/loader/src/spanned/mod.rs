//! TOML text as a tree in which every key and value knows its place.
//!
//! The parser recovers after errors, so several are reported at once. Bounds: 1 MiB, 10 000 keys,
//! 32 levels. Any bytes are legal input: the answer is a tree and diagnostics, never a panic.
//! Shared by the plugin map and the program's configuration; it must not know a key of either.

mod marks;
mod reader;
mod syntax;

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Place, Source, Span, quoted_list};

pub use reader::Reader;

/// Longest text, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Most keys in one text, at all levels together.
pub const KEYS_MAX: usize = 10_000;
/// Deepest nesting of tables and arrays.
pub const DEPTH_MAX: usize = 32;

/// The error codes of whoever reads: one set per area.
#[derive(Debug, Clone, Copy)]
pub struct AreaCodes {
    /// Not TOML.
    pub syntax: &'static str,
    /// Not UTF-8 text.
    pub encoding: &'static str,
    /// A key or table twice.
    pub duplicate: &'static str,
    /// Over a bound.
    pub too_large: &'static str,
    /// A key that does not exist.
    pub unknown_key: &'static str,
    /// A value of the wrong type or range.
    pub wrong_type: &'static str,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the value; for a `[table]` those of its header.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A number; may be infinite or NaN when the text says `inf` or `nan`.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time, or both, as written.
    Datetime(String),
    /// A list, also an array of tables.
    Array(Vec<Node>),
    /// A table, in any spelling.
    Table(Table),
}

impl Value {
    /// What it is, in an operator's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::String(_) => "text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Boolean(_) => "`true` or `false`",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// A table, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The members.
    pub members: Vec<Member>,
}

/// One key of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key, unescaped.
    pub key: String,
    /// Where the key is written, with its quotes.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl Table {
    /// The member called `key`. Takes time in proportion to the table: meant for tables of known
    /// keys.
    pub fn get(&self, key: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.key == key)
    }
}

/// What became of a text.
#[derive(Debug)]
pub struct Parsed {
    /// The text, for places.
    pub source: Arc<Source>,
    /// What could be read of it.
    pub root: Table,
    /// What is wrong with it, in the order of the text; empty when it is TOML within bounds.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads `bytes` as TOML. `name` is shown in messages.
pub fn parse(bytes: &[u8], name: &str, codes: &AreaCodes) -> Parsed {
    if bytes.len() > TEXT_BYTES_MAX {
        let what = format!(
            "`{name}` has {} bytes, the limit is {TEXT_BYTES_MAX}",
            bytes.len()
        );
        let d = Diagnostic::error(codes.too_large, Place::File(name.to_owned()), what)
            .with_help("split it, or name the right file");
        return failed(Source::new(name, ""), d);
    }
    // A byte-order mark of UTF-8 carries no meaning and would shift the columns of the first line.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text,
        Ok(text) => {
            let at = text.find('\0').unwrap_or(0);
            return bad_encoding(bytes, name, at, "a NUL byte is not text".to_owned(), codes);
        }
        Err(e) => {
            let at = e.valid_up_to();
            return bad_encoding(bytes, name, at, not_utf8(bytes, at), codes);
        }
    };
    let source = Source::new(name, text);
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut diagnostics = syntax::explain(&source, &errors, codes);
    let mut conversion = Conversion {
        source: &source,
        codes,
        keys: 0,
        diagnostics: Vec::new(),
    };
    let root = conversion.table(tree.get_ref(), 0);
    let found = conversion.diagnostics;
    syntax::add_new_lines(&mut diagnostics, found);
    Parsed {
        source,
        root,
        diagnostics,
    }
}

fn failed(source: Arc<Source>, d: Diagnostic) -> Parsed {
    Parsed {
        source,
        root: Table::default(),
        diagnostics: vec![d],
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> String {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return "the text is UTF-16".to_owned();
    }
    format!(
        "byte 0x{:02X} at offset {at} is not UTF-8",
        bytes.get(at).copied().unwrap_or(0)
    )
}

fn bad_encoding(bytes: &[u8], name: &str, at: usize, what: String, codes: &AreaCodes) -> Parsed {
    let source = Source::new(name, String::from_utf8_lossy(bytes));
    let place = Place::text(&source, at..at + 1);
    let d = Diagnostic::error(codes.encoding, place, what).with_help("save the file as UTF-8");
    failed(source, d)
}

/// Turns the parser's tree into ours, and watches the bounds.
struct Conversion<'a> {
    source: &'a Arc<Source>,
    codes: &'a AreaCodes,
    keys: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Conversion<'_> {
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Table {
        let mut members = Vec::with_capacity(table.len());
        for (key, value) in table {
            self.keys += 1;
            if self.keys > KEYS_MAX {
                if self.keys == KEYS_MAX + 1 {
                    let what = format!("more than {KEYS_MAX} keys");
                    self.too_large(key.span(), what, "split the file");
                }
                break;
            }
            let node = self.node(value, depth + 1);
            members.push(Member {
                key: key.get_ref().to_string(),
                key_span: key.span(),
                node,
            });
        }
        // The parser sorts by name; the order of the text is the order of the keys' places.
        members.sort_by_key(|m| m.key_span.start);
        Table { members }
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let span = value.span();
        if depth > DEPTH_MAX {
            let deep = self
                .diagnostics
                .iter()
                .any(|d| d.code == self.codes.too_large);
            if !deep {
                let what = format!("nesting deeper than {DEPTH_MAX}");
                self.too_large(span.clone(), what, "use fewer levels");
            }
            return Node {
                span,
                value: Value::Boolean(false),
            };
        }
        let value = match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => self.integer(number.as_str(), number.radix(), &span),
            DeValue::Float(number) => self.float(number.as_str(), &span),
            DeValue::Boolean(b) => Value::Boolean(*b),
            DeValue::Datetime(date) => Value::Datetime(date.to_string()),
            DeValue::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.node(item, depth + 1))
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table, depth)),
        };
        Node { span, value }
    }

    fn integer(&mut self, digits: &str, radix: u32, span: &Span) -> Value {
        match i64::from_str_radix(digits, radix) {
            Ok(number) => Value::Integer(number),
            Err(_) => self.out_of_range(span, Value::Integer(0)),
        }
    }

    fn float(&mut self, digits: &str, span: &Span) -> Value {
        match digits.parse::<f64>() {
            Ok(number) if number.is_infinite() && !digits.contains("inf") => {
                self.out_of_range(span, Value::Float(0.0))
            }
            Ok(number) => Value::Float(number),
            Err(_) => self.out_of_range(span, Value::Float(0.0)),
        }
    }

    fn out_of_range(&mut self, span: &Span, instead: Value) -> Value {
        let text = crate::diagnostic::escape(self.source.slice(span));
        let what = format!("the number `{text}` is out of range");
        let place = Place::text(self.source, span.clone());
        let d = Diagnostic::error(self.codes.wrong_type, place, what)
            .with_help("write a number of at most 64 bits");
        self.diagnostics.push(d);
        instead
    }

    fn too_large(&mut self, span: Span, what: String, help: &str) {
        let place = Place::text(self.source, span);
        let d = Diagnostic::error(self.codes.too_large, place, what).with_help(help);
        self.diagnostics.push(d);
    }
}

/// `` `a`, `b` `` of the keys of a table.
pub fn key_list(table: &Table) -> String {
    let keys: Vec<&str> = table.members.iter().map(|m| m.key.as_str()).collect();
    quoted_list(&keys)
}

#[cfg(test)]
mod tests;
