//! A driver on the wire: a pointer to it and a pointer to its methods.
//!
//! A kind's table is `#[repr(C)]`: this head, then one nullable function pointer per method, only ever appended. The
//! receiver copies the shorter of the two tables over an empty one of its own, so a method that the other side does not
//! know is null there and the trait's own body answers.

use super::buffer::{RawSlice, RawStr, RawVec};
use super::error::{give_error, take_error, RawError};
use super::guard::guard;
use super::layout::{LentKind, MethodDesc, TypeLayout};
use super::wire::{BadValue, Wire};
use crate::driver::Driver;
use crate::error::DriverError;
use core::ffi::c_void;
use std::sync::Arc;

/// The head of every kind's table. Frozen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TableHead {
    /// Bytes of the whole table, on its maker's side.
    pub size: usize,
    /// Drops the driver. Null when it is only lent.
    pub drop: Option<unsafe extern "C" fn(*mut c_void) -> *mut RawError>,
    /// `Driver::ready`. Null when it is only lent.
    pub ready: Option<unsafe extern "C" fn(*const c_void) -> *mut RawError>,
    /// For operations that do not exist yet: number, argument text, answer text.
    pub control: Option<
        unsafe extern "C" fn(*const c_void, u32, RawStr<'_>, *mut RawVec<u8>) -> *mut RawError,
    >,
}

/// A driver that is given away, or lent for one call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawDriver {
    /// The driver.
    pub this: *mut c_void,
    /// Its methods: really a kind's table that starts with this head.
    pub table: *const TableHead,
}

/// A trait made by `driver_kind!`, named at type level by its trait object: `dyn Filter`.
///
/// # Safety
/// Implemented by `driver_kind!` only: `bind` and `METHODS` must describe the same table.
pub unsafe trait DriverKind: Send + Sync + 'static {
    /// The kind's id, unique in the world: `longshore.filter`.
    const ID: &'static str;
    /// The trait's name: `Filter`.
    const TRAIT: &'static str;
    /// Changes only when old plugins cannot work any more.
    const REVISION: u32;
    /// Its methods, in the table's order.
    const METHODS: &'static [MethodDesc];
    /// The proxy type that stands for a driver on the other side of the border.
    type Proxy: Send + Sync;

    /// Copies the table of a driver and makes its proxy.
    ///
    /// # Safety
    /// `raw` must hold a driver of this kind whose methods were checked against [`Self::METHODS`].
    unsafe fn proxy(raw: RawDriver) -> Self::Proxy;
    /// The proxy as the trait object that services hold.
    fn share(proxy: Self::Proxy) -> Arc<Self>;
    /// The proxy as a borrowed trait object.
    fn look(proxy: &Self::Proxy) -> &Self;
    /// The table that lends `&Self` to the other side; `this` points to the fat reference.
    fn lending_table() -> *const TableHead;
}

/// A kind's table for the author's type `T`; implemented by `driver_kind!`.
///
/// # Safety
/// The table must start with a [`TableHead`] whose `size` is the whole table's.
pub unsafe trait AdapterFor<T>: DriverKind {
    /// The table.
    fn table() -> *const TableHead;
}

/// `drop` of a driver that was boxed by [`build_driver`].
///
/// # Safety
/// `this` must come from `Box::<T>::into_raw` in this library and is not used again.
pub unsafe extern "C" fn drop_driver<T>(this: *mut c_void) -> *mut RawError {
    let mut out = 0_u8;
    // SAFETY: `out` is a live byte, the wire form of `()`.
    unsafe {
        guard(&mut out, || {
            // SAFETY: the caller vouches for `this`.
            drop(Box::from_raw(this.cast::<T>()));
            Ok(())
        })
    }
}

/// `ready` of an author's driver.
///
/// # Safety
/// `this` must point to a live `T`.
pub unsafe extern "C" fn ready_driver<T: Driver>(this: *const c_void) -> *mut RawError {
    let mut out = 0_u8;
    // SAFETY: `out` is a live byte, and the caller vouches for `this`.
    unsafe { guard(&mut out, || (*this.cast::<T>()).ready()) }
}

