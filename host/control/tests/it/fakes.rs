//! Drivers as plain structs: a host manager, a scheduler, filters, weighers and a virt driver that
//! misbehaves on command.
//!
//! Must not assert anything itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, Mutex};

use longshore_plugin_api::{
    CallContext, Capabilities, Column, Destination, DriverError, Filter, FilterTraits, Host,
    HostColumns, HostManager, HostReport, HostStates, HostTable, Image, Instance, InstanceInfo,
    Limits, Mask, PowerState, RebootType, RequestSpec, Resources, STATE_UP, Scheduler,
    SelectOptions, Selection, ServiceState, Virt, Weigher,
};
use tokio::sync::watch;

/// Keeps reports in columns; hosts are in order of their first report.
#[derive(Default)]
pub(crate) struct Hosts {
    inner: Mutex<Columns>,
    /// The instances of each host, as told last.
    told: Mutex<BTreeMap<String, Vec<String>>>,
}

#[derive(Default)]
struct Columns {
    columns: HostColumns,
    up: HashMap<String, bool>,
}

impl Hosts {
    /// Hosts of 16 GB whose names are given, all up.
    pub(crate) fn named(names: &[&str]) -> Self {
        let hosts = Self::default();
        for name in names {
            let mut inner = hosts.inner.lock().unwrap();
            let row = inner.columns.push(name, name);
            inner.columns.set_i32(Column::FreeRamMb, row, 16_384);
            inner.columns.set_u32(Column::State, row, STATE_UP);
        }
        hosts
    }

    /// Who is on each host that was told of, in order.
    pub(crate) fn told(&self) -> BTreeMap<String, Vec<String>> {
        self.told.lock().unwrap().clone()
    }

    pub(crate) fn free_ram(&self) -> Vec<i32> {
        let inner = self.inner.lock().unwrap();
        inner.columns.snapshot().free_ram_mb().to_vec()
    }

    fn take(&self, host: &str, node: &str, ram: i64) {
        let mut inner = self.inner.lock().unwrap();
        let table = inner.columns.snapshot();
        if let Some(row) = table.find(host, node) {
            let free = i64::from(table.free_ram_mb()[row]) - ram;
            inner
                .columns
                .set_i32(Column::FreeRamMb, row, i32::try_from(free).unwrap());
        }
    }
}

impl HostManager for Hosts {
    fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
        let mut inner = self.inner.lock().unwrap();
        let found = inner.columns.snapshot().find(&report.host, &report.node);
        let row = found.unwrap_or_else(|| inner.columns.push(&report.host, &report.node));
        let up = inner.up.get(&report.host).copied().unwrap_or(false);
        let free = i32::try_from(report.free_ram_mb).unwrap();
        inner.columns.set_i32(Column::FreeRamMb, row, free);
        inner.columns.set_u32(Column::State, row, u32::from(up));
        inner
            .columns
            .set_u32(Column::NumInstances, row, report.num_instances);
        Ok(true)
    }

    fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
        let mut inner = self.inner.lock().unwrap();
        if let Some(row) = inner.columns.snapshot().find(host, node) {
            inner.columns.swap_remove(row);
        }
        Ok(())
    }

    fn update_service(&self, state: &ServiceState) -> Result<(), DriverError> {
        let mut inner = self.inner.lock().unwrap();
        let up = state.up && !state.disabled;
        inner.up.insert(state.host.clone(), up);
        let table = inner.columns.snapshot();
        for row in 0..table.len() {
            if table.host(row).host_name() == state.host {
                inner.columns.set_u32(Column::State, row, u32::from(up));
            }
        }
        Ok(())
    }

    fn host_table(&self) -> Result<HostTable, DriverError> {
        Ok(self.inner.lock().unwrap().columns.snapshot())
    }

    fn eligible_hosts(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        let ignored: Vec<&str> = request.ignore_hosts().collect();
        let forced: Vec<&str> = request.force_hosts().collect();
        mask.retain_rows(|row| {
            let name = hosts.host(row).host_name();
            !ignored.contains(&name) && (forced.is_empty() || forced.contains(&name))
        });
        Ok(forced.is_empty())
    }

    fn consume_from_request(
        &self,
        host: &str,
        node: &str,
        request: &RequestSpec,
    ) -> Result<(), DriverError> {
        self.take(host, node, i64::try_from(request.memory_mb()).unwrap());
        Ok(())
    }

    fn release_request(
        &self,
        host: &str,
        node: &str,
        request: &RequestSpec,
    ) -> Result<(), DriverError> {
        self.take(host, node, -i64::try_from(request.memory_mb()).unwrap());
        Ok(())
    }

    fn sync_instance_info(
        &self,
        host: &str,
        mut instances: Vec<String>,
    ) -> Result<(), DriverError> {
        instances.sort();
        self.told.lock().unwrap().insert(host.to_owned(), instances);
        Ok(())
    }
}

