//! One selection: lend the hosts to the scheduler's driver, and check its answer.
//!
//! Must not wait for anything. A request that fails leaves nothing consumed. Run by the manager, several at a time: where
//! they are in each other's way, one gives back what it has and tries anew.

use std::collections::HashMap;
use std::sync::Arc;

use longshore_objects::{RequestSpec, Selection};
use longshore_plugin_api::{
    self as api, CallContext, HostStates, HostTable, RequestFields, SelectOptions,
};

use super::claims::Claims;
use super::host_states::RequestHosts;
use super::newcomers::Newcomers;
use crate::driver_call::CallError;
use crate::scheduler::drivers::SchedulerDrivers;
use crate::scheduler::errors::SelectError;
use crate::scheduler::translate;
use crate::scheduler::view::instances::Instances;
use crate::scheduler::view::node_uuids::NodeUuids;
use crate::scheduler::watch::trail::{Method, Trail, Who};

/// Tries at a request beside others; after that it is run while no other is.
pub(in crate::scheduler) const TRIES_MAX: u32 = 3;

/// Per instance: the chosen host first, then alternates.
pub(in crate::scheduler) type Selections = Vec<Vec<Selection>>;

/// What the operator chose for selections.
#[derive(Clone, Copy, Debug)]
pub(in crate::scheduler) struct Choice {
    pub(in crate::scheduler) host_subset_size: u32,
    pub(in crate::scheduler) shuffle_best_same_weighed_hosts: bool,
    pub(in crate::scheduler) alternates: u32,
    pub(in crate::scheduler) seed: u64,
}

/// A request, and what its answer is made with.
#[derive(Clone, Copy)]
pub(in crate::scheduler) struct Asked<'r> {
    pub(in crate::scheduler) spec: &'r RequestSpec,
    pub(in crate::scheduler) uuids: &'r [String],
    pub(in crate::scheduler) choice: Choice,
    pub(in crate::scheduler) node_uuids: &'r NodeUuids,
    /// Where members of a group are to count as soon as they have a host; nowhere on paper.
    pub(in crate::scheduler) instances: Option<&'r Arc<Instances>>,
}

/// Picks hosts for these instances of one request while no other request is under way. The hosts come back too, so that
/// what was consumed can be released if nobody waits for the answer any more.
///
/// # Errors
/// Any [`SelectError`] but those of the queue; nothing is consumed then.
pub(in crate::scheduler) fn select_alone(
    trail: &Arc<Trail>,
    context: &CallContext<'_>,
    asked: Asked<'_>,
) -> Result<(RequestHosts, Selections), SelectError> {
    let hosts =
        RequestHosts::on(Arc::clone(trail), asked.fields()?, None)?.counting(asked.newcomers());
    let selections = ask(context, asked, &hosts)?;
    Ok((hosts, selections))
}

