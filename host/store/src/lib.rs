//! The database of the control plane.
//!
//! [`Store`] holds it: reads run on a small pool, writes are committed in groups by one task and
//! are durable when answered. [`LocalObjects`] is the local side of remotable methods. Must not
//! know RPC or managers. Used by the conductor, the scheduler and the API, never by compute.
#![forbid(unsafe_code)]

pub mod codes;
mod error;
mod local;
mod query;
mod sqlite;
mod store;

pub use error::{Fault, StoreError};
pub use local::LocalObjects;
pub use query::{InstanceQuery, LIST_MAX, ProjectUsage};
pub use sqlite::look::{Looked, look};
pub use sqlite::writer::{WRITE_BATCH_MAX, WRITE_QUEUE_MAX};
pub use store::{Options, Store};
