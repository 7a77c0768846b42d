//! What aggregates say of each host: their numbers, their metadata, and the availability zones that
//! these name. Knows the meaning of the one key `availability_zone`. Called by `fleet`.

use longshore_plugin_api::Aggregate;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const ZONE_KEY: &str = "availability_zone";

/// One host's aggregates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Numbers, smallest first.
    pub(crate) aggregates: Vec<u32>,
    /// Names of zones, comma separated, each once; empty when no aggregate names one.
    pub(crate) zones: String,
    /// Metadata of each aggregate.
    metadata: Vec<Arc<BTreeMap<String, String>>>,
}

/// The aggregates of every host that is in any.
pub(crate) fn by_host(mut all: Vec<Aggregate>) -> HashMap<String, Membership> {
    all.sort_by_key(|aggregate| aggregate.id);
    let mut hosts: HashMap<String, Membership> = HashMap::new();
    for aggregate in all {
        let zones = aggregate.metadata.get(ZONE_KEY).map_or("", String::as_str);
        let zones = zones.to_owned();
        let metadata = Arc::new(aggregate.metadata);
        for host in aggregate.hosts {
            let membership = hosts.entry(host).or_default();
            membership.join(aggregate.id, &zones, &metadata);
        }
    }
    hosts
}

impl Membership {
    /// Number, key and value of everything that the aggregates' metadata say.
    pub(crate) fn triples(&self) -> impl Iterator<Item = (u32, &str, &str)> {
        let each = self.aggregates.iter().zip(&self.metadata);
        each.flat_map(|(&aggregate, metadata)| {
            let pairs = metadata.iter();
            pairs.map(move |(key, value)| (aggregate, key.as_str(), value.as_str()))
        })
    }

    fn join(&mut self, aggregate: u32, zones: &str, metadata: &Arc<BTreeMap<String, String>>) {
        if self.aggregates.last() != Some(&aggregate) {
            self.aggregates.push(aggregate);
            self.metadata.push(Arc::clone(metadata));
        }
        for zone in zones
            .split(',')
            .map(str::trim)
            .filter(|zone| !zone.is_empty())
        {
            if self.zones.split(',').any(|known| known == zone) {
                continue;
            }
            if !self.zones.is_empty() {
                self.zones.push(',');
            }
            self.zones.push_str(zone);
        }
    }
}
