//! The run itself: requests in their order, each through the selection that the scheduler's manager uses.
//!
//! Time goes by as the requests say: before one is taken, the instances whose time is over leave. The run ends with the
//! last request. Must not print. Called by the command `scheduler simulate`, once per driver.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use longshore_objects::Selection;
use longshore_plugin_api::__abi::services::Services;
use longshore_plugin_api::{CallContext, HostReport, PlacedInstance, Random};

use super::books::{Amounts, Books};
use super::figures::{self, Figures};
use super::fleet::Fleet;
use super::groups::Groups;
use super::instances::Instances;
use super::refusals::{Counter, Refusals};
use super::requests::{REQUESTS_MAX, Request};
use crate::codes;
use crate::driver_call::{CallError, guarded};
use crate::scheduler::drivers::SchedulerDrivers;
use crate::scheduler::errors::SelectError;
use crate::scheduler::refresh::View;
use crate::scheduler::select::{Choice, Selections, select};
use crate::scheduler::trail::{Method, Trail, Who};

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

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The scheduler driver's name.
    pub driver: String,
    /// The figures.
    pub figures: Figures,
    /// Why requests were refused, and what filters did.
    pub refusals: Refusals,
    /// The hosts of all instances, request by request.
    hosts: Vec<u32>,
    /// Where the hosts of each request end.
    ends: Vec<usize>,
    /// Requests that were refused, and the places of their reasons, in order.
    refused: Vec<(usize, usize)>,
}

/// The run cannot go on: the host manager does not do its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationError {
    code: String,
    text: String,
}

impl SimulationError {
    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    fn bad_value(text: String) -> Self {
        let code = codes::DRIVER_BAD_VALUE.to_owned();
        Self { code, text }
    }
}

impl fmt::Display for SimulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for SimulationError {}

impl Outcome {
    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.ends.len()
    }

    /// The hosts of a request's instances, as places in the fleet; none when it was refused.
    pub fn hosts_of(&self, request: usize) -> &[u32] {
        let start = request.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.hosts[start..self.ends[request]]
    }

    /// Why a request was refused.
    pub fn reason_of(&self, request: usize) -> Option<&str> {
        let at = self.refused.binary_search_by_key(&request, |(r, _)| *r);
        let (_, reason) = self.refused[at.ok()?];
        Some(&self.refusals.reasons[reason].reason)
    }
}

/// Plays `requests`, which are in order of arrival, over `fleet`; one that arrives before the one in front of it arrives
/// with it. The drivers must be new: the host manager knows no hosts yet. `progress` is told how many requests are done.
///
/// # Errors
/// The host manager does not take the fleet, loses hosts, or fails in a report. A request that fails is no error: it is
/// counted among the refusals.
pub fn simulate(
    drivers: SchedulerDrivers,
    fleet: &Fleet,
    requests: &[Request],
    options: &SimulationOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Outcome, SimulationError> {
    let requests = &requests[..requests.len().min(REQUESTS_MAX)];
    let mut run = Run::start(drivers, fleet, options)?;
    run.instances = Instances::wanted_by(requests);
    for (number, request) in requests.iter().enumerate() {
        run.until(request.arrive_s, requests)?;
        run.take(number, request)?;
        if (number + 1) % PROGRESS_EVERY == 0 || number + 1 == requests.len() {
            progress(number + 1);
        }
    }
    Ok(run.finish(requests))
}

/// A simulation half way.
struct Run<'o> {
    options: &'o SimulationOptions,
    trail: Arc<Trail>,
    books: Books,
    groups: Groups,
    /// If hosts are to tell which instances they have.
    instances: Option<Instances>,
    random: Random,
    /// Who leaves next: the time, and the request.
    leaving: BinaryHeap<Reverse<(u64, usize)>>,
    hosts: Vec<u32>,
    ends: Vec<usize>,
    refused: Vec<(usize, usize)>,
    counter: Counter,
    placed_instances: u64,
    refused_instances: u64,
    peak: Amounts,
    nanoseconds: Vec<u64>,
}

