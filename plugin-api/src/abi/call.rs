//! The contexts on the wire: of one driver (for its whole life) and of one call (for its length).

use super::buffer::RawStr;
use super::layout::TypeLayout;
use super::services::{HostServices, Services};
use super::wire::{read_text, BadValue, Wire};
use crate::context::{CallContext, Context};
use std::sync::atomic::AtomicU32;

/// What a driver is given when it is built. Grows at its end under `size`.
#[repr(C)]
pub struct RawContext<'a> {
    size: usize,
    services: *const HostServices,
    driver: u64,
    namespace: RawStr<'a>,
    name: RawStr<'a>,
    host: RawStr<'a>,
    state_dir: RawStr<'a>,
}

impl<'a> RawContext<'a> {
    /// Borrows a context.
    pub(crate) fn lend(context: &'a Context) -> Self {
        use std::os::unix::ffi::OsStrExt;
        Self {
            size: std::mem::size_of::<Self>(),
            services: context.services().as_raw(),
            driver: context.driver(),
            namespace: RawStr::text(context.namespace()),
            name: RawStr::text(context.name()),
            host: RawStr::text(context.host()),
            state_dir: RawStr::new(context.state_dir().as_os_str().as_bytes()),
        }
    }

    /// Copies a context.
    ///
    /// # Safety
    /// `self` must be what [`RawContext::lend`] made on the other side.
    pub(crate) unsafe fn copy(&self) -> Result<Context, BadValue> {
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: the host leaks its services.
        let services = unsafe { Services::from_raw(self.services) };
        // SAFETY: the texts were made by `lend`, and live during the call.
        let (namespace, name, host) = unsafe {
            (
                read_text(self.namespace)?,
                read_text(self.name)?,
                read_text(self.host)?,
            )
        };
        // SAFETY: as above.
        let dir = std::ffi::OsStr::from_bytes(unsafe { self.state_dir.get() });
        Ok(Context::new(
            services,
            self.driver,
            namespace,
            name,
            host,
            dir.into(),
        ))
    }
}

/// What one call is given. Grows at its end under `size`.
#[repr(C)]
pub struct RawCall<'a> {
    size: usize,
    services: *const HostServices,
    request_id: RawStr<'a>,
    deadline_ns: u64,
    cancel: *const AtomicU32,
}

// SAFETY: a pointer to a struct with a size word, made and read by the two functions below.
unsafe impl<'a, 'c> Wire for &'a CallContext<'c> {
    type Sent = RawCall<'c>;
    type Abi = *const RawCall<'c>;
    type Held = CallContext<'c>;
    const LAYOUT: &'static TypeLayout = &TypeLayout::of::<*const RawCall<'c>>("CallContext", &[]);

    #[inline]
    fn prepare(self) -> RawCall<'c> {
        RawCall {
            size: std::mem::size_of::<RawCall<'_>>(),
            services: self.services.as_raw(),
            request_id: RawStr::text(self.request_id),
            deadline_ns: self.deadline_ns,
            cancel: self.cancel,
        }
    }

    #[inline]
    fn lower(sent: &mut RawCall<'c>) -> *const RawCall<'c> {
        sent
    }

    #[inline]
    unsafe fn receive(abi: *const RawCall<'c>) -> Result<CallContext<'c>, BadValue> {
        // SAFETY: `lower` gave a pointer into the caller's frame, which lives during the call.
        let raw = unsafe { &*abi };
        Ok(CallContext {
            // SAFETY: the host leaks its services.
            services: unsafe { Services::from_raw(raw.services) },
            // SAFETY: made by `prepare` from a `&str` of the host, which is UTF-8.
            request_id: unsafe { std::str::from_utf8_unchecked(raw.request_id.get()) },
            deadline_ns: raw.deadline_ns,
            // SAFETY: the caller's token outlives the call.
            cancel: unsafe { &*raw.cancel },
        })
    }

    #[inline]
    unsafe fn lend(held: *mut CallContext<'c>) -> &'a CallContext<'c> {
        // SAFETY: the caller keeps `held` alive.
        unsafe { &*held }
    }
}
