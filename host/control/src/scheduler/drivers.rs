//! The drivers of one scheduler, and what the operator chose for their faults.
//!
//! Plain values; must not know requests. Made by the wiring, shared by all selections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use longshore_plugin_api::{Filter, FilterTraits, HostManager, Scheduler, WeightRange};

use super::errors::SelectError;
use super::selection::scratch::Scratch;
use super::watch::trail::Who;
use crate::call_watch::Watched;
use crate::driver_call::CallError;
use crate::drivers::{NamedDriver, NamedWeigher};

/// What becomes of a request when a filter or weigher fails in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultPolicy {
    /// The request fails.
    Fail,
    /// The request goes on without that driver.
    Skip,
}

/// The drivers of a scheduler, with what is asked of them once.
pub struct SchedulerDrivers {
    pub(super) scheduler: NamedDriver<dyn Scheduler>,
    pub(super) host_manager: NamedDriver<dyn HostManager>,
    pub(super) filters: Vec<(NamedDriver<dyn Filter>, FilterTraits)>,
    pub(super) weighers: Vec<(NamedWeigher, WeightRange)>,
    pub(super) on_filter_fault: FaultPolicy,
    pub(super) on_weigher_fault: FaultPolicy,
    pub(super) scratch: Scratch,
    selections: AtomicU32,
}

impl SchedulerDrivers {
    /// Takes the drivers, filters and weighers in the operator's order, and asks each filter for
    /// its traits and each weigher for its range. Faults of filters fail a request, those of
    /// weighers are skipped, unless [`on_faults`](Self::on_faults) says otherwise.
    ///
    /// # Errors
    /// A filter or weigher that does not answer.
    pub fn new(
        scheduler: NamedDriver<dyn Scheduler>,
        host_manager: NamedDriver<dyn HostManager>,
        filters: Vec<NamedDriver<dyn Filter>>,
        weighers: Vec<NamedWeigher>,
    ) -> Result<Self, SelectError> {
        let traits = |filter: NamedDriver<dyn Filter>| {
            let traits = filter.watch.call("traits", || filter.driver.traits());
            let role = || format!("filter `{}`", filter.name);
            let traits = traits.map_err(|e| SelectError::Driver(role(), e))?;
            Ok((filter, traits))
        };
        let range = |weigher: NamedWeigher| {
            let range = weigher.watch.call("range", || weigher.driver.range());
            let role = || format!("weigher `{}`", weigher.name);
            let range = range.map_err(|e| SelectError::Driver(role(), e))?;
            Ok((weigher, range))
        };
        Ok(Self {
            scheduler,
            host_manager,
            filters: filters.into_iter().map(traits).collect::<Result<_, _>>()?,
            weighers: weighers.into_iter().map(range).collect::<Result<_, _>>()?,
            on_filter_fault: FaultPolicy::Fail,
            on_weigher_fault: FaultPolicy::Skip,
            scratch: Scratch::default(),
            selections: AtomicU32::new(0),
        })
    }

    /// The scheduler's driver.
    pub fn scheduler(&self) -> &Arc<dyn Scheduler> {
        &self.scheduler.driver
    }

    /// The host manager.
    pub fn host_manager(&self) -> &Arc<dyn HostManager> {
        &self.host_manager.driver
    }

    /// Who looks on while this driver is called.
    pub(super) fn watch(&self, who: Who) -> &Watched {
        match who {
            Who::Scheduler => &self.scheduler.watch,
            Who::HostManager => &self.host_manager.watch,
            Who::Filter(at) => &self.filters[at].0.watch,
            Who::Weigher(at) => &self.weighers[at].0.watch,
        }
    }

    /// The number of a selection that begins now.
    pub(super) fn next_selection(&self) -> u32 {
        self.selections.fetch_add(1, Ordering::Relaxed)
    }

    /// A driver's failure, with its role and name.
    pub(super) fn failed(&self, who: Who, error: CallError) -> SelectError {
        SelectError::Driver(self.named(who), error)
    }

    /// A driver's role and name.
    pub(super) fn named(&self, who: Who) -> String {
        match who {
            Who::Scheduler => format!("scheduler `{}`", self.scheduler.name),
            Who::HostManager => format!("host manager `{}`", self.host_manager.name),
            Who::Filter(at) => format!("filter `{}`", self.filters[at].0.name),
            Who::Weigher(at) => format!("weigher `{}`", self.weighers[at].0.name),
        }
    }

    /// Sets what faults of filters and of weighers do.
    #[must_use]
    pub fn on_faults(mut self, filters: FaultPolicy, weighers: FaultPolicy) -> Self {
        (self.on_filter_fault, self.on_weigher_fault) = (filters, weighers);
        self
    }
}
