//! Runs what calls the scheduler's drivers on threads of its own, each under a watchdog.
//!
//! What is given up goes on until the driver that holds it comes back, and calls no other driver then. Must not know what
//! is run. Used by the manager.

use std::sync::Arc;

use longshore_plugin_api::CallContext;

use super::trail::{Place, Trail};
use super::watchdog::Watchdog;
use crate::call_watch::Watched;
use crate::driver_call::{CallError, DriverCalls};
use crate::scheduler::drivers::SchedulerDrivers;
use crate::scheduler::errors::SelectError;

/// Threads on which a scheduler's drivers are called.
pub(in crate::scheduler) struct DriverThreads {
    pub(in crate::scheduler) calls: DriverCalls,
    pub(in crate::scheduler) drivers: Arc<SchedulerDrivers>,
}

impl DriverThreads {
    /// Runs `run` on a thread of its own, as a call of `whole`. What it answers too late goes to `late`.
    ///
    /// # Errors
    /// [`SelectError::Driver`]: who kept it from ending, and in what.
    pub(in crate::scheduler) async fn run<T: Send + 'static>(
        &self,
        request_id: &str,
        whole: Place,
        run: impl FnOnce(&Arc<Trail>, &CallContext<'_>) -> T + Send + 'static,
        late: impl FnOnce(T) + Send + 'static,
    ) -> Result<T, SelectError> {
        let trail = Arc::new(Trail::new(Arc::clone(&self.drivers)));
        let _given_up = GiveUpOnDrop(Arc::clone(&trail));
        let watchdog = Arc::new(Watchdog::new(Arc::clone(&trail), whole));
        let calls = self.calls.watched(Watched::by(watchdog.clone()));
        let answer = calls.blocking_or_late(
            request_id,
            whole.method.name(),
            move |context| Ok(run(&trail, context)),
            |answer| {
                if let Ok(answer) = answer {
                    late(answer);
                }
            },
        );
        let answer = tokio::select! {
            biased;
            answer = answer => answer,
            never = watchdog.look_half_way(calls.deadline()) => match never {},
        };
        answer.map_err(|error| self.gave_up(&watchdog, error))
    }

    fn gave_up(&self, watchdog: &Watchdog, error: CallError) -> SelectError {
        match watchdog.held_by() {
            Some(Place { who, method }) => {
                let named = format!("{} in `{}`", self.drivers.named(who), method.name());
                SelectError::Driver(named, error)
            }
            None => self.drivers.failed(watchdog.whole().who, error),
        }
    }
}

/// Calls no driver any more for what nobody waits for.
struct GiveUpOnDrop(Arc<Trail>);

impl Drop for GiveUpOnDrop {
    fn drop(&mut self) {
        self.0.give_up();
    }
}
