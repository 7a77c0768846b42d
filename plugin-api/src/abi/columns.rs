//! The maker's half of a host table: data that owns the columns, and the callbacks that the view points to.
//! Called by `types/columns.rs` alone.

use super::buffer::{RawSlice, RawStr};
use super::hosts::{RawColumn, RawList, RawTable, TableRef, NO_TEXT};
use core::ffi::c_void;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// One column's items, shared between the live columns and the snapshots made of them.
#[derive(Clone)]
pub enum ColumnData {
    /// Counts, sizes, text ids.
    U32(Arc<Vec<u32>>),
    /// Amounts that may be negative.
    I32(Arc<Vec<i32>>),
    /// Ratios.
    F32(Arc<Vec<f32>>),
}

/// The same expression for each type of items.
macro_rules! each {
    ($column:expr, $items:ident => $do:expr) => {
        match $column {
            ColumnData::U32($items) => $do,
            ColumnData::I32($items) => $do,
            ColumnData::F32($items) => $do,
        }
    };
}

impl ColumnData {
    /// How many items there are.
    #[cfg(test)]
    pub fn rows(&self) -> usize {
        each!(self, items => items.len())
    }

    /// The bits of an item.
    pub fn get(&self, row: usize) -> u32 {
        match self {
            Self::U32(items) => items[row],
            Self::I32(items) => items[row] as u32,
            Self::F32(items) => items[row].to_bits(),
        }
    }

    /// Sets an item by its bits.
    pub fn set(&mut self, row: usize, bits: u32) {
        match self {
            Self::U32(items) => Arc::make_mut(items)[row] = bits,
            Self::I32(items) => Arc::make_mut(items)[row] = bits as i32,
            Self::F32(items) => Arc::make_mut(items)[row] = f32::from_bits(bits),
        }
    }

    /// Adds a zero.
    pub fn push(&mut self) {
        each!(self, items => Arc::make_mut(items).push(Default::default()))
    }

    /// Takes an item out; the last one takes its place.
    pub fn swap_remove(&mut self, row: usize) {
        each!(self, items => drop(Arc::make_mut(items).swap_remove(row)))
    }

    /// The same items in memory of their own.
    pub fn copy(&self) -> Self {
        match self {
            Self::U32(items) => Self::U32(Arc::new(items.to_vec())),
            Self::I32(items) => Self::I32(Arc::new(items.to_vec())),
            Self::F32(items) => Self::F32(Arc::new(items.to_vec())),
        }
    }

    /// Whether somebody else has these items too.
    pub fn is_shared(&self) -> bool {
        each!(self, items => Arc::strong_count(items) > 1)
    }

    /// Whether both are the same memory.
    #[cfg(test)]
    pub fn is_same(&self, other: &Self) -> bool {
        self.raw().ptr == other.raw().ptr
    }

    fn raw(&self) -> RawColumn {
        match self {
            Self::U32(v) => RawColumn {
                ptr: v.as_ptr().cast::<c_void>(),
                len: v.len(),
            },
            Self::I32(v) => RawColumn {
                ptr: v.as_ptr().cast::<c_void>(),
                len: v.len(),
            },
            Self::F32(v) => RawColumn {
                ptr: v.as_ptr().cast::<c_void>(),
                len: v.len(),
            },
        }
    }
}

/// A list column in its flat form.
#[derive(Clone)]
pub struct ListData {
    /// `hosts + 1` offsets.
    pub offsets: Vec<u32>,
    /// All items.
    pub values: Vec<u32>,
}

/// Texts that are kept together: what is copied when one is added while a snapshot is held.
const CHUNK: usize = 256;

/// Every text that a table names, once. Cloning it, for a snapshot that adds nothing, copies no text; at most one chunk is
/// copied by what is added then.
#[derive(Clone, Default)]
pub struct Texts {
    /// By id; all but the last are full.
    chunks: Vec<Arc<Vec<Arc<str>>>>,
    /// To id; shared by all clones, of which an older one has fewer of the texts.
    ids: Arc<RwLock<HashMap<Arc<str>, u32>>>,
}

impl Texts {
    /// The id of a text.
    pub fn find(&self, text: &str) -> Option<u32> {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        // A later clone may have added it.
        ids.get(text).copied().filter(|id| self.get(*id).is_some())
    }

    /// The same texts, to which others may be added.
    pub fn fork(&self) -> Self {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        Self {
            chunks: self.chunks.clone(),
            ids: Arc::new(RwLock::new(ids.clone())),
        }
    }

    fn get(&self, id: u32) -> Option<&Arc<str>> {
        let id = id as usize;
        self.chunks.get(id / CHUNK)?.get(id % CHUNK)
    }

