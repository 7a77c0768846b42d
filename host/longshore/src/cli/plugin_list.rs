//! `longshore plugin list`: every entry point with its state.
//!
//! On a terminal grouped by namespace, cut to its width, with a count at the end; elsewhere one
//! line per entry with full values. Must not know where the list came from. Called by `plugin`.

use longshore_loader::diagnostic::escape;
use serde_json::Value as Json;

use super::Context;
use super::args::PluginList;
use super::exit::Exit;
use super::failure::Failure;
use super::layout::{count, padded, shortened, width, wrapped};
use super::names::text;
use super::plugin::{self, PATH};
use super::plugin_docs;
use super::plugin_files;
use super::plugin_state::Outlook;
use super::render::{Screen, Tone, cell};
use crate::codes;

/// The states, in the order in which they are counted.
const STATES: &[(&str, Tone)] = &[
    ("in_use", Tone::Good),
    ("loaded", Tone::Good),
    ("available", Tone::Plain),
    ("disabled", Tone::Faint),
    ("missing", Tone::Odd),
    ("refused", Tone::Bad),
    ("quarantined", Tone::Bad),
];
/// A cell is not cut to fewer columns than this.
const CELL_MIN: usize = 12;
/// Longest version that is shown in full.
const VERSION_MAX: usize = 16;

pub(crate) fn run(context: &mut Context<'_>, args: &PluginList) -> Result<Exit, Failure> {
    let namespace = args.namespace.as_deref();
    let items = match plugin::ask(context, PATH)? {
        Some(Json::Array(items)) => items,
        Some(_) => return Err(not_a_list()),
        None => from_files(context, namespace)?,
    };
    let known = items.iter().map(|i| text(i, "namespace"));
    if let Some(wanted) = namespace
        && !known.clone().any(|n| n == wanted)
    {
        return Err(plugin::no_namespace(wanted, known));
    }
    let wanted = |i: &Json| namespace.is_none_or(|n| text(i, "namespace") == n);
    let items: Vec<Json> = items.into_iter().filter(wanted).collect();
    let json = Json::from(items.as_slice());
    if args.simple || args.detailed {
        for remark in plugin_docs::remarks(&items) {
            context.screen.note(&remark);
        }
        let docs = plugin_docs::text_of(args, &items);
        context.screen.result(&json, |_| docs);
        return Ok(Exit::Done);
    }
    context
        .screen
        .result(&json, |screen| match screen.columns() {
            Some(columns) => grouped(screen, &items, args.why, columns),
            None => rows(screen, &items, args.why),
        });
    let summary = wrapped(&summary(&items, args.why), context.screen.columns(), 0);
    context.screen.aside(&summary.join("\n"));
    Ok(Exit::Done)
}

/// Only the wanted namespace is read, unless there is none of that name.
fn from_files(context: &Context<'_>, namespace: Option<&str>) -> Result<Vec<Json>, Failure> {
    let map = plugin::map(context)?;
    if let Some(wanted) = namespace
        && map.entries(wanted).is_empty()
    {
        return Err(plugin::no_namespace(wanted, map.namespaces()));
    }
    let outlook = Outlook::of_start(map, &context.config()?);
    Ok(plugin_files::list(&outlook, namespace))
}

fn not_a_list() -> Failure {
    Failure::new(
        Exit::Unreachable,
        codes::BAD_ANSWER,
        format!("cannot use the answer to `{PATH}`"),
    )
    .why("it is no list")
    .help("check that a longshore host of this release answers")
}

