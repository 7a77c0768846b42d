//! All nodes, and the columns that show those of them whose host has a service.
//!
//! A node keeps its row until it is removed; rows only move when a node goes. Texts are interned in
//! the columns and never leave them, so the columns are written anew once enough texts are stale.
//! Knows no lock: `manager` has it.

use crate::aggregates::{self, Membership};
use crate::consumption::{Consumption, Missing};
use crate::facts::{Facts, TEXTS};
use crate::machines;
use longshore_plugin_api::{
    Aggregate, Column, DriverError, HostColumns, HostReport, HostTable, List, PlacedInstance,
    RequestSpec, ServiceState, STATE_DISABLED, STATE_UP,
};
use std::collections::HashMap;

/// How many nodes, and how many hosts with a service, are kept.
pub(crate) const NODES_MAX: usize = 100_000;
/// How many instances of one host are kept.
pub(crate) const INSTANCES_MAX: usize = 65_536;
/// How many stale texts are borne whatever the number of hosts; above that, four per host.
pub(crate) const STALE_TEXTS_MAX: usize = 4096;

type InstanceFact = fn(&PlacedInstance) -> &str;

/// What the table has of each instance, list by list.
const INSTANCE_FACTS: [(List, InstanceFact); 3] = [
    (List::Instances, |instance| &instance.uuid),
    (List::InstanceFlavors, |instance| &instance.flavor_id),
    (List::InstanceProjects, |instance| &instance.project_id),
];

/// The state behind the host manager.
#[derive(Default)]
pub(crate) struct Fleet {
    /// The nodes of each host: one, or few.
    nodes: HashMap<String, Vec<Node>>,
    nodes_in_all: usize,
    /// The node of each row.
    rows: Vec<Key>,
    columns: HostColumns,
    services: HashMap<String, ServiceState>,
    memberships: HashMap<String, Membership>,
    instances: HashMap<String, Vec<PlacedInstance>>,
    stale_texts: usize,
    arrivals: u64,
    /// Whether nodes that say so are whole machines.
    knows_machines: bool,
}

/// A node's host and its own name.
#[derive(Clone)]
struct Key {
    host: String,
    node: String,
}

struct Node {
    name: String,
    facts: Facts,
    generation: u64,
    consumption: Consumption,
    /// Nodes come into the table in the order in which they first reported.
    arrival: u64,
    /// None until the host has a service.
    row: Option<usize>,
}

impl Fleet {
    /// No nodes; those to come are whole machines if they say so and that is wanted.
    pub(crate) fn new(knows_machines: bool) -> Self {
        Self {
            knows_machines,
            ..Self::default()
        }
    }

    /// Takes a report; answers whether it was newer than what was known.
    pub(crate) fn update_host(&mut self, report: &HostReport) -> Result<bool, DriverError> {
        let facts = if self.knows_machines && machines::is_whole(report) {
            Facts::of_machine(report)?
        } else {
            Facts::of(report)?
        };
        match node_of(&mut self.nodes, &report.host, &report.node) {
            Some(node) if report.generation <= node.generation => return Ok(false),
            Some(node) => {
                let before = std::mem::replace(&mut node.facts, facts);
                self.stale_texts += before.texts_gone(&node.facts);
                let changes_kind = before.is_whole_machine != node.facts.is_whole_machine;
                node.generation = report.generation;
                // The report has counted by now what was consumed before it.
                node.consumption = Consumption::default();
                if let Some(row) = node.row {
                    node.facts.write_after(&before, &mut self.columns, row);
                    if changes_kind {
                        self.write_host(row);
                    }
                }
            }
            None => self.add(report, facts)?,
        }
        self.shed_stale_texts();
        Ok(true)
    }

    fn add(&mut self, report: &HostReport, facts: Facts) -> Result<(), DriverError> {
        let (host, name) = (&report.host, &report.node);
        room(self.nodes_in_all, NODES_MAX, "nodes", host)?;
        self.nodes_in_all += 1;
        self.arrivals += 1;
        let consumption = Consumption::default();
        let node = Node {
            name: name.clone(),
            facts,
            generation: report.generation,
            consumption,
            arrival: self.arrivals,
            row: None,
        };
        // Hosts of more than one node are rare, and lists that grow by themselves begin with room for four.
        let nodes = self.nodes.entry(host.clone());
        nodes.or_insert_with(|| Vec::with_capacity(1)).push(node);
        if self.services.contains_key(host) {
            let (host, node) = (host.clone(), name.clone());
            self.show(Key { host, node });
        }
        Ok(())
    }

