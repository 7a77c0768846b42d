//! `server_group_affinity`: hosts that already have a member of the instance's group. Works on the
//! group as the request tells it; which hosts its members are on is worked out by the caller, after
//! each choice anew.

use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, Host, HostTable, Mask, NoSettings, RequestSpec,
};

/// Passes hosts that have a member of the group.
pub(crate) struct ServerGroupAffinityFilter;

const POLICY: &str = "affinity";

/// Whether the group wants its members together, and has any that are placed.
fn applies(request: &RequestSpec) -> bool {
    request.group_policies().any(|policy| policy == POLICY)
        && request.group_hosts().next().is_some()
}

impl Driver for ServerGroupAffinityFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for ServerGroupAffinityFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(!applies(request)
            || request
                .group_hosts()
                .any(|member| member == host.host_name()))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        if applies(request) {
            let ids = request
                .group_hosts()
                .filter_map(|host| hosts.find_text(host));
            let mut members: Vec<u32> = ids.collect();
            members.sort_unstable();
            mask.retain(hosts.host_ids(), |host| {
                members.binary_search(&host).is_ok()
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, group, left};
    use longshore_plugin_api::testing;

    fn left_of(policies: &[&str], members_on: &[&str]) -> Vec<usize> {
        let hosts = testing::hosts(3, |_, _| {});
        let filter = build::<ServerGroupAffinityFilter>("{}");
        left(&*filter, &hosts, group(policies, members_on))
    }

    #[test]
    fn only_hosts_of_members_pass() {
        assert_eq!(left_of(&["affinity"], &["host-0001", "host-0003"]), [0, 2]);
    }

    #[test]
    fn another_policy_or_none_is_not_its_business() {
        assert_eq!(left_of(&["anti-affinity"], &["host-0001"]), [0, 1, 2]);
        assert_eq!(left_of(&["soft-affinity"], &["host-0001"]), [0, 1, 2]);
        assert_eq!(left_of(&[], &["host-0001"]), [0, 1, 2]);
    }

    #[test]
    fn one_policy_among_several_counts() {
        assert_eq!(left_of(&["legacy", "affinity"], &["host-0002"]), [1]);
    }

    #[test]
    fn the_first_member_may_go_anywhere() {
        assert_eq!(left_of(&["affinity"], &[]), [0, 1, 2]);
    }

    #[test]
    fn a_member_on_a_host_that_is_gone_leaves_no_host() {
        assert!(left_of(&["affinity"], &["gone"]).is_empty());
    }

    #[test]
    fn it_runs_for_every_instance_and_not_on_rebuild() {
        let traits = build::<ServerGroupAffinityFilter>("{}").traits().unwrap();
        assert_eq!(
            (traits.run_once_per_request, traits.run_on_rebuild),
            (false, false)
        );
    }
}
