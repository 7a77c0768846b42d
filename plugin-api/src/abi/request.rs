//! The request spec on the wire: numbered slots behind one pointer, so that passing it to a filter costs nothing.
//!
//! Slots are only ever appended; one that the maker did not know reads as absent. Called by `types/request_spec.rs`,
//! which gives the slots their names.

use super::buffer::{RawSlice, RawStr};
use super::layout::TypeLayout;
use super::wire::{BadValue, Wire};
use crate::types::request_spec::RequestSpec;
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// A text that may be absent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawText {
    text: RawStr<'static>,
    present: u32,
}

/// Two texts.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawTextPair {
    key: RawStr<'static>,
    value: RawStr<'static>,
}

/// The view. Grows at its end under `size`.
#[repr(C)]
pub struct RawRequest {
    size: usize,
    retain: unsafe extern "C" fn(*const RawRequest),
    release: unsafe extern "C" fn(*const RawRequest),
    numbers: RawSlice<'static, u64>,
    texts: RawSlice<'static, RawText>,
    lists: RawSlice<'static, RawSlice<'static, RawStr<'static>>>,
    pairs: RawSlice<'static, RawSlice<'static, RawTextPair>>,
}

/// The slots of a request, before they are shared.
#[derive(Default)]
pub struct Slots {
    /// Numbers by slot.
    pub numbers: Vec<u64>,
    /// Texts by slot.
    pub texts: Vec<Option<String>>,
    /// Lists by slot.
    pub lists: Vec<Vec<String>>,
    /// Pairs by slot; a key may come several times.
    pub pairs: Vec<Vec<(String, String)>>,
}

#[repr(C)]
struct Shared {
    raw: RawRequest,
    // What the views in `raw` point into, from the outside in. Kept, never read again.
    _texts: Vec<RawText>,
    _list_items: Vec<Vec<RawStr<'static>>>,
    _lists: Vec<RawSlice<'static, RawStr<'static>>>,
    _pair_items: Vec<Vec<RawTextPair>>,
    _pairs: Vec<RawSlice<'static, RawTextPair>>,
    _slots: Slots,
}

// SAFETY: the views point into the vectors beside them, which never change.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

unsafe extern "C" fn retain(raw: *const RawRequest) {
    // SAFETY: `raw` is the first field of a `Shared` inside an `Arc` of this library.
    unsafe { Arc::increment_strong_count(raw.cast::<Shared>()) };
}

unsafe extern "C" fn release(raw: *const RawRequest) {
    // SAFETY: as in `retain`, and the caller gives back a reference it holds.
    unsafe { Arc::decrement_strong_count(raw.cast::<Shared>()) };
}

fn for_ever<T>(items: &[T]) -> RawSlice<'static, T> {
    let items: *const [T] = items;
    // SAFETY: the items live in a vector of the same `Shared`; moving the vector does not move them.
    RawSlice::new(unsafe { &*items })
}

fn share(slots: Slots) -> *const RawRequest {
    let text = |t: &String| for_ever(t.as_bytes());
    let pair = |(k, v): &(String, String)| RawTextPair {
        key: text(k),
        value: text(v),
    };
    let empty = RawStr::text("");
    let maybe = |t: &Option<String>| RawText {
        text: t.as_ref().map_or(empty, text),
        present: u32::from(t.is_some()),
    };
    let texts: Vec<_> = slots.texts.iter().map(maybe).collect();
    let list_items: Vec<Vec<_>> = slots
        .lists
        .iter()
        .map(|l| l.iter().map(text).collect())
        .collect();
    let lists: Vec<_> = list_items.iter().map(|l| for_ever(l)).collect();
    let pair_items: Vec<Vec<_>> = slots
        .pairs
        .iter()
        .map(|l| l.iter().map(pair).collect())
        .collect();
    let pairs: Vec<_> = pair_items.iter().map(|l| for_ever(l)).collect();
    let raw = RawRequest {
        size: std::mem::size_of::<RawRequest>(),
        retain,
        release,
        numbers: for_ever(&slots.numbers),
        texts: for_ever(&texts),
        lists: for_ever(&lists),
        pairs: for_ever(&pairs),
    };
    let shared = Shared {
        raw,
        _texts: texts,
        _list_items: list_items,
        _lists: lists,
        _pair_items: pair_items,
        _pairs: pairs,
        _slots: slots,
    };
    Arc::into_raw(Arc::new(shared)).cast()
}

