//! The host table and the host mask on the wire: views of columns, shared by reference count, never copied.
//!
//! Columns and lists are found by number, and new ones are only appended: a table from an older host manager has fewer.
//! Called by `types/host_table.rs` and `types/mask.rs`, which give all this its safe face.

use super::buffer::{RawSlice, RawStr};
use super::layout::TypeLayout;
use super::wire::{BadValue, Wire};
use crate::types::host_table::{Host, HostTable};
use crate::types::mask::Mask;
use core::ffi::c_void;

/// "No such text" among text ids.
pub const NO_TEXT: u32 = u32::MAX;

/// One column: `len` items of the type that its number implies.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawColumn {
    /// The items.
    pub ptr: *const c_void,
    /// How many.
    pub len: usize,
}

/// One column of lists: host `i` has `values[offsets[i]..offsets[i + 1]]`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawList {
    /// `hosts + 1` offsets.
    pub offsets: RawSlice<'static, u32>,
    /// The items of all hosts.
    pub values: RawSlice<'static, u32>,
}

/// A table. Grows at its end under `size`.
#[repr(C)]
pub struct RawTable {
    /// Bytes of this struct on its maker's side.
    pub size: usize,
    /// Counts one more reference.
    pub retain: unsafe extern "C" fn(*const RawTable),
    /// Counts one reference less; the last one frees.
    pub release: unsafe extern "C" fn(*const RawTable),
    /// The text of an id; empty for an unknown one.
    pub text: unsafe extern "C" fn(*const RawTable, u32) -> RawStr<'static>,
    /// The id of a text, or [`NO_TEXT`].
    pub find: unsafe extern "C" fn(*const RawTable, RawStr<'_>) -> u32,
    /// How many hosts.
    pub hosts: usize,
    /// Columns by number.
    pub columns: RawSlice<'static, RawColumn>,
    /// Lists by number.
    pub lists: RawSlice<'static, RawList>,
}

impl RawTable {
    /// The column with this number, when it has items of size `T` for every host.
    ///
    /// # Safety
    /// The number must imply the item type `T` (see `types/host_table.rs`, where the numbers are given).
    pub unsafe fn column<T: super::wire::Plain>(&self, number: usize) -> &[T] {
        // SAFETY: the maker's slice lives as long as the table does.
        let column = match unsafe { self.columns.get() }.get(number) {
            Some(column) if column.len == self.hosts && self.hosts > 0 => *column,
            _ => return &[],
        };
        // SAFETY: the maker gave a pointer to `len` items of the number's type, alive as long as the table.
        unsafe { std::slice::from_raw_parts(column.ptr.cast::<T>(), column.len) }
    }

