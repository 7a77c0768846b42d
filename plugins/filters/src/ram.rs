//! `ram`: hosts with enough memory, over-commit included. An instance may over-commit a host
//! together with others, never alone. Knows nothing of placement or of claims; the limit it names
//! is what compute checks its claim against.

use crate::ratio::{self, Resource};
use longshore_plugin_api::{
    decimal, Context, Driver, DriverError, Filter, Host, HostTable, Limits, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts with enough memory.
pub(crate) struct RamFilter;

/// Amounts in MB.
fn fits(total: u32, free: i32, ratio: f64, wanted: f64) -> bool {
    let total = f64::from(total);
    let used = total - f64::from(free);
    total >= wanted && total * ratio - used >= wanted
}

impl Resource for RamFilter {
    const RATIO_KEY: &'static str = "ram_allocation_ratio";

    fn own_ratio(host: Host<'_>) -> f32 {
        host.ram_allocation_ratio()
    }

    fn fits_on(host: Host<'_>, ratio: f64, request: &RequestSpec) -> bool {
        let wanted = request.memory_mb() as f64;
        fits(
            host.total_usable_ram_mb(),
            host.free_ram_mb(),
            ratio,
            wanted,
        )
    }

    fn limits_of(host: Host<'_>, ratio: f64) -> Limits {
        Limits {
            memory_mb: Some(f64::from(host.total_usable_ram_mb()) * ratio),
            ..Limits::default()
        }
    }
}

impl Driver for RamFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for RamFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let ratio = decimal(host.ram_allocation_ratio());
        Ok(Self::fits_on(host, ratio, request))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let wanted = request.memory_mb() as f64;
        let columns = (
            hosts.total_usable_ram_mb(),
            hosts.free_ram_mb(),
            hosts.ram_allocation_ratio(),
        );
        ratio::retain(mask, columns, |total, free, ratio| {
            fits(total, free, ratio, wanted)
        });
        Ok(())
    }

    fn limits(&self, host: Host<'_>, _: &RequestSpec) -> Result<Limits, DriverError> {
        let ratio = decimal(host.ram_allocation_ratio());
        Ok(Self::limits_of(host, ratio))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, HostColumns, RequestFields};

    fn host(total: u32, free: i32, ratio: f32) -> HostColumns {
        testing::hosts(1, |c, row| {
            c.set_u32(Column::TotalUsableRamMb, row, total);
            c.set_i32(Column::FreeRamMb, row, free);
            c.set_f32(Column::RamAllocationRatio, row, ratio);
        })
    }

    fn takes(host: &HostColumns, memory_mb: u64) -> bool {
        let request = RequestFields {
            memory_mb,
            ..RequestFields::default()
        };
        !left(&*build::<RamFilter>("{}"), host, request).is_empty()
    }

    #[test]
    fn over_commit_counts_and_the_edge_is_included() {
        // 1000 × 1.5 - (1000 - 100) = 600.
        assert!(takes(&host(1000, 100, 1.5), 600));
        assert!(!takes(&host(1000, 100, 1.5), 601));
    }

    #[test]
    fn one_instance_may_not_over_commit_alone() {
        assert!(takes(&host(1000, 1000, 4.0), 1000));
        assert!(!takes(&host(1000, 1000, 4.0), 1001));
    }

    #[test]
    fn negative_free_memory_is_what_over_commit_leaves() {
        assert!(takes(&host(1000, -400, 1.5), 100));
        assert!(!takes(&host(1000, -400, 1.5), 101));
    }

    #[test]
    fn a_ratio_below_one_is_exact() {
        assert!(takes(&host(1000, 1000, 0.9), 900));
        assert!(!takes(&host(1000, 1000, 0.9), 901));
    }

    #[test]
    fn extremes_get_a_verdict() {
        assert!(takes(&host(0, 0, 1.0), 0));
        assert!(!takes(&host(0, 0, 1.0), 1));
        assert!(!takes(&host(u32::MAX, i32::MAX, f32::MAX), u64::MAX));
        assert!(!takes(&host(u32::MAX, i32::MIN, 1.0), 1));
        assert!(!takes(&host(1000, 1000, f32::NAN), 1));
    }

    #[test]
    fn the_limit_is_the_total_times_the_ratio() {
        let table = host(1000, 100, 1.1).snapshot();
        let request = RequestFields::default().into();
        let limits = build::<RamFilter>("{}")
            .limits(table.host(0), &request)
            .unwrap();
        assert_eq!(limits.memory_mb, Some(1000.0 * 1.1));
        assert_eq!((limits.disk_gb, limits.vcpu), (None, None));
    }
}
