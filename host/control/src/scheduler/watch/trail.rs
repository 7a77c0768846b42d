//! Where one selection is: which driver's method runs on its thread now.
//!
//! The scheduler's drivers run inline, one inside the other: the scheduler asks for filters, these are asked in turn. When
//! such a call does not come back, somebody outside has to know whose it is. So each step is a few relaxed stores, read by
//! `watchdog` when the time is up. The in-flight record follows the steps: only the innermost driver is in it, so that
//! a filter's death is not the scheduler's. Must not know deadlines or what is asked of drivers.
//!
//! A scheduler driver that asks from several threads at once blurs it: then the last step counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use longshore_plugin_api::DriverError;

use super::step_clock::StepClock;
use crate::call_watch::{CallEnd, Note};
use crate::driver_call::{CallError, guarded};
use crate::scheduler::drivers::SchedulerDrivers;
use crate::tally::is_failure;

/// One of a scheduler's drivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scheduler) enum Who {
    Scheduler,
    HostManager,
    /// By its place among the filters.
    Filter(usize),
    /// By its place among the weighers.
    Weigher(usize),
}

macro_rules! methods {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// What they are asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::scheduler) enum Method { $($name),* }

        impl Method {
            const ALL: &'static [Method] = &[$(Method::$name),*];

            pub(in crate::scheduler) const fn name(self) -> &'static str {
                match self { $(Method::$name => $text),* }
            }
        }
    };
}

methods! {
    SelectDestinations = "select_destinations",
    HostTable = "host_table",
    EligibleHosts = "eligible_hosts",
    UpdateHost = "update_host",
    UpdateService = "update_service",
    RemoveHost = "remove_host",
    UpdateAggregates = "update_aggregates",
    SyncInstances = "sync_instances",
    Consume = "consume_from_request",
    Release = "release_request",
    FilterAll = "filter_all",
    FilterLimits = "limits",
    WeighAll = "weigh_all",
}

/// A driver in a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scheduler) struct Place {
    pub(in crate::scheduler) who: Who,
    pub(in crate::scheduler) method: Method,
}

/// From low to high: method, driver's place, driver's role (0: nobody), number of the step.
const WHO_AT: u32 = 8;
const ROLE_AT: u32 = 24;
const STEP_AT: u32 = 32;
const NOBODY: u64 = 0;

impl Place {
    fn to_bits(self) -> u64 {
        let (role, at) = match self.who {
            Who::Scheduler => (1, 0),
            Who::HostManager => (2, 0),
            Who::Filter(at) => (3, at),
            Who::Weigher(at) => (4, at),
        };
        let at = u64::from(u16::try_from(at).unwrap_or(u16::MAX));
        self.method as u64 | at << WHO_AT | role << ROLE_AT
    }

    fn of_bits(bits: u64) -> Option<Place> {
        let [method, low, high, role, ..] = bits.to_le_bytes();
        let at = usize::from(u16::from_le_bytes([low, high]));
        let who = match role {
            1 => Who::Scheduler,
            2 => Who::HostManager,
            3 => Who::Filter(at),
            4 => Who::Weigher(at),
            _ => return None,
        };
        let method = *Method::ALL.get(usize::from(method))?;
        Some(Place { who, method })
    }
}

/// The steps of one selection.
pub(in crate::scheduler) struct Trail {
    drivers: Arc<SchedulerDrivers>,
    /// The innermost step.
    now: AtomicU64,
    /// Steps so far.
    steps: AtomicU32,
    /// What the innermost driver's watch noted; 0 is nothing.
    noted: AtomicU32,
    given_up: AtomicBool,
    clock: StepClock,
}

