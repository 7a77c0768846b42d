//! Identifiers of nodes, by host and node: what an answer names beside them.
//!
//! Written while the host manager is told of nodes, read by every selection. Must not know anything else of nodes.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The identifiers of all nodes. A host has one node, or few.
#[derive(Default)]
pub(in crate::scheduler) struct NodeUuids(RwLock<HashMap<String, Vec<NodeUuid>>>);

struct NodeUuid {
    node: String,
    uuid: String,
}

impl NodeUuids {
    /// Notes a node's identifier.
    pub(in crate::scheduler) fn note(&self, host: &str, node: &str, uuid: &str) {
        let mut hosts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let nodes = hosts.entry(host.to_owned()).or_default();
        let uuid = uuid.to_owned();
        match nodes.iter_mut().find(|known| known.node == node) {
            Some(known) => known.uuid = uuid,
            None => nodes.push(NodeUuid {
                node: node.to_owned(),
                uuid,
            }),
        }
    }

    /// Forgets a node. One that is not known is fine.
    pub(in crate::scheduler) fn forget(&self, host: &str, node: &str) {
        let mut hosts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(nodes) = hosts.get_mut(host) {
            nodes.retain(|known| known.node != node);
            if nodes.is_empty() {
                hosts.remove(host);
            }
        }
    }

    /// The identifier of a node.
    pub(in crate::scheduler) fn of(&self, host: &str, node: &str) -> Option<String> {
        let hosts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut nodes = hosts.get(host)?.iter();
        nodes
            .find(|known| known.node == node)
            .map(|known| known.uuid.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_a_host_are_told_apart() {
        let uuids = NodeUuids::default();
        uuids.note("h", "one", "1");
        uuids.note("h", "two", "2");
        uuids.note("h", "two", "3");
        uuids.forget("h", "one");
        uuids.forget("elsewhere", "one");
        assert_eq!(uuids.of("h", "two").as_deref(), Some("3"));
        assert_eq!((uuids.of("h", "one"), uuids.of("two", "h")), (None, None));
    }
}