impl<'o> Run<'o> {
    /// Tells the host manager of the fleet.
    fn start(
        drivers: SchedulerDrivers,
        fleet: &Fleet,
        options: &'o SimulationOptions,
    ) -> Result<Self, SimulationError> {
        let filters = drivers
            .filters
            .iter()
            .map(|(filter, _)| filter.name.clone());
        let counter = Counter::of(filters);
        let trail = Arc::new(Trail::new(Arc::new(drivers)));
        let books = Books::open(fleet);
        let run = Run {
            options,
            trail,
            peak: books.fleet_percent(),
            books,
            groups: Groups::default(),
            instances: None,
            random: Random::new(options.seed),
            leaving: BinaryHeap::new(),
            hosts: Vec::new(),
            ends: Vec::new(),
            refused: Vec::new(),
            counter,
            placed_instances: 0,
            refused_instances: 0,
            nanoseconds: Vec::new(),
        };
        let manager = Arc::clone(run.trail.drivers().host_manager());
        guarded(|| manager.update_aggregates(fleet.aggregates())).map_err(|e| run.failed(e))?;
        for service in fleet.services() {
            let update = || manager.update_service(&service);
            let updated = run
                .trail
                .call(Who::HostManager, Method::UpdateService, update);
            updated.map_err(|e| run.failed(e))?;
        }
        for host in fleet.hosts() {
            report(&run.trail, &host.report)?;
        }
        let table = guarded(|| manager.host_table()).map_err(|e| run.failed(e))?;
        if table.len() != fleet.hosts().len() {
            let (known, told) = (table.len(), fleet.hosts().len());
            let who = run.trail.drivers().named(Who::HostManager);
            let text = format!("{who} knows {known} hosts and was told of {told}");
            return Err(SimulationError::bad_value(text));
        }
        Ok(run)
    }

    /// Lets instances leave whose time is over.
    fn until(&mut self, now_s: u64, requests: &[Request]) -> Result<(), SimulationError> {
        while let Some(&Reverse((leave_s, request))) = self.leaving.peek() {
            if leave_s > now_s {
                break;
            }
            self.leaving.pop();
            let start = request.checked_sub(1).map_or(0, |before| self.ends[before]);
            let (wanted, names) = (&requests[request].wanted, requests[request].instances());
            for (at, name) in (start..self.ends[request]).zip(&names) {
                let row = self.hosts[at] as usize;
                let left = self.books.leave(row, wanted);
                report(&self.trail, left)?;
                if let Some(group) = &wanted.group {
                    self.groups.leave(group, &left.host);
                }
                if let Some(instances) = &mut self.instances {
                    let rest = instances.leave(&left.host, name);
                    sync(&self.trail, &left.host, rest)?;
                }
            }
        }
        Ok(())
    }

    /// Asks the scheduler, and counts what it says.
    fn take(&mut self, number: usize, request: &Request) -> Result<(), SimulationError> {
        match self.select(request) {
            Ok(selections) => {
                self.place(request, &selections)?;
                if let Some(leave_s) = request.leave_s {
                    self.leaving.push(Reverse((leave_s, number)));
                }
            }
            Err(error) => {
                let reason = self.counter.refused(&request.id, request.count, &error);
                self.refused.push((number, reason));
                self.refused_instances += u64::from(request.count);
            }
        }
        self.ends.push(self.hosts.len());
        Ok(())
    }

