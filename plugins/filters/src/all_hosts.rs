//! `all_hosts`: every host passes. For trying a scheduler out, and for a list of filters that must
//! not be empty. Knows nothing of hosts or requests.

use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};

/// Passes every host.
pub(crate) struct AllHostsFilter;

impl Driver for AllHostsFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for AllHostsFilter {
    fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        Ok(true)
    }

    fn filter_all(
        &self,
        _: &HostTable,
        _: &RequestSpec,
        _: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, RequestFields};

    #[test]
    fn every_host_stays_whatever_its_state() {
        let filter = build::<AllHostsFilter>("{}");
        for n in [0, 1, 63, 64, 65] {
            let hosts = testing::hosts(n, |_, _| {});
            assert_eq!(left(&*filter, &hosts, RequestFields::default()).len(), n);
        }
        assert!(filter.traits().unwrap().run_once_per_request);
    }
}
