//! How std types cross the border: `Wire` for each type that a method may take or answer.
//!
//! A call does, on the caller's side, `prepare` → `lower`, and on the other side `receive` → `lend`. The two steps on
//! each side exist so that a borrowed argument (`&str`, `&Instance`, `&dyn HostStates`) has a place to live for exactly
//! as long as the call. Everything received is checked: text is UTF-8, counts are bounded, enums are known.

use super::buffer::{RawSlice, RawSliceMut, RawStr, RawVec};
use super::layout::{Part, TypeLayout};
use crate::error::DriverError;
use std::collections::BTreeMap;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::path::PathBuf;

/// The longest text, in bytes, that is accepted from the other side.
pub const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The longest list that is accepted from the other side.
pub const LIST_ITEMS_MAX: usize = 1024 * 1024;

/// A value that came across and may not be used.
#[derive(Debug)]
pub struct BadValue(pub String);

impl From<BadValue> for DriverError {
    fn from(bad: BadValue) -> Self {
        DriverError::bad_value(bad.0)
    }
}

/// A type that may cross the border.
///
/// # Safety
/// `LAYOUT` must describe `Abi` truthfully, `Abi` must be `#[repr(C)]` or primitive, and `lend` may only read what
/// `receive` put into `Held`.
pub unsafe trait Wire: Sized {
    /// What the caller keeps on its stack during the call.
    type Sent;
    /// What crosses.
    type Abi;
    /// What the called side keeps on its stack during the call.
    type Held;
    /// What it looks like.
    const LAYOUT: &'static TypeLayout;

    /// Caller, step 1.
    fn prepare(self) -> Self::Sent;
    /// Caller, step 2: called once.
    fn lower(sent: &mut Self::Sent) -> Self::Abi;
    /// Called side, step 1.
    ///
    /// # Safety
    /// `abi` must be what `lower` gave on the other side, within the same call.
    unsafe fn receive(abi: Self::Abi) -> Result<Self::Held, BadValue>;
    /// Called side, step 2: called once.
    ///
    /// # Safety
    /// `held` must outlive the value, and be dropped only after it.
    unsafe fn lend(held: *mut Self::Held) -> Self;
}

/// An owned value waiting in its stack place until it is taken, once.
pub type Slot<T> = Option<T>;

/// Takes the value of a slot.
///
/// # Safety
/// `slot` must point to a live slot.
#[inline(always)]
pub unsafe fn take<T>(slot: *mut Slot<T>) -> T {
    // SAFETY: the caller vouches for the pointer.
    let slot = unsafe { &mut *slot };
    match slot.take() {
        Some(value) => value,
        // Unreachable by the contract "called once"; a panic here is caught by the guard.
        None => panic!("a wire value was taken twice"),
    }
}

macro_rules! plain {
    ($($ty:ty),*) => {$(
        // SAFETY: a primitive has the same form everywhere on one target.
        unsafe impl Wire for $ty {
            type Sent = $ty;
            type Abi = $ty;
            type Held = $ty;
            const LAYOUT: &'static TypeLayout = &TypeLayout::of::<$ty>(stringify!($ty), &[]);
            #[inline(always)]
            fn prepare(self) -> $ty { self }
            #[inline(always)]
            fn lower(sent: &mut $ty) -> $ty { *sent }
            #[inline(always)]
            unsafe fn receive(abi: $ty) -> Result<$ty, BadValue> { Ok(abi) }
            #[inline(always)]
            unsafe fn lend(held: *mut $ty) -> $ty {
                // SAFETY: the caller keeps `held` alive.
                unsafe { *held }
            }
        }
    )*};
}
plain!(u8, u16, u32, u64, usize, i8, i16, i32, i64, f32, f64);

// SAFETY: nothing crosses; one byte stands in because C has no empty type.
unsafe impl Wire for () {
    type Sent = ();
    type Abi = u8;
    type Held = ();
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<u8>("nothing", &[]);
    #[inline(always)]
    fn prepare(self) {}
    #[inline(always)]
    fn lower(_: &mut ()) -> u8 {
        0
    }
    #[inline(always)]
    unsafe fn receive(_: u8) -> Result<(), BadValue> {
        Ok(())
    }
    #[inline(always)]
    unsafe fn lend(_: *mut ()) {}
}

