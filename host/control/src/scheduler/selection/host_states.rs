//! The hosts of one request, as a scheduler driver sees them: filters, weighers, consumption.
//!
//! This is the host's side of [`HostStates`]. Whatever a filter or weigher does, the rules hold: a
//! host that is out stays out, weights are finite, faults follow the operator's policy. A host that another request took
//! something of since the filters ran is looked at again before it is consumed. Must not know RPC or records. Made by
//! `select.rs`, on the scheduler's thread.

mod claiming;
mod filtering;
mod weighing;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_plugin_api::{
    DriverError, HostStates, HostTable, Limits, Mask, RequestFields, RequestSpec, full,
};

use self::claiming::{Judged, Taken};
use super::claims::Claimant;
use super::newcomers::Newcomers;
use super::story::{Notes, Step, Story};
use crate::driver_call::CallError;
use crate::scheduler::drivers::SchedulerDrivers;
use crate::scheduler::errors::SelectError;
use crate::scheduler::watch::trail::{Method, Trail, Who};

/// What one filter did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterCount {
    /// Its name.
    pub filter: String,
    /// Hosts before.
    pub start: usize,
    /// Hosts after.
    pub end: usize,
}

/// The hosts of one request.
pub struct RequestHosts {
    drivers: Arc<SchedulerDrivers>,
    trail: Arc<Trail>,
    /// Its part in what others take of the hosts at the same time; none when nobody does.
    claimant: Option<Claimant>,
    eligible: Vec<u64>,
    run_filters: bool,
    known: usize,
    newcomers: Option<Newcomers>,
    state: Mutex<State>,
}

struct State {
    /// The request as filters see it: members of a group count as placed once they are chosen.
    request: RequestSpec,
    /// What it is made of anew then; none where there is no group.
    group_fields: Option<RequestFields>,
    consumed: Vec<(String, String)>,
    /// The hosts as they were after the request's last consumption.
    table: Option<Taken>,
    /// What the scheduler decides on.
    judged: Judged,
    /// Rows whose limits were asked for: those of the answer, most likely.
    named: BTreeSet<u32>,
    steps: Vec<Step>,
    /// What the steps do not say, for a request that fails.
    notes: Notes,
    /// The first fault that fails the request, with the driver's name.
    fault: Option<SelectError>,
}

impl RequestHosts {
    /// The hosts that the host manager knows now.
    ///
    /// # Errors
    /// The host manager's.
    pub fn new(drivers: Arc<SchedulerDrivers>, fields: RequestFields) -> Result<Self, SelectError> {
        Self::on(Arc::new(Trail::new(drivers)), fields, None)
    }

    /// The same for a selection whose steps somebody follows, beside others if there is a claimant.
    pub(in crate::scheduler) fn on(
        trail: Arc<Trail>,
        fields: RequestFields,
        claimant: Option<Claimant>,
    ) -> Result<Self, SelectError> {
        let last_claim = claimant.as_ref().map_or(0, Claimant::last);
        let drivers = Arc::clone(trail.drivers());
        let has_group = !fields.group_policies.is_empty();
        let group_fields = has_group.then(|| fields.clone());
        let request = RequestSpec::from(fields);
        let manager = &drivers.host_manager.driver;
        let table = trail.call(Who::HostManager, Method::HostTable, || manager.host_table());
        let asked = table.and_then(|table| {
            let mut words = full(table.len());
            let mut mask = Mask::new(&mut words, table.len());
            let asks = || manager.eligible_hosts(&table, &request, &mut mask);
            let run_filters = trail.call(Who::HostManager, Method::EligibleHosts, asks)?;
            Ok((table, words, run_filters))
        });
        let (table, mut eligible, run_filters) =
            asked.map_err(|e| drivers.failed(Who::HostManager, e))?;
        let known = table.len();
        intersect(&mut eligible, &full(known));
        Ok(Self {
            drivers,
            trail,
            claimant,
            eligible,
            run_filters,
            known,
            newcomers: None,
            state: Mutex::new(State {
                request,
                group_fields,
                consumed: Vec::new(),
                table: Some(Taken { table, last_claim }),
                judged: Judged::default(),
                named: BTreeSet::new(),
                steps: Vec::new(),
                notes: Notes::default(),
                fault: None,
            }),
        })
    }

    /// Lets the instances of the request count where they are to be, one for each consumption.
    pub(in crate::scheduler) fn counting(mut self, newcomers: Option<Newcomers>) -> Self {
        self.newcomers = newcomers;
        self
    }

    /// Hosts known, and hosts that the request allows.
    pub fn sizes(&self) -> (usize, usize) {
        let eligible = self.eligible.iter().map(|w| w.count_ones() as usize).sum();
        (self.known, eligible)
    }

