//! The host manager through the bridge, as the scheduler uses it.

mod consumption;
mod eligible;
mod reports;
pub(crate) mod support;
mod surroundings;
