//! The conductor, the scheduler and compute through their public surface, with drivers that are
//! plain structs of these files.
//!
//! Services run for real over a memory transport and a store in a temporary directory; any order,
//! in parallel.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod boot;
mod calls;
mod fakes;
mod fences;
mod operations;
mod recovery;
mod scheduler;
mod simulate;
mod tidy;
mod world;
