//! `io_ops`, `num_instances` and their variants with `aggregate_`: hosts on which a count is below a
//! maximum, which the operator sets for all hosts or, in the variants, the aggregates say. The
//! smallest counts when they differ; the operator's when none says any, or one cannot be read.

use crate::aggregates::{self, Memory};
use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Filter, Host, HostTable, Log, Mask, RequestSpec,
    Settings,
};
use std::marker::PhantomData;

/// Something that hosts count.
pub(crate) trait Counted: Send + Sync + 'static {
    /// What the operator can set.
    type Settings: Settings;
    /// The key under which aggregates say a maximum.
    const KEY: &'static str;
    /// The operator's maximum.
    fn maximum(settings: &Self::Settings) -> u32;
    /// How many each host has.
    fn counts(hosts: &HostTable) -> &[u32];
}

settings! {
    /// What the operator can set of `io_ops`.
    pub(crate) struct IoOpsSettings {
        /// A host that builds, moves or saves this many instances takes no other.
        max_io_ops_per_host: u32 = 8;
    }
}

settings! {
    /// What the operator can set of `num_instances`.
    pub(crate) struct NumInstancesSettings {
        /// A host that has this many instances takes no other.
        max_instances_per_host: u32 = 50, min = 1;
    }
}

/// Instances that are being built, moved or saved.
pub(crate) struct IoOps;

impl Counted for IoOps {
    type Settings = IoOpsSettings;
    const KEY: &'static str = "max_io_ops_per_host";
    fn maximum(settings: &IoOpsSettings) -> u32 {
        settings.max_io_ops_per_host
    }
    fn counts(hosts: &HostTable) -> &[u32] {
        hosts.num_io_ops()
    }
}

/// Instances.
pub(crate) struct NumInstances;

impl Counted for NumInstances {
    type Settings = NumInstancesSettings;
    const KEY: &'static str = "max_instances_per_host";
    fn maximum(settings: &NumInstancesSettings) -> u32 {
        settings.max_instances_per_host
    }
    fn counts(hosts: &HostTable) -> &[u32] {
        hosts.num_instances()
    }
}

fn count_on<C: Counted>(host: Host<'_>) -> u32 {
    let counts = C::counts(host.table());
    counts.get(host.row()).copied().unwrap_or_default()
}

/// Passes hosts that are below the operator's maximum.
pub(crate) struct MaximumFilter<C> {
    maximum: u32,
    counted: PhantomData<C>,
}

impl<C: Counted> Driver for MaximumFilter<C> {
    type Settings = C::Settings;
    fn new(settings: C::Settings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            maximum: C::maximum(&settings),
            counted: PhantomData,
        })
    }
}

impl<C: Counted> Filter for MaximumFilter<C> {
    fn passes(&self, host: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        Ok(count_on::<C>(host) < self.maximum)
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        mask.retain(C::counts(hosts), |count| count < self.maximum);
        Ok(())
    }
}

/// Passes hosts that are below the maximum of their aggregates.
pub(crate) struct AggregateMaximumFilter<C> {
    maximum: i64,
    log: Log,
    counted: PhantomData<C>,
}

impl<C: Counted> AggregateMaximumFilter<C> {
    fn maximum(&self, host: Host<'_>) -> i64 {
        aggregates::smallest(host, C::KEY, &self.log).unwrap_or(self.maximum)
    }
}

impl<C: Counted> Driver for AggregateMaximumFilter<C> {
    type Settings = C::Settings;
    fn new(settings: C::Settings, context: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            maximum: C::maximum(&settings).into(),
            log: context.log(),
            counted: PhantomData,
        })
    }
}

impl<C: Counted> Filter for AggregateMaximumFilter<C> {
    fn passes(&self, host: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        Ok(i64::from(count_on::<C>(host)) < self.maximum(host))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let mut memory = Memory::new();
        mask.retain_rows(|row| {
            let host = hosts.host(row);
            let maximum = memory.of(host, || self.maximum(host));
            i64::from(count_on::<C>(host)) < maximum
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{aggregates, build, left};
    use longshore_plugin_api::{testing, Column, RequestFields};

    fn left_of(filter: &dyn Filter, column: Column, counts: &[u32]) -> Vec<usize> {
        let hosts = testing::hosts(counts.len(), |c, row| c.set_u32(column, row, counts[row]));
        left(filter, &hosts, RequestFields::default())
    }

    #[test]
    fn the_maximum_itself_is_too_many() {
        let io_ops = build::<MaximumFilter<IoOps>>("{}");
        assert_eq!(left_of(&*io_ops, Column::NumIoOps, &[0, 7, 8, 9]), [0, 1]);
        let instances = build::<MaximumFilter<NumInstances>>("{}");
        assert_eq!(left_of(&*instances, Column::NumInstances, &[49, 50]), [0]);
    }

    #[test]
    fn the_operator_sets_it() {
        let none = build::<MaximumFilter<IoOps>>(r#"{"max_io_ops_per_host": 0}"#);
        assert!(left_of(&*none, Column::NumIoOps, &[0]).is_empty());
        let two = build::<MaximumFilter<NumInstances>>(r#"{"max_instances_per_host": 2}"#);
        assert_eq!(left_of(&*two, Column::NumInstances, &[1, 2]), [0]);
    }

    #[test]
    fn aggregates_say_another_one() {
        let said: [&[&str]; 5] = [&["3", " 2"], &["3"], &["3", "x"], &["-1"], &[]];
        let mut hosts = aggregates(IoOps::KEY, &said);
        for row in 0..said.len() {
            hosts.set_u32(Column::NumIoOps, row, 2);
        }
        let filter = build::<AggregateMaximumFilter<IoOps>>(r#"{"max_io_ops_per_host": 4}"#);
        assert_eq!(left(&*filter, &hosts, RequestFields::default()), [1, 2, 4]);
    }
}
