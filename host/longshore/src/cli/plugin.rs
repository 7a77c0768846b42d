//! `longshore plugin …`: where what is known of entry points comes from.
//!
//! `list` and `show` ask a running host; without one they read the files and say so. None of the
//! commands runs code of a plugin. One file per command beside this one. Called by `cli::run`.

use longshore_loader::diagnostic::{escape, nearest};
use longshore_loader::map::PluginMap;
use longshore_loader::note::EntryMetadata;
use serde_json::Value as Json;

use super::args::Plugin;
use super::exit::Exit;
use super::failure::Failure;
use super::{
    Context, plugin_inspect, plugin_list, plugin_lock, plugin_quarantine, plugin_scan, plugin_show,
};
use crate::codes;

/// The endpoint of a running host.
pub(crate) const PATH: &str = "/longshore/v1/plugins";

pub(crate) fn run(context: &mut Context<'_>, command: Plugin) -> Result<Exit, Failure> {
    match command {
        Plugin::List(args) => plugin_list::run(context, &args),
        Plugin::Show {
            namespace,
            name,
            sample,
        } => plugin_show::run(context, &namespace, &name, sample),
        Plugin::Inspect { file } => plugin_inspect::run(context, &file),
        Plugin::Quarantine(command) => plugin_quarantine::run(context, command),
        Plugin::Lock { check } => plugin_lock::run(context, check),
        Plugin::Scan { dir } => plugin_scan::run(context, &dir),
    }
}

/// Asks a running host. Nothing when none answers, after saying so.
pub(crate) fn ask(context: &mut Context<'_>, path: &str) -> Result<Option<Json>, Failure> {
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

/// The map that the files give.
pub(crate) fn map(context: &Context<'_>) -> Result<PluginMap, Failure> {
    let loaded = context.load();
    let map = loaded.load_map(&context.around);
    map.map_err(Failure::configuration)
}

/// The name of the trait; notes of other makers may only have the kind's id.
pub(crate) fn kind_of(entry: &EntryMetadata) -> &str {
    if entry.trait_name.is_empty() {
        &entry.kind
    } else {
        &entry.trait_name
    }
}

/// The failure that a namespace has no entry points.
pub(crate) fn no_namespace<'n>(wanted: &str, known: impl IntoIterator<Item = &'n str>) -> Failure {
    let what = format!("no entry points in namespace `{}`", escape(wanted));
    let help = match nearest(wanted, known) {
        Some(near) => format!("did you mean `{}`?", escape(near)),
        None => "run `longshore plugin list` to see all".to_owned(),
    };
    let code = longshore_loader::codes::PLUGIN_NO_SUCH_DRIVER;
    Failure::new(Exit::Plugin, code, what)
        .why("the map has no such namespace")
        .help(help)
}

/// The failure that a map has no such entry point.
pub(crate) fn no_entry(map: &PluginMap, namespace: &str, name: &str) -> Failure {
    let names = map.entries(namespace).iter().map(|e| e.name.as_str());
    let namespaces: Vec<&str> = map.namespaces().collect();
    no_entry_among(namespace, name, names, &namespaces)
}

/// The failure that there is no such entry point among `names`, those of the namespace.
pub(crate) fn no_entry_among<'n>(
    namespace: &str,
    name: &str,
    names: impl IntoIterator<Item = &'n str>,
    namespaces: &[&str],
) -> Failure {
    let what = format!(
        "no entry point `{}` in `{}`",
        escape(name),
        escape(namespace)
    );
    // A namespace without entries is a misspelled one.
    let near = nearest(name, names).or_else(|| {
        if namespaces.contains(&namespace) {
            return None;
        }
        nearest(namespace, namespaces.iter().copied())
    });
    let help = match near {
        Some(near) => format!("did you mean `{}`?", escape(near)),
        None => "run `longshore plugin list` to see all".to_owned(),
    };
    let code = longshore_loader::codes::PLUGIN_NO_SUCH_DRIVER;
    Failure::new(Exit::Plugin, code, what).help(help)
}
