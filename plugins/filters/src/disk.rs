//! `disk`: hosts with enough disk for root, second disk and swap together, over-commit included. An
//! instance may over-commit a host together with others, never alone. The limit it names, in GB, is
//! what compute checks its claim against.

use crate::ratio::{self, Resource};
use longshore_plugin_api::{
    decimal, Context, Driver, DriverError, Filter, Host, HostTable, Limits, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts with enough disk.
pub(crate) struct DiskFilter;

const MB_PER_GB: f64 = 1024.0;

/// The total in GB, the rest in MB.
fn fits(total_gb: u32, free: i32, ratio: f64, wanted: f64) -> bool {
    let total = f64::from(total_gb) * MB_PER_GB;
    let used = total - f64::from(free);
    total >= wanted && total * ratio - used >= wanted
}

impl Resource for DiskFilter {
    const RATIO_KEY: &'static str = "disk_allocation_ratio";

    fn own_ratio(host: Host<'_>) -> f32 {
        host.disk_allocation_ratio()
    }

    fn fits_on(host: Host<'_>, ratio: f64, request: &RequestSpec) -> bool {
        let wanted = request.disk_mb() as f64;
        fits(
            host.total_usable_disk_gb(),
            host.free_disk_mb(),
            ratio,
            wanted,
        )
    }

    fn limits_of(host: Host<'_>, ratio: f64) -> Limits {
        let total = f64::from(host.total_usable_disk_gb()) * MB_PER_GB;
        Limits {
            disk_gb: Some(total * ratio / MB_PER_GB),
            ..Limits::default()
        }
    }
}

impl Driver for DiskFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for DiskFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let ratio = decimal(host.disk_allocation_ratio());
        Ok(Self::fits_on(host, ratio, request))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let wanted = request.disk_mb() as f64;
        let totals = hosts.total_usable_disk_gb();
        let columns = (totals, hosts.free_disk_mb(), hosts.disk_allocation_ratio());
        ratio::retain(mask, columns, |total, free, ratio| {
            fits(total, free, ratio, wanted)
        });
        Ok(())
    }

    fn limits(&self, host: Host<'_>, _: &RequestSpec) -> Result<Limits, DriverError> {
        let ratio = decimal(host.disk_allocation_ratio());
        Ok(Self::limits_of(host, ratio))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, HostColumns, RequestFields};

    fn host(total_gb: u32, free_mb: i32, ratio: f32) -> HostColumns {
        testing::hosts(1, |c, row| {
            c.set_u32(Column::TotalUsableDiskGb, row, total_gb);
            c.set_i32(Column::FreeDiskMb, row, free_mb);
            c.set_f32(Column::DiskAllocationRatio, row, ratio);
        })
    }

    fn takes(host: &HostColumns, root_gb: u64, ephemeral_gb: u64, swap_mb: u64) -> bool {
        let request = RequestFields {
            root_gb,
            ephemeral_gb,
            swap_mb,
            ..RequestFields::default()
        };
        !left(&*build::<DiskFilter>("{}"), host, request).is_empty()
    }

    #[test]
    fn root_second_disk_and_swap_are_added_up() {
        let host = host(10, 10 * 1024, 1.0);
        assert!(takes(&host, 6, 3, 1024));
        assert!(!takes(&host, 6, 3, 1025));
    }

    #[test]
    fn over_commit_counts_what_others_have() {
        // 10 × 2 - 9 = 11, but alone at most 10.
        assert!(takes(&host(10, 1024, 2.0), 10, 0, 0));
        assert!(!takes(&host(10, 1024, 2.0), 11, 0, 0));
        assert!(!takes(&host(10, 1024, 1.0), 2, 0, 0));
    }

    #[test]
    fn a_host_that_is_over_committed_has_less_than_nothing() {
        assert!(!takes(&host(10, -1, 1.0), 0, 0, 0));
        assert!(takes(&host(10, -1024, 1.1), 0, 0, 0));
    }

    #[test]
    fn a_request_for_no_disk_fits_an_empty_host_without_disk() {
        assert!(takes(&host(0, 0, 1.0), 0, 0, 0));
        assert!(!takes(&host(0, 0, 1.0), 0, 0, 1));
    }

    #[test]
    fn extremes_get_a_verdict() {
        assert!(!takes(
            &host(u32::MAX, i32::MAX, 1.0),
            u64::MAX,
            u64::MAX,
            u64::MAX
        ));
        assert!(!takes(&host(10, i32::MIN, f32::NAN), 0, 0, 0));
    }

    #[test]
    fn the_limit_is_in_gigabytes() {
        let table = host(10, 0, 1.5).snapshot();
        let request = RequestFields::default().into();
        let limits = build::<DiskFilter>("{}")
            .limits(table.host(0), &request)
            .unwrap();
        assert_eq!(
            (limits.disk_gb, limits.memory_mb, limits.vcpu),
            (Some(15.0), None, None)
        );
    }
}
