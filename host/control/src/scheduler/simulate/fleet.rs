//! The hosts of a simulation: a report for each, as their computes would send it, and the zone they are in.
//!
//! Plain values, checked once: a fleet has hosts, and each has a name of its own. Must not know what is placed on them;
//! that is kept in `books`.

use std::collections::{BTreeMap, HashSet};

use longshore_plugin_api::{Aggregate, HostReport, ServiceState};

/// Most hosts of one fleet.
pub const HOSTS_MAX: usize = 100_000;

/// A host, as it is before the first request.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedHost {
    /// What its compute reports.
    pub report: HostReport,
    /// Its availability zone.
    pub zone: Option<String>,
    /// The operator disabled its service.
    pub disabled: bool,
}

/// All hosts of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    hosts: Vec<SimulatedHost>,
}

impl Fleet {
    /// A fleet of these hosts.
    ///
    /// # Errors
    /// In one line, that there is none, that there are too many, or which stands there twice.
    pub fn new(hosts: Vec<SimulatedHost>) -> Result<Fleet, String> {
        if hosts.is_empty() {
            return Err("the fleet has no hosts".to_owned());
        }
        if hosts.len() > HOSTS_MAX {
            let n = hosts.len();
            return Err(format!("the fleet has {n} hosts, the limit is {HOSTS_MAX}"));
        }
        let mut seen = HashSet::with_capacity(hosts.len());
        for SimulatedHost { report, .. } in &hosts {
            if !seen.insert((&report.host, &report.node)) {
                let (host, node) = (&report.host, &report.node);
                return Err(format!(
                    "host `{host}` stands there twice with node `{node}`"
                ));
            }
        }
        Ok(Fleet { hosts })
    }

    /// Hosts of which it is known that they are not none, not too many and not alike.
    pub(super) fn of_checked(hosts: Vec<SimulatedHost>) -> Fleet {
        Fleet { hosts }
    }

    /// The hosts, in the order in which they were given.
    pub fn hosts(&self) -> &[SimulatedHost] {
        &self.hosts
    }

    /// The state of each host's service: all of them answer.
    pub(super) fn services(&self) -> impl Iterator<Item = ServiceState> {
        self.hosts.iter().map(|host| ServiceState {
            host: host.report.host.clone(),
            up: true,
            disabled: host.disabled,
            disabled_reason: String::new(),
        })
    }

    /// One aggregate per zone.
    pub(super) fn aggregates(&self) -> Vec<Aggregate> {
        let mut zones: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for host in &self.hosts {
            if let Some(zone) = &host.zone {
                let hosts = zones.entry(zone).or_default();
                hosts.push(host.report.host.clone());
            }
        }
        let aggregate = |(id, (zone, hosts)): (u32, (&str, Vec<String>))| Aggregate {
            id,
            hosts,
            metadata: BTreeMap::from([("availability_zone".to_owned(), zone.to_owned())]),
        };
        (1..).zip(zones).map(aggregate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, zone: Option<&str>) -> SimulatedHost {
        SimulatedHost {
            report: HostReport {
                host: name.to_owned(),
                node: name.to_owned(),
                ..HostReport::default()
            },
            zone: zone.map(str::to_owned),
            disabled: false,
        }
    }

    #[test]
    fn a_fleet_has_hosts_and_each_once() {
        assert_eq!(Fleet::new(vec![]).unwrap_err(), "the fleet has no hosts");
        let twice = Fleet::new(vec![host("a", None), host("a", None)]).unwrap_err();
        assert!(twice.contains("`a` stands there twice"), "{twice}");
        let many = (0..=HOSTS_MAX).map(|i| host(&i.to_string(), None));
        let many = Fleet::new(many.collect()).unwrap_err();
        assert!(many.contains("the limit is 100000"), "{many}");
    }

    #[test]
    fn a_zone_is_an_aggregate() {
        let hosts = vec![
            host("a", Some("east")),
            host("b", None),
            host("c", Some("east")),
        ];
        let aggregates = Fleet::new(hosts).unwrap().aggregates();
        assert_eq!(aggregates.len(), 1);
        assert_eq!(aggregates[0].hosts, ["a", "c"]);
        assert_eq!(aggregates[0].metadata["availability_zone"], "east");
    }
}
