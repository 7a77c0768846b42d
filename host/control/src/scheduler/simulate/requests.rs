//! The requests of a simulation: what is wanted, by when, until when.
//!
//! What many requests want alike is kept once, so that a hundred thousand of them take little more than their names.
//! Must not know hosts. Made by whoever reads or invents requests, played by `run`.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_objects::{Flavor, RequestSpec};

/// Most requests of one simulation.
pub const REQUESTS_MAX: usize = 5_000_000;

/// The project that asks for all instances, and their flavor.
pub(super) const SIMULATED: &str = "simulated";

/// What one instance needs. Amounts are those of a flavor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Processors.
    pub vcpus: u32,
    /// Memory, MB.
    pub memory_mb: u32,
    /// Root disk, GB.
    pub root_gb: u32,
    /// Second disk, GB.
    pub ephemeral_gb: u32,
    /// Swap, MB. Filters look at it; hosts do not count it.
    pub swap_mb: u32,
    /// The zone that is asked for.
    pub zone: Option<String>,
    /// Hosts of which one must be chosen.
    pub force_hosts: Vec<String>,
    /// Hosts that must not be chosen.
    pub ignore_hosts: Vec<String>,
    /// Hints for the scheduler.
    pub hints: BTreeMap<String, Vec<String>>,
    /// The flavor's extra specs.
    pub extra_specs: BTreeMap<String, String>,
    /// The server group.
    pub group: Option<Group>,
}

/// A server group: instances that want to be together, or apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// `affinity`, `anti-affinity` …
    pub policy: String,
}

/// One request for one or several equal instances.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its name; instances are called so too.
    pub id: String,
    /// What each instance needs.
    pub wanted: Arc<Wanted>,
    /// How many instances; all of them find a host, or none does.
    pub count: u32,
    /// When it comes, in seconds. Requests of the same second keep their order.
    pub arrive_s: u64,
    /// When its instances go, in seconds; never if absent.
    pub leave_s: Option<u64>,
}

impl Wanted {
    /// Disk that a host counts, GB.
    pub(super) fn disk_gb(&self) -> u64 {
        u64::from(self.root_gb) + u64::from(self.ephemeral_gb)
    }
}

impl Request {
    /// The names of the instances.
    pub(super) fn instances(&self) -> Vec<String> {
        match self.count {
            1 => vec![self.id.clone()],
            n => (1..=n).map(|i| format!("{}-{i}", self.id)).collect(),
        }
    }

    /// The request as the conductor would send it.
    pub(super) fn spec(&self) -> RequestSpec {
        let wanted = &*self.wanted;
        let mut flavor = Flavor::new();
        flavor
            .set_name(SIMULATED)
            .set_flavorid(SIMULATED)
            .set_vcpus(i64::from(wanted.vcpus))
            .set_memory_mb(i64::from(wanted.memory_mb))
            .set_root_gb(i64::from(wanted.root_gb))
            .set_ephemeral_gb(i64::from(wanted.ephemeral_gb))
            .set_swap(i64::from(wanted.swap_mb))
            .set_extra_specs(wanted.extra_specs.clone());
        let some = |hosts: &Vec<String>| (!hosts.is_empty()).then(|| hosts.clone());
        let mut spec = RequestSpec::new();
        spec.set_instance_uuid(self.id.as_str())
            .set_project_id(SIMULATED.to_owned())
            .set_flavor(flavor)
            .set_num_instances(i64::from(self.count))
            .set_availability_zone(wanted.zone.clone())
            .set_force_hosts(some(&wanted.force_hosts))
            .set_ignore_hosts(some(&wanted.ignore_hosts))
            .set_scheduler_hints(Some(wanted.hints.clone()).filter(|hints| !hints.is_empty()));
        spec
    }
}
