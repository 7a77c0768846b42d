//! What is wrong in a text that an operator wrote: which place, what, why, and what to do.
//!
//! General on purpose: the map, driver settings and the program's own configuration all report
//! through it. It must not know any of their words, read files, or print. `render` turns
//! diagnostics into text.

mod nearest;
mod render;
pub(crate) mod secret;
mod source;

use std::fmt;
use std::sync::Arc;

pub use nearest::{CANDIDATES_SHOWN_MAX, advise, nearest, quoted_list};
pub use render::{SHOWN_MAX, Style, render, render_one};
pub use secret::without_secrets;
pub use source::{Position, Source, Span};

/// Text from outside is cut at this many bytes before it is shown.
pub const FOREIGN_TEXT_BYTES_MAX: usize = 1024;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something does not work.
    Error,
    /// It works, and is probably not what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A range of bytes in a text.
    Text {
        /// The text.
        source: Arc<Source>,
        /// The smallest part that matters.
        span: Span,
    },
    /// A file as a whole, or one that could not be read.
    File(String),
    /// An environment variable, by name.
    Environment(String),
    /// A command-line argument, as typed.
    CommandLine(String),
    /// The program itself, for example a built-in default.
    Program,
}

impl Place {
    /// A place in a text.
    pub fn text(source: &Arc<Source>, span: Span) -> Place {
        Place::Text {
            source: Arc::clone(source),
            span,
        }
    }

    /// The line and column where it starts, if it is in a text.
    pub fn position(&self) -> Option<Position> {
        match self {
            Place::Text { source, span } => Some(source.position(span.start)),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    /// `file:line:column`, a file name, or `environment variable X`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Text { source, span } => {
                let at = source.position(span.start);
                write!(f, "{}:{}:{}", escape(source.name()), at.line, at.column)
            }
            Place::File(name) => f.write_str(&escape(name)),
            Place::Environment(name) => write!(f, "environment variable {}", escape(name)),
            Place::CommandLine(flag) => write!(f, "command line {}", escape(flag)),
            Place::Program => f.write_str("built in"),
        }
    }
}

/// One finding. Built with the `with_` methods, which may be chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// `area/slug`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, with the thing's name in backticks.
    pub what: String,
    /// Where.
    pub place: Place,
    /// A few words beside the mark; empty for none.
    pub label: String,
    /// Why it is wrong, if `what` does not say it.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// The text that would be right at the marked place, for machines.
    pub suggestion: Option<String>,
    /// Other places and facts.
    pub notes: Vec<String>,
    /// Parts of the text that are secrets: they are shown as `***`.
    pub hidden: Vec<Span>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, place: Place, what: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            what: what.into(),
            place,
            label: String::new(),
            why: None,
            help: None,
            suggestion: None,
            notes: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, place: Place, what: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, place, what)
        }
    }

    /// Sets the words beside the mark.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says why.
    #[must_use]
    pub fn with_why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Gives the text that would be right.
    #[must_use]
    pub fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Says what to do about the unknown `word`, given what would have been known.
    #[must_use]
    pub fn with_advice(mut self, word: &str, candidates: &[&str], pointer: &str) -> Self {
        let (suggestion, help) = advise(word, candidates, pointer);
        self.suggestion = suggestion;
        self.help = Some(help);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Hides the marked text wherever the source is shown. What the other texts say is the
    /// caller's care.
    #[must_use]
    pub fn with_secret(self) -> Self {
        match &self.place {
            Place::Text { span, .. } => {
                let span = span.clone();
                self.hiding(span)
            }
            _ => self,
        }
    }

    /// Hides another part of the source, which may stand on the line that is shown.
    #[must_use]
    pub fn hiding(mut self, span: Span) -> Self {
        self.hidden.push(span);
        self
    }

    /// The form for machines: code, severity, message, why, do, file, span, line, column,
    /// suggestion, notes.
    pub fn to_json(&self) -> serde_json::Value {
        let (file, span) = match &self.place {
            Place::Text { source, span } => (Some(source.name().to_owned()), Some(span.clone())),
            Place::File(name) => (Some(name.clone()), None),
            other => (Some(other.to_string()), None),
        };
        let at = self.place.position();
        serde_json::json!({
            "code": self.code,
            "severity": self.severity.as_str(),
            "message": self.what,
            "why": self.why.clone().or_else(|| Some(self.label.clone()).filter(|l| !l.is_empty())),
            "do": self.help,
            "file": file,
            "span": span.map(|s| [s.start, s.end]),
            "line": at.map(|p| p.line),
            "column": at.map(|p| p.column),
            "suggestion": self.suggestion,
            "notes": self.notes,
        })
    }
}

impl fmt::Display for Diagnostic {
    /// One line, for logs: `file:1:2: what: why (do: …) code=…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if let Some(why) = &self.why {
            write!(f, ": {why}")?;
        }
        if let Some(help) = &self.help {
            write!(f, " (do: {help})")?;
        }
        write!(f, " code={}", self.code)
    }
}

/// Text from outside, made fit for one line: control characters escaped, passwords in addresses
/// and values of secret settings hidden, at most 1 KiB.
pub fn escape(text: &str) -> String {
    let text = without_secrets(text);
    let mut out = String::with_capacity(text.len().min(FOREIGN_TEXT_BYTES_MAX));
    for c in text.chars() {
        if out.len() >= FOREIGN_TEXT_BYTES_MAX {
            out.push('…');
            break;
        }
        if is_unprintable(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Control characters, and marks that change the direction of what follows: those could make a
/// message read as another one.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
