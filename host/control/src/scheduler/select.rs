//! One selection: lend the hosts to the scheduler's driver, and check its answer.
//!
//! Must not wait for anything. A request that fails leaves nothing consumed. Run by the manager,
//! one at a time.

use std::collections::HashMap;
use std::sync::Arc;

use longshore_objects::{RequestSpec, Selection};
use longshore_plugin_api::{self as api, CallContext, HostStates, HostTable, SelectOptions};

use super::drivers::SchedulerDrivers;
use super::errors::SelectError;
use super::host_states::RequestHosts;
use super::newcomers::Newcomers;
use super::refresh::View;
use super::trail::{Method, Trail, Who};
use super::translate;
use crate::driver_call::CallError;

/// Per instance: the chosen host first, then alternates.
pub(super) type Selections = Vec<Vec<Selection>>;

/// What the operator chose for selections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) host_subset_size: u32,
    pub(super) shuffle_best_same_weighed_hosts: bool,
    pub(super) alternates: u32,
    pub(super) seed: u64,
}

/// Picks hosts for these instances of one request; members of a group may be counted meanwhile. The hosts come back too, so that what was
/// consumed can be released if nobody waits for the answer any more.
///
/// # Errors
/// Any [`SelectError`] but those of the queue; nothing is consumed then.
pub(super) fn select(
    view: &View,
    trail: &Arc<Trail>,
    context: &CallContext<'_>,
    (spec, uuids, newcomers): (&RequestSpec, &[String], Option<Newcomers>),
    choice: Choice,
) -> Result<(RequestHosts, Selections), SelectError> {
    let Some(first) = uuids.first() else {
        let text = "the request names no instance".to_owned();
        return Err(SelectError::BadSpec(text));
    };
    let instances = u32::try_from(uuids.len()).unwrap_or(u32::MAX);
    let fields = translate::request(spec, first, instances).map_err(SelectError::BadSpec)?;
    let hosts = RequestHosts::on(Arc::clone(trail), fields)?.counting(newcomers);
    let options = SelectOptions {
        instances,
        host_subset_size: choice.host_subset_size.max(1),
        shuffle_best_same_weighed_hosts: choice.shuffle_best_same_weighed_hosts,
        alternates: choice.alternates,
        seed: choice.seed,
    };
    let (drivers, request) = (trail.drivers(), hosts.request());
    let driver = &drivers.scheduler.driver;
    let select = || driver.select_destinations(context, &request, &options, &hosts);
    let answer = trail.call(Who::Scheduler, Method::SelectDestinations, select);
    let checked = match (hosts.take_fault(), answer) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(refused(drivers, &hosts, error)),
        (None, Ok(answer)) => check(view, &hosts, &options, &answer)
            .map_err(|what| SelectError::BadValue(drivers.named(Who::Scheduler), what)),
    };
    match checked {
        Ok(selections) => Ok((hosts, selections)),
        Err(error) => {
            hosts.release();
            Err(error)
        }
    }
}

/// A driver's word that no host fits becomes the whole story; other errors keep the driver's name.
fn refused(drivers: &SchedulerDrivers, hosts: &RequestHosts, error: CallError) -> SelectError {
    if !SelectError::is_no_valid_host(&error) {
        return drivers.failed(Who::Scheduler, error);
    }
    let (known, eligible) = hosts.sizes();
    SelectError::NoValidHost {
        reason: error.to_string(),
        known,
        eligible,
        filters: hosts.counts(),
    }
}

fn check(
    view: &View,
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
    let selection = |one: &api::Selection| check_one(view, hosts, (&table, &named), one);
    answer.iter().map(selection).collect()
}

fn check_one(
    view: &View,
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
        list.push(translate::selection(to, view.node_uuid(host, node))?);
    }
    Ok(list)
}
