//! What every service does besides its work: start in order, report that it lives, run periodic
//! tasks, drain and stop.
//!
//! A [`Service`] joins a [`Manager`] to its RPC server, its heartbeats and its periodic tasks; a
//! [`Launcher`] runs several of them. This crate must not know which managers exist, nor that a
//! database does. The program's wiring builds services; the control plane implements managers.
#![forbid(unsafe_code)]

pub mod clock;
pub mod codes;
pub mod drain;
pub mod error;
pub mod group;
pub mod launcher;
pub mod manager;
pub mod periodic;
pub mod service;
pub mod signals;

pub use drain::{Drain, DrainEnd, DrainGuard, DrainTrigger};
pub use error::ServiceError;
pub use group::{Heartbeat, Member, RecordsGroup, ServiceGroupJoin, ServiceRecords};
pub use launcher::{Launchable, Launcher};
pub use manager::Manager;
pub use periodic::{BoxFuture, PeriodicTask, PeriodicTasks};
pub use service::{Service, ServiceConfig};
pub use signals::{Signal, Signals, first_signal};
