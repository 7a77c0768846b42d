//! A `DriverError` on the wire. Made on one side, copied on the other, freed by its maker.

use super::buffer::RawVec;
use super::wire::Owned;
use crate::error::{Category, DriverError};

/// An error that crosses. Numbers are open sets: a category from the future reads as *internal*.
#[repr(C)]
pub struct RawError {
    category: u32,
    /// 0 unless the driver says that trying again may help.
    retry: u32,
    /// 1 when the call panicked, 2 when a value was refused at the border.
    origin: u32,
    message: RawVec<u8>,
    hint: RawVec<u8>,
    /// A key path for a settings error, `file:line` for a panic.
    place: RawVec<u8>,
    free: unsafe extern "C" fn(*mut RawError),
}

#[cfg(test)]
impl RawError {
    /// As nobody who knows this type makes it.
    pub(super) fn damage(&mut self, category: u32, origin: u32, place: RawVec<u8>) {
        (self.category, self.origin, self.place) = (category, origin, place);
    }
}

unsafe extern "C" fn free_error(error: *mut RawError) {
    // SAFETY: only `take_error` calls this, once, with what `give_error` boxed in this library.
    drop(unsafe { Box::from_raw(error) });
}

/// Boxes an error for the other side.
pub fn give_error(error: DriverError) -> *mut RawError {
    let (category, retry, origin, message, hint, place) = error.into_parts();
    Box::into_raw(Box::new(RawError {
        category: category as u32,
        retry: u32::from(retry),
        origin,
        message: message.into_raw(),
        hint: hint.into_raw(),
        place: place.into_raw(),
        free: free_error,
    }))
}

/// Copies an error and lets its maker free it.
///
/// # Safety
/// `error` must be non-null and come from [`give_error`] on the other side; it must not be used again.
#[cold]
pub unsafe fn take_error(error: *mut RawError) -> DriverError {
    // SAFETY: the caller vouches that it points to a live `RawError`.
    let raw = unsafe { &*error };
    let text = |bytes: &RawVec<u8>| {
        let cut = bytes.len().min(crate::error::TEXT_MAX);
        // SAFETY: the buffer was made by `Owned::into_raw` on the other side.
        let bytes = unsafe { bytes.items() };
        String::from_utf8_lossy(&bytes[..cut]).into_owned()
    };
    let copy = DriverError::from_parts(
        Category::from_number(raw.category),
        raw.retry != 0,
        raw.origin,
        text(&raw.message),
        text(&raw.hint),
        text(&raw.place),
    );
    let free = raw.free;
    // SAFETY: its maker's own function, called once.
    unsafe { free(error) };
    copy
}
