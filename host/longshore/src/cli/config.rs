//! `longshore config check` and `config show`.
//!
//! Neither starts or writes anything. Called by `cli::run`.

use longshore_loader::diagnostic::{Diagnostic, Severity, quoted_list};
use serde_json::{Value as Json, json};

use super::args::Config;
use super::exit::Exit;
use super::failure::Failure;
use super::plugin_state::Outlook;
use super::{Context, configuration, map_print, plugin_files};
use crate::config::{MAP_FILE, show};

pub(crate) fn run(context: &mut Context<'_>, command: Config) -> Result<Exit, Failure> {
    match command {
        Config::Check => check(context),
        Config::Show { map: true, .. } => show_map(context),
        Config::Show { origin, .. } => {
            let loaded = context.load();
            if loaded.has_errors() {
                return Err(Failure::configuration(loaded.diagnostics));
            }
            let raw = &loaded.raw;
            let json = show::to_json(raw, origin);
            context.screen.result(&json, |_| show::to_toml(raw, origin));
            Ok(Exit::Done)
        }
    }
}

/// The merged map, without secrets.
fn show_map(context: &mut Context<'_>) -> Result<Exit, Failure> {
    let loaded = context.load();
    let map = loaded
        .load_map(&context.around)
        .map_err(Failure::configuration)?;
    let visible = map_print::Visible::new(&map);
    context
        .screen
        .result(&visible.to_json(), |_| visible.to_toml());
    Ok(Exit::Done)
}

/// Everything that can be found wrong without running code of a plugin, at once.
fn check(context: &mut Context<'_>) -> Result<Exit, Failure> {
    let loaded = context.load();
    let mut found = loaded.diagnostics.clone();
    let mut namespaces = Vec::new();
    // A map that is named and absent is reported already.
    let map_is_there = |map: &std::path::Path| map.symlink_metadata().is_ok();
    if loaded.map_file().is_none_or(map_is_there) {
        match loaded.load_map(&context.around) {
            Ok(map) if loaded.map_file().is_some() => {
                found.extend_from_slice(map.diagnostics());
                namespaces.extend(map.namespaces().map(str::to_owned));
                found.extend(configuration::check_includes(&map));
                found.extend(configuration::check_conflicts(&loaded.raw, &map));
                found.extend(configuration::check_names(&loaded.raw, &map));
                found.extend(configuration::check_settings(&loaded.raw, &map));
                // Without a valid configuration nobody can say whom a start would trust.
                if let Ok((config, raw, _)) = loaded.clone().into_config() {
                    let outlook = Outlook::of_start(map, &config);
                    found.extend(plugin_files::unusable(&raw, &outlook));
                }
            }
            Ok(_) => {}
            Err(diagnostics) => found.extend(diagnostics),
        }
    }
    if configuration::has_errors(&found) {
        return Err(Failure::configuration(found));
    }
    if loaded.map_file().is_none() {
        let text = format!("no `{MAP_FILE}` was found: no driver exists");
        context.screen.note(&text);
    }
    context.screen.warnings(&found);
    let file = |path: Option<&std::path::Path>| path.map(|p| p.display().to_string());
    let config_file = file(loaded.file.as_deref());
    let map_file = file(loaded.map_file());
    let warnings: Vec<Json> = found.iter().map(Diagnostic::to_json).collect();
    let json = json!({
        "ok": true,
        "config": config_file,
        "plugins": map_file,
        "namespaces": namespaces,
        "warnings": warnings,
    });
    let count = found
        .iter()
        .filter(|d| d.severity == Severity::Warning)
        .count();
    context.screen.result(&json, |_| {
        summary(config_file, map_file, &namespaces, count)
    });
    Ok(Exit::Done)
}

/// The namespaces are listed, because a namespace without quotes may read as an entry of another
/// one.
fn summary(
    config_file: Option<String>,
    map_file: Option<String>,
    namespaces: &[String],
    warnings: usize,
) -> String {
    let config_file = config_file.unwrap_or_else(|| "built-in defaults".to_owned());
    let map_file = map_file.unwrap_or_else(|| "an empty map".to_owned());
    let remark = match warnings {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        n => format!(", {n} warnings"),
    };
    let listed = match namespaces {
        [] => String::new(),
        some => format!("\nnamespaces: {}", quoted_list(some)),
    };
    format!("ok: {config_file}, {map_file}{remark}{listed}")
}