/// Takes the best host by weight, the first one of equals.
pub(crate) struct Best;

impl Scheduler for Best {
    fn select_destinations(
        &self,
        _context: &CallContext<'_>,
        _request: &RequestSpec,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        let mut selections = Vec::new();
        for index in 0..options.instances {
            let table = hosts.table()?;
            let mut words = hosts.eligible()?;
            let mut mask = Mask::new(&mut words, table.len());
            hosts.filter(index, &mut mask)?;
            let mut weights = vec![0.0; table.len()];
            hosts.weigh(&mask, &mut weights)?;
            let mut rows: Vec<usize> = mask.iter().collect();
            rows.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
            rows.truncate(1 + options.alternates as usize);
            if rows.is_empty() {
                return Err(DriverError::no_valid_host("there are not enough hosts"));
            }
            hosts.consume(rows[0] as u32)?;
            let mut named = Vec::new();
            for row in rows {
                let host = table.host(row);
                named.push(Destination {
                    host: host.host_name().to_owned(),
                    node: host.node_name().to_owned(),
                    limits: hosts.limits(row as u32)?,
                });
            }
            let chosen = named.remove(0);
            selections.push(Selection {
                chosen,
                alternates: named,
            });
        }
        Ok(selections)
    }
}

type Judge = dyn Fn(Host<'_>, &RequestSpec) -> Result<bool, DriverError> + Send + Sync;

/// A filter made of a closure.
pub(crate) struct Judged {
    pub(crate) judge: Box<Judge>,
    pub(crate) traits: FilterTraits,
    /// Memory limits by host.
    pub(crate) limits: BTreeMap<String, f64>,
}

impl Judged {
    pub(crate) fn new(
        judge: impl Fn(Host<'_>, &RequestSpec) -> Result<bool, DriverError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            judge: Box::new(judge),
            traits: FilterTraits::default(),
            limits: BTreeMap::new(),
        }
    }

    pub(crate) fn once(mut self) -> Self {
        self.traits.run_once_per_request = true;
        self
    }

    pub(crate) fn limit(mut self, host: &str, memory_mb: f64) -> Self {
        self.limits.insert(host.to_owned(), memory_mb);
        self
    }
}

impl Filter for Judged {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        (self.judge)(host, request)
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(self.traits.clone())
    }

    fn limits(&self, host: Host<'_>, _: &RequestSpec) -> Result<Limits, DriverError> {
        let memory_mb = self.limits.get(host.host_name()).copied();
        Ok(Limits {
            memory_mb,
            ..Limits::default()
        })
    }
}

/// Hosts that are up and have the memory.
pub(crate) fn up() -> Judged {
    Judged::new(|host, _| Ok(host.state() & STATE_UP != 0))
}

/// Hosts that have the memory.
pub(crate) fn ram() -> Judged {
    Judged::new(|host, request| {
        Ok(i64::from(host.free_ram_mb()) >= i64::try_from(request.memory_mb()).unwrap())
    })
}

/// A weigher made of a closure.
pub(crate) struct Weighed {
    pub(crate) weigh: Box<dyn Fn(Host<'_>) -> f32 + Send + Sync>,
    pub(crate) min: Option<f64>,
}

impl Weigher for Weighed {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok((self.weigh)(host))
    }

    fn range(&self) -> Result<longshore_plugin_api::WeightRange, DriverError> {
        Ok(longshore_plugin_api::WeightRange {
            min: self.min,
            max: None,
        })
    }
}

/// How a spawn goes.
#[derive(Clone, Debug)]
pub(crate) enum Spawn {
    Works,
    Fails(DriverError),
    Panics,
    /// Waits until the gate opens, then works.
    Waits,
}

/// A virt driver in memory.
pub(crate) struct Guests {
    node: String,
    inner: Mutex<Inner>,
    gate: Condvar,
    /// What was called, in order; can be awaited.
    pub(crate) journal: watch::Sender<Vec<String>>,
}

struct Inner {
    guests: BTreeMap<String, PowerState>,
    spawn: Spawn,
    refuse: Option<(&'static str, DriverError)>,
    claims: Capabilities,
    open: bool,
}

impl Guests {
    pub(crate) fn new(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            inner: Mutex::new(Inner {
                guests: BTreeMap::new(),
                spawn: Spawn::Works,
                refuse: None,
                claims: Capabilities::default(),
                open: false,
            }),
            gate: Condvar::new(),
            journal: watch::channel(Vec::new()).0,
        }
    }

