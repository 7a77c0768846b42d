//! What is wanted: the scheduler's input, with the fields of Nova's `RequestSpec`.
//!
//! A request is immutable and shared: passing it to a filter copies nothing. Units are Nova's: memory and swap in MB,
//! disks in GB.

use crate::abi::request::{RequestRef, Slots};
use std::collections::BTreeMap;

/// The parts of a [`RequestSpec`], to make one from. What is left out is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestFields {
    /// The instance's uuid; the first one when several are asked for.
    pub instance_uuid: String,
    /// Who it is for.
    pub project_id: String,
    /// How many instances are asked for at once.
    pub num_instances: u32,
    /// The flavor's id.
    pub flavor_id: String,
    /// The flavor's name.
    pub flavor_name: String,
    /// Processors of one instance.
    pub vcpus: u32,
    /// Memory of one instance, MB.
    pub memory_mb: u64,
    /// Root disk, GB.
    pub root_gb: u64,
    /// Second disk, GB.
    pub ephemeral_gb: u64,
    /// Swap, MB.
    pub swap_mb: u64,
    /// The flavor's extra specs.
    pub extra_specs: BTreeMap<String, String>,
    /// The image's id.
    pub image_id: Option<String>,
    /// The image's properties.
    pub image_properties: BTreeMap<String, String>,
    /// The zone that was asked for.
    pub availability_zone: Option<String>,
    /// Hosts that must not be chosen.
    pub ignore_hosts: Vec<String>,
    /// Hosts of which one must be chosen.
    pub force_hosts: Vec<String>,
    /// Nodes of which one must be chosen.
    pub force_nodes: Vec<String>,
    /// The one host and node that are allowed.
    pub requested_destination: Option<(String, String)>,
    /// How many times it was tried before, this time included; 0 when there is no retry.
    pub num_attempts: u32,
    /// Where it was tried before: host and node.
    pub retry_hosts: Vec<(String, String)>,
    /// Policies of the instance's server group.
    pub group_policies: Vec<String>,
    /// Hosts of the server group's members.
    pub group_hosts: Vec<String>,
    /// Uuids of the server group's members.
    pub group_members: Vec<String>,
    /// The user's hints; a key may have several values.
    pub scheduler_hints: Vec<(String, String)>,
    /// Whether this only checks that an instance may be rebuilt where it is.
    pub is_rebuild: bool,
    /// Facts that have no field here, as a JSON object.
    pub extra: Option<String>,
    /// The NUMA cells of one instance, as a JSON object `{"cells": […]}`.
    pub numa_topology: Option<String>,
    /// The PCI devices of one instance, as a JSON list of `{"count": …, "spec": [{…}]}`.
    pub pci_requests: Option<String>,
}

/// What is wanted: one or several equal instances.
#[derive(Clone)]
pub struct RequestSpec(RequestRef);

// Slots. Never renumber; append.
const N_INSTANCES: usize = 0;
const N_VCPUS: usize = 1;
const N_MEMORY_MB: usize = 2;
const N_ROOT_GB: usize = 3;
const N_EPHEMERAL_GB: usize = 4;
const N_SWAP_MB: usize = 5;
const N_ATTEMPTS: usize = 6;
const N_REBUILD: usize = 7;

const T_INSTANCE: usize = 0;
const T_PROJECT: usize = 1;
const T_FLAVOR_ID: usize = 2;
const T_FLAVOR_NAME: usize = 3;
const T_IMAGE_ID: usize = 4;
const T_ZONE: usize = 5;
const T_DESTINATION_HOST: usize = 6;
const T_DESTINATION_NODE: usize = 7;
const T_EXTRA: usize = 8;
const T_NUMA_TOPOLOGY: usize = 9;
const T_PCI_REQUESTS: usize = 10;

const L_IGNORE_HOSTS: usize = 0;
const L_FORCE_HOSTS: usize = 1;
const L_FORCE_NODES: usize = 2;
const L_GROUP_POLICIES: usize = 3;
const L_GROUP_HOSTS: usize = 4;
const L_GROUP_MEMBERS: usize = 5;

