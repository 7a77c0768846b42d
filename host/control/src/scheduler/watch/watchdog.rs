//! Watches one selection from outside its thread. A call of a driver that does not come back cannot be ended, but it can
//! be named, its driver fenced and the selection given up, so that the next one runs on another thread.
//!
//! A look at half of the time and one at its end tell a driver that hangs from a request that is merely large. Must not
//! wait longer than the caller; looks through `trail`. Made by the manager for each request.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::trail::{Look, Place, Trail, Who};
use crate::call_watch::{CallEnd, CallWatch, Note};

/// The watchdog of one selection. To `DriverCalls` it is the watch of the selection as a whole, and hands what it is
/// told to the watch of the driver that is to blame.
pub(in crate::scheduler) struct Watchdog {
    trail: Arc<Trail>,
    /// Whose call all of it is.
    whole: Place,
    half_way: OnceLock<Look>,
    held_by: OnceLock<Place>,
}

impl Watchdog {
    pub(in crate::scheduler) fn new(trail: Arc<Trail>, whole: Place) -> Self {
        Self {
            trail,
            whole,
            half_way: OnceLock::new(),
            held_by: OnceLock::new(),
        }
    }

    /// Looks once, at half of the time; never ends.
    pub(in crate::scheduler) async fn look_half_way(
        &self,
        deadline: Duration,
    ) -> std::convert::Infallible {
        tokio::time::sleep(deadline / 2).await;
        // Only ever set here.
        let _ = self.half_way.set(self.trail.look());
        std::future::pending().await
    }

    /// Whose call all of it is.
    pub(in crate::scheduler) fn whole(&self) -> Place {
        self.whole
    }

    /// The driver that kept the selection past its deadline, once that is known.
    pub(in crate::scheduler) fn held_by(&self) -> Option<Place> {
        self.held_by.get().copied()
    }

    /// Whoever is in the same call as half way; else who goes on and on.
    fn holder(&self) -> Option<Place> {
        let now = self.trail.look();
        let place = now.place()?;
        if self.half_way.get().is_none_or(|before| *before == now) {
            return Some(place);
        }
        Some(self.whole)
    }

    fn is_stuck(&self) {
        let drivers = self.trail.drivers();
        let holder = self.holder();
        self.trail.give_up();
        let Some(place) = holder else {
            return;
        };
        // Only ever set here.
        let _ = self.held_by.set(place);
        drivers.watch(place.who).ended(CallEnd::Stuck);
        // The scheduler is around whoever it asks.
        if self.whole.who == Who::Scheduler && place.who != Who::Scheduler {
            drivers.watch(Who::Scheduler).ended(CallEnd::Unknown);
        }
    }
}

impl CallWatch for Watchdog {
    fn admit(&self) -> Result<(), String> {
        Ok(())
    }

    fn begin(&self, _: &str) -> Note {
        Note::default()
    }

    fn end(&self, _: Note) {}

    fn ended(&self, how: CallEnd) {
        match (how, self.held_by()) {
            (CallEnd::Stuck, _) => self.is_stuck(),
            (CallEnd::CameBack, Some(place)) => {
                let watch = self.trail.drivers().watch(place.who);
                watch.ended(CallEnd::CameBack);
            }
            _ => {}
        }
    }
}
