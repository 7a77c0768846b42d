//! `aggregate_multi_tenancy_isolation`: hosts that their aggregates do not keep for other projects.
//! A host in no aggregate that names projects is for everybody. Looks at the one key below.

use crate::aggregates;
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts that the project may use.
pub(crate) struct AggregateMultiTenancyIsolation;

const KEY: &str = "filter_tenant_id";

impl Driver for AggregateMultiTenancyIsolation {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for AggregateMultiTenancyIsolation {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(aggregates::admit(host, KEY, request.project_id()))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let project = request.project_id();
        aggregates::retain(hosts, mask, |host| aggregates::admit(host, KEY, project));
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{aggregates, build, left};
    use longshore_plugin_api::RequestFields;

    #[test]
    fn a_host_is_for_the_projects_that_any_aggregate_names() {
        let hosts = aggregates(KEY, &[&["p1, p2"], &["p2", "p1"], &["p2"], &["p11"], &[]]);
        let request = RequestFields {
            project_id: "p1".to_owned(),
            ..RequestFields::default()
        };
        let filter = build::<AggregateMultiTenancyIsolation>("{}");
        assert_eq!(left(&*filter, &hosts, request), [0, 1, 4]);
        let others = aggregates("other", &[&["p2"]]);
        assert_eq!(left(&*filter, &others, RequestFields::default()), [0]);
    }
}
