//! `caching_scheduler`: the filter scheduler over the hosts that were best when all were looked at last.
//!
//! Nova's read its hosts from the database once a minute and not for each request. Here they are at hand, always as they
//! are now, and what costs is to look at all of them. So this one keeps what a look came to: the best hosts for requests
//! of a kind, by name. The next request of that kind runs filters and weighers over these hosts alone, on what they have
//! now, consumption included. All hosts are looked at again after the periodic tasks, once the list has served as many
//! instances as it has hosts, and when the filters leave none of them: no request fails because of a list.

use crate::select::{Listed, Walk};
use longshore_plugin_api::{
    settings, CallContext, Context, Driver, DriverError, HostStates, HostTable, RequestSpec,
    Scheduler, SelectOptions, Selection,
};
use std::collections::hash_map::DefaultHasher;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many kinds of requests have a list. One more, and all lists are made anew.
pub(crate) const KINDS_MAX: usize = 256;
/// How many hosts of a list may have moved in the table, which costs a search each; above that the list is made anew.
const MOVED_MAX: usize = 16;

settings! {
    /// What the operator can set.
    pub struct CachingSettings {
        /// How many of the best hosts are kept for requests of one kind.
        cached_hosts: u32 = 256, min = 1, max = 100000;
    }
}

/// Takes one of the best hosts among those that were best before.
pub(crate) struct CachingScheduler {
    hosts_max: usize,
    lists: Mutex<HashMap<u64, List>>,
}

/// The best hosts for one kind of request.
struct List {
    hosts: Arc<[Listed]>,
    /// How many instances it may still serve.
    instances: usize,
}

impl CachingScheduler {
    /// Lists are replaced whole, so one that a panic left behind is right.
    fn lists(&self) -> MutexGuard<'_, HashMap<u64, List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows that the listed hosts have now; nothing when all hosts are to be looked at.
    fn rows(&self, kind: u64, instances: usize, table: &HostTable) -> Option<Vec<usize>> {
        let hosts = {
            let mut lists = self.lists();
            let list = lists.get_mut(&kind)?;
            list.instances = list.instances.checked_sub(instances)?;
            Arc::clone(&list.hosts)
        };
        let mut moved = 0;
        let mut rows = Vec::with_capacity(hosts.len());
        for host in hosts.iter() {
            if host.is_in_its_row(table) {
                rows.push(host.row);
                continue;
            }
            moved += 1;
            if moved > MOVED_MAX {
                return None;
            }
            // A host that is gone is passed over.
            rows.extend(table.find(&host.host, &host.node));
        }
        Some(rows)
    }

    fn keep(&self, kind: u64, hosts: Vec<Listed>) {
        let mut lists = self.lists();
        if lists.len() >= KINDS_MAX && !lists.contains_key(&kind) {
            lists.clear();
        }
        let instances = hosts.len();
        let hosts = hosts.into();
        lists.insert(kind, List { hosts, instances });
    }
}

/// A number for all that makes requests alike; nothing for one that wants particular hosts. Two kinds with one number
/// would share a list, whose hosts are filtered anyway.
fn kind(request: &RequestSpec) -> Option<u64> {
    let wants_hosts = request.is_rebuild()
        || request.requested_destination().is_some()
        || request.force_hosts().next().is_some()
        || request.force_nodes().next().is_some()
        || request.group_policies().next().is_some();
    if wants_hosts {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    let disks = [request.root_gb(), request.ephemeral_gb(), request.swap_mb()];
    (request.vcpus(), request.memory_mb(), disks).hash(&mut hasher);
    let ids = [
        Some(request.project_id()),
        Some(request.flavor_id()),
        request.image_id(),
    ];
    let wishes = [
        request.availability_zone(),
        request.numa_topology(),
        request.pci_requests(),
    ];
    (ids, wishes).hash(&mut hasher);
    let pairs = request.extra_specs().chain(request.image_properties());
    pairs.for_each(|pair| pair.hash(&mut hasher));
    Some(hasher.finish())
}

impl Driver for CachingScheduler {
    type Settings = CachingSettings;
    fn new(settings: CachingSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            hosts_max: settings.cached_hosts as usize,
            lists: Mutex::default(),
        })
    }
}

impl Scheduler for CachingScheduler {
    fn select_destinations(
        &self,
        context: &CallContext<'_>,
        request: &RequestSpec,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        let (kind, mut weights) = (kind(request), Vec::new());
        let mut walk = Walk::start(options, hosts, &mut weights)?;
        if let Some(kind) = kind {
            walk.list_best(self.hosts_max);
            if let Some(rows) = self.rows(kind, options.instances as usize, walk.table()) {
                walk.begin_with(&rows);
            }
        }
        walk.place_all(context)?;
        if let (Some(kind), Some(best)) = (kind, walk.take_list()) {
            self.keep(kind, best);
        }
        walk.finish()
    }

    /// Forgets all lists: the next request of each kind looks at all hosts.
    fn run_periodic_tasks(&self, _: &CallContext<'_>) -> Result<(), DriverError> {
        self.lists().clear();
        Ok(())
    }
}
