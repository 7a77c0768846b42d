//! `server_group_soft_affinity` and `server_group_soft_anti_affinity`: members of the instance's
//! server group on the host, counted for one and against the other. Zero for every host when the
//! group has another policy. Goes by the instances that the table names.

use longshore_plugin_api::{
    Context, Driver, DriverError, Host, HostTable, Mask, NoSettings, RequestSpec, Weigher,
};

fn has_policy(request: &RequestSpec, policy: &str) -> bool {
    request.group_policies().any(|p| p == policy)
}

/// The members of the group that are on any host, as text ids in order.
fn members(hosts: &HostTable, request: &RequestSpec) -> Vec<u32> {
    let ids = request
        .group_members()
        .filter_map(|uuid| hosts.find_text(uuid));
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn count(hosts: &HostTable, row: usize, members: &[u32]) -> f32 {
    let instances = hosts.instances(row).iter();
    let on_host = instances.filter(|id| members.binary_search(id).is_ok());
    on_host.count() as f32
}

macro_rules! weigher {
    ($(#[$doc:meta])* $Weigher:ident, $policy:literal, $weight:expr) => {
        $(#[$doc])*
        pub(crate) struct $Weigher;

        impl Driver for $Weigher {
            type Settings = NoSettings;
            fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
                Ok(Self)
            }
        }

        impl Weigher for $Weigher {
            fn weigh(&self, host: Host<'_>, request: &RequestSpec) -> Result<f32, DriverError> {
                if !has_policy(request, $policy) {
                    return Ok(0.0);
                }
                let members = members(host.table(), request);
                Ok($weight(count(host.table(), host.row(), &members)))
            }

            fn weigh_all(
                &self,
                hosts: &HostTable,
                request: &RequestSpec,
                mask: &Mask<'_>,
                scores: &mut [f32],
            ) -> Result<(), DriverError> {
                scores.fill(0.0);
                if has_policy(request, $policy) {
                    let members = members(hosts, request);
                    for row in mask.iter() {
                        if let Some(score) = scores.get_mut(row) {
                            *score = $weight(count(hosts, row, &members));
                        }
                    }
                }
                Ok(())
            }
        }
    };
}

weigher! {
    /// Weighs members of the group.
    SoftAffinityWeigher, "soft-affinity", |members: f32| members
}
weigher! {
    /// Weighs members of the group against the host.
    SoftAntiAffinityWeigher, "soft-anti-affinity", |members: f32| 0.0 - members
}
