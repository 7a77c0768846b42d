//! The time that a command may take. The only place of this crate that reads a clock.
//!
//! Called by everything that waits for the API.

use std::thread;
use std::time::{Duration, Instant};

/// A moment until which something is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    end: Instant,
}

impl Deadline {
    /// So far from now.
    pub(super) fn after(time: Duration) -> Deadline {
        Deadline {
            end: Instant::now() + time,
        }
    }

    /// Waits, but not beyond the deadline. False when it has passed.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let left = self.end.saturating_duration_since(Instant::now());
        thread::sleep(time.min(left));
        left > time
    }
}