// SAFETY: a byte that is checked to be 0 or 1 before it becomes a `bool`.
unsafe impl Wire for bool {
    type Sent = bool;
    type Abi = u8;
    type Held = bool;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<u8>("bool", &[]);
    #[inline(always)]
    fn prepare(self) -> bool {
        self
    }
    #[inline(always)]
    fn lower(sent: &mut bool) -> u8 {
        u8::from(*sent)
    }
    #[inline(always)]
    unsafe fn receive(abi: u8) -> Result<bool, BadValue> {
        match abi {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(BadValue(format!("a truth value of {other}"))),
        }
    }
    #[inline(always)]
    unsafe fn lend(held: *mut bool) -> bool {
        // SAFETY: the caller keeps `held` alive.
        unsafe { *held }
    }
}

/// Reads a text.
///
/// # Safety
/// `raw` must come from `RawStr::text` on the other side and live for `'a`.
pub unsafe fn read_text<'a>(raw: RawStr<'a>) -> Result<&'a str, BadValue> {
    if raw.len() > TEXT_BYTES_MAX {
        return Err(BadValue(format!(
            "a text of {} bytes, limit {TEXT_BYTES_MAX}",
            raw.len()
        )));
    }
    // SAFETY: the caller vouches for the slice.
    let bytes = unsafe { raw.get() };
    std::str::from_utf8(bytes).map_err(|e| {
        BadValue(format!(
            "text that is not UTF-8 at byte {}",
            e.valid_up_to()
        ))
    })
}

