//! The host manager through the bridge, as the scheduler uses it.

mod consumption;
mod devices;
mod eligible;
mod machines;
mod reports;
pub(crate) mod support;
mod surroundings;
