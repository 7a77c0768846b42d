//! JSON: an array of objects, one per row. Rows are taken out of the text one after the other, so that each has its
//! place in it.
//!
//! Must not know what fields mean. Called by `input`.

use std::sync::Arc;

use longshore_loader::diagnostic::{Diagnostic, Place, Source, Span};
use longshore_loader::spanned::{Member, Node, Reader, Table, Value};
use serde_json::Value as Json;

use super::input::{AREA, Take, of_nodes};
use super::rows::List;
use crate::codes;

/// Reads the rows of a text.
pub(super) fn rows(source: &Arc<Source>, list: &List, take: Take<'_>) -> Vec<Diagnostic> {
    let nodes = match elements(source.text()) {
        Ok(nodes) => nodes,
        Err((at, why)) => {
            let what = format!("`{}` is not a JSON list of {}", source.name(), list.name);
            let d = Diagnostic::error(codes::INPUT_SYNTAX, Place::text(source, at..at + 1), what)
                .with_why(why)
                .with_help(format!(
                    "write `[{{…}}, {{…}}]`, one object per {}",
                    list.what
                ));
            return vec![d];
        }
    };
    let reader = Reader::new(source, &AREA);
    of_nodes(nodes.iter().enumerate(), list, reader, take)
}

/// The elements of the array that `text` is; or where it is none, and why.
fn elements(text: &str) -> Result<Vec<Node>, (usize, String)> {
    let mut at = blank(text, 0);
    let expected = |at: usize, what: &str| (at, format!("expected {what}"));
    if !text[at..].starts_with('[') {
        return Err(expected(at, "`[`"));
    }
    at = blank(text, at + 1);
    let mut nodes = Vec::new();
    if text[at..].starts_with(']') {
        return end(text, at + 1).map(|()| nodes);
    }
    loop {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Json>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(e)) => {
                let (place, why) = (at + values.byte_offset(), e.to_string());
                // Its own line and column are those of the row's text.
                let why = why.split(" at line ").next().unwrap_or_default();
                return Err((offset(text, at, &e).unwrap_or(place), why.to_owned()));
            }
            None => return Err(expected(at, "an object")),
        };
        let span = at..at + values.byte_offset();
        nodes.push(node(value, span.clone(), &text[span.clone()], span.start));
        at = blank(text, span.end);
        match text[at..].chars().next() {
            Some(',') => at = blank(text, at + 1),
            Some(']') => return end(text, at + 1).map(|()| nodes),
            _ => return Err(expected(at, "`,` or `]`")),
        }
    }
}

/// Nothing may follow the list.
fn end(text: &str, at: usize) -> Result<(), (usize, String)> {
    let at = blank(text, at);
    match at == text.len() {
        true => Ok(()),
        false => Err((at, "something follows the list".to_owned())),
    }
}

/// The place of the first character from `at` on that is not blank.
fn blank(text: &str, at: usize) -> usize {
    at + text[at..].len() - text[at..].trim_start().len()
}

/// Where an error is, given that its line and column count from `start`.
fn offset(text: &str, start: usize, error: &serde_json::Error) -> Option<usize> {
    let lines = text[start..].split_inclusive('\n');
    let before: usize = lines.take(error.line().checked_sub(1)?).map(str::len).sum();
    Some((start + before + error.column().saturating_sub(1)).min(text.len()))
}

fn node(value: Json, span: Span, text: &str, start: usize) -> Node {
    let value = match value {
        Json::Null => Value::Table(Table::default()),
        Json::Bool(flag) => Value::Boolean(flag),
        Json::String(text) => Value::String(text),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Integer(number),
            // Too large for any field.
            (None, Some(_)) => Value::Integer(i64::MAX),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Array(items) => {
            let items = items.into_iter();
            Value::Array(
                items
                    .map(|item| node(item, span.clone(), text, start))
                    .collect(),
            )
        }
        Json::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            let members = members.map(|(key, value)| {
                let (key_span, span) =
                    spans(&key, text, start).unwrap_or((span.clone(), span.clone()));
                let node = node(value, span, text, start);
                Member {
                    key,
                    key_span,
                    node,
                }
            });
            Value::Table(Table {
                members: members.collect(),
            })
        }
    };
    Node { span, value }
}

/// Where a key and its value stand. Of keys that are written in an unusual way, or that stand in a value before, the
/// place may be another one of the same row.
fn spans(key: &str, text: &str, start: usize) -> Option<(Span, Span)> {
    let quoted = format!("\"{key}\"");
    let mut from = 0;
    loop {
        let at = from + text[from..].find(&quoted)?;
        let colon = blank(text, at + quoted.len());
        if text[colon..].starts_with(':') {
            let value = blank(text, colon + 1);
            let length = text[value..].find([',', '}', '\n']).unwrap_or(1);
            let value = start + value..start + value + length;
            return Some((start + at..start + at + quoted.len(), value));
        }
        from = at + quoted.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_fields_know_their_places() {
        let text = "[\n {\"a\": 1},\n {\"b\": 25, \"c\": null}\n]\n";
        let nodes = elements(text).unwrap();
        assert_eq!(nodes.len(), 2);
        let Value::Table(row) = &nodes[1].value else {
            panic!("no object");
        };
        assert_eq!(row.members.len(), 1);
        let member = row.get("b").unwrap();
        assert_eq!(&text[member.key_span.clone()], "\"b\"");
        assert_eq!(&text[member.node.span.clone()], "25");
        assert!(elements(" [ ] ").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_list_says_where() {
        for (text, at) in [
            ("{}", 0),
            ("", 0),
            ("[{} {}]", 4),
            ("[{}] x", 5),
            ("[{},\n {\"a\": tru}]", 15),
        ] {
            let (found, why) = elements(text).unwrap_err();
            assert_eq!(found, at, "{text}: {why}");
        }
    }
}
