//! The columns of a host table: their numbers, accessors and the live form that a host manager changes.
//!
//! One list below gives every column its number, type and doc; numbers are only ever appended. A change copies a column
//! only while a snapshot still shares it.

use crate::abi::columns::{snapshot, ColumnData, ListData, Texts};
use crate::abi::hosts::RawTable;
use crate::types::host_table::{Host, HostTable};
use std::sync::{Arc, Mutex, PoisonError};

/// The lists of a table, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Aggregate numbers.
    Aggregates = 0,
    /// Text ids of instance uuids.
    Instances = 1,
    /// Text ids, three per supported guest kind.
    SupportedInstances = 2,
    /// Three per pair of an aggregate's metadata: the aggregate's number, text ids of key and value.
    AggregateMetadata = 3,
    /// Text ids of the flavors' ids, one per item of [`Instances`](List::Instances).
    InstanceFlavors = 4,
    /// Text ids of the projects, one per item of [`Instances`](List::Instances).
    InstanceProjects = 5,
}
const LISTS: usize = 6;

macro_rules! columns {
    (
        texts { $($(#[$tdoc:meta])* $text:ident, $ids:ident = $Text:ident $tnum:literal;)* }
        numbers { $($(#[$doc:meta])* $name:ident: $ty:ident = $Name:ident $num:literal;)* }
        later_texts { $($(#[$ldoc:meta])* $ltext:ident, $lids:ident = $LText:ident $lnum:literal;)* }
    ) => {
        /// The columns of a table, by number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Column {
            $($(#[$tdoc])* $Text = $tnum,)*
            $($(#[$doc])* $Name = $num,)*
            $($(#[$ldoc])* $LText = $lnum,)*
        }

        impl Column {
            /// Every column, in order of their numbers.
            pub const ALL: &'static [Column] =
                &[$(Column::$Text,)* $(Column::$Name,)* $(Column::$LText,)*];

            /// Those that hold text ids.
            const TEXTS: &'static [Column] = &[$(Column::$Text,)* $(Column::$LText,)*];

            fn empty(self) -> ColumnData {
                match self {
                    $(Column::$Text => columns!(@new u32),)*
                    $(Column::$Name => columns!(@new $ty),)*
                    $(Column::$LText => columns!(@new u32),)*
                }
            }
        }

        impl HostTable {
            $($(#[$tdoc])* /// (text ids; see [`HostTable::text`])
            pub fn $ids(&self) -> &[u32] { self.u32s(Column::$Text) })*
            $($(#[$doc])*
            pub fn $name(&self) -> &[$ty] { columns!(@read self $ty)(Column::$Name) })*
            $($(#[$ldoc])* /// (text ids; see [`HostTable::text`])
            pub fn $lids(&self) -> &[u32] { self.u32s(Column::$LText) })*
        }

        impl<'a> Host<'a> {
            $($(#[$tdoc])*
            pub fn $text(&self) -> &'a str { self.text_of(self.table().$ids()) })*
            $($(#[$ldoc])*
            pub fn $ltext(&self) -> &'a str { self.text_of(self.table().$lids()) })*
            $($(#[$doc])*
            pub fn $name(&self) -> $ty {
                self.table().$name().get(self.row()).copied().unwrap_or_default()
            })*
        }
    };
    (@new u32) => { ColumnData::U32(Arc::default()) };
    (@new i32) => { ColumnData::I32(Arc::default()) };
    (@new f32) => { ColumnData::F32(Arc::default()) };
    (@read $table:ident u32) => { |column| $table.u32s(column) };
    (@read $table:ident i32) => { |column| $table.i32s(column) };
    (@read $table:ident f32) => { |column| $table.f32s(column) };
}

columns! {
    texts {
        /// The host's name.
        host_name, host_ids = HostName 0;
        /// The node's name: one host may have several.
        node_name, node_ids = NodeName 1;
        /// The host's address.
        host_ip, host_ip_ids = HostIp 2;
        /// The availability zones of the host's aggregates, comma separated; empty when none names one.
        availability_zone, availability_zone_ids = AvailabilityZone 3;
        /// The hypervisor's type, such as `fake` or `QEMU`.
        hypervisor_type, hypervisor_type_ids = HypervisorType 4;
        /// The processor, as a JSON text.
        cpu_info, cpu_info_ids = CpuInfo 5;
        /// Everything else that the host reports of itself, as a JSON object.
        stats, stats_ids = Stats 6;
        /// Why the host is disabled, if it is.
        disabled_reason, disabled_reason_ids = DisabledReason 7;
    }
    numbers {
        /// Memory of the host, MB.
        total_usable_ram_mb: u32 = TotalUsableRamMb 8;
        /// Memory that no instance has, MB; may be negative.
        free_ram_mb: i32 = FreeRamMb 9;
        /// Disk of the host, GB.
        total_usable_disk_gb: u32 = TotalUsableDiskGb 10;
        /// Disk that no instance has, MB; may be negative.
        free_disk_mb: i32 = FreeDiskMb 11;
        /// Disk that instances have, MB.
        disk_mb_used: u32 = DiskMbUsed 12;
        /// Processors of the host.
        vcpus_total: u32 = VcpusTotal 13;
        /// Processors that instances have.
        vcpus_used: u32 = VcpusUsed 14;
        /// Instances on the host.
        num_instances: u32 = NumInstances 15;
        /// Instances that are being built, moved or saved.
        num_io_ops: u32 = NumIoOps 16;
        /// Builds that failed in a row.
        failed_builds: u32 = FailedBuilds 17;
        /// The hypervisor's version, as major × 10⁶ + minor × 10³ + patch.
        hypervisor_version: u32 = HypervisorVersion 18;
        /// How much memory may be promised per MB that exists.
        ram_allocation_ratio: f32 = RamAllocationRatio 19;
        /// How many processors may be promised per processor that exists.
        cpu_allocation_ratio: f32 = CpuAllocationRatio 20;
        /// How much disk may be promised per GB that exists.
        disk_allocation_ratio: f32 = DiskAllocationRatio 21;
        /// Bits of the service's state: [`STATE_UP`](crate::STATE_UP), [`STATE_DISABLED`](crate::STATE_DISABLED).
        state: u32 = State 22;
    }
    later_texts {
        /// The node's uuid.
        uuid, uuid_ids = Uuid 23;
        /// What monitors measured, as a JSON list of `{"name": …, "value": …}`; empty when there is none.
        metrics, metrics_ids = Metrics 24;
        /// Free PCI devices, as a JSON list of pools `{"vendor_id": …, "product_id": …, "count": …, …}`.
        pci_device_pools, pci_device_pool_ids = PciDevicePools 25;
        /// The NUMA cells and what is used of them, as a JSON object `{"cells": […]}`; empty when the node has none.
        numa_topology, numa_topology_ids = NumaTopology 26;
    }
}

pub(crate) fn read_u32(table: &RawTable, column: Column) -> &[u32] {
    debug_assert!(matches!(column.empty(), ColumnData::U32(_)));
    crate::abi::columns::read(table, column as usize)
}

pub(crate) fn read_i32(table: &RawTable, column: Column) -> &[i32] {
    debug_assert!(matches!(column.empty(), ColumnData::I32(_)));
    crate::abi::columns::read(table, column as usize)
}

pub(crate) fn read_f32(table: &RawTable, column: Column) -> &[f32] {
    debug_assert!(matches!(column.empty(), ColumnData::F32(_)));
    crate::abi::columns::read(table, column as usize)
}

/// The live columns that a host manager (or a test) fills and changes; [`HostColumns::snapshot`] makes a table of them.
pub struct HostColumns {
    hosts: usize,
    columns: Vec<ColumnData>,
    lists: Vec<Vec<Arc<[u32]>>>,
    /// Each list in its flat form, made by the first snapshot after a change.
    flat: Mutex<[Option<Arc<ListData>>; LISTS]>,
    texts: Arc<Texts>,
}

impl Clone for HostColumns {
    fn clone(&self) -> Self {
        let flat = self
            .flat
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Self {
            hosts: self.hosts,
            columns: self.columns.clone(),
            lists: self.lists.clone(),
            flat: Mutex::new(flat),
            texts: Arc::clone(&self.texts),
        }
    }
}

impl Default for HostColumns {
    fn default() -> Self {
        Self::new()
    }
}

impl HostColumns {
    /// No hosts.
    pub fn new() -> Self {
        Self {
            hosts: 0,
            columns: Column::ALL.iter().map(|c| c.empty()).collect(),
            lists: vec![Vec::new(); LISTS],
            flat: Mutex::default(),
            texts: Arc::default(),
        }
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.hosts
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hosts == 0
    }

    /// Adds a host whose numbers are all zero; answers its row.
    pub fn push(&mut self, host: &str, node: &str) -> usize {
        let row = self.hosts;
        self.hosts += 1;
        let empty = self.intern("");
        for column in &mut self.columns {
            match column {
                ColumnData::U32(v) => Arc::make_mut(v).push(0),
                ColumnData::I32(v) => Arc::make_mut(v).push(0),
                ColumnData::F32(v) => Arc::make_mut(v).push(0.0),
            }
        }
        for &column in Column::TEXTS {
            self.put_u32(column as usize, row, empty);
        }
        let nothing: Arc<[u32]> = Arc::from([]);
        for list in &mut self.lists {
            list.push(Arc::clone(&nothing));
        }
        self.stale();
        self.set_text(Column::HostName, row, host);
        self.set_text(Column::NodeName, row, node);
        row
    }

    /// Takes a host out; the last row takes its place.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn swap_remove(&mut self, row: usize) {
        assert!(row < self.hosts, "row {row} of {} hosts", self.hosts);
        self.hosts -= 1;
        for column in &mut self.columns {
            match column {
                ColumnData::U32(v) => drop(Arc::make_mut(v).swap_remove(row)),
                ColumnData::I32(v) => drop(Arc::make_mut(v).swap_remove(row)),
                ColumnData::F32(v) => drop(Arc::make_mut(v).swap_remove(row)),
            }
        }
        for list in &mut self.lists {
            list.swap_remove(row);
        }
        self.stale();
    }

    /// The id of a text, which is added if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        match self.texts.ids.get(text) {
            Some(&id) => id,
            None => Arc::make_mut(&mut self.texts).intern(text),
        }
    }

    /// Sets a text column.
    pub fn set_text(&mut self, column: Column, row: usize, text: &str) {
        let id = self.intern(text);
        self.put_u32(column as usize, row, id);
    }

    /// Sets a `u32` column. A column of another type stays as it is.
    pub fn set_u32(&mut self, column: Column, row: usize, value: u32) {
        self.put_u32(column as usize, row, value);
    }

    fn put_u32(&mut self, number: usize, row: usize, value: u32) {
        if let Some(ColumnData::U32(items)) = self.columns.get_mut(number) {
            if items.get(row).map_or(false, |&old| old != value) {
                Arc::make_mut(items)[row] = value;
            }
        }
    }

    /// Sets an `i32` column. A column of another type stays as it is.
    pub fn set_i32(&mut self, column: Column, row: usize, value: i32) {
        if let Some(ColumnData::I32(items)) = self.columns.get_mut(column as usize) {
            if items.get(row).map_or(false, |&old| old != value) {
                Arc::make_mut(items)[row] = value;
            }
        }
    }

    /// Sets an `f32` column. A column of another type stays as it is.
    pub fn set_f32(&mut self, column: Column, row: usize, value: f32) {
        if let Some(ColumnData::F32(items)) = self.columns.get_mut(column as usize) {
            if items
                .get(row)
                .map_or(false, |&old| old.to_bits() != value.to_bits())
            {
                Arc::make_mut(items)[row] = value;
            }
        }
    }

    /// Sets the items of a list column.
    pub fn set_list(&mut self, list: List, row: usize, items: &[u32]) {
        if let Some(old) = self.lists[list as usize].get_mut(row) {
            if **old != *items {
                *old = Arc::from(items);
                self.flat_mut()[list as usize] = None;
            }
        }
    }

    fn flat_mut(&mut self) -> &mut [Option<Arc<ListData>>; LISTS] {
        self.flat.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn stale(&mut self) {
        *self.flat_mut() = Default::default();
    }

    fn flatten(&self, number: usize) -> Arc<ListData> {
        let mut flat = ListData {
            offsets: vec![0],
            values: Vec::new(),
        };
        for items in &self.lists[number] {
            flat.values.extend_from_slice(items);
            flat.offsets.push(flat.values.len() as u32);
        }
        Arc::new(flat)
    }

    fn flat_lists(&self) -> Vec<Arc<ListData>> {
        let mut flat = self.flat.lock().unwrap_or_else(PoisonError::into_inner);
        let each = flat.iter_mut().enumerate();
        each.map(|(n, list)| Arc::clone(list.get_or_insert_with(|| self.flatten(n))))
            .collect()
    }

    /// An immutable table of the columns as they are now. Copies nothing but lists that have changed.
    pub fn snapshot(&self) -> HostTable {
        let (columns, lists) = (self.columns.clone(), self.flat_lists());
        HostTable::from_ref(snapshot(
            self.hosts,
            columns,
            lists,
            Arc::clone(&self.texts),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_numbered_in_order_without_gaps() {
        let numbers = Column::ALL.iter().map(|&column| column as usize);
        assert!(numbers.eq(0..Column::ALL.len()));
    }

    #[test]
    fn a_table_of_an_older_maker_reads_as_empty_where_it_has_no_column() {
        let mut columns = HostColumns::new();
        columns.push("h", "n");
        columns.set_text(Column::Uuid, 0, "u");
        columns.set_list(List::AggregateMetadata, 0, &[1, 2, 3]);
        let whole = columns.snapshot();
        assert_eq!((whole.host(0).uuid(), whole.host(0).metrics()), ("u", ""));
        assert_eq!(whole.host(0).aggregate_metadata().count(), 1);
        // What release 1.0 had at first: up to `State`, and three lists.
        let older = HostTable::from_ref(snapshot(
            1,
            columns.columns[..=Column::State as usize].to_vec(),
            columns.flat_lists()[..=List::SupportedInstances as usize].to_vec(),
            Arc::clone(&columns.texts),
        ));
        let host = older.host(0);
        assert_eq!(
            (host.host_name(), host.node_name(), host.uuid()),
            ("h", "n", "")
        );
        assert!(older.uuid_ids().is_empty() && older.numa_topology_ids().is_empty());
        assert_eq!(host.aggregate_metadata().count(), 0);
        assert!(older.instance_flavors(0).is_empty());
    }
}