impl Trail {
    pub(in crate::scheduler) fn new(drivers: Arc<SchedulerDrivers>) -> Self {
        Self {
            clock: StepClock::new(drivers.next_selection()),
            drivers,
            now: AtomicU64::new(NOBODY),
            steps: AtomicU32::new(0),
            noted: AtomicU32::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    pub(in crate::scheduler) fn drivers(&self) -> &Arc<SchedulerDrivers> {
        &self.drivers
    }

    /// Calls a driver, if it may be called. Once the selection is given up nobody is called for it any more.
    pub(in crate::scheduler) fn call<T>(
        &self,
        who: Who,
        method: Method,
        call: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, CallError> {
        if self.is_given_up() {
            return Err(CallError::Driver(nobody_waits()));
        }
        self.finish(who, method, call)
    }

    /// As `call`, for what has to be done even so.
    pub(in crate::scheduler) fn finish<T>(
        &self,
        who: Who,
        method: Method,
        call: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, CallError> {
        let watch = self.drivers.watch(who);
        watch.admit()?;
        let place = Place { who, method };
        let outer = self.step_in(place);
        let tally = watch.tally();
        let timed = tally.and_then(|tally| Some((tally, self.clock.begin(place)?)));
        let result = guarded(call);
        if let Some((tally, timed)) = timed {
            let own = self.clock.end(place, &timed);
            tally.ended(method.name(), own, is_failure(&result));
        }
        self.step_out(outer, who);
        watch.ended(match CallEnd::of(&result) {
            // Whoever gave it up has said all there is to say.
            CallEnd::Answered if self.is_given_up() => CallEnd::Unknown,
            how => how,
        });
        result
    }

    /// From now on drivers are not called for this selection.
    pub(in crate::scheduler) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    pub(in crate::scheduler) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// The step it is at; two looks that are equal saw the same call.
    pub(in crate::scheduler) fn look(&self) -> Look {
        Look(self.now.load(Ordering::Relaxed))
    }

    /// Notes that a driver runs, and which; answers where the selection was.
    fn step_in(&self, place: Place) -> u64 {
        let outer = self.now.load(Ordering::Relaxed);
        let step = self.steps.load(Ordering::Relaxed).wrapping_add(1);
        self.steps.store(step, Ordering::Relaxed);
        let bits = place.to_bits() | u64::from(step) << STEP_AT;
        self.now.store(bits, Ordering::Relaxed);
        if let Some(Place { who, .. }) = Place::of_bits(outer) {
            self.unnote(who);
        }
        self.note(place);
        outer
    }

    /// Back to where it was.
    fn step_out(&self, outer: u64, who: Who) {
        self.unnote(who);
        self.now.store(outer, Ordering::Relaxed);
        if let Some(place) = Place::of_bits(outer) {
            self.note(place);
        }
    }

    fn note(&self, Place { who, method }: Place) {
        if let Note(Some(note)) = self.drivers.watch(who).begin(method.name()) {
            self.noted.store(note.saturating_add(1), Ordering::Relaxed);
        }
    }

    fn unnote(&self, who: Who) {
        if self.noted.load(Ordering::Relaxed) == 0 {
            return;
        }
        let noted = self.noted.swap(0, Ordering::Relaxed).checked_sub(1);
        self.drivers.watch(who).end(Note(noted));
    }
}

/// A step as it was seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scheduler) struct Look(u64);

impl Look {
    /// The driver whose call it is; none outside of all drivers.
    pub(in crate::scheduler) fn place(self) -> Option<Place> {
        Place::of_bits(self.0)
    }
}

/// What is answered for a selection that was given up.
pub(in crate::scheduler) fn nobody_waits() -> DriverError {
    DriverError::cancelled("nobody waits for this request any more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_their_bits() {
        let places = [
            Who::Scheduler,
            Who::HostManager,
            Who::Filter(7),
            Who::Weigher(65_535),
        ];
        for who in places {
            for method in Method::ALL {
                let place = Place {
                    who,
                    method: *method,
                };
                assert_eq!(Place::of_bits(place.to_bits()), Some(place));
                let later = place.to_bits() | 9 << STEP_AT;
                assert_eq!(Place::of_bits(later), Some(place));
            }
        }
        assert_eq!(Place::of_bits(NOBODY), None);
    }
}