    /// Gives a node its row.
    fn show(&mut self, key: Key) {
        if let Some(node) = node_of(&mut self.nodes, &key.host, &key.node) {
            let row = self.columns.push(&key.host, &key.node);
            node.row = Some(row);
            node.facts.write(&mut self.columns, row);
            self.rows.push(key);
            self.write_host(row);
        }
    }

    /// Writes what is known of the row's host rather than of its node.
    fn write_host(&mut self, row: usize) {
        let host = &self.rows[row].host;
        if let Some(service) = self.services.get(host) {
            let up = if service.up { STATE_UP } else { 0 };
            let disabled = if service.disabled { STATE_DISABLED } else { 0 };
            self.columns.set_u32(Column::State, row, up | disabled);
            self.columns
                .set_text(Column::DisabledReason, row, &service.disabled_reason);
        }
        let none = Membership::default();
        let membership = self.memberships.get(host).unwrap_or(&none);
        self.columns
            .set_text(Column::AvailabilityZone, row, &membership.zones);
        self.columns
            .set_list(List::Aggregates, row, &membership.aggregates);
        let mut metadata = Vec::new();
        for (aggregate, key, value) in membership.triples() {
            metadata.extend([
                aggregate,
                self.columns.intern(key),
                self.columns.intern(value),
            ]);
        }
        self.columns
            .set_list(List::AggregateMetadata, row, &metadata);
        // Of a machine that nobody shares nobody asks which instances it has.
        let nodes = self.nodes.get(host).into_iter().flatten();
        let is_whole = nodes
            .filter(|node| node.name == self.rows[row].node)
            .any(|node| node.facts.is_whole_machine);
        let instances = match self.instances.get(host) {
            Some(instances) if !is_whole => instances,
            _ => &[][..],
        };
        for (list, fact) in INSTANCE_FACTS {
            let texts = instances.iter().map(fact);
            let ids: Vec<u32> = texts.map(|text| self.columns.intern(text)).collect();
            self.columns.set_list(list, row, &ids);
        }
    }

    /// Forgets a node; the last row takes its place.
    pub(crate) fn remove_host(&mut self, host: &str, node: &str) {
        let nodes = match self.nodes.get_mut(host) {
            Some(nodes) => nodes,
            None => return,
        };
        let place = nodes.iter().position(|known| known.name == node);
        let removed = place.map(|place| nodes.remove(place));
        if nodes.is_empty() {
            self.nodes.remove(host);
        }
        self.nodes_in_all -= usize::from(removed.is_some());
        if let Some(row) = removed.and_then(|node| node.row) {
            self.take_row_out(row);
        }
    }

    /// The last row takes the place of this one.
    fn take_row_out(&mut self, row: usize) {
        self.columns.swap_remove(row);
        self.rows.swap_remove(row);
        if let Some(key) = self.rows.get(row) {
            if let Some(moved) = node_of(&mut self.nodes, &key.host, &key.node) {
                moved.row = Some(row);
            }
        }
        self.stale_texts += TEXTS;
        self.shed_stale_texts();
    }

    /// Takes the state of a host's service; nodes that waited for it come into the table.
    pub(crate) fn update_service(&mut self, state: &ServiceState) -> Result<(), DriverError> {
        let old = self.services.get(&state.host);
        if old.is_none() {
            room(
                self.services.len(),
                NODES_MAX,
                "hosts with a service",
                &state.host,
            )?;
        }
        self.stale_texts +=
            usize::from(old.map_or(false, |o| o.disabled_reason != state.disabled_reason));
        self.services.insert(state.host.clone(), state.clone());
        let host = &state.host;
        let waiting = self.nodes_of(host).filter(|node| node.row.is_none());
        let mut waiting: Vec<_> = waiting.map(|n| (n.arrival, n.name.clone())).collect();
        waiting.sort_unstable();
        for (_, node) in waiting {
            let host = host.clone();
            self.show(Key { host, node });
        }
        self.write_host_rows(&state.host);
        Ok(())
    }

    fn nodes_of(&self, host: &str) -> impl Iterator<Item = &Node> {
        self.nodes.get(host).into_iter().flatten()
    }

