//! The control plane: the managers behind the services, in the shape of Nova.
//!
//! One folder per service; of a sibling only its `rpcapi` may be used. The crate must not know the
//! command line or how drivers are loaded: they are handed in as trait objects. `compute` must not
//! know that a database exists. The program's wiring builds the managers.
#![forbid(unsafe_code)]

pub mod api;
pub mod call_watch;
pub mod codes;
pub mod compute;
pub mod conductor;
pub mod driver_call;
pub mod drivers;
pub mod scheduler;
pub mod service_records;
pub mod tally;

pub use call_watch::{CallEnd, CallWatch, Watched};
pub use driver_call::{CallError, DriverCalls};
pub use drivers::{MULTIPLIER_MAX, NamedDriver, NamedWeigher};
pub use service_records::ObjectRecords;
pub use tally::{MethodStats, Stats, Tally};

/// Program name in the record of a compute service.
pub const BINARY_COMPUTE: &str = "longshore-compute";
/// Program name in the record of a conductor.
pub const BINARY_CONDUCTOR: &str = "longshore-conductor";
/// Program name in the record of a scheduler.
pub const BINARY_SCHEDULER: &str = "longshore-scheduler";
