//! Better words for what the TOML parser reports.
//!
//! The parser marks where it noticed; this file finds where the mistake was made: the opening
//! bracket, the word without quotes, the colon of a YAML file. One diagnostic per line, in the
//! order of the text. Must not know what the text is for.

use std::collections::HashSet;
use std::sync::Arc;

use toml::de::Error;

use super::AreaCodes;
use super::marks::{look_alike, open_mark, starts_statement};
use crate::diagnostic::{Diagnostic, Place, Position, Source, Span, escape};

/// Errors of the parser that are looked at; what follows is noise.
const ERRORS_MAX: usize = 200;
/// Lines that are searched backwards for an opening bracket.
const LINES_BACK_MAX: usize = 200;

/// The diagnostics for the parser's errors.
pub(super) fn explain(
    source: &Arc<Source>,
    errors: &[Error],
    codes: &AreaCodes,
) -> Vec<Diagnostic> {
    let mut found: Vec<(Cause, Diagnostic)> = Vec::new();
    for error in errors.iter().take(ERRORS_MAX) {
        let (cause, d) = explain_one(source, error, codes);
        if !found.iter().any(|(earlier, _)| earlier.explains(cause)) {
            found.push((cause, d));
        }
    }
    let mut out = Vec::new();
    add_new_lines(&mut out, found.into_iter().map(|(_, d)| d).collect());
    out
}

/// What a diagnostic is about, as far as that says something of the ones after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The file is of another format: saying so once is enough.
    OtherFormat,
    /// A merge is not finished: so is this.
    Merge,
    /// Something is never closed, and the parser reads the rest wrongly.
    Unclosed,
    /// A mistake with words of its own.
    Known,
    /// In the parser's words.
    Unknown,
}

impl Cause {
    /// Whether a later finding is likely a mere after-effect of this one.
    fn explains(self, later: Cause) -> bool {
        match self {
            Cause::OtherFormat | Cause::Merge => later == self || later == Cause::Unknown,
            Cause::Unclosed => later == Cause::Unknown,
            Cause::Known | Cause::Unknown => false,
        }
    }
}

/// Adds those that stand on lines not reported yet, and sorts by place: an error's after-effects
/// on its own line would only distract.
pub(super) fn add_new_lines(known: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    let line = |d: &Diagnostic| d.place.position().map(|p| p.line);
    let mut lines: HashSet<_> = known.iter().map(line).collect();
    known.extend(more.into_iter().filter(|d| lines.insert(line(d))));
    known.sort_by_key(|d| d.place.position());
}

fn explain_one(source: &Arc<Source>, error: &Error, codes: &AreaCodes) -> (Cause, Diagnostic) {
    let end = source.text().len();
    let span = error.span().unwrap_or(end..end);
    let finding = Finding {
        source,
        codes,
        span,
        message: error.message(),
    };
    let known = |d| (Cause::Known, d);
    None.or_else(|| finding.too_deep().map(known))
        .or_else(|| finding.duplicate().map(known))
        .or_else(|| finding.merge_mark().map(|d| (Cause::Merge, d)))
        .or_else(|| finding.odd_character().map(known))
        .or_else(|| finding.other_format().map(|d| (Cause::OtherFormat, d)))
        .or_else(|| finding.unclosed().map(|d| (Cause::Unclosed, d)))
        .or_else(|| finding.no_value().map(known))
        .or_else(|| finding.bare_word().map(known))
        .unwrap_or_else(|| (Cause::Unknown, finding.plain()))
}

/// One error of the parser.
struct Finding<'a> {
    source: &'a Arc<Source>,
    codes: &'a AreaCodes,
    span: Span,
    message: &'a str,
}

