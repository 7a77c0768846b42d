//! `aggregate_type_affinity`: hosts whose aggregates name the flavor, or no flavor at all.
//! Looks at the one key below, which names flavors by name.

use crate::aggregates;
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts that take the flavor.
pub(crate) struct AggregateTypeAffinityFilter;

const KEY: &str = "instance_type";

impl Driver for AggregateTypeAffinityFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for AggregateTypeAffinityFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(aggregates::admit(host, KEY, request.flavor_name()))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let flavor = request.flavor_name();
        aggregates::retain(hosts, mask, |host| aggregates::admit(host, KEY, flavor));
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE)
    }
}