/// The same beside other requests, whose claims are these too. None if they were in the way each time.
///
/// # Errors
/// As for [`select_alone`].
pub(in crate::scheduler) fn select_beside(
    claims: &Arc<Claims>,
    trail: &Arc<Trail>,
    context: &CallContext<'_>,
    asked: Asked<'_>,
) -> Result<Option<(RequestHosts, Selections)>, SelectError> {
    let fields = asked.fields()?;
    for _ in 0..TRIES_MAX {
        let hosts = RequestHosts::on(Arc::clone(trail), fields.clone(), Some(claims.enter()))?
            .counting(asked.newcomers());
        match ask(context, asked, &hosts) {
            Ok(selections) => {
                hosts.keep();
                return Ok(Some((hosts, selections)));
            }
            Err(error) if !hosts.was_crossed(&error) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(None)
}

impl Asked<'_> {
    fn instances(&self) -> u32 {
        u32::try_from(self.uuids.len()).unwrap_or(u32::MAX)
    }

    fn newcomers(&self) -> Option<Newcomers> {
        Newcomers::of(self.instances?, self.spec, self.uuids)
    }

    /// The request as drivers see it.
    fn fields(&self) -> Result<RequestFields, SelectError> {
        let Some(first) = self.uuids.first() else {
            let text = "the request names no instance".to_owned();
            return Err(SelectError::BadSpec(text));
        };
        translate::request(self.spec, first, self.instances()).map_err(SelectError::BadSpec)
    }

    fn options(&self) -> SelectOptions {
        SelectOptions {
            instances: self.instances(),
            host_subset_size: self.choice.host_subset_size.max(1),
            shuffle_best_same_weighed_hosts: self.choice.shuffle_best_same_weighed_hosts,
            alternates: self.choice.alternates,
            seed: self.choice.seed,
        }
    }
}

/// Asks the scheduler's driver, and checks what it says.
fn ask(
    context: &CallContext<'_>,
    asked: Asked<'_>,
    hosts: &RequestHosts,
) -> Result<Selections, SelectError> {
    let trail = hosts.trail();
    let (drivers, request, options) = (trail.drivers(), hosts.request(), asked.options());
    let driver = &drivers.scheduler.driver;
    let select = || driver.select_destinations(context, &request, &options, hosts);
    let answer = trail.call(Who::Scheduler, Method::SelectDestinations, select);
    let checked = match (hosts.take_fault(), answer) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(refused(drivers, hosts, options.instances, error)),
        (None, Ok(answer)) => check(asked.node_uuids, hosts, &options, &answer)
            .map_err(|what| SelectError::BadValue(drivers.named(Who::Scheduler), what)),
    };
    if checked.is_err() {
        hosts.release();
    }
    checked
}

/// A driver's word that no host fits becomes the whole story; other errors keep the driver's name.
fn refused(
    drivers: &SchedulerDrivers,
    hosts: &RequestHosts,
    instances: u32,
    error: CallError,
) -> SelectError {
    if !SelectError::is_no_valid_host(&error) {
        return drivers.failed(Who::Scheduler, error);
    }
    let (known, eligible) = hosts.sizes();
    SelectError::NoValidHost {
        reason: error.to_string(),
        known,
        eligible,
        filters: hosts.counts(),
        story: Box::new(hosts.story(instances)),
    }
}

fn check(
    node_uuids: &NodeUuids,
    hosts: &RequestHosts,
    options: &SelectOptions,
    answer: &[api::Selection],
) -> Result<Selections, String> {
    if answer.len() != options.instances as usize {
        let (found, asked) = (answer.len(), options.instances);
        return Err(format!("{found} selections where {asked} were asked for"));
    }
    let table = hosts.table().map_err(|error| error.to_string())?;
    let named = hosts.named(&table);
    let selection = |one: &api::Selection| check_one(node_uuids, hosts, (&table, &named), one);
    answer.iter().map(selection).collect()
}

fn check_one(
    node_uuids: &NodeUuids,
    hosts: &RequestHosts,
    (table, named): (&HostTable, &HashMap<(&str, &str), usize>),
    found: &api::Selection,
) -> Result<Vec<Selection>, String> {
    let mut rows = Vec::with_capacity(1 + found.alternates.len());
    let mut list = Vec::with_capacity(rows.capacity());
    for to in std::iter::once(&found.chosen).chain(&found.alternates) {
        let (host, node) = (&to.host, &to.node);
        let known = named.get(&(host.as_str(), node.as_str())).copied();
        let Some(row) = known.or_else(|| table.find(host, node)) else {
            return Err(format!("the unknown node `{node}` of host `{host}`"));
        };
        if !hosts.is_eligible(row) {
            return Err(format!("host `{host}`, which the request does not allow"));
        }
        if rows.contains(&row) {
            return Err(format!("host `{host}` twice for one instance"));
        }
        rows.push(row);
        list.push(translate::selection(to, node_uuids.of(host, node))?);
    }
    Ok(list)
}
