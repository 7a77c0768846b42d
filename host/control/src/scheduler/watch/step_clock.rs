//! How long each step of a selection takes the driver itself: without the drivers that it asks meanwhile.
//!
//! A look at the clock costs more than a small filter, so there are as few as can be: a filter that is asked right after
//! another begins where that one ended, and `limits`, of which there are many and short ones, is timed in one selection of
//! sixteen. Must not know what becomes of the times. Owned by `trail`; a driver that asks from several threads blurs it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::trail::{Method, Place, Who};

/// Of this many selections one times `limits`.
pub(in crate::scheduler) const LIMITS_TIMED_EVERY: u32 = 16;

/// The method of which only a sample is timed.
pub(crate) const SAMPLED: &str = Method::FilterLimits.name();

/// The clock of one selection.
pub(in crate::scheduler) struct StepClock {
    started: Instant,
    times_limits: bool,
    /// Time within the current step that belongs to others, in nanoseconds.
    inside: AtomicU64,
    /// The filter step that ended last, if no other step ended after it, and when.
    before: AtomicU64,
    before_ended: AtomicU64,
}

/// A step that is being timed.
pub(in crate::scheduler) struct Timed {
    began: u64,
    /// `inside` of the step around it.
    outer_inside: u64,
}

impl StepClock {
    /// For the selection of this number.
    pub(in crate::scheduler) fn new(selection: u32) -> Self {
        Self {
            started: Instant::now(),
            times_limits: selection.is_multiple_of(LIMITS_TIMED_EVERY),
            inside: AtomicU64::new(0),
            before: AtomicU64::new(NO_FILTER),
            before_ended: AtomicU64::new(0),
        }
    }

    /// Begins a step, if it is to be timed.
    pub(in crate::scheduler) fn begin(&self, place: Place) -> Option<Timed> {
        if place.method == Method::FilterLimits && !self.times_limits {
            return None;
        }
        let follows = follows(self.before.load(Ordering::Relaxed), filter_step(place));
        Some(Timed {
            began: match follows {
                true => self.before_ended.load(Ordering::Relaxed),
                false => self.now(),
            },
            outer_inside: self.inside.swap(0, Ordering::Relaxed),
        })
    }

    /// Ends a step; answers the nanoseconds that its driver took for itself.
    pub(in crate::scheduler) fn end(&self, place: Place, timed: &Timed) -> u64 {
        let now = self.now();
        let whole = now.saturating_sub(timed.began);
        let inside = self.inside.load(Ordering::Relaxed);
        let outer_inside = timed.outer_inside.saturating_add(whole);
        self.inside.store(outer_inside, Ordering::Relaxed);
        self.before.store(filter_step(place), Ordering::Relaxed);
        self.before_ended.store(now, Ordering::Relaxed);
        whole.saturating_sub(inside)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// No step of a filter.
const NO_FILTER: u64 = u64::MAX;

/// A filter's step as a number: those of one method follow each other in the order of the filters.
fn filter_step(Place { who, method }: Place) -> u64 {
    match who {
        Who::Filter(at) => (method as u64) << 32 | at as u64,
        _ => NO_FILTER,
    }
}

/// Whether a step is that of a later filter in the same round as the one before.
fn follows(before: u64, step: u64) -> bool {
    step != NO_FILTER && before < step && before >> 32 == step >> 32
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    const fn place(who: Who, method: Method) -> Place {
        Place { who, method }
    }

    #[test]
    fn time_of_the_asked_is_not_that_of_the_asking() {
        let clock = StepClock::new(0);
        let outer = place(Who::Scheduler, Method::SelectDestinations);
        let inner = place(Who::Filter(0), Method::FilterAll);
        let select = clock.begin(outer).unwrap();
        let filter = clock.begin(inner).unwrap();
        sleep(Duration::from_millis(20));
        let filter = clock.end(inner, &filter);
        let select = clock.end(outer, &select);
        assert!(filter >= 20_000_000, "{filter}");
        assert!(select + filter <= clock.now(), "{select} {filter}");
    }

    #[test]
    fn a_filter_begins_where_the_one_before_ended() {
        let clock = StepClock::new(0);
        let step = |at| {
            let place = place(Who::Filter(at), Method::FilterAll);
            let timed = clock.begin(place).unwrap();
            clock.end(place, &timed);
            (timed.began, clock.before_ended.load(Ordering::Relaxed))
        };
        let (_, first_ended) = step(0);
        let (second_began, second_ended) = step(1);
        assert_eq!(second_began, first_ended);
        // The first one again is another round: the time between is nobody's of them.
        sleep(Duration::from_millis(1));
        assert!(step(0).0 > second_ended);
    }

    #[test]
    fn limits_are_timed_in_some_selections() {
        let limits = place(Who::Filter(0), Method::FilterLimits);
        let timed = |selection: &u32| StepClock::new(*selection).begin(limits).is_some();
        assert_eq!((0..64).filter(timed).count(), 4);
    }
}
