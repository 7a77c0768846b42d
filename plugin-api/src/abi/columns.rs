//! The maker's half of a host table: data that owns the columns, and the callbacks that the view points to.
//! Called by `types/columns.rs` alone.

use super::buffer::{RawSlice, RawStr};
use super::hosts::{RawColumn, RawList, RawTable, TableRef, NO_TEXT};
use core::ffi::c_void;
use std::collections::HashMap;
use std::sync::Arc;

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

impl ColumnData {
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

/// Every text that a table names, once.
#[derive(Clone, Default)]
pub struct Texts {
    /// By id.
    pub texts: Vec<Arc<str>>,
    /// To id.
    pub ids: HashMap<Arc<str>, u32>,
}

impl Texts {
    /// The id of a text, which is added if need be.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let (id, text) = (self.texts.len() as u32, Arc::<str>::from(text));
        self.texts.push(Arc::clone(&text));
        self.ids.insert(text, id);
        id
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
    snapshot
        .texts
        .texts
        .get(id as usize)
        .map_or(RawStr::text(""), |t| {
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
        .and_then(|t| snapshot.texts.ids.get(t))
        .copied()
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