    /// What each filter did in its last run over all filters.
    pub fn counts(&self) -> Vec<FilterCount> {
        let steps = self.state().steps.clone();
        let count = |step: Step| FilterCount {
            filter: self.filter_name(step.at).to_owned(),
            start: step.start,
            end: step.end,
        };
        steps.into_iter().map(count).collect()
    }

    /// The steps of its selection.
    pub(in crate::scheduler) fn trail(&self) -> &Arc<Trail> {
        &self.trail
    }

    /// What is consumed stays: the request is answered with it.
    pub(in crate::scheduler) fn keep(&self) {
        if let Some(claimant) = &self.claimant {
            claimant.keep();
        }
    }

    /// Whether the request, which failed with this error and has given everything back, could fare otherwise without
    /// those beside it.
    pub(in crate::scheduler) fn was_crossed(&self, error: &SelectError) -> bool {
        self.claimant.as_ref().is_some_and(|claimant| {
            let none_left = matches!(error, SelectError::NoValidHost { .. });
            claimant.was_crossed() || none_left && claimant.may_be_misled()
        })
    }

    /// What is told of this request for so many instances when no host can take the next one.
    pub(in crate::scheduler) fn story(&self, instances: u32) -> Story {
        let Ok(table) = self.host_table() else {
            return Story::default();
        };
        let state = self.state();
        let run = (instances, state.steps.as_slice());
        let name = |at| self.filter_name(at);
        state.notes.tell(run, (&table, &state.request), name)
    }

    fn filter_name(&self, at: usize) -> &str {
        &self.drivers.filters[at].0.name
    }

    /// The first fault that fails the request.
    pub fn take_fault(&self) -> Option<SelectError> {
        self.state().fault.take()
    }

    /// Whether the request allows the host of `row`.
    pub fn is_eligible(&self, row: usize) -> bool {
        row < self.known && has(&self.eligible, row)
    }

    /// The rows that the scheduler asked about, by host and node: those of its answer, most likely.
    pub(in crate::scheduler) fn named<'t>(
        &self,
        table: &'t HostTable,
    ) -> HashMap<(&'t str, &'t str), usize> {
        let rows = self.state().named.clone();
        let rows = rows.into_iter().map(|row| row as usize);
        let hosts = rows.filter(|row| *row < table.len());
        let hosts = hosts.map(|row| (table.host(row), row));
        hosts
            .map(|(host, row)| ((host.host_name(), host.node_name()), row))
            .collect()
    }

    /// The request as the filters see it now.
    pub fn request(&self) -> RequestSpec {
        self.state().request.clone()
    }

    /// Takes back whatever the request consumed.
    pub fn release(&self) {
        let (consumed, request) = {
            let mut state = self.state();
            (std::mem::take(&mut state.consumed), state.request.clone())
        };
        if let Some(newcomers) = &self.newcomers {
            newcomers.leave();
        }
        let manager = &self.drivers.host_manager.driver;
        for (host, node) in consumed {
            let release = || manager.release_request(&host, &node, &request);
            let released = self
                .trail
                .finish(Who::HostManager, Method::Release, release);
            if let Err(error) = released {
                let code = error.code();
                tracing::warn!(code, host, "cannot take a consumption back: {error}");
            }
        }
        if let Some(claimant) = &self.claimant {
            claimant.give_back();
        }
    }

    /// Never held across a driver call. Values are replaced whole, so poison means nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host_table(&self) -> Result<HostTable, DriverError> {
        Ok(self.taken()?.table)
    }

    fn taken(&self) -> Result<Taken, DriverError> {
        if let Some(taken) = &self.state().table {
            return Ok(taken.clone());
        }
        let taken = self.take_table()?;
        self.state().table = Some(taken.clone());
        Ok(taken)
    }

    /// The hosts as they are now.
    fn take_table(&self) -> Result<Taken, DriverError> {
        let last_claim = self.claimant.as_ref().map_or(0, Claimant::last);
        let manager = &self.drivers.host_manager.driver;
        let table = self.manages(Method::HostTable, || manager.host_table())?;
        if table.len() == self.known {
            return Ok(Taken { table, last_claim });
        }
        let text = format!(
            "the table went from {} to {} hosts",
            self.known,
            table.len()
        );
        Err(DriverError::internal(text))
    }

    /// Notes a fault that fails the request, and answers what the calling driver gets to see.
    fn fail(&self, fault: SelectError) -> DriverError {
        let text = fault.to_string();
        self.state().fault.get_or_insert(fault);
        DriverError::internal(text)
    }

    /// Calls the host manager. Its own errors are for the scheduler to act on; a panic, or that it is fenced, fails the
    /// request, or it would look like the scheduler's.
    fn manages<T>(
        &self,
        method: Method,
        call: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        match self.trail.call(Who::HostManager, method, call) {
            Ok(value) => Ok(value),
            Err(CallError::Driver(error)) if error.panicked_at().is_none() => Err(error),
            Err(error) => Err(self.fail(self.drivers.failed(Who::HostManager, error))),
        }
    }
}

