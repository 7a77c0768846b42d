//! The scheduler's view of all hosts, as columns: one aligned array per attribute of Nova's `HostState`.
//!
//! A table is an immutable snapshot, shared by reference count over the border; cloning it is free. A host manager makes
//! it through [`HostColumns`]. Units are Nova's: MB for memory and disk, counts for the rest; free amounts may be
//! negative when a host is over-committed.

use crate::abi::hosts::TableRef;
use crate::types::columns::{Column, List};

/// A snapshot of every host that the host manager knows.
#[derive(Clone)]
pub struct HostTable(TableRef);

/// The host answers heartbeats.
pub const STATE_UP: u32 = 1;
/// The host takes no new instances, by the operator's word.
pub const STATE_DISABLED: u32 = 2;

impl HostTable {
    pub(crate) fn from_ref(table: TableRef) -> Self {
        Self(table)
    }

    pub(crate) fn into_ref(self) -> TableRef {
        self.0
    }

    pub(crate) fn raw(&self) -> *const crate::abi::hosts::RawTable {
        self.0.get()
    }

    /// How many hosts (rows) it has.
    pub fn len(&self) -> usize {
        self.0.get().hosts
    }

    /// Whether there is no host at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn host(&self, row: usize) -> Host<'_> {
        assert!(
            row < self.len(),
            "row {row} of a table of {} hosts",
            self.len()
        );
        Host::new(self, row)
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Host<'_>> {
        (0..self.len()).map(move |row| Host::new(self, row))
    }

    /// The text of an id, as found in a column of ids; empty for an unknown one.
    pub fn text(&self, id: u32) -> &str {
        self.0.get().text(id)
    }

    /// The id of a text, if any host uses it: resolve a name once, then compare ids.
    pub fn find_text(&self, text: &str) -> Option<u32> {
        self.0.get().find(text)
    }

    /// The row of a host and node.
    pub fn find(&self, host: &str, node: &str) -> Option<usize> {
        let (host, node) = (self.find_text(host)?, self.find_text(node)?);
        let mut rows = self.host_ids().iter().zip(self.node_ids());
        rows.position(|(&h, &n)| h == host && n == node)
    }

    pub(crate) fn u32s(&self, column: Column) -> &[u32] {
        crate::types::columns::read_u32(self.0.get(), column)
    }

    pub(crate) fn i32s(&self, column: Column) -> &[i32] {
        crate::types::columns::read_i32(self.0.get(), column)
    }

    pub(crate) fn f32s(&self, column: Column) -> &[f32] {
        crate::types::columns::read_f32(self.0.get(), column)
    }

    /// The aggregates that the host of `row` is in, by their numbers.
    pub fn aggregates(&self, row: usize) -> &[u32] {
        self.0.get().list(List::Aggregates as usize, row)
    }

    /// The instances on the host of `row`, as text ids of their uuids.
    pub fn instances(&self, row: usize) -> &[u32] {
        self.0.get().list(List::Instances as usize, row)
    }

    /// The metadata of the aggregates that the host of `row` is in, as triples: an aggregate's number, then text ids of
    /// a key and its value. Hosts of the same aggregates have equal slices. See [`Host::aggregate_metadata`].
    pub fn aggregate_metadata(&self, row: usize) -> &[u32] {
        self.0.get().list(List::AggregateMetadata as usize, row)
    }

    /// The ids of the flavors of [`instances`](HostTable::instances), as text ids; shorter when they are not known.
    pub fn instance_flavors(&self, row: usize) -> &[u32] {
        self.0.get().list(List::InstanceFlavors as usize, row)
    }

    /// The projects of [`instances`](HostTable::instances), as text ids; shorter when they are not known.
    pub fn instance_projects(&self, row: usize) -> &[u32] {
        self.0.get().list(List::InstanceProjects as usize, row)
    }

    /// What the host of `row` can run: `(architecture, hypervisor type, vm mode)`.
    pub fn supported_instances(&self, row: usize) -> impl Iterator<Item = (&str, &str, &str)> {
        let ids = self.0.get().list(List::SupportedInstances as usize, row);
        ids.chunks_exact(3)
            .map(move |c| (self.text(c[0]), self.text(c[1]), self.text(c[2])))
    }
}

impl std::fmt::Debug for HostTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostTable({} hosts)", self.len())
    }
}

/// One host of a table, for code that judges hosts one at a time.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    table: &'a HostTable,
    row: usize,
}

impl<'a> Host<'a> {
    pub(crate) fn new(table: &'a HostTable, row: usize) -> Self {
        Self { table, row }
    }

    /// The table it is in.
    pub fn table(&self) -> &'a HostTable {
        self.table
    }

    /// Its row.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Whether its service answers heartbeats.
    pub fn is_up(&self) -> bool {
        self.state() & STATE_UP != 0
    }

    /// Whether the operator disabled it.
    pub fn is_disabled(&self) -> bool {
        self.state() & STATE_DISABLED != 0
    }

    /// The numbers of the aggregates it is in.
    pub fn aggregates(&self) -> &'a [u32] {
        self.table.aggregates(self.row)
    }

    /// The metadata of its aggregates: `(aggregate, key, value)`, sorted by aggregate and key.
    pub fn aggregate_metadata(&self) -> impl Iterator<Item = (u32, &'a str, &'a str)> {
        let table = self.table;
        let triples = table.aggregate_metadata(self.row).chunks_exact(3);
        triples.map(move |t| (t[0], table.text(t[1]), table.text(t[2])))
    }

    /// This host's text in a column of ids.
    pub(crate) fn text_of(&self, ids: &[u32]) -> &'a str {
        ids.get(self.row).map_or("", |&id| self.table.text(id))
    }
}

impl std::fmt::Debug for Host<'_> {
    /// Nova's form: `(host, node) ram: 1MB disk: 2MB io_ops: 0 instances: 0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "({}, {}) ram: {}MB disk: {}MB io_ops: {} instances: {}",
            self.host_name(),
            self.node_name(),
            self.free_ram_mb(),
            self.free_disk_mb(),
            self.num_io_ops(),
            self.num_instances()
        )
    }
}
