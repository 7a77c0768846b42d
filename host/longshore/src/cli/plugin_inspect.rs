//! `longshore plugin inspect FILE`: what a file says of itself.
//!
//! Reads headers and the note, runs nothing, and knows no map. Called by `plugin`; its shapes are
//! shared by `plugin_show` and `plugin_scan`.

use std::path::Path;

use longshore_loader::diagnostic::escape;
use longshore_loader::inspect::{Inspection, Refusal, inspect, sha256};
use longshore_loader::note::{EntryMetadata, SettingSchema};
use serde_json::{Value as Json, json};

use super::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::layout::wrapped;
use super::names::text;
use super::plugin::kind_of;
use super::plugin_settings;
use super::render::{Screen, Tone, cell};

pub(crate) fn run(context: &mut Context<'_>, file: &Path) -> Result<Exit, Failure> {
    let path = context.around.working_dir.join(file);
    let shown = |mut refusal: Refusal| {
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
pub(crate) fn inspected(file: &Path, inspection: &Inspection, digest: &str) -> Json {
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
    let fields: Vec<(&str, String)> = KEYS.iter().map(|k| (*k, cell(&json[*k]))).collect();
    let mut out = screen.fields(&fields);
    let mut namespace = "";
    for entry in json["entry_points"].as_array().into_iter().flatten() {
        if text(entry, "namespace") != namespace {
            namespace = text(entry, "namespace");
            let head = screen.paint(Tone::Head, &escape(namespace));
            out.push_str(&format!("\n\n{head}"));
        }
        out.push_str(&driver_text(screen, entry));
    }
    out
}

fn driver_text(screen: &Screen<'_>, entry: &Json) -> String {
    let (name, kind) = (escape(text(entry, "name")), escape(text(entry, "kind")));
    let name = screen.paint(Tone::Good, &name);
    let mut out = format!("\n  {name} ({kind} revision {})", cell(&entry["revision"]));
    let description = escape(text(entry, "description"));
    if !description.is_empty() {
        for line in wrapped(&description, screen.columns(), 6) {
            out.push_str(&format!("\n      {line}"));
        }
    }
    let settings = entry["settings"].as_array().map(Vec::as_slice);
    for setting in settings.unwrap_or_default() {
        out.push_str(&plugin_settings::schema_text(screen, setting, 6));
    }
    out
}
