//! The run itself: requests in their order, each through the selection that the scheduler's manager uses.
//!
//! Time goes by as the requests say: before one is taken, the instances whose time is over leave, and once a minute the
//! scheduler's periodic tasks run. The run ends with the last request. Must not print. Called by the command `scheduler simulate`, once per driver.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use longshore_plugin_api::__abi::services::Services;
use longshore_plugin_api::{CallContext, Random};

use super::computes::Computes;
use super::figures::{self, Figures};
use super::fleet::Fleet;
use super::outcome::{Outcome, Placements, SimulationError};
use super::refusals::Counter;
use super::requests::{REQUESTS_MAX, Request};
use crate::driver_call::CallError;
use crate::scheduler::drivers::SchedulerDrivers;
use crate::scheduler::errors::SelectError;
use crate::scheduler::manager::DRIVER_TASKS_SPACING;
use crate::scheduler::selection::select::{Asked, Choice, Selections, select_alone};
use crate::scheduler::view::node_uuids::NodeUuids;
use crate::scheduler::watch::trail::Trail;

/// After so many requests it is said how far the run is.
const PROGRESS_EVERY: usize = 64;

/// What the operator chose, and what the program lends.
#[derive(Clone, Copy)]
pub struct SimulationOptions {
    /// Choose at random among this many best hosts.
    pub host_subset_size: u32,
    /// Shuffle hosts that are as good as the best one.
    pub shuffle_best_same_weighed_hosts: bool,
    /// How many further hosts are named per instance, as for a retry.
    pub alternates: u32,
    /// Where random choices start.
    pub seed: u64,
    /// How long drivers may take for one request. They are asked to give up; nobody ends them.
    pub deadline: Duration,
    /// What is lent to drivers.
    pub services: Services,
}

/// Plays `requests`, which are in order of arrival, over `fleet`; one that arrives before the one in front of it arrives
/// with it. Those beyond [`REQUESTS_MAX`] are left out. The drivers must be new: the host manager knows no hosts yet.
/// `progress` is told how many requests are done.
///
/// # Errors
/// The host manager does not take the fleet, or names hosts that are not in it. A request that fails is no error, nor is
/// a report during the run that is not taken: they are counted.
pub fn simulate(
    drivers: SchedulerDrivers,
    fleet: &Fleet,
    requests: &[Request],
    options: &SimulationOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Outcome, SimulationError> {
    let requests = &requests[..requests.len().min(REQUESTS_MAX)];
    let mut run = Run::start(drivers, fleet, requests, options)?;
    for (number, request) in requests.iter().enumerate() {
        run.until(request.arrive_s);
        run.run_tasks(request.arrive_s);
        run.take(request)?;
        if (number + 1) % PROGRESS_EVERY == 0 || number + 1 == requests.len() {
            progress(number + 1);
        }
    }
    Ok(run.finish())
}

/// A simulation half way.
struct Run<'r> {
    requests: &'r [Request],
    options: &'r SimulationOptions,
    trail: Arc<Trail>,
    computes: Computes,
    random: Random,
    /// Who leaves next: the time, and the request.
    leaving: BinaryHeap<Reverse<(u64, usize)>>,
    /// When the scheduler's periodic tasks run next.
    tasks_s: u64,
    placements: Placements,
    refused_instances: u64,
    counter: Counter,
    nanoseconds: Vec<u64>,
}

impl<'r> Run<'r> {
    fn start(
        drivers: SchedulerDrivers,
        fleet: &Fleet,
        requests: &'r [Request],
        options: &'r SimulationOptions,
    ) -> Result<Self, SimulationError> {
        let filters = drivers.filters.iter();
        let counter = Counter::of(filters.map(|(filter, _)| filter.name.clone()));
        let trail = Arc::new(Trail::new(Arc::new(drivers)));
        Ok(Run {
            requests,
            options,
            computes: Computes::start(&trail, fleet, requests)?,
            trail,
            random: Random::new(options.seed),
            leaving: BinaryHeap::new(),
            tasks_s: DRIVER_TASKS_SPACING.as_secs(),
            placements: Placements::default(),
            refused_instances: 0,
            counter,
            nanoseconds: Vec::with_capacity(requests.len()),
        })
    }

    /// Lets instances leave whose time is over.
    fn until(&mut self, now_s: u64) {
        while let Some(&Reverse((leave_s, number))) = self.leaving.peek() {
            if leave_s > now_s {
                break;
            }
            self.leaving.pop();
            let request = &self.requests[number];
            let rows = self.placements.of(number).iter();
            for (row, name) in rows.zip(request.instances()) {
                self.computes.leave(*row as usize, &request.wanted, &name);
            }
        }
    }

