//! The live form of a host table, which a host manager changes, and the snapshots that are made of it.
//!
//! A snapshot is immutable; a change that comes after it is not seen in it and costs no copy of the table (`frames`).

use super::frames::{Change, Frames};
use crate::abi::columns::{snapshot, ColumnData, ListData, Texts};
use crate::types::columns::{Column, List, LISTS};
use crate::types::host_table::HostTable;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The live columns that a host manager (or a test) fills and changes; [`HostColumns::snapshot`] makes a table of them.
pub struct HostColumns {
    hosts: usize,
    columns: Vec<ColumnData>,
    lists: Vec<Vec<Arc<[u32]>>>,
    texts: Arc<Texts>,
    shared: Mutex<Shared>,
}

/// What snapshots hold too.
#[derive(Default)]
struct Shared {
    frames: Frames,
    /// Each list in its flat form, made by the first snapshot after a change.
    flat: [Option<Arc<ListData>>; LISTS],
}

impl Clone for HostColumns {
    fn clone(&self) -> Self {
        let flat = self.lock().flat.clone();
        let frames = Frames::default();
        Self {
            hosts: self.hosts,
            columns: self.columns.clone(),
            lists: self.lists.clone(),
            texts: Arc::new(self.texts.fork()),
            shared: Mutex::new(Shared { frames, flat }),
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
            texts: Arc::default(),
            shared: Mutex::default(),
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
        self.change(Change::Push);
        for &column in Column::TEXTS {
            self.put(column, row, empty);
        }
        let nothing: Arc<[u32]> = Arc::from([]);
        for list in &mut self.lists {
            list.push(Arc::clone(&nothing));
        }
        self.shared_mut().flat = Default::default();
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
        self.change(Change::SwapRemove { row: row as u32 });
        for list in &mut self.lists {
            list.swap_remove(row);
        }
        self.shared_mut().flat = Default::default();
    }

    /// The id of a text, which is added if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        match self.texts.find(text) {
            Some(id) => id,
            None => Arc::make_mut(&mut self.texts).add(text),
        }
    }

    /// Sets a text column.
    pub fn set_text(&mut self, column: Column, row: usize, text: &str) {
        let id = self.intern(text);
        self.set_u32(column, row, id);
    }

    /// Sets a `u32` column. A column of another type stays as it is.
    pub fn set_u32(&mut self, column: Column, row: usize, value: u32) {
        if let ColumnData::U32(_) = self.columns[column as usize] {
            self.put(column, row, value);
        }
    }

    /// Sets an `i32` column. A column of another type stays as it is.
    pub fn set_i32(&mut self, column: Column, row: usize, value: i32) {
        if let ColumnData::I32(_) = self.columns[column as usize] {
            self.put(column, row, value as u32);
        }
    }

    /// Sets an `f32` column. A column of another type stays as it is.
    pub fn set_f32(&mut self, column: Column, row: usize, value: f32) {
        if let ColumnData::F32(_) = self.columns[column as usize] {
            self.put(column, row, value.to_bits());
        }
    }

    fn put(&mut self, column: Column, row: usize, bits: u32) {
        let number = column as usize;
        if row < self.hosts && self.columns[number].get(row) != bits {
            let (column, row) = (number as u32, row as u32);
            self.change(Change::Set { column, row, bits });
        }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.columns);
        self.shared_mut().frames.note(change);
    }

    /// Sets the items of a list column.
    pub fn set_list(&mut self, list: List, row: usize, items: &[u32]) {
        if let Some(old) = self.lists[list as usize].get_mut(row) {
            if **old != *items {
                *old = Arc::from(items);
                self.shared_mut().flat[list as usize] = None;
            }
        }
    }

    /// Nothing in it is half done when somebody panics: poison means nothing.
    fn shared_mut(&mut self) -> &mut Shared {
        self.shared
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flatten(&self, number: usize) -> Arc<ListData> {
        let lists = &self.lists[number];
        let mut flat = ListData {
            offsets: Vec::with_capacity(lists.len() + 1),
            values: Vec::new(),
        };
        flat.offsets.push(0);
        for items in lists {
            flat.values.extend_from_slice(items);
            flat.offsets.push(flat.values.len() as u32);
        }
        Arc::new(flat)
    }

    /// An immutable table of the columns as they are now. Copies a list that has changed since the last one, and nothing
    /// else while not more than two snapshots of earlier states are held.
    pub fn snapshot(&self) -> HostTable {
        let mut shared = self.lock();
        let columns = shared.frames.share(&self.columns);
        let each = shared.flat.iter_mut().enumerate();
        let lists = each.map(|(n, list)| Arc::clone(list.get_or_insert_with(|| self.flatten(n))));
        let (lists, texts) = (lists.collect(), Arc::clone(&self.texts));
        HostTable::from_ref(snapshot(self.hosts, columns, lists, texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_keeps_what_it_showed() {
        let mut hosts = HostColumns::new();
        for i in 0..700 {
            let row = hosts.push(&format!("h{i}"), "n");
            hosts.set_u32(Column::VcpusTotal, row, i);
            hosts.set_list(List::Instances, row, &[i, i + 1]);
        }
        let before = hosts.snapshot();
        hosts.set_i32(Column::FreeRamMb, 3, -5);
        hosts.set_f32(Column::RamAllocationRatio, 3, 1.5);
        hosts.set_text(Column::HostIp, 3, "10.0.0.3");
        hosts.set_list(List::Instances, 3, &[]);
        hosts.swap_remove(0);
        let after = hosts.snapshot();
        assert_eq!((before.len(), after.len()), (700, 699));
        let was = before.host(3);
        assert_eq!((was.free_ram_mb(), was.host_ip()), (0, ""));
        assert_eq!(before.instances(3), [3, 4]);
        let is = after.host(3);
        let found = (is.free_ram_mb(), is.ram_allocation_ratio(), is.host_ip());
        assert_eq!(found, (-5, 1.5, "10.0.0.3"));
        assert_eq!(
            (after.instances(3), after.instances(0)),
            (&[][..], &[699, 700][..])
        );
        assert_eq!(after.host(0).host_name(), "h699");
        assert_eq!(after.find("h650", "n"), Some(650));
        assert_eq!(before.find_text("no such text"), None);
    }

    #[test]
    fn a_column_of_another_type_and_a_row_that_is_not_there_stay() {
        let mut hosts = HostColumns::new();
        hosts.push("h", "n");
        hosts.set_u32(Column::FreeRamMb, 0, 7);
        hosts.set_f32(Column::VcpusTotal, 0, 7.0);
        hosts.set_i32(Column::FreeRamMb, 1, 7);
        hosts.set_list(List::Instances, 9, &[1]);
        let table = hosts.snapshot();
        assert_eq!(
            (table.free_ram_mb(), table.vcpus_total()),
            (&[0][..], &[0][..])
        );
    }

    #[test]
    fn a_copy_goes_its_own_way() {
        let mut one = HostColumns::new();
        one.push("h", "n");
        let mut two = one.clone();
        two.set_i32(Column::FreeRamMb, 0, 9);
        two.set_text(Column::HostIp, 0, "there");
        one.set_text(Column::HostIp, 0, "here");
        assert_eq!(one.intern("there"), one.intern("there"));
        assert_eq!(one.snapshot().free_ram_mb(), [0]);
        assert_eq!(one.snapshot().host(0).host_ip(), "here");
        let table = two.snapshot();
        assert_eq!(
            (table.free_ram_mb(), table.host(0).host_ip()),
            (&[9][..], "there")
        );
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
        let lists = 0..=List::SupportedInstances as usize;
        let older = HostTable::from_ref(snapshot(
            1,
            columns.columns[..=Column::State as usize].to_vec(),
            lists.map(|number| columns.flatten(number)).collect(),
            Arc::clone(&columns.texts),
        ));
        let host = older.host(0);
        let names = (host.host_name(), host.node_name(), host.uuid());
        assert_eq!(names, ("h", "n", ""));
        assert!(older.uuid_ids().is_empty() && older.numa_topology_ids().is_empty());
        assert_eq!(host.aggregate_metadata().count(), 0);
        assert!(older.instance_flavors(0).is_empty());
    }
}
