//! What aggregates say of each host: their numbers, and the availability zones that their metadata
//! name. Knows of metadata the one key `availability_zone`. Called by `fleet`.

use longshore_plugin_api::Aggregate;
use std::collections::HashMap;

const ZONE_KEY: &str = "availability_zone";

/// One host's aggregates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Numbers, smallest first.
    pub(crate) aggregates: Vec<u32>,
    /// Names of zones, comma separated, each once; empty when no aggregate names one.
    pub(crate) zones: String,
}

/// The aggregates of every host that is in any.
pub(crate) fn by_host(mut all: Vec<Aggregate>) -> HashMap<String, Membership> {
    all.sort_by_key(|aggregate| aggregate.id);
    let mut hosts: HashMap<String, Membership> = HashMap::new();
    for aggregate in all {
        let zones = aggregate.metadata.get(ZONE_KEY).map_or("", String::as_str);
        for host in aggregate.hosts {
            hosts.entry(host).or_default().join(aggregate.id, zones);
        }
    }
    hosts
}

impl Membership {
    fn join(&mut self, aggregate: u32, zones: &str) {
        if self.aggregates.last() != Some(&aggregate) {
            self.aggregates.push(aggregate);
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
