//! Better words for what the TOML parser reports.
//!
//! The parser marks where it noticed; this file finds where the mistake was made: the opening
//! bracket, the word without quotes, the colon of a YAML file. One diagnostic per line, in the
//! order of the text. Must not know what the text is for.

use std::collections::HashSet;
use std::sync::Arc;

use toml::de::Error;

use super::AreaCodes;
use crate::diagnostic::{Diagnostic, Place, Source, Span, escape};

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
    let found = errors
        .iter()
        .take(ERRORS_MAX)
        .map(|e| explain_one(source, e, codes))
        .collect();
    let mut out = Vec::new();
    add_new_lines(&mut out, found);
    out
}

/// Adds those that stand on lines not reported yet, and sorts by place: an error's after-effects
/// on its own line would only distract.
pub(super) fn add_new_lines(known: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    let line = |d: &Diagnostic| d.place.position().map(|p| p.line);
    let mut lines: HashSet<_> = known.iter().map(line).collect();
    known.extend(more.into_iter().filter(|d| lines.insert(line(d))));
    known.sort_by_key(|d| d.place.position());
}

fn explain_one(source: &Arc<Source>, error: &Error, codes: &AreaCodes) -> Diagnostic {
    let end = source.text().len();
    let span = error.span().unwrap_or(end..end);
    let finding = Finding {
        source,
        codes,
        span,
        message: error.message(),
    };
    finding
        .too_deep()
        .or_else(|| finding.duplicate())
        .or_else(|| finding.merge_mark())
        .or_else(|| finding.odd_character())
        .or_else(|| finding.other_format())
        .or_else(|| finding.unclosed())
        .or_else(|| finding.bare_word())
        .unwrap_or_else(|| finding.plain())
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
            return Some(self.with_first(d, |t| t.split('#').next().unwrap_or(t).trim() == header));
        }
        let key = self.source.slice(&self.span);
        let what = format!("`{}` is set twice", escape(key.trim_matches(['"', '\''])));
        let d = Diagnostic::error(self.codes.duplicate, place(self.span.clone()), what)
            .with_help("keep one");
        Some(self.with_first(d, |t| {
            t.trim_start()
                .strip_prefix(key)
                .is_some_and(|r| r.trim_start().starts_with(['=', '.']))
        }))
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

/// Whether a line begins a statement: a header, or `key =`.
fn starts_statement(line: &str) -> bool {
    let line = line.trim_start();
    if line.starts_with('[') {
        return !line.trim_end().ends_with(',');
    }
    let Some((key, _)) = line.split_once('=') else {
        return false;
    };
    let inside = |c: char| c.is_alphanumeric() || "_-. \t\"'+/".contains(c);
    !key.trim().is_empty() && key.chars().all(inside)
}

/// The innermost quote, or else the outermost bracket, that is open at the end of a statement.
fn open_mark(statement: &str) -> Option<(usize, String)> {
    let bytes = statement.as_bytes();
    let mut open: Vec<usize> = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'#' => i = end_of_line(bytes, i),
            b'"' | b'\'' => match end_of_string(bytes, i) {
                Ok(end) => i = end,
                Err(mark) => return Some((i, mark)),
            },
            b'[' | b'{' => {
                open.push(i);
                i += 1;
            }
            b']' | b'}' => {
                open.pop();
                i += 1;
            }
            _ => i += 1,
        }
    }
    let at = *open.first()?;
    let double = statement.trim_start().starts_with("[[") && bytes.get(at + 1) == Some(&b'[');
    let mark = if double { "[[" } else { &statement[at..=at] };
    Some((at, mark.to_owned()))
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(bytes.len(), |n| from + n)
}

/// The end of the string that starts at `from`, or the quote that is never closed.
fn end_of_string(bytes: &[u8], from: usize) -> Result<usize, String> {
    let quote = bytes[from];
    let shown = char::from(quote).to_string();
    let long = bytes[from..].starts_with(&[quote; 3]);
    let mut i = from + if long { 3 } else { 1 };
    while i < bytes.len() {
        if bytes[i] == b'\\' && quote == b'"' {
            i += 2;
        } else if long && bytes[i..].starts_with(&[quote; 3]) {
            return Ok(i + 3);
        } else if !long && bytes[i] == quote {
            return Ok(i + 1);
        } else if !long && bytes[i] == b'\n' {
            break;
        } else {
            i += 1;
        }
    }
    Err(if long { shown.repeat(3) } else { shown })
}

/// The first letter of another script that looks like a Latin one.
pub(super) fn look_alike(word: &str) -> Option<(char, char)> {
    const PAIRS: &[(char, char)] = &[
        ('а', 'a'),
        ('е', 'e'),
        ('о', 'o'),
        ('р', 'p'),
        ('с', 'c'),
        ('у', 'y'),
        ('х', 'x'),
        ('і', 'i'),
        ('ѕ', 's'),
        ('ј', 'j'),
        ('ο', 'o'),
        ('ν', 'v'),
        ('α', 'a'),
        ('ı', 'i'),
    ];
    word.chars()
        .find_map(|c| PAIRS.iter().find(|(odd, _)| *odd == c).copied())
}
