//! Diagnostics as text: a head, the place, the line with a mark, and what to do.
//!
//! The words are the same with and without colour. Long lines are cut around the mark, control
//! characters replaced, tabs and wide characters kept in line with the mark. Must not know a
//! terminal: the caller says whether colour is wanted.

use std::fmt::Write as _;

use super::secret::{MASK, passwords};
use super::{Diagnostic, Place, Severity, Source, Span, is_unprintable};

/// At most this many diagnostics are shown, then a count.
pub const SHOWN_MAX: usize = 20;

/// A line is cut to half of this before the mark, and to this many characters from there.
const LINE_CHARS_MAX: usize = 120;

/// How to render.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Use ANSI colours.
    pub color: bool,
}

/// All of them, blank lines between, at most `SHOWN_MAX`.
pub fn render(diagnostics: &[Diagnostic], style: Style) -> String {
    let shown: Vec<String> = diagnostics
        .iter()
        .take(SHOWN_MAX)
        .map(|d| render_one(d, style))
        .collect();
    let mut out = shown.join("\n");
    if diagnostics.len() > SHOWN_MAX {
        let _ = writeln!(out, "\nand {} more", diagnostics.len() - SHOWN_MAX);
    }
    out
}

/// One of them, ending in a line break.
pub fn render_one(d: &Diagnostic, style: Style) -> String {
    let paint = Paint {
        style,
        severity: d.severity,
    };
    let mut out = String::new();
    let head = paint.strong(&format!("{}[{}]", d.severity.as_str(), d.code));
    let _ = writeln!(out, "{head}: {}", d.what);
    let gutter = match &d.place {
        Place::Text { source, span } => excerpt(&mut out, d, source, span, &paint),
        Place::Program => 1,
        other => {
            let _ = writeln!(out, "  {} {other}", paint.faint("-->"));
            1
        }
    };
    let facts = d.why.iter().map(|t| ("why", t));
    let facts = facts.chain(d.notes.iter().map(|t| ("note", t)));
    for (word, text) in facts.chain(d.help.iter().map(|t| ("do", t))) {
        let mark = paint.faint("=");
        let _ = writeln!(out, "{:gutter$} {mark} {word}: {text}", "");
    }
    out
}

/// Writes place, line and mark; returns the width of the gutter.
fn excerpt(out: &mut String, d: &Diagnostic, source: &Source, span: &Span, paint: &Paint) -> usize {
    let at = source.position(span.start);
    let number = at.line.to_string();
    let gutter = number.len() + 1;
    let bar = paint.faint("|");
    let line = window(source, at.line, span, &d.hidden);
    let mark = paint.strong(&"^".repeat(line.mark_columns.max(1)));
    let label = if d.label.is_empty() {
        String::new()
    } else {
        format!(" {}", d.label)
    };
    let _ = writeln!(out, "{:gutter$}{} {}", "", paint.faint("-->"), d.place);
    let _ = writeln!(out, "{:gutter$} {bar}", "");
    let _ = writeln!(out, " {} {bar} {}", paint.faint(&number), line.text);
    let _ = writeln!(out, "{:gutter$} {bar} {}{mark}{label}", "", line.lead);
    if d.why.is_some() || d.help.is_some() || !d.notes.is_empty() {
        let _ = writeln!(out, "{:gutter$} {bar}", "");
    }
    gutter
}

/// The part of a line that is shown, what goes before the mark, and how wide the mark is.
struct Window {
    text: String,
    lead: String,
    mark_columns: usize,
}

fn window(source: &Source, line: usize, span: &Span, hidden: &[Span]) -> Window {
    let (mut text, mut lead, mut mark_columns) = (String::new(), String::new(), 0);
    let cells = cells(source, line, hidden);
    let marked_from = cells.partition_point(|(at, _)| *at < span.start);
    let skipped = marked_from.saturating_sub(LINE_CHARS_MAX / 2);
    if skipped > 0 {
        text.push('…');
        lead.push(' ');
    }
    for (at, c) in cells
        .iter()
        .skip(skipped)
        .take(LINE_CHARS_MAX + LINE_CHARS_MAX / 2)
    {
        text.push(*c);
        if *at >= span.end {
            continue;
        }
        match c {
            _ if *at >= span.start => mark_columns += columns(*c),
            '\t' => lead.push('\t'),
            _ => lead.extend(std::iter::repeat_n(' ', columns(*c))),
        }
    }
    if cells.len() > skipped + LINE_CHARS_MAX + LINE_CHARS_MAX / 2 {
        text.push('…');
    }
    Window {
        text,
        lead,
        mark_columns,
    }
}

/// The characters of a line as they are shown, each with its place in the text.
fn cells(source: &Source, line: usize, hidden: &[Span]) -> Vec<(usize, char)> {
    let whole = source.line_span(line);
    let text = source.slice(&whole);
    let passwords = passwords(text)
        .into_iter()
        .map(|s| s.start + whole.start..s.end + whole.start);
    let hidden: Vec<Span> = hidden.iter().cloned().chain(passwords).collect();
    let mut out = Vec::with_capacity(text.len());
    let mut masked: Option<&Span> = None;
    for (i, c) in text.char_indices() {
        let at = whole.start + i;
        match hidden.iter().find(|s| s.contains(&at)) {
            Some(span) if masked == Some(span) => {}
            Some(span) => {
                masked = Some(span);
                out.extend(MASK.chars().map(|c| (at, c)));
            }
            None if is_unprintable(c) && c != '\t' => out.push((at, char::REPLACEMENT_CHARACTER)),
            None => out.push((at, c)),
        }
    }
    out
}

/// Columns a character takes on a terminal: combining marks none, East Asian wide and emoji two.
fn columns(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

struct Paint {
    style: Style,
    severity: Severity,
}

impl Paint {
    fn strong(&self, text: &str) -> String {
        let color = match self.severity {
            Severity::Error => "\u{1b}[1;31m",
            Severity::Warning => "\u{1b}[1;33m",
        };
        self.wrap(color, text)
    }

    fn faint(&self, text: &str) -> String {
        self.wrap("\u{1b}[34m", text)
    }

    fn wrap(&self, color: &str, text: &str) -> String {
        if self.style.color {
            format!("{color}{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
