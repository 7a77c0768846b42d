//! What calling a driver costs: per method how often, how long, how many failed; and what a filter took out.
//!
//! One per driver, filled on the hot path by many threads at once: atomics alone, relaxed, and nothing is allocated but
//! once per method. It says what was since the start, never what to do about it: that is the program's, which makes one for
//! each driver beside its fence ([`CallWatch::tally`](crate::CallWatch::tally)). A call that does not come back is not in it.

mod histogram;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longshore_plugin_api::Category;

use crate::driver_call::CallError;
use crate::scheduler::SAMPLED;
use histogram::Histogram;

/// Methods of one driver that are told apart; what is beyond is not counted. No kind has as many.
const METHODS_MAX: usize = 48;

/// Counts the calls of one driver.
#[derive(Debug)]
pub struct Tally {
    methods: [OnceLock<Box<MethodTally>>; METHODS_MAX],
    hosts_seen: AtomicU64,
    hosts_removed: AtomicU64,
}

#[derive(Debug)]
struct MethodTally {
    name: Box<str>,
    failures: AtomicU64,
    max_ns: AtomicU64,
    durations: Histogram<AtomicU64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            methods: [const { OnceLock::new() }; METHODS_MAX],
            hosts_seen: AtomicU64::new(0),
            hosts_removed: AtomicU64::new(0),
        }
    }
}

impl Tally {
    /// A call of `method` ended, after this many nanoseconds.
    pub fn ended(&self, method: &str, nanos: u64, failed: bool) {
        let Some(of) = self.method(method) else {
            return;
        };
        of.durations.add(nanos);
        if nanos > of.max_ns.load(Ordering::Relaxed) {
            of.max_ns.fetch_max(nanos, Ordering::Relaxed);
        }
        if failed {
            of.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A filter was shown `seen` hosts and left `left` of them.
    pub fn filtered(&self, seen: usize, left: usize) {
        let removed = seen.saturating_sub(left) as u64;
        self.hosts_seen.fetch_add(seen as u64, Ordering::Relaxed);
        if removed > 0 {
            self.hosts_removed.fetch_add(removed, Ordering::Relaxed);
        }
    }

    /// The method's own counters. A driver has few methods, so that looking through them is quick.
    fn method(&self, name: &str) -> Option<&MethodTally> {
        self.methods
            .iter()
            .map(|slot| {
                slot.get_or_init(|| Box::new(MethodTally::new(name)))
                    .as_ref()
            })
            .find(|method| *method.name == *name)
    }
}

impl MethodTally {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            failures: AtomicU64::new(0),
            max_ns: AtomicU64::new(0),
            durations: Histogram::default(),
        }
    }
}

/// Whether a call counts as failed: that no host is valid is an answer.
pub(crate) fn is_failure<T>(result: &Result<T, CallError>) -> bool {
    match result {
        Ok(_) => false,
        Err(error) => error.category() != Some(Category::NoValidHost),
    }
}

/// What one or several tallies had counted when they were looked at.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Each method that was called.
    pub methods: Vec<MethodStats>,
    /// Hosts that a filter was shown.
    pub hosts_seen: u64,
    /// Hosts that it took out.
    pub hosts_removed: u64,
}

/// The calls of one method, or of several together.
#[derive(Clone, Debug, Default)]
pub struct MethodStats {
    /// Its name.
    pub name: String,
    /// Calls that failed: the driver's errors and panics.
    pub failures: u64,
    /// Time of the longest one.
    pub max: Duration,
    durations: Histogram<u64>,
}

impl Stats {
    /// Adds what a tally has counted.
    pub fn add(&mut self, tally: &Tally) {
        for method in tally.methods.iter().map_while(OnceLock::get) {
            let known = self.methods.iter().position(|m| m.name == *method.name);
            let at = known.unwrap_or_else(|| {
                self.methods.push(MethodStats {
                    name: method.name.to_string(),
                    ..MethodStats::default()
                });
                self.methods.len() - 1
            });
            self.methods[at].add(&MethodStats::of(method));
        }
        self.hosts_seen += tally.hosts_seen.load(Ordering::Relaxed);
        self.hosts_removed += tally.hosts_removed.load(Ordering::Relaxed);
    }

    /// All methods together, without a name; that of which only a sample is timed is left out.
    pub fn whole(&self) -> MethodStats {
        let mut whole = MethodStats::default();
        let all = self.methods.iter().filter(|m| m.name != SAMPLED);
        all.for_each(|method| whole.add(method));
        whole
    }
}

impl MethodStats {
    fn of(method: &MethodTally) -> Self {
        Self {
            name: method.name.to_string(),
            failures: method.failures.load(Ordering::Relaxed),
            max: Duration::from_nanos(method.max_ns.load(Ordering::Relaxed)),
            durations: method.durations.now(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.failures += other.failures;
        self.max = self.max.max(other.max);
        self.durations.merge(&other.durations);
    }

    /// Calls that ended.
    pub fn calls(&self) -> u64 {
        self.durations.count()
    }

    /// Time of all calls, to a sixteenth of itself.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.durations.sum())
    }

    /// The time within which `per_cent` of the calls ended, to a sixteenth of itself; zero without calls.
    pub fn percentile(&self, per_cent: u8) -> Duration {
        Duration::from_nanos(self.durations.percentile(per_cent)).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_when_threads_count_at_once() {
        let tally = Tally::default();
        thread::scope(|scope| {
            for thread in 0..4 {
                let tally = &tally;
                scope.spawn(move || {
                    for call in 0..1_000 {
                        let method = ["filter_all", "traits"][(thread + call) % 2];
                        tally.ended(method, 1_000, call % 10 == 0);
                        tally.filtered(64, 60);
                    }
                });
            }
        });
        let mut stats = Stats::default();
        stats.add(&tally);
        let mut names: Vec<&str> = stats.methods.iter().map(|m| m.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["filter_all", "traits"]);
        let whole = stats.whole();
        assert_eq!((whole.calls(), whole.failures), (4_000, 400));
        let near = |found: Duration, wanted: Duration| found.abs_diff(wanted) * 16 <= wanted;
        assert!(near(whole.total(), Duration::from_millis(4)), "{whole:?}");
        assert!(near(whole.percentile(50), Duration::from_micros(1)));
        assert_eq!((stats.hosts_seen, stats.hosts_removed), (256_000, 16_000));
    }

    #[test]
    fn tallies_of_one_driver_on_several_hosts_add_up() {
        let (here, there) = (Tally::default(), Tally::default());
        here.ended("spawn", 1_000_000, false);
        there.ended("power_state", 10, false);
        there.ended("spawn", 3_000_000, true);
        let mut stats = Stats::default();
        stats.add(&here);
        stats.add(&there);
        let spawn = stats.methods.iter().find(|m| m.name == "spawn").unwrap();
        assert_eq!((spawn.calls(), spawn.failures), (2, 1));
        assert_eq!(spawn.max, Duration::from_millis(3));
        assert_eq!(stats.whole().calls(), 3);
    }

    #[test]
    fn more_methods_than_there_are_places_for_do_no_harm() {
        let tally = Tally::default();
        for method in 0..=METHODS_MAX {
            tally.ended(&method.to_string(), 1, false);
        }
        let mut stats = Stats::default();
        stats.add(&tally);
        assert_eq!(stats.methods.len(), METHODS_MAX);
    }
}
