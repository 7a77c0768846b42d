//! The web API: OpenStack's compute paths, the least of Glance's, and a few of our own.
//!
//! A request passes `gate.rs`, is found by `routes.rs`, read by a handler, carried out by
//! `manager.rs`, and answered with a view. It decides nothing: placing is the scheduler's, building
//! is compute's. Must not know drivers or the command line. The program binds and serves it.

mod aggregates;
mod boot;
mod boot_request;
mod caller;
pub mod codes;
pub mod config;
mod error;
mod extra_specs;
mod flavors;
mod gate;
mod hypervisors;
mod images;
mod input;
mod listen;
mod manager;
mod own;
mod query;
mod routes;
mod server_groups;
mod server_list;
mod server_view;
mod servers;
mod services;
mod versions;
mod zones;

pub use config::ApiConfig;
pub use listen::{ApiService, BoundApi, bind};
pub use own::{PluginView, Readiness, ReadyItem};
pub use routes::{ApiParts, router};