    /// Runs the scheduler's periodic tasks if a minute is over; however many are, once.
    fn run_tasks(&mut self, now_s: u64) {
        if now_s < self.tasks_s {
            return;
        }
        self.tasks_s = now_s + DRIVER_TASKS_SPACING.as_secs();
        let scheduler = &self.trail.drivers().scheduler;
        let tasks = |context: &CallContext<'_>| scheduler.driver.run_periodic_tasks(context);
        if let Err(error) = self.with_context("periodic", tasks) {
            let (name, error) = (&scheduler.name, CallError::Driver(error));
            let code = error.code();
            tracing::warn!(
                code,
                "the periodic tasks of scheduler `{name}` failed: {error}"
            );
        }
    }

    fn with_context<T>(&self, id: &str, call: impl FnOnce(&CallContext<'_>) -> T) -> T {
        let services = self.options.services;
        let deadline = u64::try_from(self.options.deadline.as_nanos()).unwrap_or(u64::MAX);
        let until = services.now_ns().saturating_add(deadline);
        let nobody_cancels = AtomicU32::new(0);
        call(&CallContext::new(services, id, until, &nobody_cancels))
    }

    /// Asks the scheduler, and counts what it says.
    fn take(&mut self, request: &Request) -> Result<(), SimulationError> {
        match self.select(request) {
            Ok(selections) => self.place(request, &selections),
            Err(error) => {
                let reason = self.counter.refused(&request.id, request.count, &error);
                self.placements.refused(reason);
                self.refused_instances += u64::from(request.count);
                Ok(())
            }
        }
    }

    fn select(&mut self, request: &Request) -> Result<Selections, SelectError> {
        let mut spec = request.spec();
        if let Some(group) = &request.wanted.group {
            spec.set_instance_group(Some(self.computes.group(group)));
        }
        let instances = request.instances();
        let choice = Choice {
            host_subset_size: self.options.host_subset_size,
            shuffle_best_same_weighed_hosts: self.options.shuffle_best_same_weighed_hosts,
            alternates: self.options.alternates,
            seed: self.random.below(usize::MAX) as u64,
        };
        // Records have uuids of nodes; a fleet on paper has none.
        let node_uuids = NodeUuids::default();
        let asked = Asked {
            spec: &spec,
            uuids: &instances,
            choice,
            node_uuids: &node_uuids,
            instances: None,
        };
        let (selected, took) = self.with_context(&request.id, |context| {
            let start = Instant::now();
            let selected = select_alone(&self.trail, context, asked);
            (selected, start.elapsed())
        });
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.push(took);
        let (hosts, selections) = selected?;
        self.counter.filtered(&hosts.counts());
        Ok(selections)
    }

    /// The chosen hosts count the instances and report.
    fn place(&mut self, request: &Request, chosen: &Selections) -> Result<(), SimulationError> {
        let chosen = chosen.iter().filter_map(|list| list.first());
        let rows = chosen.map(|selection| self.computes.row(selection));
        let rows: Vec<usize> = rows.collect::<Result<_, _>>()?;
        for (row, name) in rows.iter().zip(request.instances()) {
            self.computes.enter(*row, &request.wanted, &name);
        }
        if let Some(leave_s) = request.leave_s {
            let number = self.placements.requests();
            self.leaving.push(Reverse((leave_s, number)));
        }
        self.placements.placed(rows.into_iter());
        Ok(())
    }

    fn finish(self) -> Outcome {
        let books = self.computes.books();
        let [vcpus, memory, disk] = figures::utilisation(books);
        let used = books.hosts().iter().filter(|host| host.was_used());
        let refused = self.placements.refusals();
        let placed_instances = self.placements.instances() as u64;
        Outcome {
            driver: self.trail.drivers().scheduler.name.clone(),
            figures: Figures {
                placed_requests: (self.placements.requests() - refused) as u64,
                placed_instances,
                refused_requests: refused as u64,
                refused_instances: self.refused_instances,
                hosts_used: used.count() as u64,
                vcpus,
                memory,
                disk,
                fragmentation: figures::fragmentation(books, self.requests),
                times: figures::times(&self.nanoseconds, placed_instances),
            },
            refusals: self.counter.finish(),
            left_out: self.computes.left_out(),
            placements: self.placements,
        }
    }
}
