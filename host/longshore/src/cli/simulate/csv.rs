//! CSV, line by line: a head with field names, then one row per line. Long lists pass through without being kept.
//!
//! A cell may be quoted with `"`; line breaks inside of cells are not known. Lines of comment begin with `#`, empty ones
//! are left out. Must not know what fields mean beyond their types. Called by `input`, and by `azure` for its cells.

use std::io::{self, BufRead, Read as _};

use longshore_loader::diagnostic::{Diagnostic, Place, Source, Span, escape};
use longshore_loader::spanned::{Member, Node, Reader, Table, Value};

use super::input::{AREA, MISTAKES_MAX, Take, in_file};
use super::rows::{Kind, List, Row, absent};
use crate::codes;

/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// The lines of a file that count, with their numbers.
pub(super) struct Lines<R> {
    from: R,
    number: usize,
    line: Vec<u8>,
}

/// Why there is no next line.
pub(super) enum NoLine {
    /// The file is at its end.
    End,
    /// What is wrong with it.
    Bad(String),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Lines {
            from,
            number: 0,
            line: Vec::new(),
        }
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The next line that is neither empty nor a comment.
    ///
    /// # Errors
    /// That there is none, or that it cannot be read.
    pub(super) fn next(&mut self) -> Result<&str, NoLine> {
        loop {
            self.line.clear();
            let mut limited = (&mut self.from).take(LINE_BYTES_MAX + 1);
            let read = limited.read_until(b'\n', &mut self.line);
            let n = read.map_err(|e: io::Error| NoLine::Bad(e.to_string()))?;
            if n == 0 {
                return Err(NoLine::End);
            }
            self.number += 1;
            if n as u64 > LINE_BYTES_MAX {
                let text = format!("the line has more than {LINE_BYTES_MAX} bytes");
                return Err(NoLine::Bad(text));
            }
            while self.line.last().is_some_and(|b| b"\r\n".contains(b)) {
                self.line.pop();
            }
            if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
            if !self.line.is_empty() && self.line[0] != b'#' {
                break;
            }
        }
        let text = std::str::from_utf8(&self.line);
        text.map_err(|_| NoLine::Bad("the line is not UTF-8 text".to_owned()))
    }
}

/// A cell of a line: where it stands, without its quotes, and its text.
pub(super) struct Cell {
    pub(super) span: Span,
    pub(super) text: String,
}

/// The cells of a line.
///
/// # Errors
/// Where a quote is not closed, or has something behind it.
pub(super) fn cells(line: &str) -> Result<Vec<Cell>, usize> {
    let mut cells = Vec::new();
    let mut at = 0;
    loop {
        let (cell, end) = match line[at..].starts_with('"') {
            true => quoted(line, at)?,
            false => {
                let end = line[at..].find(',').map_or(line.len(), |n| at + n);
                let text = line[at..end].trim();
                let start = at + line[at..end].find(text).unwrap_or(0);
                let cell = Cell {
                    span: start..start + text.len(),
                    text: text.to_owned(),
                };
                (cell, end)
            }
        };
        cells.push(cell);
        match line.as_bytes().get(end) {
            None => return Ok(cells),
            Some(b',') => at = end + 1,
            Some(_) => return Err(end),
        }
    }
}

/// A cell that begins with a quote at `start`; `""` in it is a quote.
fn quoted(line: &str, start: usize) -> Result<(Cell, usize), usize> {
    let mut text = String::new();
    let mut at = start + 1;
    loop {
        let end = line[at..].find('"').map(|n| at + n).ok_or(start)?;
        text.push_str(&line[at..end]);
        if line[end + 1..].starts_with('"') {
            text.push('"');
            at = end + 2;
        } else {
            let span = start + 1..end;
            return Ok((Cell { span, text }, end + 1));
        }
    }
}

/// Reads the rows of a file.
pub(super) fn rows<R: BufRead>(
    lines: &mut Lines<R>,
    name: &str,
    list: &List,
    take: Take<'_>,
) -> Vec<Diagnostic> {
    let head = match next(lines, name) {
        Ok(Some((number, line, cells))) => match head(list, number, &line, cells, name) {
            Ok(head) => head,
            Err(found) => return found,
        },
        Ok(None) => return Vec::new(),
        Err(d) => return vec![*d],
    };
    let (mut found, mut rows) = (Vec::new(), 0);
    while found.len() < MISTAKES_MAX {
        match next(lines, name) {
            Ok(None) => break,
            // Behind a broken line nothing can be trusted.
            Err(d) => {
                found.push(*d);
                break;
            }
            Ok(Some((number, line, cells))) => {
                rows += 1;
                let row = (rows, line.as_str(), cells);
                let (wrong, goes_on) = one(list, &head, row, take);
                found.extend(wrong.into_iter().map(|d| in_file(d, name, number, &line)));
                if !goes_on {
                    break;
                }
            }
        }
    }
    found
}

