//! Which instances each host has, for filters that look at neighbours: hints such as `different_host` name them.
//!
//! Telling it costs more than a report, so it is only kept when a request has hints. Must not know drivers. Used by
//! `run`.

use std::collections::HashMap;

use longshore_plugin_api::PlacedInstance;

use super::requests::{Request, SIMULATED};

/// The instances of all hosts, by the hosts' names.
#[derive(Default)]
pub(super) struct Instances {
    hosts: HashMap<String, Vec<String>>,
}

impl Instances {
    /// Empty lists, if one of the requests has hints.
    pub(super) fn wanted_by(requests: &[Request]) -> Option<Self> {
        let mut all = requests.iter();
        let wanted = all.any(|request| !request.wanted.hints.is_empty());
        wanted.then(Self::default)
    }

    /// An instance came; answers all that are on the host.
    pub(super) fn enter(&mut self, host: &str, name: &str) -> Vec<PlacedInstance> {
        let names = self.hosts.entry(host.to_owned()).or_default();
        names.push(name.to_owned());
        placed(names)
    }

    /// An instance went; answers all that are still on the host.
    pub(super) fn leave(&mut self, host: &str, name: &str) -> Vec<PlacedInstance> {
        let Some(names) = self.hosts.get_mut(host) else {
            return Vec::new();
        };
        if let Some(at) = names.iter().position(|one| one == name) {
            names.swap_remove(at);
        }
        placed(names)
    }
}

fn placed(names: &[String]) -> Vec<PlacedInstance> {
    let instance = |name: &String| PlacedInstance {
        uuid: name.clone(),
        flavor_id: SIMULATED.to_owned(),
        project_id: SIMULATED.to_owned(),
    };
    names.iter().map(instance).collect()
}
