//! Everything that is printed: results on the output, all else on the error stream.
//!
//! With `--json` one document per command. Tables fit the terminal; elsewhere they are plain
//! columns. The streams are passed in, so that tests read what people would see. Must not know
//! what a command does.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use longshore_loader::diagnostic::{Diagnostic, Severity, Style, escape, render};
use serde_json::{Value as Json, json};

use super::args::ColorChoice;
use super::exit::Exit;
use super::failure::{Failure, Message, Report};
use super::layout;

/// Where text goes, and what shows it.
pub struct Streams<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Everything else.
    pub err: &'a mut dyn Write,
    /// Columns of the terminal that shows results, if one does.
    pub out_columns: Option<u16>,
    /// A terminal shows the error stream.
    pub err_is_terminal: bool,
    /// `NO_COLOR` is set.
    pub no_color: bool,
}

/// What a part of a result means, and so its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Head,
    /// It works and is in use.
    Good,
    /// Nothing to say.
    Plain,
    /// Less important than the rest.
    Faint,
    /// Somebody may want to look at it.
    Odd,
    /// It does not work.
    Bad,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Tone::Head => "1",
            Tone::Good => "32",
            Tone::Plain => "",
            Tone::Faint => "2",
            Tone::Odd => "33",
            Tone::Bad => "1;31",
        }
    }
}

/// The printer of one command.
pub struct Screen<'a> {
    streams: Streams<'a>,
    json: bool,
    color: ColorChoice,
    quiet: bool,
    lost: Option<io::Error>,
}