/// Builds a `T` from settings text and boxes it as a driver of kind `K`.
///
/// # Safety
/// `out` must be valid for writing, `context` must be what `RawContext::lend` made.
pub unsafe fn build_driver<K, T>(
    settings: RawStr<'_>,
    context: *const super::call::RawContext<'_>,
    out: *mut RawDriver,
) -> *mut RawError
where
    K: ?Sized + AdapterFor<T>,
    T: Driver,
{
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(
        || -> Result<T, DriverError> {
            // SAFETY: the host lends both for this call.
            let (text, context) =
                unsafe { (super::wire::read_text(settings)?, (*context).copy()?) };
            T::new(crate::settings::read::<T::Settings>(text)?, &context)
        },
    ));
    match built {
        Ok(Ok(driver)) => {
            let raw = RawDriver {
                this: Box::into_raw(Box::new(driver)).cast(),
                table: K::table(),
            };
            // SAFETY: the caller vouches for `out`.
            unsafe { out.write(raw) };
            std::ptr::null_mut()
        }
        Ok(Err(error)) => give_error(error),
        Err(payload) => give_error(super::guard::panic_to_error(payload)),
    }
}

/// An answer that failed, in the proxy. Out of line: the call path stays small.
///
/// # Safety
/// As for [`take_error`].
#[cold]
#[inline(never)]
pub unsafe fn failed<R>(error: *mut RawError) -> Result<R, DriverError> {
    // SAFETY: the caller vouches for it.
    Err(unsafe { take_error(error) })
}

/// What a method answers that neither side provides.
#[cold]
pub fn not_implemented(method: &str) -> DriverError {
    DriverError::not_supported(format!("the driver does not implement `{method}`"))
}

/// Copies what both sides know of a table over `empty`.
///
/// # Safety
/// `from` must point to a table of `(*from).size` bytes; `T` must be `#[repr(C)]`, start with a [`TableHead`] and allow
/// all-zero bytes.
pub unsafe fn copy_table<T: Copy>(from: *const TableHead) -> T {
    let mut table = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: the caller vouches that the head can be read.
    let bytes = unsafe { (*from).size }.min(std::mem::size_of::<T>());
    // SAFETY: both sides have at least `bytes` bytes; the destination is ours.
    unsafe {
        std::ptr::copy_nonoverlapping(from.cast::<u8>(), table.as_mut_ptr().cast::<u8>(), bytes)
    };
    // SAFETY: all-zero is a valid table (null functions), and the copied part is valid on its maker's word.
    unsafe { table.assume_init() }
}

unsafe extern "C" fn lent_kind<K: ?Sized + DriverKind>() -> LentKind {
    LentKind {
        revision: K::REVISION,
        methods: RawSlice::new(K::METHODS),
    }
}

/// A fat reference that waits on the lender's stack, so that a thin pointer to it can cross.
pub struct Lent<'a, K: ?Sized>(pub &'a K);

// SAFETY: `this` points to the caller's fat reference for the length of the call; the table belongs to the caller.
unsafe impl<'a, K: ?Sized + DriverKind> Wire for &'a K {
    type Sent = Lent<'a, K>;
    type Abi = RawDriver;
    type Held = K::Proxy;
    const LAYOUT: &'static TypeLayout = &TypeLayout::lent::<RawDriver>(K::ID, lent_kind::<K>);

    fn prepare(self) -> Lent<'a, K> {
        Lent(self)
    }

    fn lower(sent: &mut Lent<'a, K>) -> RawDriver {
        let this = (&mut sent.0 as *mut &'a K).cast::<c_void>();
        RawDriver {
            this,
            table: K::lending_table(),
        }
    }

    unsafe fn receive(abi: RawDriver) -> Result<K::Proxy, BadValue> {
        // SAFETY: by this function's contract; the layout check compared the lent kind's id, revision and methods.
        Ok(unsafe { K::proxy(abi) })
    }

    unsafe fn lend(held: *mut K::Proxy) -> &'a K {
        // SAFETY: the caller keeps `held` alive for as long as the reference is used.
        K::look(unsafe { &*held })
    }
}
