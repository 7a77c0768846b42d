//! The crate's behaviour through its public surface.
//!
//! One binary, one module per subject. No test sleeps: each waits for an event, or moves tokio's
//! paused clock.
#![expect(clippy::unwrap_used, reason = "tests")]

mod drain;
mod heartbeat;
mod launcher;
mod periodic;
mod service;
mod signals;
mod support;