const P_EXTRA_SPECS: usize = 0;
const P_IMAGE: usize = 1;
const P_RETRY: usize = 2;
const P_HINTS: usize = 3;

impl From<RequestFields> for RequestSpec {
    fn from(f: RequestFields) -> Self {
        let (to_host, to_node) = f.requested_destination.unzip_();
        Self(RequestRef::new(Slots {
            numbers: vec![
                f.num_instances.into(),
                f.vcpus.into(),
                f.memory_mb,
                f.root_gb,
                f.ephemeral_gb,
                f.swap_mb,
                f.num_attempts.into(),
                f.is_rebuild.into(),
            ],
            texts: vec![
                Some(f.instance_uuid),
                Some(f.project_id),
                Some(f.flavor_id),
                Some(f.flavor_name),
                f.image_id,
                f.availability_zone.filter(|z| !z.is_empty()),
                to_host,
                to_node,
                f.extra,
                f.numa_topology,
                f.pci_requests,
            ],
            lists: vec![
                f.ignore_hosts,
                f.force_hosts,
                f.force_nodes,
                f.group_policies,
                f.group_hosts,
                f.group_members,
            ],
            pairs: vec![
                f.extra_specs.into_iter().collect(),
                f.image_properties.into_iter().collect(),
                f.retry_hosts,
                f.scheduler_hints,
            ],
        }))
    }
}

/// `Option::unzip` came after the oldest supported compiler.
trait Unzip<A, B> {
    fn unzip_(self) -> (Option<A>, Option<B>);
}

impl<A, B> Unzip<A, B> for Option<(A, B)> {
    fn unzip_(self) -> (Option<A>, Option<B>) {
        match self {
            Some((a, b)) => (Some(a), Some(b)),
            None => (None, None),
        }
    }
}

impl RequestSpec {
    pub(crate) fn from_handle(handle: RequestRef) -> Self {
        Self(handle)
    }

    pub(crate) fn as_ref_handle(&self) -> &RequestRef {
        &self.0
    }

    fn number32(&self, slot: usize) -> u32 {
        u32::try_from(self.0.number(slot)).unwrap_or(u32::MAX)
    }

    fn required(&self, slot: usize) -> &str {
        self.0.text(slot).unwrap_or_default()
    }

    /// The instance's uuid; the first one when several are asked for.
    pub fn instance_uuid(&self) -> &str {
        self.required(T_INSTANCE)
    }

    /// Who it is for.
    pub fn project_id(&self) -> &str {
        self.required(T_PROJECT)
    }

    /// How many instances are asked for at once.
    pub fn num_instances(&self) -> u32 {
        self.number32(N_INSTANCES)
    }

    /// The flavor's id.
    pub fn flavor_id(&self) -> &str {
        self.required(T_FLAVOR_ID)
    }

    /// The flavor's name.
    pub fn flavor_name(&self) -> &str {
        self.required(T_FLAVOR_NAME)
    }

    /// Processors of one instance.
    pub fn vcpus(&self) -> u32 {
        self.number32(N_VCPUS)
    }

    /// Memory of one instance, MB.
    pub fn memory_mb(&self) -> u64 {
        self.0.number(N_MEMORY_MB)
    }

    /// Root disk, GB.
    pub fn root_gb(&self) -> u64 {
        self.0.number(N_ROOT_GB)
    }

    /// Second disk, GB.
    pub fn ephemeral_gb(&self) -> u64 {
        self.0.number(N_EPHEMERAL_GB)
    }

    /// Swap, MB.
    pub fn swap_mb(&self) -> u64 {
        self.0.number(N_SWAP_MB)
    }

    /// All disk of one instance as Nova's disk filter counts it, MB: 1024 × (root + ephemeral) + swap.
    pub fn disk_mb(&self) -> u64 {
        let gb = self.root_gb().saturating_add(self.ephemeral_gb());
        gb.saturating_mul(1024).saturating_add(self.swap_mb())
    }

