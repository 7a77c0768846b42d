//! `aggregate_multi_tenancy_isolation` and `aggregate_type_affinity`: hosts whose aggregates name the project, or the flavor by its
//! name, under one key. A host in no aggregate with that key is for everybody.

use crate::aggregates;
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};
use std::marker::PhantomData;

/// What aggregates name.
pub(crate) trait Admitted: Send + Sync + 'static {
    /// The key under which they name it.
    const KEY: &'static str;
    /// The request's own.
    fn of(request: &RequestSpec) -> &str;
}

/// Projects.
pub(crate) struct Project;

impl Admitted for Project {
    const KEY: &'static str = "filter_tenant_id";
    fn of(request: &RequestSpec) -> &str {
        request.project_id()
    }
}

/// Flavors, by name.
pub(crate) struct FlavorName;

impl Admitted for FlavorName {
    const KEY: &'static str = "instance_type";
    fn of(request: &RequestSpec) -> &str {
        request.flavor_name()
    }
}

/// Passes hosts whose aggregates name what the request has, or nothing of the sort.
pub(crate) struct AggregateAdmissionFilter<A>(PhantomData<A>);

impl<A: Admitted> Driver for AggregateAdmissionFilter<A> {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self(PhantomData))
    }
}

impl<A: Admitted> Filter for AggregateAdmissionFilter<A> {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(aggregates::admit(host, A::KEY, A::of(request)))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let wanted = A::of(request);
        aggregates::retain(hosts, mask, |host| aggregates::admit(host, A::KEY, wanted));
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
        let named: [&[&str]; 5] = [&["p1, p2"], &["p2", "p1"], &["p2"], &["p11"], &[]];
        let hosts = aggregates(Project::KEY, &named);
        let request = RequestFields {
            project_id: "p1".to_owned(),
            ..RequestFields::default()
        };
        let filter = build::<AggregateAdmissionFilter<Project>>("{}");
        assert_eq!(left(&*filter, &hosts, request), [0, 1, 4]);
        let others = aggregates("other", &[&["p2"]]);
        assert_eq!(left(&*filter, &others, RequestFields::default()), [0]);
    }

    #[test]
    fn a_host_is_for_the_flavors_that_its_aggregates_name() {
        let hosts = aggregates(FlavorName::KEY, &[&["small"], &["large"], &[]]);
        let request = RequestFields {
            flavor_name: "small".to_owned(),
            ..RequestFields::default()
        };
        let filter = build::<AggregateAdmissionFilter<FlavorName>>("{}");
        assert_eq!(left(&*filter, &hosts, request), [0, 2]);
    }
}