    fn write_host_rows(&mut self, host: &str) {
        let rows: Vec<usize> = self.nodes_of(host).filter_map(|node| node.row).collect();
        rows.into_iter().for_each(|row| self.write_host(row));
        self.shed_stale_texts();
    }

    /// Replaces all aggregates.
    pub(crate) fn update_aggregates(&mut self, aggregates: Vec<Aggregate>) {
        // Keys and values that no aggregate has any more are not told from those that stay.
        let pairs = aggregates.iter().map(|aggregate| aggregate.metadata.len());
        self.stale_texts += 2 * pairs.sum::<usize>();
        self.memberships = aggregates::by_host(aggregates);
        (0..self.rows.len()).for_each(|row| self.write_host(row));
        self.stale_texts += self.memberships.len();
        self.shed_stale_texts();
    }

    /// Replaces what is known of a host's instances.
    pub(crate) fn sync_instances(
        &mut self,
        host: &str,
        instances: Vec<PlacedInstance>,
    ) -> Result<(), DriverError> {
        if instances.len() > INSTANCES_MAX {
            let message = format!(
                "host `{host}` has {} instances, and may have {INSTANCES_MAX}",
                instances.len()
            );
            return Err(DriverError::invalid(message));
        }
        if instances.is_empty() {
            self.stale_texts += self.instances.remove(host).map_or(0, |old| old.len());
        } else {
            if !self.instances.contains_key(host) {
                room(
                    self.instances.len(),
                    NODES_MAX,
                    "hosts with instances",
                    host,
                )?;
            }
            let old = self.instances.insert(host.to_owned(), instances);
            self.stale_texts += old.map_or(0, |old| old.len());
        }
        self.write_host_rows(host);
        Ok(())
    }

    /// Counts one instance on a node; answers what the node does not have of what it wants.
    pub(crate) fn consume(
        &mut self,
        host: &str,
        node: &str,
        request: &RequestSpec,
    ) -> Result<Option<Missing>, DriverError> {
        let known = node_of(&mut self.nodes, host, node);
        let known = known.and_then(|node| node.row.map(|row| (node, row)));
        let (node, row) = known.ok_or_else(|| {
            DriverError::not_found(format!("host `{host}`, node `{node}` is not in the table"))
        })?;
        let (texts, missing) = node.consumption.take(&mut node.facts, request);
        self.stale_texts += node.facts.write_consumed(&mut self.columns, row, texts);
        self.shed_stale_texts();
        Ok(missing)
    }

    /// Gives back what was consumed, unless the node is gone or has reported since.
    pub(crate) fn release(&mut self, host: &str, node: &str, request: &RequestSpec) {
        if let Some(node) = node_of(&mut self.nodes, host, node) {
            let texts = node
                .consumption
                .give_back(&mut node.facts, request.instance_uuid());
            if let (Some(texts), Some(row)) = (texts, node.row) {
                self.stale_texts += node.facts.write_consumed(&mut self.columns, row, texts);
                self.shed_stale_texts();
            }
        }
    }

    /// The table as it is now.
    pub(crate) fn table(&self) -> HostTable {
        self.columns.snapshot()
    }

    /// Writes the columns anew, rows in their places, once the stale texts are too many.
    fn shed_stale_texts(&mut self) {
        if self.stale_texts <= STALE_TEXTS_MAX.max(4 * self.rows.len()) {
            return;
        }
        self.stale_texts = 0;
        self.columns = HostColumns::new();
        for row in 0..self.rows.len() {
            let key = &self.rows[row];
            self.columns.push(&key.host, &key.node);
            if let Some(node) = node_of(&mut self.nodes, &key.host, &key.node) {
                node.facts.write(&mut self.columns, row);
            }
            self.write_host(row);
        }
    }
}

fn node_of<'f>(
    nodes: &'f mut HashMap<String, Vec<Node>>,
    host: &str,
    node: &str,
) -> Option<&'f mut Node> {
    let mut nodes = nodes.get_mut(host)?.iter_mut();
    nodes.find(|known| known.name == node)
}

fn room(n: usize, max: usize, what: &str, host: &str) -> Result<(), DriverError> {
    if n < max {
        return Ok(());
    }
    let hint = "remove hosts that are gone";
    Err(
        DriverError::no_capacity(format!("host `{host}` is not taken: there are {n} {what}"))
            .hint(hint),
    )
}
