//! `longshore plugin quarantine …`: what is locked out, why, and letting it go.
//!
//! Reads and writes the state directory, so it works without a running host; a host looks there when it starts. Must
//! not load anything. Called by `plugin`.

use std::io;

use longshore_loader::codes;
use longshore_loader::diagnostic::{escape, nearest};
use longshore_loader::quarantine::{FILE, LockOut, Quarantine};
use longshore_objects::DateTime;
use serde_json::{Value as Json, json};

use super::Context;
use super::args::QuarantineCommand;
use super::exit::Exit;
use super::failure::Failure;
use super::layout::count;
use super::render::cell;
use crate::codes::STATE_DIR;

const COLUMNS: &[&str] = &["namespace", "name", "version", "call", "deaths", "since"];
const FIELDS: &[&str] = &[
    "namespace",
    "name",
    "version",
    "file",
    "sha256",
    "call",
    "deaths",
    "since",
    "why",
    "help",
];

pub(crate) fn run(context: &mut Context<'_>, command: QuarantineCommand) -> Result<Exit, Failure> {
    match command {
        QuarantineCommand::List => list(context),
        QuarantineCommand::Show { namespace, name } => show(context, &namespace, &name),
        QuarantineCommand::Release {
            namespace, name, ..
        } => release(context, namespace.as_deref().zip(name.as_deref())),
    }
}

fn list(context: &mut Context<'_>) -> Result<Exit, Failure> {
    let quarantine = open(context)?;
    let items: Vec<Json> = quarantine.list().iter().map(shape).collect();
    let json = Json::from(items.as_slice());
    context.screen.result(&json, |screen| {
        let row = |i: &Json| COLUMNS.iter().map(|key| cell(&i[*key])).collect();
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        screen.table(COLUMNS, &rows)
    });
    let entries = count(items.len(), "entry point");
    context.screen.aside(&format!("{entries} locked out"));
    Ok(Exit::Done)
}

fn show(context: &mut Context<'_>, namespace: &str, name: &str) -> Result<Exit, Failure> {
    let quarantine = open(context)?;
    let of = |l: &&LockOut| l.namespace == namespace && l.name == name;
    let found: Vec<Json> = quarantine.list().iter().filter(of).map(shape).collect();
    // Several builds of one entry: the newest lock-out is what the next start would say.
    let Some(json) = found.last() else {
        return Err(not_locked(&quarantine, namespace, name));
    };
    context.screen.result(json, |screen| {
        let fields: Vec<(&str, String)> = FIELDS.iter().map(|k| (*k, cell(&json[*k]))).collect();
        screen.fields(&fields)
    });
    Ok(Exit::Done)
}

fn release(context: &mut Context<'_>, entry: Option<(&str, &str)>) -> Result<Exit, Failure> {
    let mut quarantine = open(context)?;
    if let Some((namespace, name)) = entry
        && !quarantine.knows(namespace, name)
    {
        return Err(not_locked(&quarantine, namespace, name));
    }
    let released = quarantine.release(entry);
    let released = released.map_err(|e| unusable(context, &e))?;
    let items: Vec<Json> = released.iter().map(shape).collect();
    let json = Json::from(items.as_slice());
    context.screen.result(&json, |_| {
        let line = |l: &LockOut| format!("{}/{}", escape(&l.namespace), escape(&l.name));
        released.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    let entries = count(released.len(), "entry point");
    let note = format!("{entries} released; a host takes it up when it starts");
    context.screen.aside(&note);
    Ok(Exit::Done)
}

/// The lock-outs of the configured state directory.
fn open(context: &Context<'_>) -> Result<Quarantine, Failure> {
    let dir = context.config()?.host.state_dir;
    Quarantine::open(&dir).map_err(|e| unusable(context, &e))
}

fn unusable(context: &Context<'_>, error: &io::Error) -> Failure {
    let dir = context.config().map(|c| c.host.state_dir);
    let path = dir.unwrap_or_default().join(FILE);
    let what = format!("cannot use `{}`", escape(&path.display().to_string()));
    Failure::new(Exit::Unreachable, STATE_DIR, what)
        .why(error.to_string())
        .help("run the command as the service user; a file that is damaged can be moved away")
}

fn not_locked(quarantine: &Quarantine, namespace: &str, name: &str) -> Failure {
    let (shown, space) = (escape(name), escape(namespace));
    let what = format!("`{shown}` in `{space}` is not locked out");
    let known = quarantine.list().iter().map(|l| l.name.as_str());
    let help = match nearest(name, known) {
        Some(near) => format!("did you mean `{}`?", escape(near)),
        None => "run `longshore plugin quarantine list` to see all".to_owned(),
    };
    Failure::new(Exit::Plugin, codes::PLUGIN_NO_SUCH_DRIVER, what).help(help)
}

fn shape(lock: &LockOut) -> Json {
    let refusal = lock.refusal();
    let seconds = i64::try_from(lock.since_ms / 1000).unwrap_or(i64::MAX);
    let since = DateTime::from_unix(seconds).to_string();
    json!({
        "namespace": lock.namespace,
        "name": lock.name,
        "version": lock.version,
        "file": lock.file,
        "sha256": lock.digest,
        "call": lock.call,
        "deaths": lock.deaths,
        "since": since,
        "why": refusal.why,
        "help": refusal.help,
    })
}
