//! A filter built through the bridge, the rows it leaves, and requests. Every unit test here goes
//! through these.

use longshore_plugin_api::{
    full, testing, Driver, Filter, HostColumns, List, Mask, RequestFields, RequestSpec,
};
use std::path::Path;
use std::sync::Arc;

/// The filter as the scheduler sees it.
pub(crate) fn build<T: Filter + Driver>(settings: &str) -> Arc<dyn Filter> {
    testing::bridged::<dyn Filter, T>(settings, Path::new("/nonexistent")).unwrap()
}

/// The rows that the filter leaves of all of them, after a check that `passes` says the same of
/// each host.
pub(crate) fn left(filter: &dyn Filter, hosts: &HostColumns, request: RequestFields) -> Vec<usize> {
    let (table, request) = (hosts.snapshot(), RequestSpec::from(request));
    let mut words = full(table.len());
    let mut mask = Mask::new(&mut words, table.len());
    filter.filter_all(&table, &request, &mut mask).unwrap();
    for host in table.iter() {
        let passes = filter.passes(host, &request).unwrap();
        assert_eq!(passes, mask.contains(host.row()), "{host:?}");
    }
    mask.iter().collect()
}

/// A request for a member of a server group.
pub(crate) fn group(policies: &[&str], members_on: &[&str]) -> RequestFields {
    let texts = |list: &[&str]| list.iter().map(|t| t.to_string()).collect();
    RequestFields {
        instance_uuid: "uuid-new".to_owned(),
        group_policies: texts(policies),
        group_hosts: texts(members_on),
        ..RequestFields::default()
    }
}

/// A flavor's extra specs, or an image's properties.
pub(crate) fn pairs(list: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    list.iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// Hosts in aggregates that have one key; each host with its aggregates' values.
pub(crate) fn aggregates(key: &str, values: &[&[&str]]) -> HostColumns {
    testing::hosts(values.len(), |c, row| {
        let mut triples = Vec::new();
        for (id, value) in (1..).zip(values[row]) {
            triples.extend([id, c.intern(key), c.intern(value)]);
        }
        c.set_list(List::AggregateMetadata, row, &triples);
    })
}
