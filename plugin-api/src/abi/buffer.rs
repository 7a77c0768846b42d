//! Memory that crosses the border: borrowed slices, and vectors that carry the function which frees them.
//!
//! Host and plugin have different allocators. So nothing allocated on one side is freed on the other: an owned buffer
//! names its owner's `free`, and the receiver copies what it wants to keep. Must not know what the bytes mean.

use core::marker::PhantomData;
use std::mem::ManuallyDrop;

/// A borrowed run of `T`, valid for `'a`.
#[repr(C)]
pub struct RawSlice<'a, T> {
    ptr: *const T,
    len: usize,
    life: PhantomData<&'a [T]>,
}

impl<T> Clone for RawSlice<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for RawSlice<'_, T> {}

// SAFETY: a `RawSlice` is a shared borrow of `[T]`; it is as shareable as `&[T]` is.
unsafe impl<T: Sync> Send for RawSlice<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for RawSlice<'_, T> {}

impl<'a, T> RawSlice<'a, T> {
    /// Borrows a slice.
    pub const fn new(slice: &'a [T]) -> Self {
        Self {
            ptr: slice.as_ptr(),
            len: slice.len(),
            life: PhantomData,
        }
    }

    /// The slice.
    ///
    /// # Safety
    /// The maker of the value, on the other side of the border, must have made it with [`RawSlice::new`].
    pub unsafe fn get(self) -> &'a [T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the caller vouches that pointer and length came from a real slice that lives for `'a`.
        unsafe { core::slice::from_raw_parts(self.ptr, self.len) }
    }

    /// How many items the maker says there are. Safe to read before [`RawSlice::get`] is trusted.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A borrowed UTF-8 text.
pub type RawStr<'a> = RawSlice<'a, u8>;

impl<'a> RawSlice<'a, u8> {
    /// Borrows a text.
    pub const fn text(text: &'a str) -> Self {
        Self::new(text.as_bytes())
    }
}

/// A mutably borrowed run of `T`.
#[repr(C)]
pub struct RawSliceMut<'a, T> {
    ptr: *mut T,
    len: usize,
    life: PhantomData<&'a mut [T]>,
}

impl<'a, T> RawSliceMut<'a, T> {
    /// Borrows a slice.
    pub fn new(slice: &'a mut [T]) -> Self {
        Self {
            ptr: slice.as_mut_ptr(),
            len: slice.len(),
            life: PhantomData,
        }
    }

    /// The slice.
    ///
    /// # Safety
    /// The maker must have made the value with [`RawSliceMut::new`] and must not touch the slice meanwhile.
    pub unsafe fn get(self) -> &'a mut [T] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: the caller vouches that pointer and length came from a real, exclusive borrow that lives for `'a`.
        unsafe { core::slice::from_raw_parts_mut(self.ptr, self.len) }
    }
}

/// An owned vector whose memory belongs to the side that made it.
///
/// A *borrowed* one has `cap == 0` and frees nothing: it lets a record be sent by reference without copying its texts.
#[repr(C)]
pub struct RawVec<T> {
    ptr: *mut T,
    len: usize,
    cap: usize,
    free: unsafe extern "C" fn(*mut T, usize, usize),
}

// SAFETY: a `RawVec<T>` owns its items as a `Vec<T>` does; `free` may be called on any thread because the global
// allocator it belongs to is thread-safe.
unsafe impl<T: Send> Send for RawVec<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for RawVec<T> {}

/// Frees a vector that `RawVec::own` took apart in this library.
unsafe extern "C" fn free_vec<T>(ptr: *mut T, len: usize, cap: usize) {
    // SAFETY: only `RawVec::drop` calls this, with the parts that `own` took from a `Vec` of this very library.
    drop(unsafe { Vec::from_raw_parts(ptr, len, cap) });
}

/// The `free` of a borrowed vector.
unsafe extern "C" fn free_nothing<T>(_: *mut T, _: usize, _: usize) {}

impl<T> RawVec<T> {
    /// Takes a vector.
    pub fn own(vec: Vec<T>) -> Self {
        let mut vec = ManuallyDrop::new(vec);
        Self {
            ptr: vec.as_mut_ptr(),
            len: vec.len(),
            cap: vec.capacity(),
            free: free_vec::<T>,
        }
    }

    /// Borrows items that outlive the call the value is made for. Nothing is freed when it is dropped.
    pub fn lend(items: &[T]) -> Self {
        Self {
            ptr: items.as_ptr() as *mut T,
            len: items.len(),
            cap: 0,
            free: free_nothing::<T>,
        }
    }

    /// How many items the maker says there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The items.
    ///
    /// # Safety
    /// The maker must have made the value with [`RawVec::own`] or [`RawVec::lend`].
    pub unsafe fn items(&self) -> &[T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the caller vouches that pointer and length describe initialised items.
        unsafe { core::slice::from_raw_parts(self.ptr, self.len) }
    }

    /// Moves the items out one by one; what is not taken is leaked, never freed twice.
    ///
    /// # Safety
    /// As for [`RawVec::items`], and the value must own its items or they must be `Copy`-like borrows.
    pub unsafe fn take_each(self, mut each: impl FnMut(T)) {
        let this = ManuallyDrop::new(self);
        for i in 0..this.len {
            // SAFETY: `i < len`, the items are initialised (caller) and each is read once.
            each(unsafe { core::ptr::read(this.ptr.add(i)) });
        }
        // SAFETY: the maker's own function, with its own pointer; length 0 because every item has moved out.
        unsafe { (this.free)(this.ptr, 0, this.cap) };
    }
}

impl<T> Drop for RawVec<T> {
    fn drop(&mut self) {
        // SAFETY: `free`, `ptr`, `len` and `cap` were set together by `own` or `lend` in the maker's library.
        unsafe { (self.free)(self.ptr, self.len, self.cap) };
    }
}