// SAFETY: a borrowed pointer and length, checked to be UTF-8 on arrival.
unsafe impl<'a> Wire for &'a str {
    type Sent = &'a str;
    type Abi = RawStr<'a>;
    type Held = &'a str;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<RawStr<'a>>("text", &[]);
    fn prepare(self) -> &'a str {
        self
    }
    fn lower(sent: &mut &'a str) -> RawStr<'a> {
        RawStr::text(sent)
    }
    unsafe fn receive(abi: RawStr<'a>) -> Result<&'a str, BadValue> {
        // SAFETY: by this function's contract.
        unsafe { read_text(abi) }
    }
    unsafe fn lend(held: *mut &'a str) -> &'a str {
        // SAFETY: the caller keeps `held` alive.
        unsafe { *held }
    }
}

/// A type whose values are plain bits, the same on both sides: slices of it cross without a copy.
///
/// # Safety
/// `#[repr(C)]` or primitive, no pointers, every bit pattern is a value.
pub unsafe trait Plain: Copy + 'static {
    /// What one item looks like.
    const ITEM: &'static [Part];
}

macro_rules! plain_items {
    ($($ty:ty),*) => {$(
        // SAFETY: a primitive number.
        unsafe impl Plain for $ty {
            const ITEM: &'static [Part] = &[Part::new("", <$ty as Wire>::LAYOUT)];
        }
    )*};
}
plain_items!(u8, u16, u32, u64, i32, i64, f32, f64);

// SAFETY: pointer and length of items that need no checking.
unsafe impl<'a, T: Plain> Wire for &'a [T] {
    type Sent = &'a [T];
    type Abi = RawSlice<'a, T>;
    type Held = &'a [T];
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<RawSlice<'a, T>>("slice", T::ITEM);
    #[inline]
    fn prepare(self) -> &'a [T] {
        self
    }
    #[inline]
    fn lower(sent: &mut &'a [T]) -> RawSlice<'a, T> {
        RawSlice::new(sent)
    }
    #[inline]
    unsafe fn receive(abi: RawSlice<'a, T>) -> Result<&'a [T], BadValue> {
        // SAFETY: by this function's contract.
        Ok(unsafe { abi.get() })
    }
    #[inline]
    unsafe fn lend(held: *mut &'a [T]) -> &'a [T] {
        // SAFETY: the caller keeps `held` alive.
        unsafe { *held }
    }
}

// SAFETY: pointer and length of items that need no checking, borrowed exclusively.
unsafe impl<'a, T: Plain> Wire for &'a mut [T] {
    type Sent = Slot<&'a mut [T]>;
    type Abi = RawSliceMut<'a, T>;
    type Held = Slot<&'a mut [T]>;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<RawSliceMut<'a, T>>("mut slice", T::ITEM);
    #[inline]
    fn prepare(self) -> Slot<&'a mut [T]> {
        Some(self)
    }
    #[inline]
    fn lower(sent: &mut Slot<&'a mut [T]>) -> RawSliceMut<'a, T> {
        // SAFETY: a live reference.
        RawSliceMut::new(unsafe { take(sent) })
    }
    #[inline]
    unsafe fn receive(abi: RawSliceMut<'a, T>) -> Result<Self::Held, BadValue> {
        // SAFETY: by this function's contract.
        Ok(Some(unsafe { abi.get() }))
    }
    #[inline]
    unsafe fn lend(held: *mut Self::Held) -> &'a mut [T] {
        // SAFETY: the caller keeps `held` alive.
        unsafe { take(held) }
    }
}

/// An owned type that a record may hold, a list may list and a method may answer.
///
/// # Safety
/// As for [`Wire`]. `borrow` may only be dropped while `self` lives.
pub unsafe trait Owned: Sized {
    /// Its form on the wire.
    type Raw;
    /// What it looks like.
    const SHAPE: &'static TypeLayout;
    /// Gives the value away.
    fn into_raw(self) -> Self::Raw;
    /// A view for the length of one call: texts and lists point into `self`.
    ///
    /// # Safety
    /// The result must be dropped before `self` changes or goes.
    unsafe fn borrow(&self) -> Self::Raw;
    /// Takes and checks a value; texts and lists are copied into this side's memory.
    ///
    /// # Safety
    /// `raw` must be what `into_raw` or `borrow` gave on the other side.
    unsafe fn from_raw(raw: Self::Raw) -> Result<Self, BadValue>;
}

/// Implements [`Wire`] for an [`Owned`] type that is passed by value.
#[macro_export]
#[doc(hidden)]
macro_rules! __wire_by_value {
    ($({$($generic:tt)*})? $ty:ty) => {
        // SAFETY: forwards to the type's `Owned`, whose contract is the same.
        unsafe impl $(<$($generic)*>)? $crate::__abi::wire::Wire for $ty {
            type Sent = $crate::__abi::wire::Slot<$ty>;
            type Abi = <$ty as $crate::__abi::wire::Owned>::Raw;
            type Held = $crate::__abi::wire::Slot<$ty>;
            const LAYOUT: &'static $crate::__abi::layout::TypeLayout =
                <$ty as $crate::__abi::wire::Owned>::SHAPE;
            fn prepare(self) -> Self::Sent {
                Some(self)
            }
            fn lower(sent: &mut Self::Sent) -> Self::Abi {
                // SAFETY: a live reference.
                $crate::__abi::wire::Owned::into_raw(unsafe { $crate::__abi::wire::take(sent) })
            }
            unsafe fn receive(
                abi: Self::Abi,
            ) -> ::core::result::Result<Self::Held, $crate::__abi::wire::BadValue> {
                // SAFETY: by this function's contract.
                unsafe { <$ty as $crate::__abi::wire::Owned>::from_raw(abi) }.map(Some)
            }
            unsafe fn lend(held: *mut Self::Held) -> $ty {
                // SAFETY: the caller keeps `held` alive.
                unsafe { $crate::__abi::wire::take(held) }
            }
        }
    };
}

macro_rules! owned_plain {
    ($($ty:ty),*) => {$(
        // SAFETY: the value is its own wire form, or a checked byte.
        unsafe impl Owned for $ty {
            type Raw = <$ty as Wire>::Abi;
            const SHAPE: &'static TypeLayout = <$ty as Wire>::LAYOUT;
            fn into_raw(mut self) -> Self::Raw { <$ty as Wire>::lower(&mut self) }
            unsafe fn borrow(&self) -> Self::Raw { (*self).into_raw() }
            unsafe fn from_raw(raw: Self::Raw) -> Result<Self, BadValue> {
                // SAFETY: by this function's contract.
                unsafe { <$ty as Wire>::receive(raw) }
            }
        }
    )*};
}
owned_plain!(u8, u16, u32, u64, usize, i8, i16, i32, i64, f32, f64, bool);

// SAFETY: an owned buffer of bytes, checked to be UTF-8 on arrival.
unsafe impl Owned for String {
    type Raw = RawVec<u8>;
    const SHAPE: &'static TypeLayout = &TypeLayout::of::<RawVec<u8>>("String", &[]);
    fn into_raw(self) -> RawVec<u8> {
        RawVec::own(self.into_bytes())
    }
    unsafe fn borrow(&self) -> RawVec<u8> {
        RawVec::lend(self.as_bytes())
    }
    unsafe fn from_raw(raw: RawVec<u8>) -> Result<Self, BadValue> {
        if raw.len() > TEXT_BYTES_MAX {
            return Err(BadValue(format!(
                "a text of {} bytes, limit {TEXT_BYTES_MAX}",
                raw.len()
            )));
        }
        // SAFETY: by this function's contract.
        let bytes = unsafe { raw.items() };
        // SAFETY: the slice was just made from live memory.
        unsafe { read_text(RawStr::new(bytes)) }.map(str::to_owned)
    }
}
__wire_by_value!(String);

// SAFETY: the bytes of a path, without a promise of UTF-8.
#[cfg(unix)]
unsafe impl Owned for PathBuf {
    type Raw = RawVec<u8>;
    const SHAPE: &'static TypeLayout = &TypeLayout::of::<RawVec<u8>>("PathBuf", &[]);
    fn into_raw(self) -> RawVec<u8> {
        use std::os::unix::ffi::OsStringExt;
        RawVec::own(self.into_os_string().into_vec())
    }
    unsafe fn borrow(&self) -> RawVec<u8> {
        use std::os::unix::ffi::OsStrExt;
        RawVec::lend(self.as_os_str().as_bytes())
    }
    unsafe fn from_raw(raw: RawVec<u8>) -> Result<Self, BadValue> {
        use std::os::unix::ffi::OsStringExt;
        if raw.len() > TEXT_BYTES_MAX {
            return Err(BadValue(format!(
                "a path of {} bytes, limit {TEXT_BYTES_MAX}",
                raw.len()
            )));
        }
        // SAFETY: by this function's contract.
        let bytes = unsafe { raw.items() };
        Ok(PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec())))
    }
}
#[cfg(unix)]
__wire_by_value!(PathBuf);

