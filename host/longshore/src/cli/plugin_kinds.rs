//! Which kind of driver each namespace of this program holds.
//!
//! Namespaces of others may hold anything. Called by `plugin_files`; must not load anything.

use longshore_loader::diagnostic::escape;
use longshore_loader::note::EntryMetadata;
use longshore_plugin_api::__abi::table::DriverKind;
use longshore_plugin_api::{Filter, HostManager, Scheduler, Virt, Weigher};

use super::plugin::kind_of;

/// What a kind is called, and which drivers fit.
struct Kind {
    id: &'static str,
    name: &'static str,
    revision: u32,
}

fn kind<K: ?Sized + DriverKind>() -> Kind {
    Kind {
        id: K::ID,
        name: K::TRAIT,
        revision: K::REVISION,
    }
}

fn expected(namespace: &str) -> Option<Kind> {
    Some(match namespace {
        "longshore.scheduler.driver" => kind::<dyn Scheduler>(),
        "longshore.scheduler.host_manager" => kind::<dyn HostManager>(),
        "longshore.scheduler.filter" => kind::<dyn Filter>(),
        "longshore.scheduler.weigher" => kind::<dyn Weigher>(),
        "longshore.virt.driver" => kind::<dyn Virt>(),
        _ => return None,
    })
}

/// Why a driver does not fit its namespace, and what to do.
pub(crate) fn wrong_kind(driver: &EntryMetadata) -> Option<(String, String)> {
    let Kind { id, name, revision } = expected(&driver.namespace)?;
    if driver.kind == id && driver.revision == revision {
        return None;
    }
    let found = format!("{} revision {}", escape(kind_of(driver)), driver.revision);
    let namespace = escape(&driver.namespace);
    let why = format!("it is of kind {found}, `{namespace}` holds {name} revision {revision}");
    let help = if driver.kind == id {
        "install a build of it that fits this host".to_owned()
    } else {
        "move the entry to the namespace of its kind".to_owned()
    };
    Some((why, help))
}
