//! Drivers of the scheduler that work until a request tells them not to. The hint named as the driver's role says how:
//! `filter=hang`, `scheduler=abort`. So instances can exist before, and a host can be told to go wrong at a chosen moment.

use std::sync::Mutex;

use longshore_plugin_api::{
    CallContext, Column, Context, Destination, Driver, DriverError, Filter, Host, HostColumns,
    HostManager, HostReport, HostStates, HostTable, Mask, NoSettings, RequestSpec, Scheduler,
    SelectOptions, Selection, ServiceState, Weigher, STATE_UP,
};

use crate::deadly::end;

/// Does what the request says of this role.
fn obey(request: &RequestSpec, role: &str) {
    for how in request.scheduler_hint(role) {
        end(how);
    }
}

/// A filter that passes every host.
pub(crate) struct ObedientFilter;
/// A weigher that likes all hosts equally.
pub(crate) struct ObedientWeigher;
/// A scheduler that takes the first host that passes.
pub(crate) struct ObedientScheduler;
/// A host manager that knows memory and nothing else.
#[derive(Default)]
pub(crate) struct ObedientHosts(Mutex<HostColumns>);

macro_rules! built_by_default {
    ($($name:ident = $value:expr;)*) => {$(
        impl Driver for $name {
            type Settings = NoSettings;
            fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
                Ok($value)
            }
        }
    )*};
}
built_by_default! {
    ObedientFilter = ObedientFilter;
    ObedientWeigher = ObedientWeigher;
    ObedientScheduler = ObedientScheduler;
    ObedientHosts = ObedientHosts::default();
}

impl Filter for ObedientFilter {
    fn filter_all(
        &self,
        _: &HostTable,
        request: &RequestSpec,
        _: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        obey(request, "filter");
        Ok(())
    }
}

impl Weigher for ObedientWeigher {
    fn weigh(&self, _: Host<'_>, request: &RequestSpec) -> Result<f32, DriverError> {
        obey(request, "weigher");
        Ok(1.0)
    }
}

impl Scheduler for ObedientScheduler {
    fn select_destinations(
        &self,
        _: &CallContext<'_>,
        request: &RequestSpec,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        obey(request, "scheduler");
        (0..options.instances)
            .map(|index| first_fit(index, hosts))
            .collect()
    }
}

fn first_fit(index: u32, hosts: &dyn HostStates) -> Result<Selection, DriverError> {
    let table = hosts.table()?;
    let mut words = hosts.eligible()?;
    let mut mask = Mask::new(&mut words, table.len());
    hosts.filter(index, &mut mask)?;
    let mut weights = vec![0.0; table.len()];
    hosts.weigh(&mask, &mut weights)?;
    let row = mask.iter().next();
    let row = row.ok_or_else(|| DriverError::no_valid_host("the filters left no host"))?;
    let limits = hosts.limits(row as u32)?;
    hosts.consume(row as u32)?;
    let host = table.host(row);
    let (name, node) = (host.host_name().to_owned(), host.node_name().to_owned());
    let chosen = Destination {
        host: name,
        node,
        limits,
    };
    Ok(Selection {
        chosen,
        alternates: Vec::new(),
    })
}

impl ObedientHosts {
    fn with_row(&self, host: &str, node: &str, set: impl FnOnce(&mut HostColumns, usize)) {
        let mut hosts = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let known = hosts.snapshot().find(host, node);
        let row = known.unwrap_or_else(|| hosts.push(host, node));
        set(&mut hosts, row);
    }
}

impl HostManager for ObedientHosts {
    fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
        self.with_row(&report.host, &report.node, |hosts, row| {
            hosts.set_i32(Column::FreeRamMb, row, report.free_ram_mb as i32);
        });
        Ok(true)
    }

    fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
        self.with_row(host, node, |hosts, row| {
            hosts.swap_remove(row);
        });
        Ok(())
    }

    fn update_service(&self, state: &ServiceState) -> Result<(), DriverError> {
        self.with_row(&state.host, &state.host, |hosts, row| {
            hosts.set_u32(Column::State, row, if state.up { STATE_UP } else { 0 });
        });
        Ok(())
    }

    fn host_table(&self) -> Result<HostTable, DriverError> {
        Ok(self.0.lock().unwrap_or_else(|e| e.into_inner()).snapshot())
    }

    fn eligible_hosts(
        &self,
        _: &HostTable,
        request: &RequestSpec,
        _: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        obey(request, "host_manager");
        Ok(true)
    }

    fn consume_from_request(&self, _: &str, _: &str, _: &RequestSpec) -> Result<(), DriverError> {
        Ok(())
    }
}
