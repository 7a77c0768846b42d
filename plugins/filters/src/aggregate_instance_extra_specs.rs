//! `aggregate_instance_extra_specs`: hosts whose aggregates have what the flavor's extra specs ask
//! for. A key counts without a scope or in the scope of this name; what another filter understands
//! is asked of the aggregates too unless it has a scope. The operators are in `extra_specs`.

use crate::{aggregates, extra_specs};
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts whose aggregates have the wanted metadata.
pub(crate) struct AggregateInstanceExtraSpecsFilter;

const SCOPE: &str = "aggregate_instance_extra_specs";

/// The keys without their scope, and what is wanted of each.
fn requirements(request: &RequestSpec) -> Vec<(&str, &str)> {
    let specs = request.extra_specs();
    let unscoped = specs.filter_map(|(key, wanted)| match key.split_once(':') {
        None => Some((key, wanted)),
        Some((scope, key)) => (scope == SCOPE).then_some((key, wanted)),
    });
    unscoped.collect()
}

/// Whether every key has a value, in any aggregate, that is as wanted.
fn met_by(host: Host<'_>, requirements: &[(&str, &str)]) -> bool {
    requirements.iter().all(|&(key, wanted)| {
        let mut items = aggregates::values(host, key).flat_map(aggregates::items);
        items.any(|item| extra_specs::matches(item, wanted))
    })
}

impl Driver for AggregateInstanceExtraSpecsFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for AggregateInstanceExtraSpecsFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(met_by(host, &requirements(request)))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let requirements = requirements(request);
        if !requirements.is_empty() {
            aggregates::retain(hosts, mask, |host| met_by(host, &requirements));
        }
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{aggregates, build, left, pairs};
    use longshore_plugin_api::RequestFields;

    fn left_of(specs: &[(&str, &str)]) -> Vec<usize> {
        let hosts = aggregates(
            "ssd",
            &[&["true, 4"], &["false", "true"], &["false"], &[""], &[]],
        );
        let request = RequestFields {
            extra_specs: pairs(specs),
            ..RequestFields::default()
        };
        left(
            &*build::<AggregateInstanceExtraSpecsFilter>("{}"),
            &hosts,
            request,
        )
    }

    #[test]
    fn a_value_of_any_aggregate_will_do() {
        assert_eq!(left_of(&[("ssd", "true")]), [0, 1]);
        assert_eq!(
            left_of(&[("aggregate_instance_extra_specs:ssd", "<or> false <or> 4")]),
            [0, 1, 2]
        );
        assert_eq!(left_of(&[("ssd", "")]), [3]);
    }

    #[test]
    fn a_host_without_the_key_is_out() {
        assert!(left_of(&[("gpu", "s!= x")]).is_empty());
        assert!(left_of(&[("ssd", "true"), ("gpu", "1")]).is_empty());
    }

    #[test]
    fn other_scopes_are_other_filters_business() {
        assert_eq!(
            left_of(&[("hw:ssd", "9"), ("capabilities:ssd", "9")]).len(),
            5
        );
        assert_eq!(left_of(&[]).len(), 5);
    }
}
