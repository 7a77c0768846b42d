//! `longshore plugin lock`: writes which content each entry of the map has now, or says what differs.
//!
//! Reads headers, notes and digests, runs nothing. The file is replaced in one step. Called by `plugin`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use longshore_loader::codes;
use longshore_loader::diagnostic::escape;
use longshore_loader::lock::{LockChange, Locking, PluginsLock};
use longshore_loader::map::{LoadOptions, PluginMap};
use serde_json::{Value as Json, json};

use super::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::layout::count;
use crate::config::MAP_FILE;

/// Nothing was to be done.
const UP_TO_DATE: &str = "up to date";

pub(crate) fn run(context: &mut Context<'_>, check: bool) -> Result<Exit, Failure> {
    let (map, file) = map(context)?;
    let path = PluginsLock::path_beside(&file);
    let before = before(context, &path, check)?;
    let Locking { lock, refused } = PluginsLock::from_map(&map);
    for refusal in &refused {
        let text = format!("not locked, and so refused: {}", refusal.one_line());
        context.screen.note(&text);
    }
    for change in map.environment_changes() {
        context
            .screen
            .note(&format!("a variable counts too: {change}"));
    }
    let changes = before
        .as_ref()
        .unwrap_or(&PluginsLock::default())
        .changes_to(&lock);
    let differs = before.as_ref() != Some(&lock);
    if differs && !check {
        replace(&path, &lock.to_toml()).map_err(|e| unwritable(&path, &e))?;
    }
    let shown = path.display().to_string();
    let json = json!({
        "file": shown,
        "written": differs && !check,
        "up_to_date": !differs,
        "plugins": lock.plugins.len(),
        "entries": lock.entry_count(),
        "changes": changes.iter().map(change).collect::<Json>(),
        "not_locked": refused.iter().map(|r| json!({
            "namespace": r.namespace, "name": r.driver, "code": r.code, "why": r.why, "do": r.help,
        })).collect::<Json>(),
    });
    let outdated = differs && check;
    context.screen.result(&json, |_| {
        let verb = match (differs, check) {
            (false, _) => UP_TO_DATE,
            (true, false) => "written",
            (true, true) => "not up to date",
        };
        text(&changes, &shown, verb, &lock)
    });
    if outdated {
        return Err(not_up_to_date(&path, before.is_none()));
    }
    Ok(Exit::Done)
}

/// The map, without the lock that may be wrong by now, and its base file.
fn map(context: &Context<'_>) -> Result<(PluginMap, PathBuf), Failure> {
    let loaded = context.load();
    let Some(file) = loaded.map_file() else {
        let what = format!("no `{MAP_FILE}` was found: there is nothing to lock");
        let failure = Failure::new(Exit::Configuration, codes::MAP_NOT_FOUND, what);
        return Err(failure.help("name the map with `--plugins FILE`"));
    };
    let options = LoadOptions {
        ignore_lock: true,
        ..LoadOptions::default()
    };
    let map = PluginMap::load_with(file, &context.around.map, &options);
    let map = map.map_err(|e| Failure::configuration(e.diagnostics))?;
    Ok((map, file.to_owned()))
}

/// What was locked. A lock that cannot be read is only in the way of comparing.
fn before(
    context: &mut Context<'_>,
    path: &Path,
    check: bool,
) -> Result<Option<PluginsLock>, Failure> {
    PluginsLock::load(path).or_else(|e| {
        if check {
            return Err(Failure::configuration(e.diagnostics));
        }
        if let Some(first) = e.diagnostics.first() {
            context.screen.note(&format!("written anew: {first}"));
        }
        Ok(None)
    })
}

fn change(change: &LockChange) -> Json {
    json!({
        "change": change.what,
        "namespace": change.namespace,
        "name": change.name,
        "detail": change.detail,
    })
}

fn text(changes: &[LockChange], file: &str, verb: &str, lock: &PluginsLock) -> String {
    let mut out: String = changes.iter().map(|c| format!("{c}\n")).collect();
    if changes.is_empty() && verb != UP_TO_DATE {
        out.push_str("no entry changed; other files have the same content\n");
    }
    let plugins = count(lock.plugins.len(), "plugin");
    let entries = lock.entry_count();
    out.push_str(&format!(
        "{}: {verb}, {entries} entries of {plugins}",
        escape(file)
    ));
    out
}

fn not_up_to_date(path: &Path, absent: bool) -> Failure {
    let shown = escape(&path.display().to_string());
    let what = match absent {
        true => format!("there is no `{shown}`"),
        false => format!("`{shown}` is not what the map gives"),
    };
    Failure::new(Exit::Plugin, codes::PLUGIN_LOCK_OUTDATED, what)
        .help("look at each change, then run `longshore plugin lock`")
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let what = format!("cannot write `{}`", escape(&path.display().to_string()));
    Failure::new(Exit::Failed, codes::PLUGIN_LOCK_UNREADABLE, what)
        .why(error.to_string())
        .help("run it as a user who may write the directory of the map")
}

/// Readers see the old text or the new one, and a crash leaves one of them.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    let new = dir.join(format!(".plugins.lock.{}", std::process::id()));
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(dir)?.sync_all()
    };
    write().inspect_err(|_| drop(fs::remove_file(&new)))
}
