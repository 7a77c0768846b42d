//! `longshore plugin list`, `show`, `inspect`.
//!
//! `list` and `show` ask a running host; without one they read the files and say so. `inspect`
//! reads one file. None runs code of a plugin. Called by `cli::run`.

use std::path::Path;

use longshore_loader::diagnostic::{escape, nearest};
use longshore_loader::inspect::{Inspection, inspect, sha256};
use longshore_loader::map::PluginMap;
use longshore_loader::note::{EntryMetadata, SettingSchema};
use serde_json::{Value as Json, json};

use super::args::Plugin;
use super::client::encoded;
use super::exit::Exit;
use super::failure::Failure;
use super::names::text;
use super::render::{Screen, cell};
use super::{Context, plugin_files, plugin_sample};
use crate::codes;

/// The endpoint of a running host.
const PATH: &str = "/longshore/v1/plugins";

pub(crate) fn run(context: &mut Context<'_>, command: Plugin) -> Result<Exit, Failure> {
    match command {
        Plugin::List { namespace, why } => list(context, namespace.as_deref(), why),
        Plugin::Show {
            namespace,
            name,
            sample,
        } => show(context, &namespace, &name, sample),
        Plugin::Inspect { file } => inspect_file(context, &file),
    }
}

/// Asks a running host. Nothing when none answers, after saying so.
fn ask(context: &mut Context<'_>, path: &str) -> Result<Option<Json>, Failure> {
    let client = match context.client() {
        Ok(client) => client,
        // A host that listens where commands cannot reach it is not asked.
        Err(failure) if failure.code() == codes::BAD_ADDRESS => return Ok(from_files(context)),
        Err(failure) => return Err(failure),
    };
    match client.get(path) {
        Ok(json) => Ok(Some(json)),
        Err(failure) if failure.code() == codes::UNREACHABLE => Ok(from_files(context)),
        Err(failure) => Err(failure),
    }
}

fn from_files(context: &mut Context<'_>) -> Option<Json> {
    context.screen.note("not running: read from the files");
    None
}

fn list(context: &mut Context<'_>, namespace: Option<&str>, why: bool) -> Result<Exit, Failure> {
    let items = match ask(context, PATH)? {
        Some(Json::Array(items)) => items,
        Some(_) => return Err(not_a_list()),
        None => {
            let loaded = context.load();
            let map = loaded
                .load_map(&context.around)
                .map_err(Failure::configuration)?;
            plugin_files::list(&map, namespace)
        }
    };
    let wanted = |i: &Json| namespace.is_none_or(|n| text(i, "namespace") == n);
    let items: Vec<Json> = items.into_iter().filter(wanted).collect();
    let json = Json::from(items.as_slice());
    context
        .screen
        .result(&json, |screen| rows(screen, &items, why));
    Ok(Exit::Done)
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
            row.push(reason(i));
        }
        row
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    screen.table(&head, &rows)
}

/// Why an entry point is in its state, with the code.
fn reason(item: &Json) -> String {
    let message = item.pointer("/error/message").and_then(Json::as_str);
    let why = item.get("why").and_then(Json::as_str).or(message);
    match (item.pointer("/error/code").and_then(Json::as_str), why) {
        (Some(code), Some(why)) => format!("{code}: {why}"),
        (None, Some(why)) => why.to_owned(),
        (Some(code), None) => code.to_owned(),
        (None, None) => "-".to_owned(),
    }
}

fn show(
    context: &mut Context<'_>,
    namespace: &str,
    name: &str,
    sample: bool,
) -> Result<Exit, Failure> {
    let path = format!("{PATH}/{}/{}", encoded(namespace), encoded(name));
    let item = match ask(context, &path) {
        Ok(Some(item)) => item,
        Ok(None) => {
            let loaded = context.load();
            let map = loaded
                .load_map(&context.around)
                .map_err(Failure::configuration)?;
            plugin_files::show(&map, namespace, name)?
        }
        Err(failure) if failure.not_found => {
            let help = format!("run `longshore plugin list --namespace {namespace}`");
            let what = format!(
                "no entry point `{}` in `{}`",
                escape(name),
                escape(namespace)
            );
            let code = longshore_loader::codes::PLUGIN_NO_SUCH_DRIVER;
            return Err(Failure::new(Exit::Plugin, code, what).help(help));
        }
        Err(failure) => return Err(failure),
    };
    if sample {
        let lines = plugin_sample::lines(&item);
        context
            .screen
            .result(&json!({ "sample": lines }), |_| lines.clone());
    } else {
        context
            .screen
            .result(&item, |screen| details(screen, &item));
    }
    Ok(Exit::Done)
}

