//! Tests of the web API through its router, with a real database and a broker nobody listens to.
//!
//! Whole answers are compared after identifiers and times are replaced. One module per part.
#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod actions;
mod aggregates;
mod boot;
mod errors;
mod flavors;
mod fleet;
mod images;
mod listen;
mod listing;
mod own;
mod server_groups;
mod support;
mod versions;
mod zones;
