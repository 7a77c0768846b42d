//! How much of what drivers print becomes part of the log.
//!
//! Time is the caller's. Must not know streams.

use std::time::{Duration, Instant};

/// How long the bytes are counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// Bytes of one minute.
#[derive(Debug, Default)]
pub(super) struct Budget {
    since: Option<Instant>,
    bytes: usize,
    left_out: usize,
}

/// Whether a line is logged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It is; of the minute before so many bytes were not.
    Yes { left_out: usize },
    /// It is the first that is too much.
    NoMore,
    /// It is not.
    No,
}

impl Budget {
    /// Most bytes that are logged in a minute.
    pub(super) const BYTES_MAX: usize = 64 << 10;

    pub(super) fn new() -> Budget {
        Budget::default()
    }

    /// Asks for a line of so many bytes.
    pub(super) fn admit(&mut self, bytes: usize, now: Instant) -> Admitted {
        let mut left_out = 0;
        if self
            .since
            .is_none_or(|since| now.saturating_duration_since(since) >= WINDOW)
        {
            left_out = self.left_out();
            self.since = Some(now);
            self.bytes = 0;
        }
        if self.bytes + bytes <= Budget::BYTES_MAX {
            self.bytes += bytes;
            return Admitted::Yes { left_out };
        }
        // Smaller lines that would still fit are left out too: a text with holes misleads.
        self.bytes = Budget::BYTES_MAX;
        self.left_out += bytes;
        match self.left_out == bytes {
            true => Admitted::NoMore,
            false => Admitted::No,
        }
    }

    /// How many bytes were not logged; each is told once.
    pub(super) fn left_out(&mut self) -> usize {
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_bytes_and_the_rest_is_counted() {
        let mut budget = Budget::new();
        let begin = Instant::now();
        let half = Budget::BYTES_MAX / 2;
        assert_eq!(budget.admit(half, begin), Admitted::Yes { left_out: 0 });
        assert_eq!(budget.admit(half, begin), Admitted::Yes { left_out: 0 });
        assert_eq!(budget.admit(1, begin), Admitted::NoMore);
        assert_eq!(budget.admit(2, begin), Admitted::No);
        let later = begin + WINDOW;
        assert_eq!(budget.admit(1, later), Admitted::Yes { left_out: 3 });
        assert_eq!(budget.admit(1, later), Admitted::Yes { left_out: 0 });
        assert_eq!(budget.left_out(), 0);
    }
}
