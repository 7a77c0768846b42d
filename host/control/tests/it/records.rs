//! Records of hosts without a database: what a scheduler reads, for tests that fill them themselves. Must not know
//! schedulers.

use std::sync::Mutex;

use async_trait::async_trait;
use longshore_objects::{
    AggregateList, ComputeNode, ComputeNodeList, ObjectApi, ObjectError, Service, ServiceList,
    VersionedObject, now,
};
use serde_json::{Map, Value};

/// Nodes, and the services of their hosts if these are up. Nothing is written to them from outside.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) nodes: Mutex<Vec<ComputeNode>>,
    are_up: bool,
}

impl Records {
    /// Nodes of hosts that have just reported.
    pub(crate) fn of_hosts_that_are_up(nodes: Vec<ComputeNode>) -> Self {
        Self {
            nodes: Mutex::new(nodes),
            are_up: true,
        }
    }

    fn services(&self) -> Vec<Service> {
        let service = |node: &ComputeNode| {
            let mut service = Service::new();
            service
                .set_host(node.host())
                .set_binary("longshore-compute")
                .set_last_seen_up(now());
            service
        };
        let nodes = self.nodes.lock().unwrap();
        nodes.iter().filter(|_| self.are_up).map(service).collect()
    }

    /// Who reads for the first time gets everything, as odd as it may be.
    fn nodes_since(&self, generation: i64) -> Vec<ComputeNode> {
        let nodes = self.nodes.lock().unwrap();
        let is_news = |node: &&ComputeNode| generation == 0 || node.generation() > generation;
        nodes.iter().filter(is_news).cloned().collect()
    }
}

#[async_trait]
impl ObjectApi for Records {
    async fn object_action(
        &self,
        _: Value,
        _: &str,
        _: Value,
    ) -> Result<(Map<String, Value>, Value), ObjectError> {
        Err(ObjectError::UnsupportedObject("any".to_owned()))
    }

    async fn object_class_action(
        &self,
        name: &str,
        _: &str,
        args: Value,
    ) -> Result<Value, ObjectError> {
        let since = args["generation"].as_i64().unwrap_or(0);
        Ok(match name {
            "ServiceList" => ServiceList::from(self.services()).to_primitive(),
            "AggregateList" => AggregateList::from(Vec::new()).to_primitive(),
            _ => ComputeNodeList::from(self.nodes_since(since)).to_primitive(),
        })
    }
}
