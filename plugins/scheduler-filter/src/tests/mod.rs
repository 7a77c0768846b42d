//! The scheduler through the bridge, on hosts that count what is asked of them.

mod fleet;
mod selections;