    /// The items of `host` in the list with this number.
    pub fn list(&self, number: usize, host: usize) -> &[u32] {
        // SAFETY: the maker's slice lives as long as the table does.
        let list = match unsafe { self.lists.get() }.get(number) {
            Some(list) => *list,
            None => return &[],
        };
        // SAFETY: as above.
        let (offsets, values) = unsafe { (list.offsets.get(), list.values.get()) };
        match (offsets.get(host), offsets.get(host + 1)) {
            (Some(&from), Some(&to)) => values.get(from as usize..to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The text of an id.
    pub fn text(&self, id: u32) -> &str {
        // SAFETY: the maker's own function on its own table.
        let raw = unsafe { (self.text)(self, id) };
        // SAFETY: the text lives as long as the table does.
        std::str::from_utf8(unsafe { raw.get() }).unwrap_or_default()
    }

    /// The id of a text.
    pub fn find(&self, text: &str) -> Option<u32> {
        // SAFETY: the maker's own function on its own table.
        let id = unsafe { (self.find)(self, RawStr::text(text)) };
        (id != NO_TEXT).then_some(id)
    }
}

/// A counted reference to a table.
#[repr(transparent)]
pub struct TableRef(*const RawTable);

// SAFETY: the table is immutable and its count is atomic.
unsafe impl Send for TableRef {}
// SAFETY: as above.
unsafe impl Sync for TableRef {}

impl TableRef {
    /// Takes over one reference.
    ///
    /// # Safety
    /// `raw` must be a live table, and the reference counted for this value.
    pub unsafe fn from_counted(raw: *const RawTable) -> Self {
        Self(raw)
    }

    /// The table.
    #[inline]
    pub fn get(&self) -> &RawTable {
        // SAFETY: this value holds a reference, so the table lives.
        unsafe { &*self.0 }
    }

    fn into_raw(self) -> *const RawTable {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }
}

impl Clone for TableRef {
    fn clone(&self) -> Self {
        // SAFETY: the maker's own function on a live table.
        unsafe { (self.get().retain)(self.0) };
        Self(self.0)
    }
}

impl Drop for TableRef {
    fn drop(&mut self) {
        // SAFETY: gives back the one reference that this value holds.
        unsafe { (self.get().release)(self.0) };
    }
}

// SAFETY: a counted pointer moves from one side to the other with its reference.
unsafe impl Wire for HostTable {
    type Sent = Option<TableRef>;
    type Abi = *const RawTable;
    type Held = Option<TableRef>;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<*const RawTable>("HostTable", &[]);
    fn prepare(self) -> Option<TableRef> {
        Some(self.into_ref())
    }
    fn lower(sent: &mut Option<TableRef>) -> *const RawTable {
        sent.take().map_or(std::ptr::null(), TableRef::into_raw)
    }
    unsafe fn receive(abi: *const RawTable) -> Result<Self::Held, BadValue> {
        if abi.is_null() {
            return Err(BadValue("no host table".to_owned()));
        }
        // SAFETY: the sender counted the reference for us.
        Ok(Some(unsafe { TableRef::from_counted(abi) }))
    }
    unsafe fn lend(held: *mut Self::Held) -> HostTable {
        // SAFETY: the caller keeps `held` alive, and `receive` filled it.
        HostTable::from_ref(unsafe { super::wire::take(held) })
    }
}

// SAFETY: a borrowed pointer to a table that the caller holds for the length of the call.
unsafe impl<'a> Wire for &'a HostTable {
    type Sent = *const RawTable;
    type Abi = *const RawTable;
    type Held = std::mem::ManuallyDrop<HostTable>;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<*const RawTable>("&HostTable", &[]);
    #[inline]
    fn prepare(self) -> *const RawTable {
        self.raw()
    }
    #[inline]
    fn lower(sent: &mut *const RawTable) -> *const RawTable {
        *sent
    }
    #[inline]
    unsafe fn receive(abi: *const RawTable) -> Result<Self::Held, BadValue> {
        // SAFETY: the caller's reference lives during the call; `ManuallyDrop` never gives it back.
        let table = unsafe { TableRef::from_counted(abi) };
        Ok(std::mem::ManuallyDrop::new(HostTable::from_ref(table)))
    }
    #[inline]
    unsafe fn lend(held: *mut Self::Held) -> &'a HostTable {
        // SAFETY: the caller keeps `held` alive.
        unsafe { &*held }
    }
}

/// One host of a borrowed table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawHost {
    table: *const RawTable,
    row: usize,
}

/// A borrowed table and a row, waiting for `lend`.
pub struct HeldHost {
    table: std::mem::ManuallyDrop<HostTable>,
    row: usize,
}

// SAFETY: a borrowed table and a row inside it, checked on arrival.
unsafe impl<'a> Wire for Host<'a> {
    type Sent = RawHost;
    type Abi = RawHost;
    type Held = HeldHost;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<RawHost>("Host", &[]);
    fn prepare(self) -> RawHost {
        RawHost {
            table: self.table().raw(),
            row: self.row(),
        }
    }
    fn lower(sent: &mut RawHost) -> RawHost {
        *sent
    }
    unsafe fn receive(abi: RawHost) -> Result<HeldHost, BadValue> {
        // SAFETY: as for `&HostTable`.
        let table = std::mem::ManuallyDrop::new(HostTable::from_ref(unsafe {
            TableRef::from_counted(abi.table)
        }));
        if abi.row >= table.len() {
            return Err(BadValue(format!(
                "host #{} of a table of {}",
                abi.row,
                table.len()
            )));
        }
        Ok(HeldHost {
            table,
            row: abi.row,
        })
    }
    unsafe fn lend(held: *mut HeldHost) -> Host<'a> {
        // SAFETY: the caller keeps `held` alive.
        let held = unsafe { &*held };
        Host::new(&held.table, held.row)
    }
}

/// A mask: one bit per host.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawMask {
    words: *mut u64,
    hosts: usize,
}

impl RawMask {
    fn of(mask: &mut Mask<'_>) -> Self {
        let hosts = mask.len();
        Self {
            words: mask.words_mut().as_mut_ptr(),
            hosts,
        }
    }

    unsafe fn mask<'a>(self) -> Mask<'a> {
        let words = (self.hosts + 63) / 64;
        let words = if words == 0 {
            &mut []
        } else {
            // SAFETY: made by `of` from a real mask with that many words, alive during the call.
            unsafe { std::slice::from_raw_parts_mut(self.words, words) }
        };
        Mask::new(words, self.hosts)
    }
}

// SAFETY: pointer and length of the caller's words, exclusively borrowed for the call.
unsafe impl<'a, 'm> Wire for &'a mut Mask<'m> {
    type Sent = RawMask;
    type Abi = RawMask;
    type Held = Mask<'m>;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<RawMask>("&mut Mask", &[]);
    fn prepare(self) -> RawMask {
        RawMask::of(self)
    }
    fn lower(sent: &mut RawMask) -> RawMask {
        *sent
    }
    unsafe fn receive(abi: RawMask) -> Result<Mask<'m>, BadValue> {
        // SAFETY: by this function's contract.
        Ok(unsafe { abi.mask() })
    }
    unsafe fn lend(held: *mut Mask<'m>) -> &'a mut Mask<'m> {
        // SAFETY: the caller keeps `held` alive.
        unsafe { &mut *held }
    }
}

// SAFETY: as above; the receiver only gets a shared reference, so it cannot clear bits.
unsafe impl<'a, 'm> Wire for &'a Mask<'m> {
    type Sent = RawMask;
    type Abi = RawMask;
    type Held = Mask<'m>;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<RawMask>("&Mask", &[]);
    fn prepare(self) -> RawMask {
        RawMask {
            words: self.words().as_ptr() as *mut u64,
            hosts: self.len(),
        }
    }
    fn lower(sent: &mut RawMask) -> RawMask {
        *sent
    }
    unsafe fn receive(abi: RawMask) -> Result<Mask<'m>, BadValue> {
        // SAFETY: by this function's contract; nobody writes through it, since `lend` gives a shared reference.
        Ok(unsafe { abi.mask() })
    }
    unsafe fn lend(held: *mut Mask<'m>) -> &'a Mask<'m> {
        // SAFETY: the caller keeps `held` alive.
        unsafe { &*held }
    }
}
