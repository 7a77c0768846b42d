//! `aggregate_ram`, `aggregate_disk`, `aggregate_core`: as `ram`, `disk` and `core`, with the ratio
//! that the host's aggregates say. The smallest counts when they differ; the host's own when none
//! says any, or one cannot be read. Knows no resource by itself.

use crate::aggregates::{self, Memory};
use crate::ratio::{Resource, Widening};
use longshore_plugin_api::{
    decimal, Context, Driver, DriverError, Filter, Host, HostTable, Limits, Log, Mask, NoSettings,
    RequestSpec,
};
use std::marker::PhantomData;

/// Passes hosts with enough of a resource by their aggregates' ratio.
pub(crate) struct AggregateRatioFilter<R> {
    log: Log,
    resource: PhantomData<R>,
}

impl<R: Resource> AggregateRatioFilter<R> {
    fn ratio_of_aggregates(&self, host: Host<'_>) -> Option<f64> {
        aggregates::smallest(host, R::RATIO_KEY, &self.log)
    }

    fn ratio(&self, host: Host<'_>) -> f64 {
        let said = self.ratio_of_aggregates(host);
        said.unwrap_or_else(|| decimal(R::own_ratio(host)))
    }
}

impl<R: Resource> Driver for AggregateRatioFilter<R> {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            log: context.log(),
            resource: PhantomData,
        })
    }
}

impl<R: Resource> Filter for AggregateRatioFilter<R> {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(R::fits_on(host, self.ratio(host), request))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let (mut memory, widening) = (Memory::new(), Widening::new());
        mask.retain_rows(|row| {
            let host = hosts.host(row);
            let said = memory.of(host, || self.ratio_of_aggregates(host));
            let ratio = said.unwrap_or_else(|| widening.of(R::own_ratio(host)));
            R::fits_on(host, ratio, request)
        });
        Ok(())
    }

    fn limits(&self, host: Host<'_>, _: &RequestSpec) -> Result<Limits, DriverError> {
        Ok(R::limits_of(host, self.ratio(host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_filter::CoreFilter;
    use crate::disk::DiskFilter;
    use crate::ram::RamFilter;
    use crate::tests::support::{aggregates, build, left};
    use longshore_plugin_api::{Column, HostColumns, RequestFields};

    const SAID: [&[&str]; 4] = [&["2", "1.5"], &["2"], &["x", "3"], &[]];

    /// Hosts of which everything is used, and that may promise no more by their own ratio.
    fn hosts(key: &str) -> HostColumns {
        let mut hosts = aggregates(key, &SAID);
        for row in 0..SAID.len() {
            hosts.set_u32(Column::TotalUsableRamMb, row, 1000);
            hosts.set_i32(Column::FreeRamMb, row, 0);
            hosts.set_u32(Column::TotalUsableDiskGb, row, 10);
            hosts.set_i32(Column::FreeDiskMb, row, 0);
            hosts.set_u32(Column::VcpusTotal, row, 4);
            hosts.set_u32(Column::VcpusUsed, row, 4);
            for ratio in [
                Column::RamAllocationRatio,
                Column::DiskAllocationRatio,
                Column::CpuAllocationRatio,
            ] {
                hosts.set_f32(ratio, row, 1.0);
            }
        }
        hosts
    }

    #[test]
    fn the_smallest_ratio_of_the_aggregates_counts() {
        let hosts = hosts(RamFilter::RATIO_KEY);
        let filter = build::<AggregateRatioFilter<RamFilter>>("{}");
        let request = |memory_mb| RequestFields {
            memory_mb,
            ..RequestFields::default()
        };
        assert_eq!(left(&*filter, &hosts, request(500)), [0, 1]);
        assert_eq!(left(&*filter, &hosts, request(501)), [1]);
        assert!(left(&*filter, &hosts, request(1001)).is_empty());
        let limits = filter.limits(hosts.snapshot().host(0), &request(1).into());
        assert_eq!(limits.unwrap().memory_mb, Some(1500.0));
    }

    #[test]
    fn each_resource_has_its_own_key_and_limit() {
        let request = RequestFields {
            vcpus: 3,
            root_gb: 6,
            ..RequestFields::default()
        };
        let disk = build::<AggregateRatioFilter<DiskFilter>>("{}");
        assert_eq!(
            left(&*disk, &hosts(DiskFilter::RATIO_KEY), request.clone()),
            [1]
        );
        let core = build::<AggregateRatioFilter<CoreFilter>>("{}");
        let on_cores = hosts(CoreFilter::RATIO_KEY).snapshot();
        let limits = core.limits(on_cores.host(1), &request.clone().into());
        assert_eq!(limits.unwrap().vcpu, Some(8.0));
        assert_eq!(
            left(&*core, &hosts(CoreFilter::RATIO_KEY), request.clone()),
            [1]
        );
        assert!(left(&*core, &hosts(DiskFilter::RATIO_KEY), request).is_empty());
    }
}