type Line = (usize, String, Vec<Cell>);

fn next<R: BufRead>(lines: &mut Lines<R>, name: &str) -> Result<Option<Line>, Box<Diagnostic>> {
    let line = match lines.next() {
        Ok(line) => line.to_owned(),
        Err(NoLine::End) => return Ok(None),
        Err(NoLine::Bad(why)) => {
            return Err(Box::new(broken(name, lines.number(), "", 0, &why)));
        }
    };
    match cells(&line) {
        Ok(cells) => Ok(Some((lines.number(), line, cells))),
        Err(at) => {
            let why = "a quote is not closed, or something follows it before the comma";
            Err(Box::new(broken(name, lines.number(), &line, at, why)))
        }
    }
}

/// The finding that a line is no CSV.
pub(super) fn broken(name: &str, number: usize, line: &str, at: usize, why: &str) -> Diagnostic {
    let place = Place::text(&Source::new(name, line), at..at + 1);
    let d = Diagnostic::error(
        codes::INPUT_SYNTAX,
        place,
        format!("`{}` is not CSV", escape(name)),
    )
    .with_why(why)
    .with_help("correct this line; cells stand between commas, quotes around them are `\"`");
    in_file(d, name, number, line)
}

/// The fields that the columns stand for.
fn head(
    list: &List,
    number: usize,
    line: &str,
    cells: Vec<Cell>,
    name: &str,
) -> Result<Vec<(&'static str, Kind)>, Vec<Diagnostic>> {
    let source = Source::new(name, line);
    let mut reader = Reader::new(&source, &AREA);
    let mut head: Vec<(&'static str, Kind)> = Vec::new();
    for Cell { span, text } in cells {
        match list.field(&text) {
            Some(field) if head.iter().any(|(name, _)| *name == field.name) => {
                let what = format!("the column `{}` stands there twice", field.name);
                let d = Diagnostic::error(codes::BAD_ROW, reader.place(&span), what);
                reader.report(d.with_help("keep one of the two"));
            }
            Some(field) => head.push((field.name, field.kind)),
            None => {
                let member = member(&text, span, Value::Boolean(true));
                list.unknown(&member, &mut reader);
            }
        }
    }
    let names: Vec<&str> = head.iter().map(|(name, _)| *name).collect();
    let missing = list.missing(&names);
    if reader.is_clean() && !missing.is_empty() {
        let d = absent(&missing, list.what, reader.place(&(0..line.len())));
        reader.report(d.with_note("the first line names the columns"));
    }
    let found = reader.finish();
    match found.is_empty() {
        true => Ok(head),
        false => {
            let moved = found.into_iter().map(|d| in_file(d, name, number, line));
            Err(moved.collect())
        }
    }
}

/// Reads one row; answers what is wrong, and whether the next one is wanted.
fn one(
    list: &List,
    head: &[(&'static str, Kind)],
    (number, line, cells): (usize, &str, Vec<Cell>),
    take: Take<'_>,
) -> (Vec<Diagnostic>, bool) {
    let source = Source::new("", line);
    let mut reader = Reader::new(&source, &AREA);
    let (found, expected) = (cells.len(), head.len());
    if found != expected {
        let what = format!("the line has {found} cells, and the first line {expected}");
        let d = Diagnostic::error(codes::BAD_ROW, reader.place(&(0..line.len())), what);
        let help = "give each column a cell; one that is empty stands for the default";
        return (vec![d.with_help(help)], true);
    }
    let filled = head
        .iter()
        .zip(cells)
        .filter(|(_, cell)| !cell.text.is_empty());
    let members = filled.map(|((name, kind), cell)| {
        let value = typed(*kind, &cell.text);
        member(name, cell.span, value)
    });
    let table = Table {
        members: members.collect(),
    };
    let row = &mut Row::new(list, number, (&table, 0..line.len()), &mut reader);
    let goes_on = take(row);
    (reader.finish(), goes_on)
}

fn member(key: &str, span: Span, value: Value) -> Member {
    Member {
        key: key.to_owned(),
        key_span: span.clone(),
        node: Node { span, value },
    }
}

/// A cell as a value of its field's type; a text if it is none, which the field then refuses.
fn typed(kind: Kind, text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    match kind {
        Kind::Text => as_text(),
        Kind::Whole(..) => match text.parse::<i64>() {
            Ok(number) => Value::Integer(number),
            // Too long for a number is too large for a field.
            Err(e) => match e.kind() {
                std::num::IntErrorKind::PosOverflow => Value::Integer(i64::MAX),
                std::num::IntErrorKind::NegOverflow => Value::Integer(i64::MIN),
                _ => text.parse().map_or_else(|_| as_text(), Value::Float),
            },
        },
        Kind::Number(..) => text.parse().map_or_else(|_| as_text(), Value::Float),
        Kind::Flag => text.parse().map_or_else(|_| as_text(), Value::Boolean),
        Kind::Texts => {
            let items = text.split(';').map(|item| Node {
                span: 0..0,
                value: Value::String(item.trim().to_owned()),
            });
            Value::Array(items.collect())
        }
        Kind::Pairs => pairs(text).unwrap_or_else(as_text),
    }
}

/// `a=1;b=2`; a name that stands there again has several texts.
fn pairs(text: &str) -> Option<Value> {
    let mut table = Table::default();
    for pair in text.split(';').filter(|pair| !pair.trim().is_empty()) {
        let (key, value) = pair.split_once('=')?;
        let (key, value) = (key.trim(), Value::String(value.trim().to_owned()));
        match table.members.iter_mut().find(|member| member.key == key) {
            None => table.members.push(member(key, 0..0, value)),
            Some(known) => {
                let node = Node { span: 0..0, value };
                match &mut known.node.value {
                    Value::Array(items) => items.push(node),
                    one => {
                        let first = Node {
                            span: 0..0,
                            value: one.clone(),
                        };
                        *one = Value::Array(vec![first, node]);
                    }
                }
            }
        }
    }
    Some(Value::Table(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        let cells = cells(line).unwrap();
        cells.into_iter().map(|cell| cell.text).collect()
    }

    #[test]
    fn cells_stand_between_commas_with_or_without_quotes() {
        assert_eq!(
            texts("a, b ,,\"c,d\",\"say \"\"hi\"\"\""),
            ["a", "b", "", "c,d", "say \"hi\""]
        );
        assert_eq!(texts(""), [""]);
        let found = cells("ab, cd").unwrap();
        assert_eq!((found[0].span.clone(), found[1].span.clone()), (0..2, 4..6));
        assert_eq!(cells("a,\"b").err(), Some(2));
        assert_eq!(cells("\"a\"b,c").err(), Some(3));
    }

    #[test]
    fn lines_are_numbered_and_comments_left_out() {
        let text = "\u{feff}one\r\n\n# two\nthree";
        let mut lines = Lines::new(text.as_bytes());
        assert!(matches!(lines.next(), Ok("one")));
        assert!(matches!(lines.next(), Ok("three")));
        assert_eq!(lines.number(), 4);
        assert!(matches!(lines.next(), Err(NoLine::End)));
        let long = "x".repeat(LINE_BYTES_MAX as usize + 1);
        assert!(matches!(
            Lines::new(long.as_bytes()).next(),
            Err(NoLine::Bad(_))
        ));
        assert!(matches!(
            Lines::new(&b"\xff\n"[..]).next(),
            Err(NoLine::Bad(_))
        ));
    }

    #[test]
    fn cells_have_the_type_of_their_field() {
        let whole = Kind::Whole(0, 10);
        assert_eq!(typed(whole, "7"), Value::Integer(7));
        assert_eq!(
            typed(whole, "99999999999999999999"),
            Value::Integer(i64::MAX)
        );
        assert_eq!(typed(whole, "1.5"), Value::Float(1.5));
        assert_eq!(typed(whole, "many"), Value::String("many".to_owned()));
        assert_eq!(typed(Kind::Flag, "true"), Value::Boolean(true));
        let Value::Table(pairs) = typed(Kind::Pairs, "a=1; b=2;a=3") else {
            panic!("no pairs");
        };
        assert!(matches!(&pairs.get("a").unwrap().node.value, Value::Array(two) if two.len() == 2));
        assert_eq!(typed(Kind::Pairs, "odd"), Value::String("odd".to_owned()));
    }
}
