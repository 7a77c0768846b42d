//! The conductor, the scheduler and compute through their public surface, with drivers that are
//! plain structs of these files.
//!
//! Services run for real over a memory transport and a store in a temporary directory; any order,
//! in parallel.
#![expect(clippy::unwrap_used, reason = "tests")]

mod aggregates;
mod bad_input;
mod boot;
mod calls;
mod crossing;
mod fakes;
mod fences;
mod groups;
mod instance_info;
mod operations;
mod records;
mod recovery;
mod scheduler;
mod side_by_side;
mod simulate;
mod tidy;
mod world;
