//! One request: its hosts as the scheduler's driver sees them, filters and weighers, claims beside other requests, and the
//! story of one that no host could take.
//!
//! Must not read records. Used by the manager and by the simulation.

pub(super) mod blend;
pub(super) mod claims;
pub(super) mod group_policy;
pub(super) mod host_states;
pub(super) mod newcomers;
pub(super) mod normalise;
pub(super) mod scratch;
pub(super) mod select;
pub(super) mod story;
pub(super) mod turns;
pub(super) mod why_out;