    pub(crate) fn on_spawn(&self, spawn: Spawn) {
        self.inner.lock().unwrap().spawn = spawn;
    }

    /// The named method answers with this error from now on.
    pub(crate) fn refuse(&self, method: &'static str, error: DriverError) {
        self.inner.lock().unwrap().refuse = Some((method, error));
    }

    /// What the driver says that it can do, from now on.
    pub(crate) fn claim(&self, claims: Capabilities) {
        self.inner.lock().unwrap().claims = claims;
    }

    pub(crate) fn open_gate(&self) {
        self.inner.lock().unwrap().open = true;
        self.gate.notify_all();
    }

    pub(crate) fn put(&self, id: &str, state: PowerState) {
        self.inner
            .lock()
            .unwrap()
            .guests
            .insert(id.to_owned(), state);
    }

    pub(crate) fn state(&self, id: &str) -> Option<PowerState> {
        self.inner.lock().unwrap().guests.get(id).copied()
    }

    /// Waits until this was called, in these words.
    pub(crate) async fn called(&self, call: &str) {
        let mut journal = self.journal.subscribe();
        let seen = journal.wait_for(|calls| calls.iter().any(|one| one == call));
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, seen).await.unwrap().unwrap();
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.journal.borrow().clone()
    }

    fn note(&self, call: &str, id: &str) {
        self.journal
            .send_modify(|calls| calls.push(format!("{call} {id}")));
    }

    fn change(&self, call: &'static str, id: &str, to: PowerState) -> Result<(), DriverError> {
        self.note(call, id);
        let mut inner = self.inner.lock().unwrap();
        if let Some((refused, error)) = &inner.refuse
            && *refused == call
        {
            return Err(error.clone());
        }
        match inner.guests.get_mut(id) {
            Some(state) => {
                *state = to;
                Ok(())
            }
            None => Err(DriverError::not_found(format!("there is no guest `{id}`"))),
        }
    }
}

impl Virt for Guests {
    fn capabilities(&self) -> Result<Capabilities, DriverError> {
        Ok(self.inner.lock().unwrap().claims.clone())
    }

    fn available_nodes(&self) -> Result<Vec<String>, DriverError> {
        Ok(vec![self.node.clone()])
    }

    fn available_resources(
        &self,
        _: &CallContext<'_>,
        node: &str,
    ) -> Result<Resources, DriverError> {
        Ok(Resources {
            vcpus: 8,
            memory_mb: 16_384,
            local_gb: 100,
            hypervisor_type: "test".to_owned(),
            hypervisor_hostname: node.to_owned(),
            ..Resources::default()
        })
    }

    fn list_instances(&self, _: &CallContext<'_>) -> Result<Vec<String>, DriverError> {
        Ok(self.inner.lock().unwrap().guests.keys().cloned().collect())
    }

    fn instance_info(&self, _: &CallContext<'_>, id: &str) -> Result<InstanceInfo, DriverError> {
        let state = self.state(id);
        let state = state.ok_or_else(|| DriverError::not_found(format!("no guest `{id}`")))?;
        Ok(InstanceInfo {
            state,
            ..InstanceInfo::default()
        })
    }

    fn spawn(
        &self,
        _context: &CallContext<'_>,
        instance: &Instance,
        _image: &Image,
    ) -> Result<(), DriverError> {
        self.note("spawn", &instance.id);
        let mut inner = self.inner.lock().unwrap();
        match inner.spawn.clone() {
            Spawn::Works => {}
            Spawn::Fails(error) => return Err(error),
            Spawn::Panics => {
                drop(inner);
                panic!("spawn was told to panic");
            }
            Spawn::Waits => {
                inner = self.gate.wait_while(inner, |inner| !inner.open).unwrap();
            }
        }
        inner
            .guests
            .insert(instance.id.clone(), PowerState::Running);
        Ok(())
    }

    fn destroy(&self, _: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        let refused = {
            let mut inner = self.inner.lock().unwrap();
            match &inner.refuse {
                Some(("destroy", error)) => Some(error.clone()),
                _ => {
                    inner.guests.remove(id);
                    None
                }
            }
        };
        self.note("destroy", id);
        refused.map_or(Ok(()), Err)
    }

    fn power_on(&self, _: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.change("power_on", id, PowerState::Running)
    }

    fn power_off(&self, _: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.change("power_off", id, PowerState::Shutdown)
    }

    fn reboot(&self, _: &CallContext<'_>, id: &str, _: RebootType) -> Result<(), DriverError> {
        self.change("reboot", id, PowerState::Running)
    }
}
