//! Who of a selection's drivers runs now, for how long, and who is to blame when one does not come back.
//!
//! Must not know what drivers are asked. Used by everything here that calls one.

pub(super) mod driver_threads;
pub(super) mod step_clock;
pub(super) mod trail;
pub(super) mod watchdog;
