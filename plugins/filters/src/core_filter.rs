//! `core`: hosts with enough processors, over-commit included. A host that reports no processors
//! passes, as its report is taken to be broken rather than the host to have none. (The file is not
//! called `core.rs`: a module of that name hides the standard one.)

use crate::ratio::{self, Resource};
use longshore_plugin_api::{
    decimal, Context, Driver, DriverError, Filter, Host, HostTable, Limits, Log, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts with enough processors.
pub(crate) struct CoreFilter {
    log: Log,
}

fn fits(total: u32, used: u32, ratio: f64, wanted: f64) -> bool {
    let (all, used) = (f64::from(total), f64::from(used));
    total == 0 || (all >= wanted && all * ratio - used >= wanted)
}

impl Resource for CoreFilter {
    const RATIO_KEY: &'static str = "cpu_allocation_ratio";

    fn own_ratio(host: Host<'_>) -> f32 {
        host.cpu_allocation_ratio()
    }

    fn fits_on(host: Host<'_>, ratio: f64, request: &RequestSpec) -> bool {
        let wanted = f64::from(request.vcpus());
        fits(host.vcpus_total(), host.vcpus_used(), ratio, wanted)
    }

    /// A host that reports no processors, or may promise none, has no limit.
    fn limits_of(host: Host<'_>, ratio: f64) -> Limits {
        let limit = f64::from(host.vcpus_total()) * ratio;
        Limits {
            vcpu: (limit > 0.0).then_some(limit),
            ..Limits::default()
        }
    }
}

impl Driver for CoreFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(Self { log: context.log() })
    }
}

impl Filter for CoreFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let ratio = decimal(host.cpu_allocation_ratio());
        Ok(Self::fits_on(host, ratio, request))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let (totals, wanted) = (hosts.vcpus_total(), f64::from(request.vcpus()));
        if totals.contains(&0) {
            self.log
                .warn("some hosts report no processors: the report is taken to be broken");
        }
        let columns = (totals, hosts.vcpus_used(), hosts.cpu_allocation_ratio());
        ratio::retain(mask, columns, |total, used, ratio| {
            fits(total, used, ratio, wanted)
        });
        Ok(())
    }

    fn limits(&self, host: Host<'_>, _: &RequestSpec) -> Result<Limits, DriverError> {
        let ratio = decimal(host.cpu_allocation_ratio());
        Ok(Self::limits_of(host, ratio))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, HostColumns, RequestFields};

    fn host(total: u32, used: u32, ratio: f32) -> HostColumns {
        testing::hosts(1, |c, row| {
            c.set_u32(Column::VcpusTotal, row, total);
            c.set_u32(Column::VcpusUsed, row, used);
            c.set_f32(Column::CpuAllocationRatio, row, ratio);
        })
    }

    fn takes(host: &HostColumns, vcpus: u32) -> bool {
        let request = RequestFields {
            vcpus,
            ..RequestFields::default()
        };
        !left(&*build::<CoreFilter>("{}"), host, request).is_empty()
    }

    #[test]
    fn over_commit_counts_and_the_edge_is_included() {
        assert!(takes(&host(4, 60, 16.0), 4));
        assert!(!takes(&host(4, 61, 16.0), 4));
    }

    #[test]
    fn one_instance_may_not_over_commit_alone() {
        assert!(!takes(&host(4, 0, 16.0), 5));
    }

    #[test]
    fn a_host_that_reports_no_processors_passes_without_a_limit() {
        let host = host(0, 0, 16.0);
        assert!(takes(&host, u32::MAX));
        let filter = build::<CoreFilter>("{}");
        let request = RequestFields::default().into();
        assert_eq!(
            filter.limits(host.snapshot().host(0), &request).unwrap(),
            Limits::default()
        );
    }

    #[test]
    fn more_used_than_there_are_is_full() {
        assert!(!takes(&host(4, u32::MAX, 1.0), 0));
        assert!(takes(&host(4, 4, 1.0), 0));
    }

    #[test]
    fn extremes_get_a_verdict() {
        assert!(takes(&host(u32::MAX, 0, 1.0), u32::MAX));
        assert!(!takes(&host(4, 0, f32::NAN), 1));
        assert!(!takes(&host(4, 0, 0.0), 1));
    }

    #[test]
    fn the_limit_is_the_total_times_the_ratio() {
        let table = host(4, 0, 16.0).snapshot();
        let limits =
            build::<CoreFilter>("{}").limits(table.host(0), &RequestFields::default().into());
        assert_eq!(limits.unwrap().vcpu, Some(64.0));
    }
}
