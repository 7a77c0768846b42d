//! A whole control plane in one process: store, transport, conductor, scheduler and hosts.
//!
//! Used by the tests of whole requests; must not assert what they are about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant as StdInstant};

use longshore_control::compute::rpcapi::ComputeApi;
use longshore_control::compute::{ComputeConfig, ComputeManager, ComputeParts};
use longshore_control::conductor::{ConductorApi, ConductorConfig, ConductorManager, RpcObjects};
use longshore_control::scheduler::{
    SchedulerApi, SchedulerConfig, SchedulerDrivers, SchedulerManager,
};
use longshore_control::{
    BINARY_COMPUTE, BINARY_CONDUCTOR, BINARY_SCHEDULER, DriverCalls, NamedDriver, NamedWeigher,
    ObjectRecords,
};
use longshore_messaging::{MemoryTransport, RequestContext, Transport};
use longshore_objects::{Flavor, Instance, InstanceGroup, RequestSpec, TaskState, VmState};
use longshore_plugin_api::__abi::buffer::RawStr;
use longshore_plugin_api::__abi::services::{HostServices, Services};
use longshore_plugin_api::Filter;
use longshore_service::{Manager, RecordsGroup, Service, ServiceConfig};
use longshore_store::{LocalObjects, Options, Store};
use tempfile::TempDir;

use crate::fakes::{Best, Guests, Hosts, Judged, Weighed, ram, up};

/// Longest wait of a test for something that must come.
const WAIT_MAX: Duration = Duration::from_secs(60);

extern "C" fn no_log(_: u64, _: u32, _: RawStr<'_>, _: RawStr<'_>, _: RawStr<'_>, _: u32) {}

extern "C" fn now_ns() -> u64 {
    static START: std::sync::OnceLock<StdInstant> = std::sync::OnceLock::new();
    let start = START.get_or_init(StdInstant::now);
    u64::try_from(start.elapsed().as_nanos()).unwrap() + 1
}

pub(crate) fn services() -> Services {
    static LEVEL: AtomicU32 = AtomicU32::new(0);
    static SHUTDOWN: AtomicU32 = AtomicU32::new(0);
    static SERVICES: HostServices = HostServices {
        size: std::mem::size_of::<HostServices>(),
        max_level: &LEVEL,
        shutdown: &SHUTDOWN,
        log: no_log,
        now_ns,
    };
    Services::new(&SERVICES)
}

pub(crate) fn calls(deadline: Duration) -> DriverCalls {
    DriverCalls::new(services(), deadline)
}

pub(crate) struct World {
    _dir: TempDir,
    pub(crate) store: Store,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) conductor: Arc<ConductorManager>,
    pub(crate) api: ConductorApi,
    pub(crate) compute: ComputeApi,
    pub(crate) hosts: BTreeMap<String, (Arc<ComputeManager>, Arc<Guests>)>,
    pub(crate) ctx: RequestContext,
    scheduler: SchedulerApi,
    /// What the scheduler's host manager knows.
    known: Arc<Hosts>,
    services: Vec<Service>,
    records: Arc<RecordsGroup>,
}

impl World {
    /// A conductor and a scheduler with the filters `up` and `ram` and one more.
    pub(crate) async fn with_filter(filter: Judged) -> Self {
        Self::with_named("more", filter).await
    }

