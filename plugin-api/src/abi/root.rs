//! The one symbol that a plugin exports, and what it leads to: header → root → entries.
//!
//! Frozen for ever: each struct grows only at its end, under its size word or the header's magic.

use super::buffer::{RawSlice, RawStr, RawVec};
use super::call::RawContext;
use super::error::RawError;
use super::layout::MethodDesc;
use super::services::{HostServices, Services};
use super::table::RawDriver;

/// The exported symbol's name. The number is the ABI of this file's structs, not a crate's version.
pub const SYMBOL: &str = "longshore_plugin_1";
/// What the symbol starts with.
pub const MAGIC: [u8; 16] = *b"longshore-abi-1\0";
/// The version of plugin-api that both sides compare: a plugin may not be newer than its host.
pub const API_MAJOR: u32 = 1;
/// See [`API_MAJOR`].
pub const API_MINOR: u32 = 0;
/// Flag in [`Root::flags`]: a panic would end the process.
pub const FLAG_PANIC_ABORT: u64 = 1;

/// What the symbol points to.
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 16],
    /// Hands the plugin the host's services and answers its root. May be called several times.
    pub open: unsafe extern "C" fn(*const HostServices) -> *const Root,
}

/// What a plugin offers.
#[repr(C)]
pub struct Root {
    /// Bytes of this struct on the plugin's side.
    pub size: usize,
    /// [`API_MAJOR`] of the plugin.
    pub api_major: u32,
    /// [`API_MINOR`] of the plugin.
    pub api_minor: u32,
    /// [`FLAG_PANIC_ABORT`] and flags to come.
    pub flags: u64,
    /// Its entry points.
    pub entries: RawSlice<'static, Entry>,
    /// For operations that do not exist yet: number, argument, answer.
    pub control: Option<unsafe extern "C" fn(u32, RawStr<'_>, *mut RawVec<u8>) -> *mut RawError>,
}

/// One entry point.
#[repr(C)]
pub struct Entry {
    /// The namespace it is made for.
    pub namespace: RawStr<'static>,
    /// Its name.
    pub name: RawStr<'static>,
    /// The id of its kind.
    pub kind: RawStr<'static>,
    /// The revision of its kind.
    pub revision: u32,
    /// Its kind's methods, as the plugin knows them.
    pub methods: RawSlice<'static, MethodDesc>,
    /// Builds a driver from settings (JSON text) and a context.
    pub build:
        unsafe extern "C" fn(RawStr<'_>, *const RawContext<'_>, *mut RawDriver) -> *mut RawError,
}

/// Keeps the services in this library and installs its panic hook; `plugin` is its name in the log.
/// Called by `export_plugin!`'s `open`.
///
/// # Safety
/// `services` must be null or point to services that are never freed.
pub unsafe fn opened(services: *const HostServices, plugin: &'static str) {
    if !services.is_null() {
        // SAFETY: the caller vouches for it.
        super::guard::install_hook(unsafe { Services::from_raw(services) }, plugin);
    }
}
