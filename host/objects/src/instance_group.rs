//! `InstanceGroup`: instances that are to be placed with regard to each other, and how.
//!
//! The same object is a record and a part of a request. Must not know what a policy means for hosts:
//! filters and weighers do. Written by the API, read again by the conductor for each attempt to
//! place a member.

use crate::macros::{list_object, versioned_object};

/// Policy of a group whose members have to share a host.
pub const AFFINITY: &str = "affinity";
/// Policy of a group whose members have to be on different hosts.
pub const ANTI_AFFINITY: &str = "anti-affinity";
/// Policy of a group whose members should share a host.
pub const SOFT_AFFINITY: &str = "soft-affinity";
/// Policy of a group whose members should be on different hosts.
pub const SOFT_ANTI_AFFINITY: &str = "soft-anti-affinity";
/// All policies that there are.
pub const POLICIES: [&str; 4] = [AFFINITY, ANTI_AFFINITY, SOFT_AFFINITY, SOFT_ANTI_AFFINITY];

versioned_object! {
    /// A group of instances.
    pub struct InstanceGroup, "1.10" {
        /// Row number.
        id: i64,
        /// Identifier.
        uuid: String,
        /// Name given by the user; several groups may share it.
        name: Option<String>,
        /// Who made it.
        user_id: Option<String>,
        /// Project that it belongs to.
        project_id: Option<String>,
        /// Policies, such as `anti-affinity`.
        policies: Vec<String>,
        /// Identifiers of the members that are not deleted, oldest first.
        members: Vec<String>,
        /// Hosts that run members, at the time of reading.
        hosts: Vec<String>,
    }
}

list_object! {
    /// A list of groups.
    pub struct InstanceGroupList, "1.8" of InstanceGroup
}

impl InstanceGroup {
    /// Whether a member must not be placed where the policy forbids it, whatever else speaks for
    /// that host.
    pub fn is_strict(&self) -> bool {
        let strict = |policy: &String| [AFFINITY, ANTI_AFFINITY].contains(&policy.as_str());
        self.policies().iter().any(strict)
    }
}