    /// The same, with a filter of this name.
    pub(crate) async fn with_named(name: &str, filter: Judged) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/host.db", dir.path().display());
        let store = Store::open(&url, Options::default()).await.unwrap();
        let transport: Arc<dyn Transport> = Arc::new(MemoryTransport::new());
        let objects = Arc::new(LocalObjects::new(store.clone()));
        let config = ConductorConfig::default();
        let conductor = ConductorManager::new(config, store.clone(), Arc::clone(&transport));
        let conductor = Arc::new(conductor);
        let filters: Vec<NamedDriver<dyn Filter>> = vec![
            NamedDriver::new("up", Arc::new(up())),
            NamedDriver::new("ram", Arc::new(ram())),
            NamedDriver::new(name, Arc::new(filter)),
        ];
        // The first name wins, so that tests know where an instance goes.
        let by_name = Weighed {
            weigh: Box::new(|host| -f32::from(host.host_name().as_bytes()[0])),
            min: None,
        };
        let known = Arc::new(Hosts::default());
        let drivers = SchedulerDrivers::new(
            NamedDriver::new("best", Arc::new(Best)),
            NamedDriver::new("hosts", known.clone()),
            filters,
            vec![NamedWeigher::new("name", Arc::new(by_name), 1.0)],
        )
        .unwrap();
        let scheduler = SchedulerManager::new(
            SchedulerConfig::default(),
            drivers,
            objects.clone(),
            &calls(WAIT_MAX),
        );
        let mut world = Self {
            _dir: dir,
            store,
            conductor: Arc::clone(&conductor),
            api: ConductorApi::new(Arc::clone(&transport)),
            compute: ComputeApi::new(Arc::clone(&transport)),
            scheduler: SchedulerApi::new(Arc::clone(&transport)),
            known,
            hosts: BTreeMap::new(),
            ctx: RequestContext::new("project", "user"),
            services: Vec::new(),
            records: Arc::new(RecordsGroup::new(Arc::new(ObjectRecords::new(objects)))),
            transport,
        };
        world.start("control", BINARY_CONDUCTOR, conductor).await;
        world
            .start("control", BINARY_SCHEDULER, Arc::new(scheduler))
            .await;
        world
    }

    pub(crate) async fn new() -> Self {
        Self::with_filter(Judged::new(|_, _| Ok(true))).await
    }

    async fn start(&mut self, host: &str, binary: &str, manager: Arc<dyn Manager>) {
        let topic = manager.service_name().to_owned();
        let mut config = ServiceConfig::new(host, binary, topic);
        config.periodic_enable = false;
        let group = Arc::clone(&self.records);
        let service = Service::new(config, manager, Arc::clone(&self.transport), group);
        service.start().await.unwrap();
        self.services.push(service);
    }

    /// Starts a host whose records go through the conductor.
    pub(crate) async fn host(&mut self, name: &str) -> Arc<Guests> {
        self.host_with(name, Arc::new(Guests::new(name)), WAIT_MAX)
            .await
    }

    pub(crate) async fn host_with(
        &mut self,
        name: &str,
        guests: Arc<Guests>,
        deadline: Duration,
    ) -> Arc<Guests> {
        let ctx = RequestContext::admin();
        let manager = ComputeManager::new(ComputeParts {
            config: ComputeConfig::new(name),
            objects: Arc::new(RpcObjects::new(Arc::clone(&self.transport), ctx)),
            transport: Arc::clone(&self.transport),
            virt: guests.clone(),
            calls: calls(deadline),
        });
        self.start(name, BINARY_COMPUTE, manager.clone()).await;
        self.hosts
            .insert(name.to_owned(), (manager, guests.clone()));
        guests
    }

    /// Makes records as the API does, without telling anybody.
    pub(crate) async fn accept(&self, names: &[&str]) -> Vec<String> {
        self.accept_as(None, names).await
    }

    /// The same for members of a group.
    pub(crate) async fn accept_as(
        &self,
        group: Option<&InstanceGroup>,
        names: &[&str],
    ) -> Vec<String> {
        let mut batch = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let uuid = uuid::Uuid::new_v4().to_string();
            let flavor = self.store.flavor("1").await.unwrap();
            let mut instance = Instance::new();
            instance
                .set_uuid(uuid.as_str())
                .set_display_name(*name)
                .set_project_id("project")
                .set_vm_state(VmState::Building)
                .set_task_state(TaskState::Scheduling)
                .set_host(None)
                .set_node(None)
                .set_launch_index(index as i64)
                .set_flavor(flavor.clone());
            let mut spec = RequestSpec::new();
            spec.set_instance_uuid(uuid.as_str())
                .set_flavor(flavor)
                .set_instance_group(group.cloned())
                .set_num_instances(names.len() as i64);
            batch.push((instance, spec));
        }
        let created = match group {
            Some(group) => self.store.create_members(group.uuid(), 10, batch).await,
            None => self.store.create_instances(batch).await,
        };
        created
            .unwrap()
            .iter()
            .map(|i| i.uuid().to_owned())
            .collect()
    }

    /// A group with this policy.
    pub(crate) async fn group(&self, policy: &str) -> InstanceGroup {
        let mut group = InstanceGroup::new();
        group
            .set_name(policy.to_owned())
            .set_policies(vec![policy.to_owned()]);
        self.store.create_instance_group(group, 10).await.unwrap()
    }

    /// The same, and has them built.
    pub(crate) async fn create(&self, names: &[&str]) -> Vec<String> {
        self.build(self.accept(names).await).await
    }

    /// Has instances built that are accepted.
    pub(crate) async fn build(&self, uuids: Vec<String>) -> Vec<String> {
        let api = &self.api;
        api.schedule_and_build_instances(&self.ctx, uuids.clone())
            .await
            .unwrap();
        uuids
    }

    /// Waits until the record is as wanted, and answers it; records tell nobody that they changed,
    /// so this looks again and again.
    pub(crate) async fn until(&self, uuid: &str, wanted: impl Fn(&Instance) -> bool) -> Instance {
        let looking = async {
            loop {
                let row = self.store.instance(uuid).await.unwrap();
                if wanted(&row) {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        match tokio::time::timeout(WAIT_MAX, looking).await {
            Ok(row) => row,
            Err(_) => panic!("still: {:?}", self.store.instance(uuid).await),
        }
    }

    pub(crate) async fn until_state(&self, uuid: &str, vm: VmState) -> Instance {
        self.until(uuid, |row| {
            row.vm_state() == Some(vm) && row.task_state().is_none()
        })
        .await
    }

    /// Waits until the scheduler's host manager knows exactly these instances of a host. It is told
    /// before a choice, so this asks for one again and again.
    pub(crate) async fn until_known(&self, host: &str, uuids: &[&str]) {
        let probe = ["probe".to_owned()];
        let mut spec = RequestSpec::new();
        spec.set_flavor(Flavor::new());
        let looking = async {
            loop {
                let chosen = self.scheduler.select_destinations(&self.ctx, &spec, &probe);
                chosen.await.unwrap();
                let mut known = self.known.told().remove(host).unwrap_or_default();
                known.retain(|uuid| *uuid != probe[0]);
                if known == uuids {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(WAIT_MAX, looking).await.unwrap();
    }

    pub(crate) async fn until_deleted(&self, uuid: &str) {
        let looking = async {
            while self.store.instance(uuid).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(WAIT_MAX, looking).await.unwrap();
    }

    /// Writes a task state as the API does, whatever was there.
    pub(crate) async fn set_task(&self, uuid: &str, task: TaskState) -> Instance {
        let mut row = self.store.instance(uuid).await.unwrap();
        row.set_task_state(task);
        let any = longshore_objects::Expected::any();
        self.store.save_instance(row, any).await.unwrap()
    }
}