impl<'a> Screen<'a> {
    /// Prints to `streams`.
    pub fn new(streams: Streams<'a>, json: bool, color: ColorChoice, quiet: bool) -> Screen<'a> {
        Screen {
            streams,
            json,
            color,
            quiet,
            lost: None,
        }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a spinner would be seen.
    pub fn shows_progress(&self) -> bool {
        self.streams.err_is_terminal && !self.quiet && !self.json
    }

    /// Columns of the terminal that shows results, if one does.
    pub fn columns(&self) -> Option<usize> {
        self.streams.out_columns.map(usize::from)
    }

    /// Whether only what is wrong is to be said.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A part of a result in its colour, if results have colours.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let color = match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => self.streams.out_columns.is_some() && !self.streams.no_color,
        };
        if color && tone != Tone::Plain && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code())
        } else {
            text.to_owned()
        }
    }

    /// The exit code, unless a result was lost on its way out. A closed pipe is no loss: the
    /// reader has had enough.
    pub fn finish(mut self, exit: Exit) -> Exit {
        let Some(error) = self.lost.take() else {
            return exit;
        };
        self.say(&format!("error: cannot write the result: {error}\n"));
        if exit == Exit::Done {
            Exit::Failed
        } else {
            exit
        }
    }

    /// The result: JSON if that is wanted, else the text.
    pub fn result(&mut self, json: &Json, text: impl FnOnce(&Screen<'_>) -> String) {
        let mut shown = if self.json {
            format!("{json:#}")
        } else {
            text(self)
        };
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        self.write(shown.as_bytes());
    }

    /// A result that is text in any case, such as a script.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }

    fn write(&mut self, bytes: &[u8]) {
        let out = &mut self.streams.out;
        if let Err(e) = out.write_all(bytes).and_then(|()| out.flush())
            && e.kind() != io::ErrorKind::BrokenPipe
        {
            self.lost = Some(e);
        }
    }

    /// A remark about how the result came about.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            self.say(&format!("note: {text}\n"));
        }
    }

    /// A remark for people who look on: a script's error stream stays empty.
    pub fn aside(&mut self, text: &str) {
        if self.streams.err_is_terminal && !self.quiet && !self.json {
            self.say(&format!("{text}\n"));
        }
    }

    /// Warnings that do not keep the command from its work.
    pub fn warnings(&mut self, diagnostics: &[Diagnostic]) {
        if !self.quiet && !self.json && !diagnostics.is_empty() {
            let style = self.error_style();
            self.say(&render(diagnostics, style));
        }
    }

    /// Why the command failed.
    pub fn failure(&mut self, failure: &Failure) {
        let text = if self.json {
            format!("{:#}\n", failure_json(failure))
        } else {
            failure_text(failure, self.error_style())
        };
        self.say(&text);
    }

    /// Nothing can be done about an error stream that does not take text.
    fn say(&mut self, text: &str) {
        let _ = self.streams.err.write_all(text.as_bytes());
        let _ = self.streams.err.flush();
    }

    fn error_style(&self) -> Style {
        let color = match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => self.streams.err_is_terminal && !self.streams.no_color,
        };
        Style { color }
    }

    /// A table with a head. On a terminal long cells are wrapped to its width.
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        match self.streams.out_columns {
            Some(columns) => {
                table.set_content_arrangement(ContentArrangement::Dynamic);
                table.set_width(columns);
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if !head.is_empty() {
            table.set_header(head.iter().map(|h| h.to_uppercase()));
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| escape(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines: Vec<String> = table.lines().map(|l| l.trim_end().to_owned()).collect();
        lines.join("\n")
    }

    /// The members of an object that are called `keys`, in that order.
    pub fn members(&self, object: &Json, keys: &[&str]) -> String {
        let pair = |key: &&str| vec![(*key).to_owned(), cell(&object[*key])];
        let rows: Vec<Vec<String>> = keys.iter().map(pair).collect();
        self.table(&[], &rows)
    }

    /// Names and values, one pair per line. On a terminal long texts are wrapped between words;
    /// paths and digests stay whole, so that they can be copied.
    pub fn fields(&self, fields: &[(&str, String)]) -> String {
        let widest = fields.iter().map(|(name, _)| name.len()).max();
        let indent = widest.unwrap_or(0) + 2;
        let mut out = String::new();
        for (name, value) in fields {
            let lines = layout::wrapped(&escape(value), self.columns(), indent);
            let name = format!("{name:indent$}");
            out.push_str(&self.paint(Tone::Faint, &name));
            out.push_str(&lines.join(&format!("\n{:indent$}", "")));
            out.push('\n');
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// Text as it is, for help and wrong usage: the parser of the command line has laid it out.
pub fn plain(to: &mut dyn Write, text: &str) {
    // Nobody is left to be told when even this cannot be written.
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

/// A JSON value as a cell: texts without quotes, nothing as `-`.
pub fn cell(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) if text.is_empty() => "-".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn message_text(message: &Message, style: Style) -> String {
    let Message {
        code,
        what,
        file,
        why,
        help,
    } = message;
    let head = format!("error[{code}]");
    let head = if style.color {
        format!("\u{1b}[1;31m{head}\u{1b}[0m")
    } else {
        head
    };
    let mut out = format!("{head}: {}\n", one_line(what));
    for (name, text) in [("file:", file), ("why: ", why), ("do:  ", help)] {
        if let Some(text) = text {
            out.push_str(&format!("  {name} {}\n", one_line(text)));
        }
    }
    out
}

/// Texts of the API and of files may hold anything; they were escaped where they were read, and
/// line breaks must not make one error look like two.
fn one_line(text: &str) -> String {
    escape(text)
}

fn failure_text(failure: &Failure, style: Style) -> String {
    match &failure.report {
        Report::Message(message) => message_text(message, style),
        Report::Diagnostics(all) => format!("{}\n{}\n", render(all, style), count(all)),
        Report::Several(all) => {
            let each: Vec<String> = all.iter().map(|f| failure_text(f, style)).collect();
            format!("{}\n{} errors in all\n", each.join("\n"), all.len())
        }
    }
}

fn failure_json(failure: &Failure) -> Json {
    match &failure.report {
        Report::Message(message) => {
            let Message {
                code,
                what,
                file,
                why,
                help,
            } = &**message;
            let mut error = json!({"code": code, "message": what, "why": why, "do": help});
            if let Some(file) = file {
                error["file"] = json!(file);
            }
            json!({ "error": error })
        }
        Report::Diagnostics(all) => {
            let errors = all.iter().filter(|d| d.severity == Severity::Error);
            let first = errors.clone().next().or(all.first());
            let first = first.map(Diagnostic::to_json);
            let all: Vec<Json> = all.iter().map(Diagnostic::to_json).collect();
            json!({ "error": first, "errors": all })
        }
        Report::Several(all) => {
            let each = all.iter().map(|f| failure_json(f)["error"].take());
            let all: Vec<Json> = each.collect();
            json!({ "error": all.first(), "errors": all })
        }
    }
}

fn count(all: &[Diagnostic]) -> String {
    let errors = all.iter().filter(|d| d.severity == Severity::Error).count();
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match all.len() - errors {
        0 => plural(errors, "error"),
        warnings => format!(
            "{}, {}",
            plural(errors, "error"),
            plural(warnings, "warning")
        ),
    }
}

/// Writes one line at once: what a supervisor waits for. That nobody listens any more is no reason to end.
pub fn announce(mut out: impl Write, line: &str) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
