//! What became of each check, as text, as JSON, and as an exit code.
//!
//! Must not know what is checked. Filled by the other files of `doctor`.

use longshore_loader::diagnostic::{Diagnostic, Place, escape};
use serde_json::{Value as Json, json};

use crate::cli::exit::Exit;
use crate::cli::layout::wrapped;
use crate::cli::render::{Screen, Tone};

/// How far texts stand from the margin.
const INDENT: usize = 9;
/// Which kind of failure decides the exit code: the first of these that occurs.
const CLASSES: &[Exit] = &[
    Exit::Configuration,
    Exit::Plugin,
    Exit::Unreachable,
    Exit::Failed,
];

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    Warning,
    /// A start would fail, and exit like this.
    Failed(Exit),
    Skipped,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed(_) => "failed",
            Status::Skipped => "skipped",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Status::Ok => Tone::Good,
            Status::Warning => Tone::Odd,
            Status::Failed(_) => Tone::Bad,
            Status::Skipped => Tone::Faint,
        }
    }
}

/// One check, or one finding of it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) check: String,
    pub(super) status: Status,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Facts that are shown with `-v`.
    pub(super) details: Vec<String>,
}

impl Item {
    pub(super) fn to_json(&self) -> Json {
        json!({
            "check": self.check,
            "status": self.status.word(),
            "message": self.message,
            "do": self.help,
            "details": self.details,
        })
    }
}

/// All checks, in order.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) items: Vec<Item>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        check: &str,
        status: Status,
        message: String,
        help: Option<String>,
    ) {
        self.items.push(Item {
            check: check.to_owned(),
            status,
            message,
            help,
            details: Vec::new(),
        });
    }

    pub(super) fn ok(&mut self, check: &str, message: impl Into<String>, details: Vec<String>) {
        self.add(check, Status::Ok, message.into(), None);
        if let Some(item) = self.items.last_mut() {
            item.details = details;
        }
    }

    pub(super) fn warning(&mut self, check: &str, message: impl Into<String>, help: &str) {
        let help = Some(help.to_owned());
        self.add(check, Status::Warning, message.into(), help);
    }

    pub(super) fn failed(
        &mut self,
        check: &str,
        exit: Exit,
        message: impl Into<String>,
        help: &str,
    ) {
        let help = Some(help.to_owned());
        self.add(check, Status::Failed(exit), message.into(), help);
    }

    pub(super) fn skipped(&mut self, check: &str, why: &str) {
        self.add(check, Status::Skipped, why.to_owned(), None);
    }

    /// A finding in a file or variable.
    pub(super) fn found(&mut self, check: &str, status: Status, d: &Diagnostic) {
        let mut message = match &d.place {
            Place::Program => d.what.clone(),
            place => format!("{place}: {}", d.what),
        };
        if let Some(why) = &d.why {
            message.push_str(&format!(": {why}"));
        }
        self.add(check, status, message, d.help.clone());
    }

    /// The first class of failure that occurs.
    pub(super) fn exit(&self) -> Exit {
        let occurs = |class: &&Exit| {
            let failed = Status::Failed(**class);
            self.items.iter().any(|i| i.status == failed)
        };
        CLASSES.iter().find(occurs).copied().unwrap_or(Exit::Done)
    }

    /// A line per check, and the count at the end. Quiet: only what needs somebody.
    pub(super) fn text(&self, screen: &Screen<'_>, verbose: bool) -> String {
        let mut out = String::new();
        for item in &self.items {
            let calm = matches!(item.status, Status::Ok | Status::Skipped);
            if !(calm && screen.is_quiet()) {
                out.push_str(&item_text(screen, item, verbose));
            }
        }
        if !screen.is_quiet() {
            out.push_str(&self.counts());
        }
        out
    }

    fn counts(&self) -> String {
        let count = |word: &'static str| {
            let with = self.items.iter().filter(|i| i.status.word() == word);
            Some((with.count(), word)).filter(|(n, word)| *n > 0 || *word == "ok")
        };
        let counts: Vec<String> = ["ok", "warning", "failed", "skipped"]
            .into_iter()
            .filter_map(count)
            .map(|(n, word)| match (n, word) {
                (n, "warning") if n != 1 => format!("{n} warnings"),
                (n, word) => format!("{n} {word}"),
            })
            .collect();
        format!("{}\n", counts.join(", "))
    }
}

fn item_text(screen: &Screen<'_>, item: &Item, verbose: bool) -> String {
    let word = screen.paint(
        item.status.tone(),
        &format!("{:INDENT$}", item.status.word()),
    );
    let head = escape(&format!("{}: {}", item.check, item.message));
    let mut out = word;
    out.push_str(&paragraph(screen, &head));
    if let Some(help) = &item.help {
        let help = paragraph(screen, &format!("do: {}", escape(help)));
        out.push_str(&format!("{:INDENT$}{help}", ""));
    }
    for detail in item.details.iter().filter(|_| verbose) {
        let detail = paragraph(screen, &escape(detail));
        out.push_str(&format!(
            "{:INDENT$}{}",
            "",
            screen.paint(Tone::Faint, &detail)
        ));
    }
    out
}

/// A text whose further lines stand below its first.
fn paragraph(screen: &Screen<'_>, text: &str) -> String {
    let lines = wrapped(text, screen.columns(), INDENT);
    format!("{}\n", lines.join(&format!("\n{:INDENT$}", "")))
}
