//! The contract between longshore and its plugins: **one plain Rust trait per kind of driver**.
//!
//! A plugin is a `cdylib` crate that depends on this crate alone and writes no `unsafe`. It implements a kind's trait for
//! a type, says how the type is built ([`Driver`]) and lists it ([`export_plugin!`]):
//!
//! ```no_run
//! #![forbid(unsafe_code)]
//! use longshore_plugin_api::{export_plugin, settings, Context, Driver, DriverError, Filter, Host, RequestSpec};
//!
//! settings! {
//!     /// What the operator can set.
//!     pub struct CalmSettings {
//!         /// Hosts with more I/O operations than this are passed over.
//!         io_ops_max: u32 = 4, min = 0, max = 1000;
//!     }
//! }
//!
//! /// Passes hosts that are not busy.
//! struct Calm {
//!     io_ops_max: u32,
//! }
//!
//! impl Driver for Calm {
//!     type Settings = CalmSettings;
//!     fn new(settings: CalmSettings, _context: &Context) -> Result<Self, DriverError> {
//!         Ok(Calm { io_ops_max: settings.io_ops_max })
//!     }
//! }
//!
//! impl Filter for Calm {
//!     fn passes(&self, host: Host<'_>, _request: &RequestSpec) -> Result<bool, DriverError> {
//!         Ok(host.num_io_ops() <= self.io_ops_max)
//!     }
//! }
//!
//! export_plugin! {
//!     "longshore.scheduler.filter" {
//!         /// Hosts that are not busy.
//!         calm: Filter => Calm;
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! with this in `Cargo.toml`:
//!
//! ```toml
//! [package]
//! description = "Calm hosts first"     # shown by `longshore plugin inspect`
//! license = "Apache-2.0"
//!
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [profile.release]
//! panic = "unwind"                     # the default; a plugin that aborts is refused
//! ```
//!
//! `cargo build --release` gives the `.so`. `longshore plugin inspect FILE` shows what it says of itself; a line in
//! `plugins.toml` puts it in the map: `["longshore.scheduler.filter"]` / `calm = "/opt/acme/libcalm.so"`.
//!
//! # The kinds
//!
//! | kind | namespace | what it does |
//! |---|---|---|
//! | [`Filter`] | `longshore.scheduler.filter` | says which hosts may take an instance |
//! | [`Weigher`] | `longshore.scheduler.weigher` | says how good each host is |
//! | [`Scheduler`] | `longshore.scheduler.driver` | picks hosts, with the filters and weighers it is lent |
//! | [`HostManager`] | `longshore.scheduler.host_manager` | keeps the scheduler's view of all hosts |
//! | [`Virt`] | `longshore.virt.driver` | makes and ends the guests of one host |
//!
//! Each trait's page is its contract. A kind of your own is one [`driver_kind!`] away; its input is the trait.
//!
//! # What to know
//!
//! - **Failing.** Methods answer [`DriverError`]: a [`Category`] that the host acts on, and a text for people. A panic is
//!   caught and becomes an error with its file and line. What cannot be caught: a stack overflow, `abort`, `exit`, running
//!   out of memory, a call that never returns. An in-process driver is trusted code.
//! - **The host's things.** Log through [`Context::log`]. Keep files in [`Context::state_dir`]. The `.so` has its own
//!   copy of every static: the host's `log`, tokio and thread-locals are not visible. Do not change what the process
//!   shares: signal handlers, working directory, umask, environment, locale.
//! - **At hand.** [`file_name`] makes safe file names of ids, [`Random`] seeded random numbers, [`Mask`] and [`score`] the
//!   fast loops of filters and weighers; [`Json`] reads the JSON texts of a table, [`numa`] and [`pci`] those that are placed;
//!   [`testing`] has a driver behind the real bridge in your own tests.
//! - **Threads.** Drivers are `Send + Sync` and may be called from several threads. Kinds that may block say so.
//! - **Lasting.** A `.so` built with version 1.x of this crate loads in every later 1.y host, whichever compiler (from
//!   1.63 on) built either. Build against the oldest version that has what you need: a host refuses a newer one.
#![deny(rustdoc::broken_intra_doc_links)]

#[doc(hidden)]
pub mod abi;
mod context;
mod driver;
mod error;
mod export;
pub mod file_name;
mod filter;
mod host_manager;
#[doc(hidden)]
pub mod json;
mod json_text;
mod kind;
pub mod numa;
pub mod pci;
mod random;
mod record;
mod scheduler;
#[doc(hidden)]
pub mod settings;
#[cfg(feature = "testing")]
pub mod testing;
mod types;
mod virt;
mod weigher;

pub use context::{CallContext, Context, Level, Log};
pub use driver::Driver;
pub use error::{Category, DriverError};
pub use filter::{Filter, FilterTraits, Limits};
pub use host_manager::{
    Aggregate, HostManager, HostReport, PlacedInstance, ServiceState, SupportedInstance,
    STATS_METRICS, STATS_NUMA_TOPOLOGY, STATS_PCI_DEVICE_POOLS, STATS_UUID,
};
pub use json::Json;
pub use random::Random;
pub use scheduler::{Destination, HostStates, Scheduler, SelectOptions, Selection};
pub use settings::{NoSettings, Setting, Settings};
pub use types::columns::{Column, List};
pub use types::decimal::decimal;
pub use types::host_columns::HostColumns;
pub use types::host_table::{Host, HostTable, STATE_DISABLED, STATE_UP};
pub use types::image::Image;
pub use types::instance::Instance;
pub use types::mask::{full, score, score2, uniform, words_for, Mask};
pub use types::request_spec::{RequestFields, RequestSpec};
pub use types::resources::Resources;
pub use virt::{Capabilities, InstanceInfo, PowerState, RebootType, Virt};
pub use weigher::{Weigher, WeightRange};

/// The version of the contract, as a plugin states it: a host takes the same major and no newer minor.
pub const API_VERSION: &str = __API_VERSION;

// What the macros expand to and the loader binds through. Not for authors: everything below may change at any time.
#[doc(hidden)]
pub use abi as __abi;
#[doc(hidden)]
pub use json as __json;
#[doc(hidden)]
pub use settings as __settings;
#[doc(hidden)]
pub const __API_VERSION: &str = "1.0";
#[doc(hidden)]
pub const __RUSTC: &str = env!("LONGSHORE_RUSTC");
#[doc(hidden)]
pub const __TARGET: &str = env!("LONGSHORE_TARGET");
