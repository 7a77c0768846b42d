//! The choice: for each instance one of the hosts that are up, enabled and eligible. The same host
//! may come again. Knows nothing of what hosts have or instances need.

use longshore_plugin_api::Random;
use longshore_plugin_api::{
    words_for, CallContext, Context, Destination, Driver, DriverError, HostStates, HostTable,
    Limits, Mask, NoSettings, RequestSpec, Scheduler, SelectOptions, Selection, STATE_DISABLED,
    STATE_UP,
};

/// Takes any host that is up.
pub(crate) struct ChanceScheduler;

impl Driver for ChanceScheduler {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Scheduler for ChanceScheduler {
    fn select_destinations(
        &self,
        context: &CallContext<'_>,
        _: &RequestSpec,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        if options.instances == 0 {
            return Ok(Vec::new());
        }
        let table = hosts.table()?;
        let mut rows = candidates(&table, hosts.eligible()?)?;
        let mut random = Random::new(options.seed);
        let mut selections = Vec::new();
        for _ in 0..options.instances {
            context.check()?;
            shuffle_front(&mut rows, options.alternates, &mut random);
            hosts.consume(rows[0] as u32)?;
            let alternates_end = (options.alternates as usize)
                .saturating_add(1)
                .min(rows.len());
            let destination = |row: &usize| destination(&table, *row);
            let alternates = rows[1..alternates_end].iter().map(destination).collect();
            selections.push(Selection {
                chosen: destination(&rows[0]),
                alternates,
            });
        }
        Ok(selections)
    }
}

/// The rows to choose from: never empty.
fn candidates(table: &HostTable, mut eligible: Vec<u64>) -> Result<Vec<usize>, DriverError> {
    let is_up = |state: u32| state & (STATE_UP | STATE_DISABLED) == STATE_UP;
    let up = table.state().iter().filter(|&&state| is_up(state)).count();
    if up == 0 {
        let all = table.len();
        let message = format!("no compute service is up and enabled: 0 of {all} hosts");
        return Err(DriverError::no_valid_host(message).hint("is the compute service running?"));
    }
    if eligible.len() != words_for(table.len()) {
        return Err(DriverError::internal(format!(
            "the mask of eligible hosts has {} words, and the table {} hosts",
            eligible.len(),
            table.len()
        )));
    }
    let mut mask = Mask::new(&mut eligible, table.len());
    mask.retain(table.state(), is_up);
    let rows: Vec<usize> = mask.iter().collect();
    if rows.is_empty() {
        let message =
            format!("could not find another host: the request allows 0 of {up} that are up");
        return Err(DriverError::no_valid_host(message).hint("ask for no particular host"));
    }
    Ok(rows)
}

/// Puts a random row first, and random others after it, as many as there are alternates.
fn shuffle_front(rows: &mut [usize], alternates: u32, random: &mut Random) {
    let places = (alternates as usize).saturating_add(1).min(rows.len());
    for place in 0..places {
        let from = place + random.below(rows.len() - place);
        rows.swap(place, from);
    }
}

/// Without limits: nothing has been checked that compute could hold the host to.
fn destination(table: &HostTable, row: usize) -> Destination {
    let host = table.host(row);
    Destination {
        host: host.host_name().to_owned(),
        node: host.node_name().to_owned(),
        limits: Limits::default(),
    }
}
