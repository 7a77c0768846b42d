//! The scheduler through the bridge, on hosts that count what is asked of them.

mod caching;
mod fleet;
mod selections;