/// For scripts: one line per entry.
fn rows(screen: &Screen<'_>, items: &[Json], why: bool) -> String {
    let mut head = vec!["namespace", "name", "state", "version", "file"];
    if why {
        head.push("why");
    }
    let row = |i: &Json| {
        let mut row: Vec<String> = ["namespace", "name", "state", "version", "lib"]
            .iter()
            .map(|key| cell(&i[*key]))
            .collect();
        if why {
            row.push(reason(i).unwrap_or_else(|| "-".to_owned()));
        }
        row
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    screen.table(&head, &rows)
}

/// Why an entry point is in its state, with the code.
fn reason(item: &Json) -> Option<String> {
    let message = item.pointer("/error/message").and_then(Json::as_str);
    let why = item.get("why").and_then(Json::as_str).or(message);
    match (item.pointer("/error/code").and_then(Json::as_str), why) {
        (Some(code), Some(why)) => Some(format!("{code}: {why}")),
        (None, Some(why)) => Some(why.to_owned()),
        (Some(code), None) => Some(code.to_owned()),
        (None, None) => None,
    }
}

/// For people: a heading per namespace, the reason below its row.
fn grouped(screen: &Screen<'_>, items: &[Json], why: bool, columns: usize) -> String {
    let widths = Widths::of(items, columns);
    let mut out = String::new();
    let mut namespace = None;
    for item in items {
        let its = text(item, "namespace");
        if namespace != Some(its) {
            let blank = if namespace.is_some() { "\n" } else { "" };
            let head = screen.paint(Tone::Head, &escape(its));
            out.push_str(&format!("{blank}{head}\n"));
            namespace = Some(its);
        }
        out.push_str(&widths.row(screen, item));
        if why {
            out.push_str(&reasons(screen, item, columns));
        }
    }
    out
}

/// How wide each column is; the file, then the name, give way on a narrow terminal.
struct Widths {
    name: usize,
    state: usize,
    version: usize,
    file: usize,
}

impl Widths {
    fn of(items: &[Json], columns: usize) -> Widths {
        let widest = |key: &str| {
            let cells = items.iter().map(|i| width(&escape(&cell(&i[key]))));
            cells.max().unwrap_or(0)
        };
        let (mut name, state) = (widest("name"), widest("state"));
        let version = widest("version").min(VERSION_MAX);
        // Two columns before each of the four cells.
        let left = columns.saturating_sub(8 + state + version);
        let file = widest("lib").min(left.saturating_sub(name).max(CELL_MIN));
        name = name.min(left.saturating_sub(file).max(CELL_MIN));
        Widths {
            name,
            state,
            version,
            file,
        }
    }

    fn row(&self, screen: &Screen<'_>, item: &Json) -> String {
        let fit = |key: &str, columns| {
            let text = shortened(&escape(&cell(&item[key])), columns);
            padded(&text, columns)
        };
        let state = screen.paint(tone(text(item, "state")), &fit("state", self.state));
        let (name, version) = (fit("name", self.name), fit("version", self.version));
        let file = fit("lib", self.file);
        format!("  {name}  {state}  {version}  {}\n", file.trim_end())
    }
}

fn tone(state: &str) -> Tone {
    let known = STATES.iter().find(|(word, _)| *word == state);
    known.map_or(Tone::Plain, |(_, tone)| *tone)
}

/// The reason, and what to do, wrapped below the row.
fn reasons(screen: &Screen<'_>, item: &Json, columns: usize) -> String {
    const INDENT: usize = 6;
    let deprecated = item.get("deprecated").and_then(Json::as_str);
    let texts = [
        ("", reason(item)),
        (
            "do: ",
            item.get("help").and_then(Json::as_str).map(str::to_owned),
        ),
        ("deprecated: ", deprecated.map(str::to_owned)),
    ];
    let mut out = String::new();
    for (word, text) in texts {
        let Some(text) = text else { continue };
        let text = format!("{word}{}", escape(&text));
        for line in wrapped(&text, Some(columns), INDENT) {
            let line = screen.paint(Tone::Faint, &line);
            out.push_str(&format!("{:INDENT$}{line}\n", ""));
        }
    }
    out
}

/// `198 entry points in 8 namespaces: 190 available, 2 missing`.
fn summary(items: &[Json], why: bool) -> String {
    let mut namespaces: Vec<&str> = items.iter().map(|i| text(i, "namespace")).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let of = |state: &str| items.iter().filter(|i| text(i, "state") == state).count();
    let counts: Vec<String> = STATES
        .iter()
        .map(|(state, _)| (of(state), state.replace('_', " ")))
        .filter(|(n, _)| *n > 0)
        .map(|(n, state)| format!("{n} {state}"))
        .collect();
    let unusable = ["missing", "refused", "quarantined"];
    let hint = match unusable.iter().any(|s| of(s) > 0) && !why {
        true => " (`--why` says why)",
        false => "",
    };
    let entries = count(items.len(), "entry point");
    let namespaces = count(namespaces.len(), "namespace");
    let colon = if counts.is_empty() { "" } else { ": " };
    format!(
        "{entries} in {namespaces}{colon}{}{hint}",
        counts.join(", ")
    )
}