    /// Adds a text that is not there, and answers its id.
    pub fn add(&mut self, text: &str) -> u32 {
        let text = Arc::<str>::from(text);
        if self.chunks.last().map_or(true, |last| last.len() == CHUNK) {
            self.chunks.push(Arc::default());
        }
        let full = (self.chunks.len() - 1) * CHUNK;
        let mut id = full;
        if let Some(last) = self.chunks.last_mut() {
            let last = Arc::make_mut(last);
            id += last.len();
            last.push(Arc::clone(&text));
        }
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        ids.insert(text, id as u32);
        id as u32
    }
}

/// What a snapshot owns. `raw` is first, so that a pointer to it is a pointer to the whole.
#[repr(C)]
struct Snapshot {
    raw: RawTable,
    raw_columns: Vec<RawColumn>,
    raw_lists: Vec<RawList>,
    columns: Vec<ColumnData>,
    lists: Vec<Arc<ListData>>,
    texts: Arc<Texts>,
}

// SAFETY: the raw pointers inside point into the `Arc`s beside them, which are immutable while shared.
unsafe impl Send for Snapshot {}
// SAFETY: as above.
unsafe impl Sync for Snapshot {}

unsafe extern "C" fn retain(raw: *const RawTable) {
    // SAFETY: `raw` is the first field of a `Snapshot` inside an `Arc` of this library.
    unsafe { Arc::increment_strong_count(raw.cast::<Snapshot>()) };
}

unsafe extern "C" fn release(raw: *const RawTable) {
    // SAFETY: as in `retain`, and the caller gives back a reference it holds.
    unsafe { Arc::decrement_strong_count(raw.cast::<Snapshot>()) };
}

unsafe extern "C" fn text(raw: *const RawTable, id: u32) -> RawStr<'static> {
    // SAFETY: as in `retain`; the caller keeps the table alive while it uses the text.
    let snapshot = unsafe { &*raw.cast::<Snapshot>() };
    snapshot.texts.get(id).map_or(RawStr::text(""), |t| {
        let bytes: *const [u8] = t.as_bytes();
        // SAFETY: texts are never freed or moved while the snapshot holds them.
        RawStr::new(unsafe { &*bytes })
    })
}

unsafe extern "C" fn find(raw: *const RawTable, wanted: RawStr<'_>) -> u32 {
    // SAFETY: as in `retain`.
    let snapshot = unsafe { &*raw.cast::<Snapshot>() };
    // SAFETY: the caller lends a text for this call.
    let bytes = unsafe { wanted.get() };
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|t| snapshot.texts.find(t))
        .unwrap_or(NO_TEXT)
}

/// Makes an immutable table of these parts; no item is copied.
pub fn snapshot(
    hosts: usize,
    columns: Vec<ColumnData>,
    lists: Vec<Arc<ListData>>,
    texts: Arc<Texts>,
) -> TableRef {
    let raw_columns: Vec<_> = columns.iter().map(ColumnData::raw).collect();
    let raw_lists: Vec<_> = lists.iter().map(|l| raw_list(l)).collect();
    let raw = RawTable {
        size: std::mem::size_of::<RawTable>(),
        retain,
        release,
        text,
        find,
        hosts,
        columns: for_ever(&raw_columns),
        lists: for_ever(&raw_lists),
    };
    let shared = Arc::new(Snapshot {
        raw,
        raw_columns,
        raw_lists,
        columns,
        lists,
        texts,
    });
    debug_assert_eq!(shared.raw_columns.len(), shared.columns.len());
    debug_assert_eq!(shared.raw_lists.len(), shared.lists.len());
    // SAFETY: `into_raw` hands over one counted reference; `raw` is the first field.
    unsafe { TableRef::from_counted(Arc::into_raw(shared).cast::<RawTable>()) }
}

fn raw_list(list: &ListData) -> RawList {
    RawList {
        offsets: for_ever(&list.offsets),
        values: for_ever(&list.values),
    }
}

/// A view whose owner is kept by the snapshot it goes into.
fn for_ever<T>(items: &[T]) -> RawSlice<'static, T> {
    let items: *const [T] = items;
    // SAFETY: the snapshot owns the allocation behind `items` (moving a `Vec` or `Arc` does not move its items), and
    // the view is only reachable through the snapshot.
    RawSlice::new(unsafe { &*items })
}

/// The items of the column with this number. `T` is checked against the number by the callers in `types/columns.rs`.
pub(crate) fn read<T: super::wire::Plain>(table: &RawTable, number: usize) -> &[T] {
    // SAFETY: `types/columns.rs` gives each number one item type for ever, and reads it with that one.
    unsafe { table.column(number) }
}
