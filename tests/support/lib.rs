//! What the integration tests and the benchmarks share: where the built files are, a host that runs
//! the real program in a directory of its own, and the audit that nothing was lost.

#![forbid(unsafe_code)]

pub mod files;
pub mod host;
pub mod logs;
pub mod outside;
pub mod probe;