impl HostStates for RequestHosts {
    fn table(&self) -> Result<HostTable, DriverError> {
        let Taken { table, last_claim } = self.taken()?;
        let judged = &mut self.state().judged;
        if judged.filtered_for.is_none() {
            judged.last_claim = last_claim;
        }
        Ok(table)
    }

    fn eligible(&self) -> Result<Vec<u64>, DriverError> {
        Ok(self.eligible.clone())
    }

    fn filter(&self, index: u32, mask: &mut Mask<'_>) -> Result<(), DriverError> {
        let Taken { table, last_claim } = self.taken()?;
        check_len("mask", mask.len(), table.len())?;
        let mut words = mask.words().to_vec();
        intersect(&mut words, &self.eligible);
        let mut state = self.state();
        let mut steps = std::mem::take(&mut state.steps);
        state.notes.next(index, &steps);
        drop(state);
        steps.clear();
        let ran = match self.run_filters {
            true => self.run_filters(index, &table, &mut words, &mut steps),
            false => Ok(()),
        };
        let mut state = self.state();
        state.steps = steps;
        state.judged = Judged {
            last_claim,
            filtered_for: Some(index),
        };
        drop(state);
        ran?;
        mask.intersect(&words);
        Ok(())
    }

    fn weigh(&self, mask: &Mask<'_>, weights: &mut [f32]) -> Result<(), DriverError> {
        let table = self.host_table()?;
        check_len("mask", mask.len(), table.len())?;
        check_len("list of weights", weights.len(), table.len())?;
        weights.fill(0.0);
        // One host wins whatever it weighs.
        match mask.count() {
            0 | 1 => Ok(()),
            _ => self.run_weighers(&table, mask, weights),
        }
    }

    fn limits(&self, row: u32) -> Result<Limits, DriverError> {
        let table = self.host_table()?;
        let at = checked_row(row, table.len())?;
        self.state().named.insert(row);
        // Forced hosts are not filtered, so nothing limits them.
        match self.run_filters {
            true => self.limits_of(table.host(at)),
            false => Ok(Limits::default()),
        }
    }

    fn consume(&self, row: u32) -> Result<(), DriverError> {
        let table = self.host_table()?;
        let at = checked_row(row, table.len())?;
        let host = table.host(at);
        let (name, node) = (host.host_name().to_owned(), host.node_name().to_owned());
        let request = self.request();
        let manager = &self.drivers.host_manager.driver;
        let consume = || manager.consume_from_request(&name, &node, &request);
        if let Some(claimant) = &self.claimant {
            self.claim(claimant, host)?;
        }
        let consumed = self.manages(Method::Consume, consume);
        if let Some(claimant) = &self.claimant {
            claimant.claimed(row, consumed.is_ok());
        }
        consumed?;
        let newcomers = self.newcomers.as_ref();
        let entered = newcomers.map(|n| n.enter(&name, &self.trail));
        let mut state = self.state();
        state.table = None;
        if let Some(fields) = &mut state.group_fields {
            fields.group_hosts.push(name.clone());
            let request = RequestSpec::from(fields.clone());
            state.request = request;
        }
        state.consumed.push((name, node));
        drop(state);
        match entered {
            Some(Err(error)) => Err(self.fail(self.drivers.failed(Who::HostManager, error))),
            _ => Ok(()),
        }
    }
}

/// A driver that is fenced was said once; each request would say it again.
fn say_failed(name: &str, role: &str, code: &str, error: &dyn std::fmt::Display) {
    if code == crate::codes::DRIVER_FENCED {
        tracing::debug!(code, "{role} `{name}` is left out: {error}");
    } else {
        tracing::warn!(code, "{role} `{name}` failed: {error}");
    }
}

fn check_len(what: &str, found: usize, hosts: usize) -> Result<(), DriverError> {
    if found == hosts {
        return Ok(());
    }
    let text = format!("the {what} is over {found} hosts, the table has {hosts}");
    Err(DriverError::invalid(text))
}

fn checked_row(row: u32, hosts: usize) -> Result<usize, DriverError> {
    let at = row as usize;
    if at < hosts {
        return Ok(at);
    }
    let text = format!("there is no row {row} in a table of {hosts} hosts");
    Err(DriverError::invalid(text))
}

fn intersect(words: &mut [u64], with: &[u64]) {
    for (word, other) in words.iter_mut().zip(with) {
        *word &= other;
    }
}

fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

fn has(words: &[u64], row: usize) -> bool {
    words
        .get(row / 64)
        .is_some_and(|word| word >> (row % 64) & 1 == 1)
}
