//! One value: from TOML, or the text of a variable, to the type that its key takes.
//!
//! The span of what is reported is the smallest thing that is wrong. Called by the file and the
//! environment layer; must not know what a value is used for.

use std::sync::Arc;

use longshore_loader::diagnostic::{Diagnostic, Place, Source, Span};
use longshore_loader::map::Placed;
use longshore_loader::spanned::{Node, Value};

use super::keys::{Key, Kind};
use super::raw::{Setting, Weight};
use super::{diagnose, unit};

/// Where values come from.
pub(super) enum Input {
    /// A file.
    File(Arc<Source>),
    /// A variable, whose value was given to the TOML reader as a text of its own.
    Variable { name: String, source: Arc<Source> },
}

impl Input {
    /// A variable has no lines: its name stands for every place in it.
    pub(super) fn place(&self, span: &Span) -> Place {
        match self {
            Input::File(source) => Place::text(source, span.clone()),
            Input::Variable { name, .. } => Place::Environment(name.clone()),
        }
    }

    pub(super) fn slice(&self, span: &Span) -> &str {
        match self {
            Input::File(source) | Input::Variable { source, .. } => source.slice(span),
        }
    }
}

/// Reads the value of `key`, or reports why it cannot be.
pub(super) fn setting(
    key: &Key,
    node: &Node,
    input: &Input,
    found: &mut Vec<Diagnostic>,
) -> Option<Setting> {
    let value = Reading { key, input, found };
    value.read(node)
}

struct Reading<'a> {
    key: &'a Key,
    input: &'a Input,
    found: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    fn read(mut self, node: &Node) -> Option<Setting> {
        match (self.key.kind, &node.value) {
            (Kind::Text | Kind::Path, Value::String(text)) => self.text(node, text),
            (Kind::Word(words), Value::String(text)) => self.word(node, text, words),
            (Kind::Integer(min, max), Value::Integer(number)) => {
                let inside = (min..=max).contains(number);
                self.in_range(node, inside)
                    .then_some(Setting::Integer(*number))
            }
            (Kind::Float(min, max), Value::Float(_) | Value::Integer(_)) => {
                let number = number(&node.value)?;
                let inside = (min..=max).contains(&number);
                self.in_range(node, inside)
                    .then_some(Setting::Float(number))
            }
            (Kind::Boolean, Value::Boolean(b)) => Some(Setting::Boolean(*b)),
            (Kind::Names, Value::Array(items)) => self.names(items),
            (Kind::Weights, Value::Table(table)) => {
                let mut weights = Vec::with_capacity(table.members.len());
                for member in &table.members {
                    weights.push(self.weight(&member.key, &member.key_span, &member.node));
                }
                let all: Option<Vec<Weight>> = weights.into_iter().collect();
                all.map(Setting::Weights)
            }
            _ => {
                self.wrong_type(node);
                None
            }
        }
    }

    fn text(&mut self, node: &Node, text: &str) -> Option<Setting> {
        if text.is_empty() {
            let place = self.input.place(&node.span);
            self.found.push(diagnose::empty(self.key, place));
            return None;
        }
        Some(Setting::Text(text.to_owned()))
    }

    fn word(&mut self, node: &Node, text: &str, words: &[&str]) -> Option<Setting> {
        if words.contains(&text) {
            return Some(Setting::Text(text.to_owned()));
        }
        let place = self.input.place(&node.span);
        self.found
            .push(diagnose::bad_word(self.key, text, words, place));
        None
    }

    fn in_range(&mut self, node: &Node, inside: bool) -> bool {
        if !inside {
            let place = self.input.place(&node.span);
            let shown = self.input.slice(&node.span);
            self.found
                .push(diagnose::out_of_range(self.key, shown, place));
        }
        inside
    }

    fn names(&mut self, items: &[Node]) -> Option<Setting> {
        let mut names: Vec<Placed<String>> = Vec::with_capacity(items.len());
        for item in items {
            let place = self.input.place(&item.span);
            let Value::String(name) = &item.value else {
                let right = diagnose::quoted(item, self.input.slice(&item.span));
                let kind = item.value.kind();
                self.found
                    .push(diagnose::wrong_item(self.key, kind, right, place));
                return None;
            };
            if let Some(first) = names.iter().position(|n| n.value == *name) {
                self.found
                    .push(diagnose::listed_twice(self.key, name, first + 1, place));
                continue;
            }
            names.push(Placed {
                value: name.clone(),
                place,
            });
        }
        Some(Setting::Names(names))
    }

    fn weight(&mut self, name: &str, span: &Span, node: &Node) -> Option<Weight> {
        let place = self.input.place(&node.span);
        let Some(multiplier) = number(&node.value) else {
            self.found
                .push(diagnose::wrong_weight(name, &node.value, place));
            return None;
        };
        if !multiplier.is_finite() {
            let shown = self.input.slice(&node.span);
            self.found.push(diagnose::not_finite(name, shown, place));
            return None;
        }
        Some(Weight {
            name: Placed {
                value: name.to_owned(),
                place: self.input.place(span),
            },
            multiplier: Placed {
                value: multiplier,
                place,
            },
        })
    }

    fn wrong_type(&mut self, node: &Node) {
        if let (Value::String(text), Some(wanted)) = (&node.value, self.key.unit())
            && let Some(quantity) = unit::split(text)
            && let Err(near) = quantity.convert(wanted)
        {
            let span = self.unit_span(node, &quantity);
            let place = self.input.place(&span);
            self.found
                .push(diagnose::bad_unit(self.key, quantity.unit, near, place));
            return;
        }
        let right = diagnose::right_text(self.key, node, self.input.slice(&node.span));
        let place = self.input.place(&node.span);
        let kind = node.value.kind();
        self.found
            .push(diagnose::wrong_type(self.key, kind, right, place));
    }

    /// The unit inside the quotes; the whole value when its spelling has escapes.
    fn unit_span(&self, node: &Node, quantity: &unit::Quantity<'_>) -> Span {
        match self.input.slice(&node.span).rfind(quantity.unit) {
            Some(at) => {
                let start = node.span.start + at;
                start..start + quantity.unit.len()
            }
            None => node.span.clone(),
        }
    }
}

/// A number, whole or not; may be infinite.
#[expect(clippy::cast_precision_loss, reason = "a ratio needs no 64 bits")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Integer(number) => Some(*number as f64),
        _ => None,
    }
}
