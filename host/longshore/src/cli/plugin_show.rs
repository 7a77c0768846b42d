//! `longshore plugin show NAMESPACE NAME`: all about one entry point.
//!
//! Must not know where it came from, a host or the files. Called by `plugin`.

use serde_json::{Value as Json, json};

use super::Context;
use super::client::encoded;
use super::exit::Exit;
use super::failure::Failure;
use super::names::text;
use super::plugin::{self, PATH};
use super::plugin_state::Outlook;
use super::render::{Screen, Tone, cell};
use super::{plugin_files, plugin_sample, plugin_settings, plugin_stats};

pub(crate) fn run(
    context: &mut Context<'_>,
    namespace: &str,
    name: &str,
    sample: bool,
) -> Result<Exit, Failure> {
    let item = find(context, namespace, name)?;
    if sample {
        let lines = plugin_sample::lines(&item);
        let json = json!({ "sample": lines });
        context.screen.result(&json, |_| lines);
    } else {
        context
            .screen
            .result(&item, |screen| details(screen, &item));
    }
    Ok(Exit::Done)
}

fn find(context: &mut Context<'_>, namespace: &str, name: &str) -> Result<Json, Failure> {
    let path = format!("{PATH}/{}/{}", encoded(namespace), encoded(name));
    match plugin::ask(context, &path) {
        Ok(Some(item)) => Ok(item),
        Ok(None) => {
            let outlook = Outlook::of_start(plugin::map(context)?, &context.config()?);
            plugin_files::show(&outlook, namespace, name)
        }
        Err(failure) if failure.not_found => Err(not_found(context, namespace, name)),
        Err(failure) => Err(failure),
    }
}

/// The host is asked for what there is, for a suggestion.
fn not_found(context: &mut Context<'_>, namespace: &str, name: &str) -> Failure {
    let answer = plugin::ask(context, PATH).ok().flatten();
    let items = answer.as_ref().and_then(Json::as_array);
    let items = items.map(Vec::as_slice).unwrap_or_default();
    let namespaces: Vec<&str> = items.iter().map(|i| text(i, "namespace")).collect();
    let here = items.iter().filter(|i| text(i, "namespace") == namespace);
    plugin::no_entry_among(namespace, name, here.map(|i| text(i, "name")), &namespaces)
}

fn details(screen: &Screen<'_>, item: &Json) -> String {
    let mut fields: Vec<(&str, String)> = Vec::new();
    let mut add = |name: &'static str, value: Option<String>| {
        fields.extend(value.filter(|v| !v.is_empty()).map(|v| (name, v)));
    };
    let some = |key: &str| Some(&item[key]).filter(|v| !v.is_null()).map(cell);
    add("namespace", some("namespace"));
    add("name", some("name"));
    add("state", some("state"));
    add("error", item.pointer("/error/code").map(cell));
    // That an alias stands for something is said below.
    let is_alias = item["error"].is_null() && !item["alias"].is_null();
    add("why", some("why").filter(|_| !is_alias));
    add("do", some("help"));
    for warning in item["warnings"].as_array().into_iter().flatten() {
        let (code, message) = (text(warning, "code"), text(warning, "message"));
        add("warning", Some(format!("{code}: {message}")));
    }
    add("deprecated", some("deprecated"));
    add("alias of", some("alias"));
    add("aliases", aliases(item));
    add("description", some("description"));
    add("kind", with(some("kind"), " revision ", some("revision")));
    add("lib", some("lib"));
    add("export", some("export"));
    add("file", some("file"));
    add("on disk", on_disk(item));
    add("size", some("size"));
    add("sha256", some("sha256"));
    add("pins", pins(item));
    add("plugin", with(some("plugin"), " ", some("version")));
    add("api_version", some("api_version"));
    add("rustc", some("rustc"));
    add("target", some("target"));
    add("license", some("license"));
    add("origin", some("origin"));
    add("also at", others(item));
    add("priority", some("priority").filter(|p| p != "0"));
    let mut out = screen.fields(&fields);
    out.push_str(&settings(screen, item));
    out.push_str(&plugin_stats::block(screen, &item["stats"]));
    out
}

/// What became of the file of something that is loaded.
fn on_disk(item: &Json) -> Option<String> {
    let help = match text(item, "on_disk") {
        "changed on disk" => "the next start takes the new content",
        "deleted on disk" => "it runs from memory; the next start does not find it",
        _ => return None,
    };
    Some(format!("{}: {help}", text(item, "on_disk")))
}

fn with(first: Option<String>, between: &str, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}{between}{second}")),
        (first, _) => first,
    }
}

fn aliases(item: &Json) -> Option<String> {
    let alias = |a: &Json| match a["deprecated"].as_str() {
        Some(why) => format!("{} (deprecated: {why})", text(a, "name")),
        None => text(a, "name").to_owned(),
    };
    let all: Vec<String> = item["aliases"].as_array()?.iter().map(alias).collect();
    Some(all.join(", "))
}

/// Where other entries of the same name stand.
fn others(item: &Json) -> Option<String> {
    let all: Vec<&str> = item["others"]
        .as_array()?
        .iter()
        .filter_map(Json::as_str)
        .collect();
    Some(all.join(", "))
}

fn pins(item: &Json) -> Option<String> {
    let pins = item["pins"].as_object()?;
    let pin = |(key, value): (&String, &Json)| Some(format!("{key} {}", value.as_str()?));
    let all: Vec<String> = pins.iter().filter_map(pin).collect();
    Some(all.join(", "))
}

fn settings(screen: &Screen<'_>, item: &Json) -> String {
    let list = |key: &str| item[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let schema = list("settings_schema");
    let in_force = list("settings_in_force");
    if schema.is_empty() && in_force.is_empty() {
        return String::new();
    }
    let mut out = format!("\n\n{}", screen.paint(Tone::Head, "settings"));
    for force in in_force {
        let its = schema.iter().find(|s| text(s, "key") == text(force, "key"));
        out.push_str(&plugin_settings::in_force_text(screen, force, its));
    }
    // A host of an earlier release says only what may be set.
    for setting in schema.iter().filter(|_| in_force.is_empty()) {
        out.push_str(&plugin_settings::schema_text(screen, setting, 2));
    }
    out
}