    fn select(&mut self, request: &Request) -> Result<Selections, SelectError> {
        let mut spec = request.spec();
        if let Some(group) = &request.wanted.group {
            spec.set_instance_group(Some(self.groups.object(group)));
        }
        let instances = request.instances();
        let choice = Choice {
            host_subset_size: self.options.host_subset_size,
            shuffle_best_same_weighed_hosts: self.options.shuffle_best_same_weighed_hosts,
            alternates: self.options.alternates,
            seed: self.random.below(usize::MAX) as u64,
        };
        let services = self.options.services;
        let deadline = u64::try_from(self.options.deadline.as_nanos()).unwrap_or(u64::MAX);
        let until = services.now_ns().saturating_add(deadline);
        let nobody_cancels = AtomicU32::new(0);
        let context = CallContext::new(services, &request.id, until, &nobody_cancels);
        // Records have uuids of nodes; a fleet on paper has none.
        let view = View::default();
        let start = Instant::now();
        let selected = select(&view, &self.trail, &context, (&spec, &instances), choice);
        let took = start.elapsed();
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.push(took);
        let (hosts, selections) = selected?;
        self.counter.filtered(&hosts.counts());
        Ok(selections)
    }

    /// The chosen hosts count the instances and report.
    fn place(&mut self, request: &Request, chosen: &Selections) -> Result<(), SimulationError> {
        let chosen = chosen.iter().filter_map(|list| list.first());
        for (selection, name) in chosen.zip(request.instances()) {
            let row = self.row(selection)?;
            let entered = self.books.enter(row, &request.wanted);
            report(&self.trail, entered)?;
            if let Some(group) = &request.wanted.group {
                self.groups.enter(group, &entered.host);
            }
            if let Some(instances) = &mut self.instances {
                let all = instances.enter(&entered.host, name);
                sync(&self.trail, &entered.host, all)?;
            }
            self.placed_instances += 1;
            // A fleet has at most `HOSTS_MAX` hosts.
            self.hosts.push(row as u32);
        }
        let percent = self.books.fleet_percent();
        for (peak, percent) in self.peak.iter_mut().zip(percent) {
            *peak = peak.max(percent);
        }
        Ok(())
    }

    fn row(&self, selection: &Selection) -> Result<usize, SimulationError> {
        let (host, node) = (selection.host(), selection.nodename());
        self.books.row(host, node).ok_or_else(|| {
            let who = self.trail.drivers().named(Who::HostManager);
            let text = format!(
                "{who} has the node `{node}` of host `{host}` in its table, which the fleet has not"
            );
            SimulationError::bad_value(text)
        })
    }

    fn failed(&self, error: CallError) -> SimulationError {
        failed(&self.trail, error)
    }

    fn finish(self, requests: &[Request]) -> Outcome {
        let refused_requests = self.refused.len() as u64;
        let [vcpus, memory, disk] = figures::utilisation(&self.books, &self.peak);
        let used = self.books.hosts().iter().filter(|host| host.was_used());
        Outcome {
            driver: self.trail.drivers().scheduler.name.clone(),
            figures: Figures {
                placed_requests: self.ends.len() as u64 - refused_requests,
                placed_instances: self.placed_instances,
                refused_requests,
                refused_instances: self.refused_instances,
                hosts_used: used.count() as u64,
                vcpus,
                memory,
                disk,
                fragmentation: figures::fragmentation(&self.books, requests),
                times: figures::times(&self.nanoseconds, self.placed_instances),
            },
            refusals: self.counter.finish(),
            hosts: self.hosts,
            ends: self.ends,
            refused: self.refused,
        }
    }
}

/// A host's report, as its compute would send it.
fn report(trail: &Trail, report: &HostReport) -> Result<(), SimulationError> {
    let manager = trail.drivers().host_manager();
    let update = || manager.update_host(report);
    let updated = trail.call(Who::HostManager, Method::UpdateHost, update);
    updated.map(drop).map_err(|e| failed(trail, e))
}

/// Which instances a host has, as its compute would tell.
fn sync(trail: &Trail, host: &str, all: Vec<PlacedInstance>) -> Result<(), SimulationError> {
    let manager = trail.drivers().host_manager();
    guarded(|| manager.sync_instances(host, all)).map_err(|e| failed(trail, e))
}

fn failed(trail: &Trail, error: CallError) -> SimulationError {
    let error = trail.drivers().failed(Who::HostManager, error);
    SimulationError {
        code: error.code().to_owned(),
        text: error.to_string(),
    }
}
