//! Server groups: on which hosts the members that are placed run.
//!
//! Counts per host, so that a host leaves the group with its last member. Must not know policies: filters do. Used by
//! `run`.

use std::collections::{BTreeMap, HashMap};

use longshore_objects::InstanceGroup;

use super::requests::Group;

/// All groups of a simulation; members by host.
#[derive(Default)]
pub(super) struct Groups {
    hosts: HashMap<String, BTreeMap<String, usize>>,
}

impl Groups {
    /// The group as a request names it.
    pub(super) fn object(&self, group: &Group) -> InstanceGroup {
        let hosts = self.hosts.get(&group.name);
        let hosts = hosts.into_iter().flat_map(BTreeMap::keys).cloned();
        let mut object = InstanceGroup::new();
        object
            .set_uuid(group.name.as_str())
            .set_policies(vec![group.policy.clone()])
            .set_hosts(hosts.collect::<Vec<_>>());
        object
    }

    /// A member runs on this host now.
    pub(super) fn enter(&mut self, group: &Group, host: &str) {
        let hosts = self.hosts.entry(group.name.clone()).or_default();
        *hosts.entry(host.to_owned()).or_default() += 1;
    }

    /// A member left this host.
    pub(super) fn leave(&mut self, group: &Group, host: &str) {
        let Some(hosts) = self.hosts.get_mut(&group.name) else {
            return;
        };
        if let Some(members) = hosts.get_mut(host) {
            *members -= 1;
            if *members == 0 {
                hosts.remove(host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_in_the_group_as_long_as_a_member_is_there() {
        let group = Group {
            name: "db".to_owned(),
            policy: "affinity".to_owned(),
        };
        let mut groups = Groups::default();
        groups.enter(&group, "a");
        groups.enter(&group, "a");
        groups.enter(&group, "b");
        groups.leave(&group, "a");
        groups.leave(&group, "b");
        assert_eq!(groups.object(&group).hosts(), ["a"]);
    }
}
