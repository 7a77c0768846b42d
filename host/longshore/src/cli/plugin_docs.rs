//! `longshore plugin list --simple` and `--detailed`: entry points with their descriptions, for
//! documents.
//!
//! The text is reStructuredText and Markdown alike. Sorted by name. Called by `plugin_list`.

use longshore_loader::diagnostic::escape;
use serde_json::Value as Json;

use super::args::PluginList;
use super::names::text;

/// What is printed under a heading when nothing else is wanted.
const UNDERLINE: char = '-';

/// A bullet, or a heading with a text, per entry.
pub(crate) fn text_of(args: &PluginList, items: &[Json]) -> String {
    // A mask is no entry point, but the absence of one.
    let named = items.iter().filter(|i| !text(i, "lib").is_empty());
    let mut sorted: Vec<&Json> = named.collect();
    sorted.sort_by_key(|i| (text(i, "name"), text(i, "namespace")));
    if args.simple {
        return sorted.into_iter().map(bullet).collect();
    }
    let underline = args.underline.unwrap_or(UNDERLINE);
    let sections: Vec<String> = sorted
        .into_iter()
        .map(|item| section(item, args.overline, underline))
        .collect();
    sections.join("\n")
}

/// Entries that have no description because their file cannot be used.
pub(crate) fn remarks(items: &[Json]) -> Vec<String> {
    let refused = items
        .iter()
        .filter(|i| matches!(text(i, "state"), "missing" | "refused" | "quarantined"));
    let remark = |i: &Json| {
        let (name, state) = (escape(text(i, "name")), text(i, "state"));
        format!("`{name}` is {state}: {}", escape(text(i, "why")))
    };
    refused.map(remark).collect()
}

fn bullet(item: &Json) -> String {
    let name = escape(text(item, "name"));
    match text(item, "description").lines().next() {
        Some(line) if !line.trim().is_empty() => format!("* {name} -- {}\n", escape(line.trim())),
        _ => format!("* {name}\n"),
    }
}

fn section(item: &Json, overline: Option<char>, underline: char) -> String {
    let name = escape(text(item, "name"));
    let rule = |c: char| c.to_string().repeat(name.chars().count());
    let over = overline.map(|c| format!("{}\n", rule(c)));
    let description: Vec<String> = text(item, "description").lines().map(escape).collect();
    let body = if description.iter().all(|line| line.trim().is_empty()) {
        format!(
            "No documentation found for {name} in {}",
            escape(&target(item))
        )
    } else {
        description.join("\n")
    };
    let under = rule(underline);
    format!("{}{name}\n{under}\n\n{body}\n", over.unwrap_or_default())
}

/// `LIB:EXPORT`, as the map would write it.
fn target(item: &Json) -> String {
    match (text(item, "lib"), text(item, "export")) {
        (lib, "") => lib.to_owned(),
        (lib, export) => format!("{lib}:{export}"),
    }
}
