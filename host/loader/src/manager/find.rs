//! From a name to the one entry point it means, before anything is opened; and the failures when it means none,
//! several, or one that is switched off.

use std::path::Path;
use std::sync::Arc;

use super::conflict::{self, Choice};
use crate::codes;
use crate::diagnostic::{escape, quoted_list};
use crate::info::ExtensionInfo;
use crate::inspect::Refusal;
use crate::load::Loader;
use crate::map::{Conflicts, EntryPoint, Lookup};
use crate::report::{FailureKind, LoadFailure};

/// The entry that a name means.
pub(super) fn find<'l>(
    loader: &'l Loader,
    namespace: &str,
    name: &str,
    choice: &Choice,
) -> Result<&'l Arc<EntryPoint>, LoadFailure> {
    match loader.map().lookup_with(namespace, name, choice.policy()) {
        Lookup::One(entry) => Ok(entry),
        Lookup::Several(entries) => among(loader, namespace, name, choice, &entries),
        Lookup::Disabled(entry) => {
            let by = entry.disabled.as_ref().map(ToString::to_string);
            let help = "switch it on, or name another driver";
            let (kind, code) = (FailureKind::Disabled, codes::PLUGIN_DISABLED);
            let why = by.unwrap_or_default();
            Err(failure(loader, kind, code, namespace, name, why, help))
        }
        Lookup::Unknown { nearest, available } => {
            Err(unknown(loader, namespace, name, nearest, &available))
        }
    }
}

fn among<'l>(
    loader: &'l Loader,
    namespace: &str,
    name: &str,
    choice: &Choice,
    entries: &[&'l Arc<EntryPoint>],
) -> Result<&'l Arc<EntryPoint>, LoadFailure> {
    // What files say of themselves helps to choose; none of their code runs.
    let info = |entry: &&Arc<EntryPoint>| match loader.examine(entry) {
        Ok(examined) => Arc::clone(&examined.info),
        Err(_) => Arc::new(ExtensionInfo::of_entry(entry)),
    };
    let infos: Vec<Arc<ExtensionInfo>> = match choice {
        Choice::Resolver(_) => entries.iter().map(info).collect(),
        _ => {
            let of_entry = |e: &&Arc<EntryPoint>| Arc::new(ExtensionInfo::of_entry(e));
            entries.iter().map(of_entry).collect()
        }
    };
    let several: Vec<&ExtensionInfo> = infos.iter().map(Arc::as_ref).collect();
    let of_map = loader.map().policy(namespace);
    let of_map = of_map.map_or(Conflicts::Error, |p| p.conflicts());
    let Some(chosen) = choice.choose(of_map, &several) else {
        return Err(conflict::conflict(map_file(loader), name, &several));
    };
    let entry = entries[chosen];
    match &entry.alias {
        Some(target) if entry.fault.is_none() => find(loader, namespace, target, choice),
        _ => Ok(entry),
    }
}

fn unknown(
    loader: &Loader,
    namespace: &str,
    name: &str,
    nearest: Option<&str>,
    available: &[&str],
) -> LoadFailure {
    let there = match available {
        [] => "the map has no entry there".to_owned(),
        names => format!("there are {}", quoted_list(names)),
    };
    let (shown, within) = (escape(name), escape(namespace));
    let why = format!("no entry point `{shown}` in `{within}`; {there}");
    let help = match nearest {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add it to the plugin map, or name one that is there".to_owned(),
    };
    let (kind, code) = (FailureKind::NoMatch, codes::PLUGIN_NO_SUCH_DRIVER);
    failure(loader, kind, code, namespace, name, why, &help)
}

/// A failure of the request, not of a file.
pub(super) fn failure(
    loader: &Loader,
    kind: FailureKind,
    code: &'static str,
    namespace: &str,
    name: &str,
    why: String,
    help: &str,
) -> LoadFailure {
    let file = Path::new(map_file(loader));
    let refusal = Refusal::new(code, file, why, help.to_owned());
    LoadFailure::new(kind, refusal.for_entry(namespace, name))
}

fn map_file(loader: &Loader) -> &str {
    let base = loader.map().sources().first();
    base.map_or("", |source| source.name())
}
