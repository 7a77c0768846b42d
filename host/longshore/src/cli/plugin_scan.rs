//! `longshore plugin scan DIR`: the lines for `plugins.toml` of every plugin below a directory.
//!
//! The output is a valid map as it is. What is no plugin, is refused, or is given by an earlier
//! file stands in comments. Runs nothing. Called by `plugin`; `plugin_walk` finds the files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use longshore_loader::codes;
use longshore_loader::diagnostic::escape;
use longshore_loader::inspect::{Inspection, Refusal, inspect, sha256};
use longshore_loader::map::split_target;
use longshore_loader::note::EntryMetadata;
use serde_json::Value as Json;

use super::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::layout::count;
use super::plugin_inspect::{inspected, setting};
use super::plugin_sample::value;
use super::plugin_walk::{Found, walk};
use crate::config::show::quoted;

/// The map's own table, which no namespace can have as its name.
const RESERVED: &str = "longshore";

pub(crate) fn run(context: &mut Context<'_>, dir: &Path) -> Result<Exit, Failure> {
    let path = context.around.working_dir.join(dir);
    let Found {
        root,
        libraries,
        remarks,
    } = walk(&path).map_err(|mut refusal| {
        refusal.file = dir.to_owned();
        Failure::refusal(&refusal)
    })?;
    let (mut plugins, mut refusals) = (Vec::new(), Vec::new());
    for library in &libraries {
        match inspect(library).and_then(|i| Ok((i, sha256(library)?))) {
            Ok(plugin) => plugins.push(plugin),
            Err(refusal) => refusals.push(refusal),
        }
    }
    for remark in remarks {
        context.screen.note(&remark);
    }
    if context.screen.is_json() {
        for refusal in &refusals {
            context.screen.note(&refusal_line(refusal));
        }
    }
    let json = plugins
        .iter()
        .map(|(i, digest)| inspected(&i.file, i, digest));
    let json: Json = json.collect();
    let inspections: Vec<&Inspection> = plugins.iter().map(|(i, _)| i).collect();
    let text = lines(&root, &inspections, &refusals);
    context.screen.result(&json, |_| text);
    Ok(Exit::Done)
}

/// Entries by namespace, then by name; the first of a name is active.
type Namespaces<'i> = BTreeMap<&'i str, BTreeMap<&'i str, Vec<(&'i Path, &'i EntryMetadata)>>>;

fn lines(root: &Path, plugins: &[&Inspection], refusals: &[Refusal]) -> String {
    let mut namespaces = Namespaces::new();
    let mut unusable: Vec<String> = refusals.iter().map(refusal_line).collect();
    let mut entries = 0;
    for plugin in plugins {
        let path = plugin.file.to_str();
        let Some(path) = path.filter(|p| !p.chars().any(char::is_control)) else {
            let file = escape(&plugin.file.display().to_string());
            unusable.push(format!(
                "`{file}`: a map cannot name a file with such a name"
            ));
            continue;
        };
        for entry in &plugin.metadata.entries {
            entries += 1;
            let names = namespaces.entry(&entry.namespace).or_default();
            let same = names.entry(&entry.name).or_default();
            same.push((Path::new(path), entry));
        }
    }
    let points = count(entries, "entry point");
    let root = escape(&root.display().to_string());
    let mut out = format!(
        "# {points} of {} below {root}\n",
        count(plugins.len(), "plugin")
    );
    for (namespace, names) in &namespaces {
        let _ = writeln!(out, "\n{}", table(namespace, names));
    }
    if !unusable.is_empty() {
        let _ = writeln!(out, "\n# not usable:");
        for line in unusable {
            let _ = writeln!(out, "# {line}");
        }
    }
    out
}

fn table(namespace: &str, names: &BTreeMap<&str, Vec<(&Path, &EntryMetadata)>>) -> String {
    // A whole table that the map would misread is shown, and not active.
    let off = if namespace == RESERVED { "# " } else { "" };
    let widest = names.keys().map(|name| name.len()).max().unwrap_or(0);
    let mut lines = vec![format!("{off}[{}]", quoted(namespace))];
    if namespace == RESERVED {
        lines.push("# the name of this namespace is reserved".to_owned());
    }
    for (name, given) in names {
        for (at, (file, entry)) in given.iter().enumerate() {
            let target = target(file, name);
            let line = match at {
                0 => format!("{off}{name:widest$} = {target}"),
                _ => format!("# {name:widest$} = {target}   # a conflict: the name is taken above"),
            };
            lines.push(line);
            lines.extend(needed(file, entry));
        }
    }
    lines.join("\n")
}

fn target(file: &Path, name: &str) -> String {
    let path = file.display().to_string();
    match split_target(&path) {
        // What follows a colon in the path would be taken for the export.
        (_, Some(_)) => format!("{{ lib = {}, export = {} }}", quoted(&path), quoted(name)),
        _ => quoted(&path),
    }
}

/// The form that an entry takes when settings must be given.
fn needed(file: &Path, entry: &EntryMetadata) -> Option<String> {
    let required = entry.settings.iter().filter(|s| s.required);
    let pairs: Vec<String> = required
        .map(|s| format!("{} = {}", s.key, value(&setting(s))))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let name = &entry.name;
    let lib = quoted(&file.display().to_string());
    let export = quoted(name);
    let settings = pairs.join(", ");
    Some(format!(
        "# `{name}` needs settings; write instead, with values of yours:\n\
         # {name} = {{ lib = {lib}, export = {export}, settings = {{ {settings} }} }}"
    ))
}

fn refusal_line(refusal: &Refusal) -> String {
    let file = escape(&refusal.file.display().to_string());
    let Refusal { code, why, .. } = refusal;
    let what = match *code {
        codes::PLUGIN_NO_ENTRY | codes::PLUGIN_NOT_ELF => "no plugin: ",
        _ => "",
    };
    format!("`{file}`: {what}{} ({code})", escape(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_a_path_is_no_export() {
        let plain = target(Path::new("/a/lib.so"), "x");
        assert_eq!(plain, "\"/a/lib.so\"");
        let odd = target(Path::new("/a:b/c:d"), "x");
        assert_eq!(odd, "{ lib = \"/a:b/c:d\", export = \"x\" }");
    }
}
