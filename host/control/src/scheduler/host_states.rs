//! The hosts of one request, as a scheduler driver sees them: filters, weighers, consumption.
//!
//! This is the host's side of [`HostStates`]. Whatever a filter or weigher does, the rules hold: a
//! host that is out stays out, weights are finite, faults follow the operator's policy. A host that another request took
//! something of since the filters ran is looked at again before it is consumed. Must not know RPC or records. Made by
//! `select.rs`, on the scheduler's thread.

mod claiming;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_plugin_api::{
    DriverError, FilterTraits, HostStates, HostTable, Limits, Mask, RequestFields, RequestSpec,
    full,
};

use self::claiming::{Judged, Taken};
use super::blend;
use super::claims::Claimant;
use super::drivers::{FaultPolicy, SchedulerDrivers};
use super::errors::SelectError;
use super::newcomers::Newcomers;
use super::story::{FirstRows, Notes, Step, Story};
use super::trail::{Method, Trail, Who, nobody_waits};
use crate::driver_call::CallError;

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
    pub(super) fn on(
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
    pub(super) fn counting(mut self, newcomers: Option<Newcomers>) -> Self {
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
    pub(super) fn trail(&self) -> &Arc<Trail> {
        &self.trail
    }

    /// What is consumed stays: the request is answered with it.
    pub(super) fn keep(&self) {
        if let Some(claimant) = &self.claimant {
            claimant.keep();
        }
    }

    /// Whether the request, which failed with this error and has given everything back, could fare otherwise without
    /// those beside it.
    pub(super) fn was_crossed(&self, error: &SelectError) -> bool {
        self.claimant.as_ref().is_some_and(|claimant| {
            let none_left = matches!(error, SelectError::NoValidHost { .. });
            claimant.was_crossed() || none_left && claimant.may_be_misled()
        })
    }

    /// What is told of this request for so many instances when no host can take the next one.
    pub(super) fn story(&self, instances: u32) -> Story {
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
    pub(super) fn named<'t>(&self, table: &'t HostTable) -> HashMap<(&'t str, &'t str), usize> {
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

    /// Runs the filters over `words`, for instance number `index`, and notes in `steps` what each did.
    fn run_filters(
        &self,
        index: u32,
        table: &HostTable,
        words: &mut [u64],
        steps: &mut Vec<Step>,
    ) -> Result<(), DriverError> {
        let request = self.request();
        let (mut left, mut before) = (count(words), words.to_vec());
        for (at, (filter, traits)) in self.drivers.filters.iter().enumerate() {
            if left == 0 || !runs(traits, index, &request) {
                continue;
            }
            let first = FirstRows::of(words);
            before.copy_from_slice(words);
            self.run_filter(at, (table, &request), words, &before)?;
            let start = std::mem::replace(&mut left, count(words));
            filter.watch.filtered(start, left);
            steps.push(Step {
                at,
                start,
                end: left,
                first,
            });
        }
        Ok(())
    }

    /// Runs one filter over `words`; on a fault that is skipped they are as `before`.
    fn run_filter(
        &self,
        at: usize,
        (table, request): (&HostTable, &RequestSpec),
        words: &mut [u64],
        before: &[u64],
    ) -> Result<(), DriverError> {
        let (filter, _) = &self.drivers.filters[at];
        let ran = self.trail.call(Who::Filter(at), Method::FilterAll, || {
            let mut mask = Mask::new(words, table.len());
            filter.driver.filter_all(table, request, &mut mask)
        });
        match ran {
            // A filter may only take out; whatever else it set is cleared here.
            Ok(()) => intersect(words, before),
            Err(_) if self.trail.is_given_up() => return Err(nobody_waits()),
            Err(error) => {
                say_failed(&filter.name, "filter", error.code(), &error);
                if self.drivers.on_filter_fault == FaultPolicy::Fail {
                    return Err(self.fail(self.drivers.failed(Who::Filter(at), error)));
                }
                words.copy_from_slice(before);
            }
        }
        Ok(())
    }

    /// Adds one weigher's part to the weights of the hosts in `mask`. Answers whether `raw` is all zeros for them, as it
    /// was before.
    fn add_weight(
        &self,
        at: usize,
        (table, request): (&HostTable, &RequestSpec),
        mask: &Mask<'_>,
        (weights, raw): (&mut [f32], &mut [f32]),
    ) -> Result<bool, SelectError> {
        let (weigher, range) = &self.drivers.weighers[at];
        let weigh = || weigher.driver.weigh_all(table, request, mask, raw);
        let weighed = self.trail.call(Who::Weigher(at), Method::WeighAll, weigh);
        weighed.map_err(|e| self.drivers.failed(Who::Weigher(at), e))?;
        let range = (range.min.map(|v| v as f32), range.max.map(|v| v as f32));
        let seen = blend::seen(raw, mask).map_err(|row| {
            let host = table.host(row).host_name();
            let what = format!("the weight {} for host `{host}`", raw[row]);
            SelectError::BadValue(format!("weigher `{}`", weigher.name), what)
        })?;
        if let Some(bounds) = blend::bounds(seen, range) {
            blend::add(weights, raw, mask, bounds, weigher.multiplier as f32);
        }
        Ok(seen == [0.0; 2])
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
        if mask.count() <= 1 {
            return Ok(());
        }
        let request = self.request();
        let mut raw = self.drivers.scratch.take();
        raw.resize(table.len(), 0.0);
        let mut is_blank = false;
        for (at, (weigher, _)) in self.drivers.weighers.iter().enumerate() {
            if !std::mem::take(&mut is_blank) {
                raw.fill(0.0);
            }
            let into = (&mut *weights, &mut **raw);
            let fault = match self.add_weight(at, (&table, &request), mask, into) {
                Ok(blank) => {
                    is_blank = blank;
                    continue;
                }
                Err(fault) => fault,
            };
            if self.trail.is_given_up() {
                return Err(nobody_waits());
            }
            say_failed(&weigher.name, "weigher", fault.code(), &fault);
            if self.drivers.on_weigher_fault == FaultPolicy::Fail {
                return Err(self.fail(fault));
            }
        }
        Ok(())
    }

    fn limits(&self, row: u32) -> Result<Limits, DriverError> {
        let table = self.host_table()?;
        let at = checked_row(row, table.len())?;
        self.state().named.insert(row);
        let mut limits = Limits::default();
        // Forced hosts are not filtered, so nothing limits them.
        if !self.run_filters {
            return Ok(limits);
        }
        let request = self.request();
        for (place, (filter, _)) in self.drivers.filters.iter().enumerate() {
            let who = Who::Filter(place);
            let limits_of = || filter.driver.limits(table.host(at), &request);
            match self.trail.call(who, Method::FilterLimits, limits_of) {
                Ok(more) => tighten(&mut limits, &more),
                Err(error) if self.drivers.on_filter_fault == FaultPolicy::Fail => {
                    return Err(self.fail(self.drivers.failed(who, error)));
                }
                Err(_) => {}
            }
        }
        Ok(limits)
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

fn runs(traits: &FilterTraits, index: u32, request: &RequestSpec) -> bool {
    (index == 0 || !traits.run_once_per_request) && (traits.run_on_rebuild || !request.is_rebuild())
}

fn tighten(limits: &mut Limits, more: &Limits) {
    let least = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    };
    limits.memory_mb = least(limits.memory_mb, more.memory_mb);
    limits.disk_gb = least(limits.disk_gb, more.disk_gb);
    limits.vcpu = least(limits.vcpu, more.vcpu);
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