fn details(screen: &Screen<'_>, item: &Json) -> String {
    const KEYS: &[&str] = &[
        "namespace",
        "name",
        "state",
        "kind",
        "description",
        "lib",
        "file",
        "export",
        "plugin",
        "version",
        "sha256",
        "origin",
        "settings",
        "error",
        "why",
        "help",
    ];
    let known = |key: &&&str| !item[**key].is_null();
    let field = |key: &&'static str| match &item[*key] {
        Json::Object(error) if *key == "error" => (*key, cell(&error["code"])),
        value => (*key, cell(value)),
    };
    let fields: Vec<(&str, String)> = KEYS.iter().filter(known).map(field).collect();
    let mut out = screen.fields(&fields);
    if let Some(Json::Array(schema)) = item.get("settings_schema")
        && !schema.is_empty()
    {
        out.push_str("\n\nsettings\n");
        out.push_str(&settings_table(screen, schema));
    }
    out
}

fn settings_table(screen: &Screen<'_>, schema: &[Json]) -> String {
    let row = |s: &Json| {
        let required = match s["required"].as_bool() {
            Some(true) => "yes",
            _ => "no",
        };
        vec![
            cell(&s["key"]),
            cell(&s["type"]),
            cell(&s["default"]),
            required.to_owned(),
            cell(&s["help"]),
        ]
    };
    let rows: Vec<Vec<String>> = schema.iter().map(row).collect();
    screen.table(&["key", "type", "default", "required", "help"], &rows)
}

fn inspect_file(context: &mut Context<'_>, file: &Path) -> Result<Exit, Failure> {
    let path = context.around.working_dir.join(file);
    let shown = |mut refusal: longshore_loader::inspect::Refusal| {
        refusal.file = file.to_owned();
        Failure::refusal(&refusal)
    };
    let inspection = inspect(&path).map_err(shown)?;
    let digest = sha256(&path).map_err(shown)?;
    let json = inspected(file, &inspection, &digest);
    context
        .screen
        .result(&json, |screen| inspected_text(screen, &json));
    Ok(Exit::Done)
}

/// The contract's shape of an inspection.
fn inspected(file: &Path, inspection: &Inspection, digest: &str) -> Json {
    let metadata = &inspection.metadata;
    let entries: Vec<Json> = metadata.entries.iter().map(entry).collect();
    json!({
        "file": file.display().to_string(),
        "sha256": digest,
        "size": inspection.size,
        "plugin": metadata.plugin,
        "version": metadata.version,
        "description": metadata.description,
        "license": metadata.license,
        "api_version": metadata.api,
        "rustc": metadata.rustc,
        "panic": metadata.panic,
        "target": metadata.target,
        "entry_points": entries,
    })
}

fn entry(entry: &EntryMetadata) -> Json {
    let settings: Vec<Json> = entry.settings.iter().map(setting).collect();
    json!({
        "namespace": entry.namespace,
        "name": entry.name,
        "kind": kind_of(entry),
        "revision": entry.revision,
        "description": entry.description,
        "settings": settings,
    })
}

/// The name of the trait; notes of other makers may only have the kind's id.
pub(crate) fn kind_of(entry: &EntryMetadata) -> &str {
    if entry.trait_name.is_empty() {
        &entry.kind
    } else {
        &entry.trait_name
    }
}

/// One setting as the contract shows it.
pub(crate) fn setting(schema: &SettingSchema) -> Json {
    json!({
        "key": schema.key,
        "type": schema.kind,
        "default": schema.default,
        "required": schema.required,
        "help": schema.help,
        "min": schema.min,
        "max": schema.max,
        "one_of": schema.one_of,
        "secret": schema.secret,
    })
}

fn inspected_text(screen: &Screen<'_>, json: &Json) -> String {
    const KEYS: &[&str] = &[
        "file",
        "plugin",
        "version",
        "description",
        "license",
        "api_version",
        "target",
        "rustc",
        "panic",
        "size",
        "sha256",
    ];
    let mut out = screen.members(json, KEYS);
    for entry in json["entry_points"].as_array().into_iter().flatten() {
        out.push_str(&format!(
            "\n\n{} {} ({} revision {}): {}",
            escape(text(entry, "namespace")),
            escape(text(entry, "name")),
            escape(text(entry, "kind")),
            cell(&entry["revision"]),
            escape(text(entry, "description")),
        ));
        let settings = entry["settings"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if !settings.is_empty() {
            out.push('\n');
            out.push_str(&settings_table(screen, settings));
        }
    }
    out
}

/// The failure that a map has no such entry point.
pub(crate) fn no_entry(map: &PluginMap, namespace: &str, name: &str) -> Failure {
    let what = format!(
        "no entry point `{}` in `{}`",
        escape(name),
        escape(namespace)
    );
    let names = map.entries(namespace).iter().map(|e| e.name.as_str());
    // A namespace without entries is a misspelled one.
    let near = nearest(name, names).or_else(|| match map.entries(namespace) {
        [] => nearest(namespace, map.namespaces()),
        _ => None,
    });
    let help = match near {
        Some(near) => format!("did you mean `{}`?", escape(near)),
        None => "run `longshore plugin list` to see all".to_owned(),
    };
    let code = longshore_loader::codes::PLUGIN_NO_SUCH_DRIVER;
    Failure::new(Exit::Plugin, code, what).help(help)
}
