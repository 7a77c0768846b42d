//! `RequestSpec`: what is wanted, the scheduler's whole input.
//!
//! Must not know hosts' states. Made by the API, kept with the instance, read again for each retry.

use std::collections::BTreeMap;

use crate::flavor::Flavor;
use crate::image_meta::ImageMeta;
use crate::instance_group::InstanceGroup;
use crate::macros::versioned_object;

versioned_object! {
    /// Which hosts were tried before.
    pub struct SchedulerRetries, "1.1" {
        /// Attempts so far, the running one included.
        num_attempts: i64,
        /// Pairs of host and node that were tried.
        hosts: Vec<Vec<String>>,
    }
}

versioned_object! {
    /// How much a host may give out in all; nothing means unlimited.
    pub struct SchedulerLimits, "1.1" {
        /// Memory, in MB.
        memory_mb: Option<i64>,
        /// Disk, in GB.
        disk_gb: Option<i64>,
        /// Virtual processors.
        vcpu: Option<i64>,
        /// Limits of memory and processor cells, JSON text.
        numa_topology: Option<String>,
    }
}

versioned_object! {
    /// The host that an operator asked for.
    pub struct Destination, "1.1" {
        /// Host.
        host: String,
        /// Node of that host.
        node: Option<String>,
        /// Cell.
        cell: Option<String>,
    }
}

versioned_object! {
    /// A request for places of instances.
    pub struct RequestSpec, "1.8" {
        /// Row number.
        id: i64,
        /// The instance.
        instance_uuid: String,
        /// Project that asks.
        project_id: Option<String>,
        /// User who asks.
        user_id: Option<String>,
        /// Size wanted.
        flavor: Flavor,
        /// Image to boot.
        image: Option<ImageMeta>,
        /// How many instances were asked for at first boot.
        num_instances: i64 = 1,
        /// Availability zone wanted.
        availability_zone: Option<String>,
        /// Hosts never to be used.
        ignore_hosts: Option<Vec<String>>,
        /// The only hosts to be used.
        force_hosts: Option<Vec<String>>,
        /// The only nodes to be used.
        force_nodes: Option<Vec<String>>,
        /// Host that an operator asked for.
        requested_destination: Option<Destination>,
        /// Earlier attempts.
        retry: Option<SchedulerRetries>,
        /// Limits found by the filters for the chosen host.
        limits: Option<SchedulerLimits>,
        /// Group of the instance.
        instance_group: Option<InstanceGroup>,
        /// The user's wishes, by key.
        scheduler_hints: Option<BTreeMap<String, Vec<String>>>,
        /// Memory and processor cells wanted, JSON text.
        numa_topology: Option<String>,
        /// Devices wanted, JSON text.
        pci_requests: Option<String>,
        /// Security groups by name.
        security_groups: Vec<String>,
    }
}
