//! The one trap of the format: dotted names without quotes, which TOML reads as nested tables.
//!
//! They are reported with the spelling that was meant, never guessed and never flattened. Called
//! by `file`.

use super::keys::ENTRY_KEYS;
use super::misplaced;
use crate::codes;
use crate::diagnostic::{Diagnostic, Span, escape, nearest};
use crate::spanned::{Member, Node, Reader, Table, Value};

/// Keys that make a table an entry.
const MARKS: &[&str] = &["lib", "alias", "patch", "enabled"];

/// Whether a table where an entry should be is really the inside of a dotted name.
pub(super) fn is_nested(reader: &Reader<'_>, node: &Node, table: &Table) -> bool {
    if is_entry(table) {
        return false;
    }
    let known = |m: &Member| ENTRY_KEYS.contains(&m.key.as_str());
    let slip = |m: &Member| {
        misplaced::ours(&m.key).is_some() || nearest(&m.key, ENTRY_KEYS.iter().copied()).is_some()
    };
    let inline = reader.source().slice(&node.span).starts_with('{');
    if table.members.is_empty() {
        return !inline;
    }
    if inline && table.members.iter().any(slip) {
        return false;
    }
    let could_be_entry = |m: &Member| {
        matches!(
            m.node.value,
            Value::String(_) | Value::Table(_) | Value::Array(_) | Value::Boolean(false)
        )
    };
    !table.members.iter().all(known) && table.members.iter().all(could_be_entry)
}

fn is_entry(table: &Table) -> bool {
    table
        .members
        .iter()
        .any(|m| MARKS.contains(&m.key.as_str()))
}

/// Reports every namespace below `[path.member]`.
pub(super) fn report_namespaces(reader: &mut Reader<'_>, path: &[&str], member: &Member) {
    let mut path = path.to_vec();
    path.push(&member.key);
    let Value::Table(table) = &member.node.value else {
        return;
    };
    let only_tables = !table.members.is_empty()
        && table.members.iter().all(|m| match &m.node.value {
            Value::Table(inner) => !is_entry(inner),
            _ => false,
        });
    if only_tables {
        for inner in &table.members {
            report_namespaces(reader, &path, inner);
        }
    } else {
        let header = header_span(&member.node.span, &member.key_span, reader);
        report(reader, header, &path.join("."), Spelling::Header);
    }
}

/// Reports a table of a namespace that is not an entry.
pub(super) fn report_entry(reader: &mut Reader<'_>, namespace: &str, member: &Member, node: &Node) {
    if reader.source().slice(&node.span).starts_with('[') {
        report_namespaces(reader, &[namespace], member);
        return;
    }
    if is_in_double_header(reader, &member.key_span) {
        report_double_header(reader, namespace, member);
        return;
    }
    // A dotted key: down to its last part, for the whole name and its place.
    let mut name = member.key.clone();
    let mut end = member.key_span.end;
    let mut inner = node;
    while let Value::Table(table) = &inner.value {
        let Some(first) = table.members.first().filter(|_| !is_entry(table)) else {
            break;
        };
        if first.key_span.start < end {
            break;
        }
        name = format!("{name}.{}", first.key);
        end = first.key_span.end;
        inner = &first.node;
    }
    report(reader, member.key_span.start..end, &name, Spelling::Key);
}

/// Whether a key stands in `[[…]]`.
fn is_in_double_header(reader: &Reader<'_>, key: &Span) -> bool {
    let line = reader.source().line_at(key.start);
    let text = reader.source().slice(&line);
    text.trim_start().starts_with("[[")
}

/// Reports `[[a.b.c]]`, whose last part is the entry and the rest the namespace.
fn report_double_header(reader: &mut Reader<'_>, namespace: &str, member: &Member) {
    let mut path = namespace.to_owned();
    let mut member = member;
    while let Value::Table(table) = &member.node.value {
        let Some(inner) = table.members.first() else {
            break;
        };
        path = format!("{path}.{}", member.key);
        member = inner;
    }
    let line = reader.source().line_at(member.key_span.start);
    let text = reader.source().slice(&line).to_owned();
    let start = line.start + (text.len() - text.trim_start().len());
    let end = text.find("]]").map_or(line.end, |at| line.start + at + 2);
    report(
        reader,
        start..end,
        &path,
        Spelling::DoubleHeader(&member.key),
    );
}

/// Reports `[longshore.policy.a.b]`.
pub(super) fn report_policy(reader: &mut Reader<'_>, member: &Member) {
    let mut path = member.key.clone();
    let mut member = member;
    while let Value::Table(table) = &member.node.value {
        let Some(inner) = table
            .members
            .iter()
            .find(|m| matches!(m.node.value, Value::Table(_)))
        else {
            break;
        };
        path = format!("{path}.{}", inner.key);
        member = inner;
    }
    let header = header_span(&member.node.span, &member.key_span, reader);
    report(reader, header, &path, Spelling::Policy);
}

enum Spelling<'a> {
    Header,
    /// With the entry's name.
    DoubleHeader(&'a str),
    Key,
    Policy,
}

/// The header if there is one, otherwise the key.
fn header_span(node: &Span, key: &Span, reader: &Reader<'_>) -> Span {
    if reader.source().slice(node).starts_with('[') {
        node.clone()
    } else {
        key.clone()
    }
}

fn report(reader: &mut Reader<'_>, span: Span, path: &str, spelling: Spelling<'_>) {
    let path = escape(path);
    let (right, help) = match spelling {
        Spelling::Header => {
            let right = format!("[\"{path}\"]");
            let help = format!("a namespace is quoted: `{right}`");
            (right, help)
        }
        Spelling::DoubleHeader(entry) => {
            let right = format!("[[\"{path}\".{}]]", escape(entry));
            let help = format!("a namespace is quoted: `{right}`");
            (right, help)
        }
        Spelling::Key => {
            let right = format!("\"{path}\"");
            let help = format!("a name with dots is quoted: `{right} = …`");
            (right, help)
        }
        Spelling::Policy => {
            let right = format!("[longshore.policy.\"{path}\"]");
            let help = format!("a namespace is quoted: `{right}`");
            (right, help)
        }
    };
    let what = format!("`{path}` is read as nested tables");
    let d = Diagnostic::error(codes::MAP_UNQUOTED_NAMESPACE, reader.place(&span), what)
        .with_label("dots without quotes")
        .with_help(help)
        .with_suggestion(right);
    reader.report(d);
}
