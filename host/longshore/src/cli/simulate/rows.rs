//! A row of a fleet or of a list of requests: named fields, whatever file it came from.
//!
//! Each list has one table of fields: what they are called, what they hold, which are needed. Reading, unknown names and
//! the types of CSV cells all follow from it. Must not know files. Used by `fleet` and `requests`.

use std::collections::BTreeMap;

use longshore_loader::diagnostic::{Diagnostic, Place, Span, nearest, quoted_list};
use longshore_loader::spanned::{Member, Node, Reader, Table, Value};

use crate::codes;

/// A list that can be read from a file.
pub(super) struct List {
    /// The array of tables in TOML, `hosts`.
    pub(super) name: &'static str,
    /// One row, `host`.
    pub(super) what: &'static str,
    /// Everything that a row may have.
    pub(super) fields: &'static [Field],
}

/// A field of a row.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// There is no default.
    pub(super) needed: bool,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A text without line breaks.
    Text,
    /// A whole number from … to.
    Whole(i64, i64),
    /// A number from … to.
    Number(f64, f64),
    /// True or false.
    Flag,
    /// Texts; in CSV `a;b`.
    Texts,
    /// Names, each with one or several texts; in CSV `a=1;b=2`.
    Pairs,
}

/// A field with a default.
pub(super) const fn field(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        needed: false,
    }
}

/// A field without one.
pub(super) const fn needed(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        needed: true,
    }
}

impl List {
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.fields.iter().map(|field| field.name).collect()
    }

    /// Says that a row has no field of this name.
    pub(super) fn unknown(&self, member: &Member, reader: &mut Reader<'_>) {
        let (names, what) = (self.names(), self.what);
        let near = nearest(&member.key, names.iter().copied());
        let help = format!("a {what} may have {}", quoted_list(&names));
        let help = near.is_none().then_some(help);
        reader.unknown_key_with(member, &names, &format!("a {what}"), help);
    }

    /// What is missing among `names`.
    pub(super) fn missing(&self, names: &[&str]) -> Vec<&'static str> {
        let fields = self.fields.iter().filter(|field| field.needed);
        let missing = fields.filter(|field| !names.contains(&field.name));
        missing.map(|field| field.name).collect()
    }
}

/// One row, being read.
pub(super) struct Row<'a, 'c> {
    list: &'a List,
    /// From 1.
    pub(super) number: usize,
    table: &'a Table,
    span: Span,
    reader: &'a mut Reader<'c>,
}

impl<'a, 'c> Row<'a, 'c> {
    /// Starts to read a row; says which fields are unknown or missing.
    pub(super) fn new(
        list: &'a List,
        number: usize,
        (table, span): (&'a Table, Span),
        reader: &'a mut Reader<'c>,
    ) -> Self {
        for member in &table.members {
            if list.field(&member.key).is_none() {
                list.unknown(member, reader);
            }
        }
        let names: Vec<&str> = table.members.iter().map(|m| m.key.as_str()).collect();
        let missing = list.missing(&names);
        if !missing.is_empty() {
            let d = absent(&missing, list.what, reader.place(&span));
            reader.report(d);
        }
        Row {
            list,
            number,
            table,
            span,
            reader,
        }
    }

    fn get(&self, name: &str) -> Option<(&'static Field, &'a Node)> {
        let field = self.list.field(name)?;
        Some((field, &self.table.get(name)?.node))
    }

    /// A text; one line, not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let (_, node) = self.get(name)?;
        let text = self.reader.string(name, node)?;
        self.is_name(name, node, text).then(|| text.to_owned())
    }

    fn is_name(&mut self, name: &str, node: &Node, text: &str) -> bool {
        let good = !text.is_empty() && !text.chars().any(char::is_control);
        if !good {
            let what = format!("`{name}` must be a text of one line that is not empty");
            self.wrong(node.span.clone(), what, "write a name");
        }
        good
    }

    /// A whole number within the field's range.
    pub(super) fn whole<T: TryFrom<i64>>(&mut self, name: &str) -> Option<T> {
        let (field, node) = self.get(name)?;
        let Kind::Whole(min, max) = field.kind else {
            return None;
        };
        let number = self.reader.integer(name, node, min..=max)?;
        T::try_from(number).ok()
    }

    /// A number within the field's range.
    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        let (field, node) = self.get(name)?;
        let Kind::Number(min, max) = field.kind else {
            return None;
        };
        let number = self.reader.float(name, node)?;
        if (min..=max).contains(&number) {
            return Some(number);
        }
        let expected = format!("between {min} and {max}");
        let what = format!("`{name}` must be {expected}, not {number}");
        let help = format!("write a number {expected}");
        self.wrong(node.span.clone(), what, &help);
        None
    }

    /// True or false; false if absent.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        let found = self.get(name);
        found.is_some_and(|(_, node)| self.reader.boolean(name, node) == Some(true))
    }

    /// Texts; none if absent.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let Some((_, node)) = self.get(name) else {
            return Vec::new();
        };
        let texts = self.reader.strings(name, node).unwrap_or_default();
        texts.into_iter().map(|(text, _)| text).collect()
    }

    /// Names, each with its texts; none if absent.
    pub(super) fn pairs(&mut self, name: &str) -> BTreeMap<String, Vec<String>> {
        let Some((_, node)) = self.get(name) else {
            return BTreeMap::new();
        };
        let Value::Table(table) = &node.value else {
            let expected = "names and texts (in CSV `name=text;name=text`)";
            self.reader.wrong_type(name, node, expected, None);
            return BTreeMap::new();
        };
        let mut pairs = BTreeMap::new();
        for member in &table.members {
            let key = format!("{name}.{}", member.key);
            let texts = match &member.node.value {
                Value::Array(_) => {
                    let texts = self.reader.strings(&key, &member.node).unwrap_or_default();
                    texts.into_iter().map(|(text, _)| text).collect()
                }
                _ => {
                    let text = self.reader.string(&key, &member.node);
                    text.map(str::to_owned).into_iter().collect()
                }
            };
            pairs.insert(member.key.clone(), texts);
        }
        pairs
    }

    /// Says what is wrong with a field as a whole, or with the row if it has not the field.
    pub(super) fn refuse(&mut self, name: &str, what: String, help: &str) {
        let span = self.get(name).map(|(_, node)| node.span.clone());
        self.wrong(span.unwrap_or_else(|| self.span.clone()), what, help);
    }

    fn wrong(&mut self, span: Span, what: String, help: &str) {
        let place = self.reader.place(&span);
        let d = Diagnostic::error(codes::BAD_ROW, place, what).with_help(help);
        self.reader.report(d);
    }
}

/// The finding that fields are missing.
pub(super) fn absent(missing: &[&str], what: &str, place: Place) -> Diagnostic {
    let names = quoted_list(missing);
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let text = format!("{names} {verb} missing in this {what}");
    Diagnostic::error(codes::BAD_ROW, place, text).with_help(format!("every {what} needs {names}"))
}
