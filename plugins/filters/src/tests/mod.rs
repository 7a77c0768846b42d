//! What the filters' tests share, and the properties that hold for all of them. Called by the unit
//! tests alone.

mod every_filter;
mod random;
pub(crate) mod support;