// SAFETY: a buffer of the items' own wire forms.
unsafe impl<T: Owned> Owned for Vec<T> {
    type Raw = RawVec<T::Raw>;
    const SHAPE: &'static TypeLayout =
        &TypeLayout::of::<RawVec<T::Raw>>("list", &[Part::new("", T::SHAPE)]);
    fn into_raw(self) -> Self::Raw {
        RawVec::own(self.into_iter().map(T::into_raw).collect())
    }
    unsafe fn borrow(&self) -> Self::Raw {
        // SAFETY: each view lives inside the returned buffer, which the caller drops before `self`.
        RawVec::own(self.iter().map(|item| unsafe { item.borrow() }).collect())
    }
    unsafe fn from_raw(raw: Self::Raw) -> Result<Self, BadValue> {
        if raw.len() > LIST_ITEMS_MAX {
            return Err(BadValue(format!(
                "a list of {} items, limit {LIST_ITEMS_MAX}",
                raw.len()
            )));
        }
        let mut items = Vec::with_capacity(raw.len());
        let mut bad = None;
        // SAFETY: by this function's contract; every item is consumed whether it is good or not.
        unsafe {
            raw.take_each(|item| match T::from_raw(item) {
                Ok(item) => items.push(item),
                Err(why) => bad = Some(why),
            });
        }
        bad.map_or(Ok(items), Err)
    }
}
__wire_by_value!({T: Owned} Vec<T>);

