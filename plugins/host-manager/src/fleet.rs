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
use std::collections::{BTreeMap, HashMap};

/// How many nodes, and how many hosts with a service, are kept.
pub(crate) const NODES_MAX: usize = 100_000;
/// How many instances of one host are kept.
pub(crate) const INSTANCES_MAX: usize = 65_536;
/// How many stale texts are borne whatever the number of hosts; above that, four per host.
pub(crate) const STALE_TEXTS_MAX: usize = 4096;

type Key = (String, String);
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
    nodes: BTreeMap<Key, Node>,
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

struct Node {
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
        let key = (report.host.clone(), report.node.clone());
        match self.nodes.get_mut(&key) {
            Some(node) if report.generation <= node.generation => return Ok(false),
            Some(node) => {
                self.stale_texts += node.facts.texts_gone(&facts);
                let changes_kind = node.facts.is_whole_machine != facts.is_whole_machine;
                node.facts = facts;
                node.generation = report.generation;
                // The report has counted by now what was consumed before it.
                node.consumption = Consumption::default();
                if let Some(row) = node.row {
                    node.facts.write(&mut self.columns, row);
                    if changes_kind {
                        self.write_host(row);
                    }
                }
            }
            None => self.add(key, facts, report.generation)?,
        }
        self.shed_stale_texts();
        Ok(true)
    }

    fn add(&mut self, key: Key, facts: Facts, generation: u64) -> Result<(), DriverError> {
        room(self.nodes.len(), NODES_MAX, "nodes", &key.0)?;
        let has_service = self.services.contains_key(&key.0);
        self.arrivals += 1;
        let consumption = Consumption::default();
        let node = Node {
            facts,
            generation,
            consumption,
            arrival: self.arrivals,
            row: None,
        };
        self.nodes.insert(key.clone(), node);
        if has_service {
            self.show(key);
        }
        Ok(())
    }

    /// Gives a node its row.
    fn show(&mut self, key: Key) {
        if let Some(node) = self.nodes.get_mut(&key) {
            let row = self.columns.push(&key.0, &key.1);
            node.row = Some(row);
            node.facts.write(&mut self.columns, row);
            self.rows.push(key);
            self.write_host(row);
        }
    }

    /// Writes what is known of the row's host rather than of its node.
    fn write_host(&mut self, row: usize) {
        let host = &self.rows[row].0;
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
        let is_whole = |node: &Node| node.facts.is_whole_machine;
        let instances = match self.instances.get(host) {
            Some(instances) if !self.nodes.get(&self.rows[row]).map_or(false, is_whole) => {
                instances
            }
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
        let key = (host.to_owned(), node.to_owned());
        if let Some(row) = self.nodes.remove(&key).and_then(|node| node.row) {
            self.columns.swap_remove(row);
            self.rows.swap_remove(row);
            if let Some(moved) = self.rows.get(row).and_then(|key| self.nodes.get_mut(key)) {
                moved.row = Some(row);
            }
            self.stale_texts += TEXTS;
            self.shed_stale_texts();
        }
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
        let mut waiting = Vec::new();
        for (key, node) in nodes_of(&self.nodes, &state.host) {
            if node.row.is_none() {
                waiting.push((node.arrival, key.clone()));
            }
        }
        waiting.sort_unstable();
        waiting.into_iter().for_each(|(_, key)| self.show(key));
        self.write_host_rows(&state.host);
        Ok(())
    }

    fn write_host_rows(&mut self, host: &str) {
        let rows: Vec<usize> = nodes_of(&self.nodes, host)
            .filter_map(|(_, node)| node.row)
            .collect();
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
        let key = (host.to_owned(), node.to_owned());
        let known = self
            .nodes
            .get_mut(&key)
            .and_then(|node| node.row.map(|row| (node, row)));
        let (node, row) = known.ok_or_else(|| {
            DriverError::not_found(format!(
                "host `{host}`, node `{}` is not in the table",
                key.1
            ))
        })?;
        let (texts, missing) = node.consumption.take(&mut node.facts, request);
        self.stale_texts += node.facts.write_consumed(&mut self.columns, row, texts);
        self.shed_stale_texts();
        Ok(missing)
    }

    /// Gives back what was consumed, unless the node is gone or has reported since.
    pub(crate) fn release(&mut self, host: &str, node: &str, request: &RequestSpec) {
        let key = (host.to_owned(), node.to_owned());
        if let Some(node) = self.nodes.get_mut(&key) {
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
            self.columns.push(&key.0, &key.1);
            if let Some(node) = self.nodes.get(key) {
                node.facts.write(&mut self.columns, row);
            }
            self.write_host(row);
        }
    }
}

fn nodes_of<'f>(
    nodes: &'f BTreeMap<Key, Node>,
    host: &'f str,
) -> impl Iterator<Item = (&'f Key, &'f Node)> {
    nodes
        .range((host.to_owned(), String::new())..)
        .take_while(move |(key, _)| key.0 == host)
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
