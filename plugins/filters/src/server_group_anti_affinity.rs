//! `server_group_anti_affinity`: hosts that have no member of the instance's group. The host that
//! the instance itself is on passes, so that a resize may stay. Works on the group as the request
//! tells it; which hosts its members are on is worked out by the caller, after each choice anew.

use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, Host, HostTable, Mask, NoSettings, RequestSpec,
};

/// Passes hosts that have no member of the group.
pub(crate) struct ServerGroupAntiAffinityFilter;

const POLICY: &str = "anti-affinity";

/// Whether the group wants its members apart.
fn applies(request: &RequestSpec) -> bool {
    request.group_policies().any(|policy| policy == POLICY)
}

impl Driver for ServerGroupAntiAffinityFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for ServerGroupAntiAffinityFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        if !applies(request) {
            return Ok(true);
        }
        let table = host.table();
        let has_member = request
            .group_hosts()
            .any(|member| member == host.host_name());
        let mut instances = table.instances(host.row()).iter();
        let is_here = instances.any(|&id| table.text(id) == request.instance_uuid());
        Ok(!has_member || is_here)
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        if !applies(request) {
            return Ok(());
        }
        let ids = request
            .group_hosts()
            .filter_map(|host| hosts.find_text(host));
        let mut members: Vec<u32> = ids.collect();
        if members.is_empty() {
            return Ok(());
        }
        members.sort_unstable();
        let is_free = |host: u32| members.binary_search(&host).is_err();
        match hosts.find_text(request.instance_uuid()) {
            None => mask.retain(hosts.host_ids(), is_free),
            Some(this) => {
                let names = hosts.host_ids();
                mask.retain_rows(|row| {
                    let free = names.get(row).map_or(false, |&host| is_free(host));
                    free || hosts.instances(row).contains(&this)
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, group, left};
    use longshore_plugin_api::{testing, List, RequestFields};

    fn left_of(request: RequestFields) -> Vec<usize> {
        let hosts = testing::hosts(3, |c, row| {
            let uuid = c.intern(&format!("uuid-{}", row));
            c.set_list(List::Instances, row, &[uuid]);
        });
        left(
            &*build::<ServerGroupAntiAffinityFilter>("{}"),
            &hosts,
            request,
        )
    }

    #[test]
    fn hosts_of_members_are_out() {
        assert_eq!(
            left_of(group(&["anti-affinity"], &["host-0001", "host-0003"])),
            [1]
        );
    }

    #[test]
    fn another_policy_or_none_is_not_its_business() {
        for policies in [&["affinity"][..], &["soft-anti-affinity"], &[]] {
            assert_eq!(left_of(group(policies, &["host-0001"])), [0, 1, 2]);
        }
    }

    #[test]
    fn the_first_member_may_go_anywhere() {
        assert_eq!(left_of(group(&["anti-affinity"], &[])), [0, 1, 2]);
    }

    #[test]
    fn the_instance_may_stay_where_it_is() {
        let mut request = group(&["anti-affinity"], &["host-0001", "host-0002"]);
        request.instance_uuid = "uuid-1".to_owned();
        assert_eq!(left_of(request), [1, 2]);
    }

    #[test]
    fn members_on_hosts_that_are_gone_do_no_harm() {
        assert_eq!(left_of(group(&["anti-affinity"], &["gone"])), [0, 1, 2]);
    }

    #[test]
    fn a_member_on_every_host_leaves_none() {
        let everywhere = ["host-0001", "host-0002", "host-0003"];
        assert!(left_of(group(&["anti-affinity"], &everywhere)).is_empty());
    }
}
