//! The plugin of `tests/old/source`, all of it, with an allocator that the host does not have.

#![forbid(unsafe_code)]

#[path = "../../../old/source/src/lib.rs"]
mod plugin;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
