//! The crate's behaviour through its public surface, over the in-process transport.
//!
//! One binary, one module per subject. No test sleeps: each waits for an event, or moves tokio's
//! paused clock.
#![expect(clippy::unwrap_used, reason = "tests")]

mod calls;
mod failures;
mod limits;
mod support;
mod versions;
mod wire;