impl Finding<'_> {
    fn syntax(&self, span: Span, what: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.codes.syntax, Place::text(self.source, span), what)
    }

    fn line(&self) -> Span {
        self.source.line_at(self.span.start)
    }

    fn too_deep(&self) -> Option<Diagnostic> {
        let deep = self.message.contains("recurs");
        deep.then(|| {
            let what = format!("nesting deeper than {}", super::DEPTH_MAX);
            let place = Place::text(self.source, self.span.clone());
            Diagnostic::error(self.codes.too_large, place, what).with_help("use fewer levels")
        })
    }

    fn duplicate(&self) -> Option<Diagnostic> {
        if !self.message.starts_with("duplicate key") {
            return None;
        }
        let line = self.line();
        let text = self.source.slice(&line);
        let place = |span| Place::text(self.source, span);
        if text.trim_start().starts_with('[') && !text.contains('=') {
            let header = text.split('#').next().unwrap_or(text).trim();
            let start = line.start + (text.len() - text.trim_start().len());
            let what = format!("`{}` is defined twice", escape(header));
            let d = Diagnostic::error(
                self.codes.duplicate,
                place(start..start + header.len()),
                what,
            )
            .with_help("merge them");
            let last = header.trim_matches(['[', ']']).rsplit('.').next();
            let last = last.unwrap_or_default().trim();
            let is_key = |t: &str| {
                let rest = t
                    .trim_start()
                    .strip_prefix(last)
                    .filter(|_| !last.is_empty());
                rest.is_some_and(|r| r.trim_start().starts_with('='))
            };
            let is_header = |t: &str| t.split('#').next().unwrap_or(t).trim() == header;
            return Some(self.with_first(d, |t| is_header(t) || is_key(t)));
        }
        let key = self.source.slice(&self.span);
        let what = format!("`{}` is set twice", escape(key.trim_matches(['"', '\''])));
        let d = Diagnostic::error(self.codes.duplicate, place(self.span.clone()), what)
            .with_help("keep one");
        if let Some(first) = self.same_key_before(key) {
            return Some(d.with_note(format!("first at {}:{}", first.line, first.column)));
        }
        Some(self.with_first(d, |t| {
            t.trim_start()
                .strip_prefix(key)
                .is_some_and(|r| r.trim_start().starts_with(['=', '.']))
        }))
    }

    /// The same key earlier on the line, as in `{ a = 1, a = 2 }`.
    fn same_key_before(&self, key: &str) -> Option<Position> {
        let line = self.line();
        let before = self.source.slice(&(line.start..self.span.start));
        let is_key = |at: usize| {
            let starts = before[..at].trim_end().ends_with(['{', ',']);
            let rest = before[at + key.len()..].trim_start();
            starts && rest.starts_with(['=', '.'])
        };
        let mut places = before.match_indices(key).map(|(at, _)| at);
        let first = places.find(|at| is_key(*at))?;
        Some(self.source.position(line.start + first))
    }

    /// Notes the nearest earlier line that `is_first` accepts.
    fn with_first(&self, d: Diagnostic, is_first: impl Fn(&str) -> bool) -> Diagnostic {
        let here = self.source.position(self.span.start).line;
        let first = (1..here)
            .rev()
            .find(|l| is_first(self.source.slice(&self.source.line_span(*l))));
        let Some(line) = first else { return d };
        let span = self.source.line_span(line);
        let text = self.source.slice(&span);
        let at = self
            .source
            .position(span.start + text.len() - text.trim_start().len());
        d.with_note(format!("first at {}:{}", at.line, at.column))
    }

    fn merge_mark(&self) -> Option<Diagnostic> {
        let line = self.line();
        let text = self.source.slice(&line);
        let mark = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
        mark.iter().any(|m| text.starts_with(m)).then(|| {
            self.syntax(line.start..line.start + 7, "a merge conflict mark")
                .with_help("finish the merge, then remove the marks")
        })
    }

    fn odd_character(&self) -> Option<Diagnostic> {
        let line = self.line();
        let text = self.source.slice(&line);
        for (i, c) in text.char_indices() {
            let (why, right) = match c {
                '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' => {
                    ("is not a quote", "\"")
                }
                '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{feff}' => ("is not a space", " "),
                _ => continue,
            };
            let span = line.start + i..line.start + i + c.len_utf8();
            let what = format!("U+{:04X} {why}", u32::from(c));
            return Some(
                self.syntax(span, what)
                    .with_help(format!("write `{right}`"))
                    .with_suggestion(right),
            );
        }
        let at = self.span.start.max(line.start).saturating_sub(line.start);
        let start = text.get(..at).map_or(0, str::len);
        let word: String = text[start..]
            .chars()
            .take_while(|c| c.is_alphanumeric())
            .collect();
        let (c, plain) = look_alike(&word)?;
        let i = start + word.find(c)?;
        let span = line.start + i..line.start + i + c.len_utf8();
        let what = format!("U+{:04X} looks like `{plain}` and is not", u32::from(c));
        Some(
            self.syntax(span, what)
                .with_help(format!("write `{plain}`")),
        )
    }

    fn other_format(&self) -> Option<Diagnostic> {
        let line = self.line();
        let text = self.source.slice(&line);
        let first = self.source.text().trim_start();
        if first.starts_with('{') {
            let at = self.source.text().len() - first.len();
            let d = self.syntax(at..at + 1, "expected a key or `[`, found `{`");
            return Some(d.with_help("this looks like JSON; the format is TOML"));
        }
        let colon = text.find(':')?;
        let key = text[..colon]
            .trim()
            .trim_start_matches("- ")
            .trim_matches(['"', '\'']);
        let is_key = !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '));
        if !is_key || text[..colon].contains('=') {
            return None;
        }
        let at = line.start + colon;
        let d = self.syntax(at..at + 1, "expected `=`, found `:`");
        Some(d.with_help("this looks like YAML; the format is TOML"))
    }

    fn unclosed(&self) -> Option<Diagnostic> {
        let here = self.source.position(self.span.start).line;
        let from = here.saturating_sub(LINES_BACK_MAX).max(1);
        let line = self.line();
        for number in (from..=here).rev() {
            let start = self.source.line_span(number);
            let text = self.source.slice(&start);
            if !starts_statement(text) {
                continue;
            }
            let end = self.span.end.max(line.end);
            let statement = self.source.slice(&(start.start..end));
            let Some((at, mark)) = open_mark(statement) else {
                // The parser may have read on into the next lines of an open list.
                let inside = ["array", "inline table", "unclosed"];
                if inside.iter().any(|w| self.message.contains(w)) {
                    continue;
                }
                return None;
            };
            let at = start.start + at;
            let what = format!("this `{mark}` is never closed");
            let closing = match mark.as_str() {
                "[" => "]",
                "[[" => "]]",
                "{" => "}",
                quote => quote,
            };
            let d = self.syntax(at..at + mark.len(), what);
            return Some(d.with_help(format!("close it with `{closing}`")));
        }
        None
    }

    /// `key =` and nothing more.
    fn no_value(&self) -> Option<Diagnostic> {
        let line = self.line();
        let text = self.source.slice(&line);
        let (key, value) = text.split_once('=')?;
        let is_empty = value.split('#').next().is_some_and(|v| v.trim().is_empty());
        if !is_empty || !starts_statement(text) || text.trim_start().starts_with('[') {
            return None;
        }
        let key = key.trim();
        let start = line.start + (text.len() - text.trim_start().len());
        let what = format!("`{}` has no value", escape(key.trim_matches(['"', '\''])));
        let d = self.syntax(start..start + key.len(), what);
        Some(d.with_help("write one after the `=`, or remove the key"))
    }

    fn bare_word(&self) -> Option<Diagnostic> {
        let line = self.line();
        let text = self.source.slice(&line);
        let equals = text.find('=')?;
        let rest = &text[equals + 1..];
        let rest = rest.split('#').next().unwrap_or(rest);
        let word = rest.trim();
        let start = line.start + equals + 1 + (rest.len() - rest.trim_start().len());
        let begins = word.starts_with(|c: char| c.is_alphabetic() || "_./~-$%*".contains(c));
        let clean = !word.contains(['"', '\'', '[', ']', '{', '}', '=', ',']);
        if !begins || !clean || matches!(word, "true" | "false") {
            return None;
        }
        let right = match word {
            "True" | "TRUE" => "true".to_owned(),
            "False" | "FALSE" => "false".to_owned(),
            _ => format!("\"{}\"", word.replace('\\', "\\\\")),
        };
        let shown = escape(word);
        let what = format!("`{shown}` is not a value: text needs quotes");
        let d = self
            .syntax(start..start + word.len(), what)
            .with_label("text needs quotes")
            .with_help(format!("write `{}`", escape(&right)));
        // With a password in it the right text is not repeated, not even to machines.
        Some(if shown == word {
            d.with_suggestion(right)
        } else {
            d
        })
    }

    fn plain(&self) -> Diagnostic {
        self.syntax(self.span.clone(), self.message.to_owned())
            .with_help("correct the marked place; the format is TOML")
    }
}
