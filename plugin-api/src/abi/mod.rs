//! The private bridge between a plugin and its host: everything that is `#[repr(C)]` or `unsafe`.
//!
//! Authors and services never name anything in here; `driver_kind!`, `record!` and `export_plugin!` expand to it, and
//! the loader binds through [`host`]. What crosses the border is frozen: a struct either never changes or starts with a
//! size word and grows at its end. `docs/abi.md` states the rules, `tests/old/` proves them.
//!
//! Reading order: [`buffer`] (owned memory), [`layout`] (what a type looks like), [`wire`] (std types to and fro),
//! [`error`] and [`guard`] (how a call fails), [`table`] (a driver's methods), [`root`] (what a file exports),
//! [`note`] (what it says of itself), [`services`] (what the host lends), [`host`] (the loader's door).

pub mod buffer;
pub mod call;
pub mod columns;
pub mod error;
pub mod guard;
pub mod host;
pub mod hosts;
pub mod layout;
pub mod note;
pub mod request;
pub mod root;
pub mod services;
pub mod table;
pub mod wire;

#[cfg(test)]
mod damaged;
#[cfg(test)]
mod tests;

pub use core::ffi::c_void;
