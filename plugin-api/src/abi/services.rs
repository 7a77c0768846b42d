//! What the host lends every plugin: its log, its clock, its shutdown flag. Lent for ever, never freed.
//!
//! The struct grows at its end under its size word; a plugin reads a slot only if the size covers it. Every callback is
//! guarded on the host's side, so that a host's panic never unwinds into a plugin.

use super::buffer::RawStr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The host's functions. The host makes one and leaks it.
#[repr(C)]
pub struct HostServices {
    /// `size_of::<HostServices>()` on the host's side.
    pub size: usize,
    /// Most detailed level that is kept: 1 error … 5 trace, 0 off.
    pub max_level: *const AtomicU32,
    /// Not zero once the host is leaving.
    pub shutdown: *const AtomicU32,
    /// Writes one log record. `driver` is the number from the driver's context, 0 for the plugin itself.
    pub log: unsafe extern "C" fn(
        driver: u64,
        level: u32,
        target: RawStr<'_>,
        text: RawStr<'_>,
        file: RawStr<'_>,
        line: u32,
    ),
    /// Nanoseconds on the host's monotonic clock, the one of deadlines.
    pub now_ns: unsafe extern "C" fn() -> u64,
}

// SAFETY: the host leaks the struct and both flags, and its functions may be called on any thread.
unsafe impl Send for HostServices {}
// SAFETY: as above.
unsafe impl Sync for HostServices {}

/// A plugin's view of [`HostServices`]; copying it is free.
#[derive(Clone, Copy)]
pub struct Services(&'static HostServices);

impl Services {
    /// Wraps what the host gave.
    ///
    /// # Safety
    /// `raw` must be non-null and point to services that are never freed.
    pub unsafe fn from_raw(raw: *const HostServices) -> Self {
        // SAFETY: the caller vouches for it.
        Self(unsafe { &*raw })
    }

    /// Services of a program that leaks them itself.
    pub fn new(services: &'static HostServices) -> Self {
        Self(services)
    }

    /// The pointer to hand on.
    pub fn as_raw(self) -> *const HostServices {
        self.0
    }

    /// Whether records of this level are kept: one relaxed load.
    #[inline]
    pub fn enabled(self, level: u32) -> bool {
        // SAFETY: the host leaked the flag.
        level <= unsafe { &*self.0.max_level }.load(Ordering::Relaxed)
    }

    /// Whether the host is leaving.
    pub fn shutting_down(self) -> bool {
        // SAFETY: the host leaked the flag.
        unsafe { &*self.0.shutdown }.load(Ordering::Relaxed) != 0
    }

    /// Writes a record.
    pub fn log(self, driver: u64, level: u32, target: &str, text: &str, file: &str, line: u32) {
        let (target, text, file) = (RawStr::text(target), RawStr::text(text), RawStr::text(file));
        // SAFETY: the host's own function; the texts live during the call.
        unsafe { (self.0.log)(driver, level, target, text, file, line) };
    }

    /// Nanoseconds on the clock of deadlines.
    pub fn now_ns(self) -> u64 {
        // SAFETY: the host's own function.
        unsafe { (self.0.now_ns)() }
    }

    pub(crate) fn log_panic(self, text: &str, file: &str, line: u32) {
        const WARN: u32 = 2;
        if self.enabled(WARN) {
            self.log(0, WARN, "panic", text, file, line);
        }
    }
}
