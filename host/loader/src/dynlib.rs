//! Opens a shared library and follows its one symbol. All `unsafe` of the host is here and in `dynlib/`: a file as memory,
//! and the few system calls and registers that nobody else gives safely.
//!
//! Called by `load.rs` after the file was inspected. A library is never closed: statics, threads and
//! thread-locals of a plugin would outlive it (see docs/abi.md), and every root is `'static`.

mod descriptors;
pub(crate) mod float_control;
mod process_end;
pub(crate) mod shared_file;
pub(crate) mod signals;

use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use longshore_plugin_api::__abi::host::{Plugin, RootError};
use longshore_plugin_api::__abi::root::{Header, SYMBOL};
use longshore_plugin_api::__abi::services::Services;

pub use descriptors::inherit_none;
pub use process_end::{leave, on_exit};

/// Why a file that looked right could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The dynamic linker refused it; its own words.
    Linker(String),
    /// The symbol is not there.
    NoSymbol,
    /// The symbol leads to something else.
    Root(RootError),
}

/// Opens a library with every symbol bound now and none shown to others, and follows its symbol.
///
/// # Errors
/// `OpenError`.
pub fn open(path: &Path, services: Services) -> Result<Plugin, OpenError> {
    // SAFETY: running the library's initialisers is what loading a plugin means: the operator trusts
    // the file as much as the host. Its headers and segments were checked before.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    let library = library.map_err(|e| OpenError::Linker(linker_text(&e)))?;
    // SAFETY: only the symbol's address is taken; its type is checked by magic in `Plugin::open`.
    let symbol = unsafe { library.get::<*const Header>(SYMBOL.as_bytes()) };
    let address = match symbol {
        Ok(symbol) => symbol.into_raw().cast::<Header>().cast_const(),
        Err(_) => {
            std::mem::forget(library);
            return Err(OpenError::NoSymbol);
        }
    };
    std::mem::forget(library);
    // SAFETY: the address is that of the library's symbol, and the library was just leaked.
    unsafe { Plugin::open(address, services) }.map_err(OpenError::Root)
}

/// Whether the dynamic linker would answer this path from memory. It goes by the text of the path first, so a descriptor's
/// number that was used before would lead to the library of that time.
pub fn is_open(path: &Path) -> bool {
    const RTLD_NOLOAD: i32 = 4;
    // SAFETY: nothing is loaded, so nothing runs: the library is there already, or there is no answer.
    let known = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_NOLOAD) };
    known.map(std::mem::forget).is_ok()
}

/// libloading's own text names the call only; the linker's words are its source.
fn linker_text(error: &libloading::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
