//! Time and chance, for this crate: the only file that reads a clock or makes random numbers.
//!
//! The clock is tokio's monotonic one, so tests can pause it and move it by hand.

use std::hash::{BuildHasher, RandomState};

pub use tokio::time::Instant;

/// The monotonic time.
pub fn now() -> Instant {
    Instant::now()
}

/// Random numbers to spread work over time; not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded differently in each process and for each value.
    pub fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number at least 0 and below 1, by the splitmix64 generator.
    pub fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // 53 bits are what a double holds exactly.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number from 0 to `max`, both included.
    pub fn up_to(&mut self, max: u64) -> u64 {
        ((self.fraction() * (max as f64 + 1.0)) as u64).min(max)
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}
