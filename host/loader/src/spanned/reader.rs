//! Reading typed values out of a tree, with one diagnostic per thing that is wrong.
//!
//! The span of a wrong value is exactly the value, that of an unknown key exactly the key. Called
//! by the map and by the program's configuration; must not know their keys.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{AreaCodes, Member, Node, Table, Value};
use crate::diagnostic::{Diagnostic, Place, Source, Span, escape};

/// Collects diagnostics while values are read.
#[derive(Debug)]
pub struct Reader<'a> {
    source: Arc<Source>,
    codes: &'a AreaCodes,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// Reads from the tree of `source`.
    pub fn new(source: &Arc<Source>, codes: &'a AreaCodes) -> Reader<'a> {
        Reader {
            source: Arc::clone(source),
            codes,
            diagnostics: Vec::new(),
        }
    }

    /// The text that is read.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// A place in the text.
    pub fn place(&self, span: &Span) -> Place {
        Place::text(&self.source, span.clone())
    }

    /// Adds a diagnostic of the caller's own.
    pub fn report(&mut self, d: Diagnostic) {
        self.diagnostics.push(d);
    }

    /// All diagnostics so far, in order of discovery.
    pub fn finish(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// Whether anything was reported.
    pub fn is_clean(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// A text.
    pub fn string<'n>(&mut self, key: &str, node: &'n Node) -> Option<&'n str> {
        match &node.value {
            Value::String(text) => Some(text),
            other => {
                // Numbers and booleans that should be text only lack their quotes.
                let bare = matches!(
                    other,
                    Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_)
                );
                let right = bare.then(|| format!("\"{}\"", self.source.slice(&node.span)));
                self.wrong_type(key, node, "text", right);
                None
            }
        }
    }

    /// A whole number within `range`.
    pub fn integer(&mut self, key: &str, node: &Node, range: RangeInclusive<i64>) -> Option<i64> {
        let Value::Integer(number) = node.value else {
            self.wrong_type(key, node, "a whole number", leading_number(&node.value));
            return None;
        };
        if range.contains(&number) {
            return Some(number);
        }
        let expected = format!("between {} and {}", range.start(), range.end());
        let d = self.wrong(node, format!("`{key}` must be {expected}, not {number}"));
        self.diagnostics
            .push(d.with_help(format!("write a number {expected}")));
        None
    }

    /// A finite number; whole numbers count.
    pub fn float(&mut self, key: &str, node: &Node) -> Option<f64> {
        match node.value {
            Value::Float(number) if number.is_finite() => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "a ratio needs no 64 bits")]
            Value::Integer(number) => Some(number as f64),
            Value::Float(_) => {
                let text = self.source.slice(&node.span).to_owned();
                let d = self.wrong(node, format!("`{key}` must be finite, not `{text}`"));
                self.diagnostics.push(d.with_help("write a number"));
                None
            }
            _ => {
                self.wrong_type(key, node, "a number", leading_number(&node.value));
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &str, node: &Node) -> Option<bool> {
        if let Value::Boolean(b) = node.value {
            return Some(b);
        }
        let right = match &node.value {
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some("true".to_owned()),
                "false" | "no" | "off" => Some("false".to_owned()),
                _ => None,
            },
            _ => None,
        };
        self.wrong_type(key, node, "`true` or `false`", right);
        None
    }

    /// A list of texts, each with its place.
    pub fn strings(&mut self, key: &str, node: &Node) -> Option<Vec<(String, Span)>> {
        let Value::Array(items) = &node.value else {
            let right = matches!(node.value, Value::String(_))
                .then(|| format!("[{}]", self.source.slice(&node.span)));
            self.wrong_type(key, node, "a list", right);
            return None;
        };
        let mut out = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            out.push((
                self.string(&format!("{key}[{i}]"), item)?.to_owned(),
                item.span.clone(),
            ));
        }
        Some(out)
    }

    /// A table.
    pub fn table<'n>(&mut self, key: &str, node: &'n Node) -> Option<&'n Table> {
        if let Value::Table(table) = &node.value {
            return Some(table);
        }
        self.wrong_type(key, node, "a table", None);
        None
    }

    /// One of a few words.
    pub fn word<'w>(&mut self, key: &str, node: &Node, words: &[&'w str]) -> Option<&'w str> {
        let text = self.string(key, node)?;
        if let Some(word) = words.iter().find(|w| **w == text) {
            return Some(word);
        }
        let shown = escape(text);
        let d = self
            .wrong(node, format!("`{key}` cannot be `{shown}`"))
            .with_label(format!(
                "not one of {}",
                crate::diagnostic::quoted_list(words)
            ))
            .with_advice(text, words, "");
        self.diagnostics.push(d);
        None
    }

    /// Reports each key of `table` that is not among `known`. `what` names the table, for example
    /// `` `[compute]` ``.
    pub fn unknown_keys(&mut self, table: &Table, known: &[&str], what: &str) {
        for member in &table.members {
            if !known.contains(&member.key.as_str()) {
                self.unknown_key(member, known, what);
            }
        }
    }

    /// Reports one unknown key.
    pub fn unknown_key(&mut self, member: &Member, known: &[&str], what: &str) {
        self.unknown_key_with(member, known, what, None);
    }

    /// Reports one unknown key; `help` is what to do, where the nearest of the known ones is not
    /// it.
    pub fn unknown_key_with(
        &mut self,
        member: &Member,
        known: &[&str],
        what: &str,
        help: Option<String>,
    ) {
        let key = escape(&member.key);
        let place = self.place(&member.key_span);
        let mut d = Diagnostic::error(
            self.codes.unknown_key,
            place,
            format!("unknown key `{key}` in {what}"),
        )
        .with_label(format!("not a key of {what}"))
        .with_advice(&member.key, known, "remove it");
        if let Some(help) = help {
            d.suggestion = None;
            d = d.with_help(help);
        }
        if let Some((c, plain)) = super::marks::look_alike(&member.key) {
            let code = u32::from(c);
            d = d.with_note(format!(
                "it contains U+{code:04X}, which looks like `{plain}`"
            ));
        }
        self.diagnostics.push(d);
    }

    /// Reports that a value is of another type. `right` is the text that would be right.
    pub fn wrong_type(&mut self, key: &str, node: &Node, expected: &str, right: Option<String>) {
        let found = node.value.kind();
        let d = self
            .wrong(node, format!("`{key}` must be {expected}, not {found}"))
            .with_label(format!("expected {expected}"));
        let d = match right {
            Some(right) => d
                .with_help(format!("write `{right}`"))
                .with_suggestion(right),
            None => d.with_help(format!("write {expected}")),
        };
        self.diagnostics.push(d);
    }

    fn wrong(&self, node: &Node, what: String) -> Diagnostic {
        Diagnostic::error(self.codes.wrong_type, self.place(&node.span), what)
    }
}

/// `"65536"` and `"64 GiB"` start with the number that was probably meant.
fn leading_number(value: &Value) -> Option<String> {
    let Value::String(text) = value else {
        return None;
    };
    text.trim().parse::<i64>().ok().map(|n| n.to_string())
}
