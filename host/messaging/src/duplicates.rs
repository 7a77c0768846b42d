//! Remembers the last few message ids, so that a message delivered twice runs once.
//!
//! A broker redelivers what it cannot know was taken. The window is short on purpose: it catches
//! a redelivery after a reconnect, not a replay. One ring per server.

use std::collections::VecDeque;

/// How many ids a server remembers.
pub(crate) const DUPLICATE_WINDOW: usize = 16;

#[derive(Default)]
pub(crate) struct Duplicates {
    seen: VecDeque<String>,
}

impl Duplicates {
    /// Whether `unique_id` is among the last ones; remembers it if not.
    pub(crate) fn is_repeat(&mut self, unique_id: &str) -> bool {
        if self.seen.iter().any(|seen| seen == unique_id) {
            return true;
        }
        if self.seen.len() == DUPLICATE_WINDOW {
            self.seen.pop_front();
        }
        self.seen.push_back(unique_id.to_owned());
        false
    }
}
