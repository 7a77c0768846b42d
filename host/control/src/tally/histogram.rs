//! A histogram of durations whose size is fixed and whose error is known, as HdrHistogram has them: each doubling of time
//! has eight buckets of the same width, so a value is known to a sixteenth of itself. Must not know what is timed.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets per doubling, as a power of two.
const SUB_BITS: u32 = 3;
const SUB: u64 = 1 << SUB_BITS;
/// What takes longer than 2^43 ns (2.4 hours) counts as that.
const EXPONENT_MAX: u32 = 42;
const BUCKETS: usize = ((EXPONENT_MAX - SUB_BITS + 2) << SUB_BITS) as usize;

/// How many durations there were, by bucket. `C` counts: with an atomic it is filled, with a number it is looked at.
#[derive(Clone, Debug)]
pub(super) struct Histogram<C>(Box<[C]>);

impl<C: Default> Default for Histogram<C> {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| C::default()).collect())
    }
}

impl Histogram<AtomicU64> {
    pub(super) fn add(&self, nanos: u64) {
        self.0[bucket(nanos)].fetch_add(1, Ordering::Relaxed);
    }

    /// As it is now.
    pub(super) fn now(&self) -> Histogram<u64> {
        Histogram(self.0.iter().map(|c| c.load(Ordering::Relaxed)).collect())
    }
}

impl Histogram<u64> {
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// All values together, each as the middle of its bucket.
    pub(super) fn sum(&self) -> u64 {
        let buckets = self.0.iter().enumerate();
        buckets.fold(0, |sum: u64, (at, count)| {
            sum.saturating_add(count.saturating_mul(middle(at)))
        })
    }

    /// The middle of the bucket that the value at this percentile is in; 0 without values.
    pub(super) fn percentile(&self, per_cent: u8) -> u64 {
        let rank = (self.count() * u64::from(per_cent)).div_ceil(100).max(1);
        let mut so_far = 0;
        let at = self.0.iter().position(|count| {
            so_far += count;
            so_far >= rank
        });
        at.map_or(0, middle)
    }
}

/// The bucket of a duration: exact below eight nanoseconds, then eight per doubling.
fn bucket(nanos: u64) -> usize {
    if nanos < SUB {
        return nanos as usize;
    }
    let nanos = nanos.min((1 << (EXPONENT_MAX + 1)) - 1);
    let exponent = nanos.ilog2();
    let sub = (nanos >> (exponent - SUB_BITS)) & (SUB - 1);
    (u64::from(exponent - SUB_BITS + 1) * SUB + sub) as usize
}

/// The duration in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < SUB {
        return bucket;
    }
    let (doubling, sub) = (bucket / SUB - 1, bucket % SUB);
    let width = 1_u64 << doubling;
    (SUB + sub) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_known_to_a_sixteenth() {
        for exponent in 0..=EXPONENT_MAX {
            for step in 0..100_u64 {
                let nanos = (1_u64 << exponent) + (step << exponent) / 100;
                let found = middle(bucket(nanos));
                assert!(found.abs_diff(nanos) * 16 <= nanos, "{nanos} as {found}");
            }
        }
    }

    #[test]
    fn the_longest_and_the_shortest_have_a_bucket() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_the_values() {
        let histogram = Histogram::<AtomicU64>::default();
        assert_eq!(histogram.now().percentile(99), 0);
        for nanos in 1..=1_000 {
            histogram.add(nanos * 1_000);
        }
        let histogram = histogram.now();
        assert_eq!(histogram.count(), 1_000);
        let (sum, exact) = (histogram.sum(), 500_500_000);
        assert!(sum.abs_diff(exact) * 16 <= exact, "{sum}");
        for per_cent in [1, 50, 99, 100] {
            let (found, wanted) = (histogram.percentile(per_cent), u64::from(per_cent) * 10_000);
            assert!(
                found.abs_diff(wanted) * 16 <= wanted,
                "p{per_cent}: {found}"
            );
        }
    }
}