fn read(text: RawStr<'static>) -> &'static str {
    // SAFETY: made by `share` from a `String` of its side, and alive while the request is.
    let bytes = unsafe { text.get() };
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A counted reference to a request.
#[repr(transparent)]
pub struct RequestRef(*const RawRequest);

// SAFETY: the request is immutable and its count atomic.
unsafe impl Send for RequestRef {}
// SAFETY: as above.
unsafe impl Sync for RequestRef {}

impl RequestRef {
    /// Shares these slots.
    pub fn new(slots: Slots) -> Self {
        Self(share(slots))
    }

    fn raw(&self) -> &RawRequest {
        // SAFETY: this value holds a reference, or borrows one for a call.
        unsafe { &*self.0 }
    }

    /// A number; 0 when absent.
    #[inline]
    pub fn number(&self, slot: usize) -> u64 {
        // SAFETY: the maker's slice lives while the request does.
        unsafe { self.raw().numbers.get() }
            .get(slot)
            .copied()
            .unwrap_or(0)
    }

    /// A text.
    pub fn text(&self, slot: usize) -> Option<&str> {
        // SAFETY: as above.
        let text = unsafe { self.raw().texts.get() }.get(slot)?;
        (text.present != 0).then(|| read(text.text))
    }

    /// The items of a list.
    pub fn list(&self, slot: usize) -> impl Iterator<Item = &str> {
        // SAFETY: as above.
        let list = unsafe { self.raw().lists.get() }.get(slot);
        // SAFETY: as above.
        let items = list.map_or(&[][..], |l| unsafe { l.get() });
        items.iter().map(|&t| read(t))
    }

    /// The pairs of a slot.
    pub fn pairs(&self, slot: usize) -> impl Iterator<Item = (&str, &str)> {
        // SAFETY: as above.
        let pairs = unsafe { self.raw().pairs.get() }.get(slot);
        // SAFETY: as above.
        let items = pairs.map_or(&[][..], |p| unsafe { p.get() });
        items.iter().map(|p| (read(p.key), read(p.value)))
    }
}

impl Clone for RequestRef {
    fn clone(&self) -> Self {
        // SAFETY: the maker's own function on a live request.
        unsafe { (self.raw().retain)(self.0) };
        Self(self.0)
    }
}

impl Drop for RequestRef {
    fn drop(&mut self) {
        // SAFETY: gives back the one reference that this value holds.
        unsafe { (self.raw().release)(self.0) };
    }
}

// SAFETY: a borrowed pointer to a request that the caller holds for the length of the call.
unsafe impl<'a> Wire for &'a RequestSpec {
    type Sent = *const RawRequest;
    type Abi = *const RawRequest;
    type Held = ManuallyDrop<RequestSpec>;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<*const RawRequest>("&RequestSpec", &[]);
    #[inline]
    fn prepare(self) -> *const RawRequest {
        self.as_ref_handle().0
    }
    #[inline]
    fn lower(sent: &mut *const RawRequest) -> *const RawRequest {
        *sent
    }
    #[inline]
    unsafe fn receive(abi: *const RawRequest) -> Result<Self::Held, BadValue> {
        // The caller's reference lives during the call; `ManuallyDrop` never gives it back.
        Ok(ManuallyDrop::new(RequestSpec::from_handle(RequestRef(abi))))
    }
    #[inline]
    unsafe fn lend(held: *mut Self::Held) -> &'a RequestSpec {
        // SAFETY: the caller keeps `held` alive.
        unsafe { &*held }
    }
}