// SAFETY: an option is a list of at most one.
unsafe impl<T: Owned> Owned for Option<T> {
    type Raw = RawOption<T::Raw>;
    const SHAPE: &'static TypeLayout =
        &TypeLayout::of::<RawOption<T::Raw>>("option", &[Part::new("", T::SHAPE)]);
    fn into_raw(self) -> Self::Raw {
        self.map_or_else(RawOption::nothing, |v| RawOption::something(v.into_raw()))
    }
    unsafe fn borrow(&self) -> Self::Raw {
        match self {
            None => RawOption::nothing(),
            // SAFETY: by this function's contract.
            Some(value) => RawOption::something(unsafe { value.borrow() }),
        }
    }
    unsafe fn from_raw(raw: Self::Raw) -> Result<Self, BadValue> {
        // The value moves out, and is dropped where it goes.
        let mut raw = ManuallyDrop::new(raw);
        match raw.tag {
            RawOption::<T::Raw>::NOTHING => Ok(None),
            RawOption::<T::Raw>::SOMETHING => {
                // SAFETY: the tag says that its maker wrote the value; it is read once.
                let value = unsafe { raw.value.as_mut_ptr().read() };
                // SAFETY: by this function's contract.
                unsafe { T::from_raw(value) }.map(Some)
            }
            // What an unknown tag holds is unknown too, so nothing of it is freed.
            other => Err(BadValue(format!("an option with the tag {other}"))),
        }
    }
}
__wire_by_value!({T: Owned} Option<T>);

/// An option with a form that does not depend on the compiler: a C enum of nothing and something, whose tag is looked at
/// as the number that it is.
#[repr(C)]
pub struct RawOption<T> {
    tag: u32,
    value: MaybeUninit<T>,
}

impl<T> RawOption<T> {
    const NOTHING: u32 = 0;
    const SOMETHING: u32 = 1;

    pub(super) fn nothing() -> Self {
        let (tag, value) = (Self::NOTHING, MaybeUninit::uninit());
        Self { tag, value }
    }

    pub(super) fn something(value: T) -> Self {
        let (tag, value) = (Self::SOMETHING, MaybeUninit::new(value));
        Self { tag, value }
    }

    /// What nobody who knows this type makes.
    #[cfg(test)]
    pub(super) fn with_tag(tag: u32) -> Self {
        let value = MaybeUninit::uninit();
        Self { tag, value }
    }
}

impl<T> Drop for RawOption<T> {
    fn drop(&mut self) {
        if self.tag == Self::SOMETHING {
            // SAFETY: the tag says that there is a value; whoever moves it out forgets the option.
            unsafe { self.value.as_mut_ptr().drop_in_place() };
        }
    }
}

/// One pair of a map.
#[repr(C)]
pub struct RawPair<V> {
    key: RawVec<u8>,
    value: V,
}

// SAFETY: a buffer of pairs of wire forms.
unsafe impl<V: Owned> Owned for BTreeMap<String, V> {
    type Raw = RawVec<RawPair<V::Raw>>;
    const SHAPE: &'static TypeLayout =
        &TypeLayout::of::<Self::Raw>("map", &[Part::new("", V::SHAPE)]);
    fn into_raw(self) -> Self::Raw {
        let pair = |(key, value): (String, V)| RawPair {
            key: key.into_raw(),
            value: value.into_raw(),
        };
        RawVec::own(self.into_iter().map(pair).collect())
    }
    unsafe fn borrow(&self) -> Self::Raw {
        let pair = |(key, value): (&String, &V)| RawPair {
            // SAFETY: by this function's contract.
            key: unsafe { key.borrow() },
            // SAFETY: as above.
            value: unsafe { value.borrow() },
        };
        RawVec::own(self.iter().map(pair).collect())
    }
    unsafe fn from_raw(raw: Self::Raw) -> Result<Self, BadValue> {
        if raw.len() > LIST_ITEMS_MAX {
            return Err(BadValue(format!(
                "a map of {} items, limit {LIST_ITEMS_MAX}",
                raw.len()
            )));
        }
        let mut map = BTreeMap::new();
        let mut bad = None;
        // SAFETY: by this function's contract; both halves of every pair are consumed.
        unsafe {
            raw.take_each(
                |pair| match (String::from_raw(pair.key), V::from_raw(pair.value)) {
                    (Ok(key), Ok(value)) => drop(map.insert(key, value)),
                    (Err(why), _) | (_, Err(why)) => bad = Some(why),
                },
            );
        }
        bad.map_or(Ok(map), Err)
    }
}
__wire_by_value!({V: Owned} BTreeMap<String, V>);