    /// The flavor's extra specs.
    pub fn extra_specs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.pairs(P_EXTRA_SPECS)
    }

    /// The image's id.
    pub fn image_id(&self) -> Option<&str> {
        self.0.text(T_IMAGE_ID)
    }

    /// The image's properties.
    pub fn image_properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.pairs(P_IMAGE)
    }

    /// One property of the image.
    pub fn image_property(&self, key: &str) -> Option<&str> {
        self.image_properties()
            .find(|(k, _)| *k == key)
            .map(|(_, v)| v)
    }

    /// The zone that was asked for.
    pub fn availability_zone(&self) -> Option<&str> {
        self.0.text(T_ZONE)
    }

    /// Hosts that must not be chosen.
    pub fn ignore_hosts(&self) -> impl Iterator<Item = &str> {
        self.0.list(L_IGNORE_HOSTS)
    }

    /// Hosts of which one must be chosen; none means any.
    pub fn force_hosts(&self) -> impl Iterator<Item = &str> {
        self.0.list(L_FORCE_HOSTS)
    }

    /// Nodes of which one must be chosen; none means any.
    pub fn force_nodes(&self) -> impl Iterator<Item = &str> {
        self.0.list(L_FORCE_NODES)
    }

    /// The one host and node that are allowed.
    pub fn requested_destination(&self) -> Option<(&str, &str)> {
        Some((
            self.0.text(T_DESTINATION_HOST)?,
            self.0.text(T_DESTINATION_NODE)?,
        ))
    }

    /// How many times it was tried, this time included; 0 when there is no retry.
    pub fn num_attempts(&self) -> u32 {
        self.number32(N_ATTEMPTS)
    }

    /// Where it was tried before: host and node.
    pub fn retry_hosts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.pairs(P_RETRY)
    }

    /// Policies of the instance's server group.
    pub fn group_policies(&self) -> impl Iterator<Item = &str> {
        self.0.list(L_GROUP_POLICIES)
    }

    /// Hosts of the server group's members.
    pub fn group_hosts(&self) -> impl Iterator<Item = &str> {
        self.0.list(L_GROUP_HOSTS)
    }

    /// Uuids of the server group's members.
    pub fn group_members(&self) -> impl Iterator<Item = &str> {
        self.0.list(L_GROUP_MEMBERS)
    }

    /// The values of one hint of the user's.
    pub fn scheduler_hint<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .pairs(P_HINTS)
            .filter(move |(k, _)| *k == key)
            .map(|(_, v)| v)
    }

    /// Whether this only checks that an instance may be rebuilt where it is.
    pub fn is_rebuild(&self) -> bool {
        self.0.number(N_REBUILD) != 0
    }

    /// Facts that have no method here, as a JSON object.
    pub fn extra(&self) -> Option<&str> {
        self.0.text(T_EXTRA)
    }

    /// The NUMA cells of one instance, as a JSON object `{"cells": […]}`.
    pub fn numa_topology(&self) -> Option<&str> {
        self.0.text(T_NUMA_TOPOLOGY)
    }

    /// The PCI devices of one instance, as a JSON list of `{"count": …, "spec": [{…}]}`.
    pub fn pci_requests(&self) -> Option<&str> {
        self.0.text(T_PCI_REQUESTS)
    }
}

impl std::fmt::Debug for RequestSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestSpec")
            .field("instance_uuid", &self.instance_uuid())
            .field("num_instances", &self.num_instances())
            .field("flavor", &self.flavor_name())
            .field("vcpus", &self.vcpus())
            .field("memory_mb", &self.memory_mb())
            .field("disk_mb", &self.disk_mb())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_an_older_maker_reads_as_absent_where_it_has_no_slot() {
        let older = RequestSpec::from_handle(RequestRef::new(Slots {
            texts: vec![Some("u".to_owned())],
            ..Slots::default()
        }));
        assert_eq!(older.instance_uuid(), "u");
        assert_eq!((older.numa_topology(), older.pci_requests()), (None, None));
        assert_eq!((older.vcpus(), older.scheduler_hint("x").count()), (0, 0));
        let fields = RequestFields {
            numa_topology: Some("{}".to_owned()),
            ..RequestFields::default()
        };
        assert_eq!(RequestSpec::from(fields).numa_topology(), Some("{}"));
    }
}
