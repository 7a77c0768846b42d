//! Aggregates on their way from the records to the host manager.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use longshore_control::scheduler::{
    SchedulerApi, SchedulerConfig, SchedulerDrivers, SchedulerManager,
};
use longshore_control::{BINARY_SCHEDULER, NamedDriver, ObjectRecords};
use longshore_messaging::{MemoryTransport, RequestContext, Transport};
use longshore_objects::{Aggregate, MetadataUpdates, RequestSpec};
use longshore_plugin_api::{
    Aggregate as Told, DriverError, HostManager, HostReport, HostTable, Mask,
    RequestSpec as Request, Scheduler, ServiceState,
};
use longshore_service::{RecordsGroup, Service, ServiceConfig};
use longshore_store::{LocalObjects, Options, Store};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::fakes::{Best, Hosts};
use crate::world::calls;

/// Longest wait of a test for something that must come.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Keeps what it is told of aggregates; refuses it while `refuses`.
struct Listening {
    hosts: Hosts,
    told: watch::Sender<Vec<Vec<Told>>>,
    refuses: AtomicBool,
}

impl HostManager for Listening {
    fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
        self.hosts.update_host(report)
    }
    fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
        self.hosts.remove_host(host, node)
    }
    fn update_service(&self, state: &ServiceState) -> Result<(), DriverError> {
        self.hosts.update_service(state)
    }
    fn host_table(&self) -> Result<HostTable, DriverError> {
        self.hosts.host_table()
    }
    fn eligible_hosts(
        &self,
        hosts: &HostTable,
        request: &Request,
        mask: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        self.hosts.eligible_hosts(hosts, request, mask)
    }
    fn consume_from_request(
        &self,
        host: &str,
        node: &str,
        request: &Request,
    ) -> Result<(), DriverError> {
        self.hosts.consume_from_request(host, node, request)
    }
    fn update_aggregates(&self, aggregates: Vec<Told>) -> Result<(), DriverError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(DriverError::internal("not now"));
        }
        self.told.send_modify(|told| told.push(aggregates));
        Ok(())
    }
}

struct Scene {
    _dir: TempDir,
    store: Store,
    objects: Arc<LocalObjects>,
    listening: Arc<Listening>,
    manager: Arc<SchedulerManager>,
}

impl Scene {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/host.db", dir.path().display());
        let store = Store::open(&url, Options::default()).await.unwrap();
        let objects = Arc::new(LocalObjects::new(store.clone()));
        let listening = Arc::new(Listening {
            hosts: Hosts::named(&["a"]),
            told: watch::Sender::default(),
            refuses: AtomicBool::new(false),
        });
        let drivers = SchedulerDrivers::new(
            NamedDriver::<dyn Scheduler>::new("best", Arc::new(Best)),
            NamedDriver::<dyn HostManager>::new("hosts", listening.clone()),
            vec![],
            vec![],
        )
        .unwrap();
        let config = SchedulerConfig::default();
        let manager = SchedulerManager::new(config, drivers, objects.clone(), &calls(WAIT_MAX));
        Self {
            _dir: dir,
            store,
            objects,
            listening,
            manager: Arc::new(manager),
        }
    }

    async fn aggregate(&self, name: &str) -> i64 {
        let mut aggregate = Aggregate::new();
        aggregate.set_name(name);
        self.store.create_aggregate(aggregate).await.unwrap().id()
    }

    async fn select(&self) {
        let (ctx, spec) = (RequestContext::admin(), RequestSpec::new());
        let uuids = vec!["u".to_owned()];
        let answer = self.manager.select_destinations(&ctx, spec, uuids).await;
        assert_eq!(answer.unwrap().len(), 1);
    }

    /// What the host manager was told, the number of each aggregate and its hosts.
    fn told(&self) -> Vec<Vec<(u32, Vec<String>)>> {
        let told = self.listening.told.borrow();
        let short = |one: &Told| (one.id, one.hosts.clone());
        told.iter()
            .map(|all| all.iter().map(short).collect())
            .collect()
    }
}

#[tokio::test]
async fn the_host_manager_is_told_of_all_aggregates_when_one_changed() {
    let scene = Scene::new().await;
    scene.select().await;
    assert!(scene.told().is_empty(), "there is nothing to tell");
    let (first, second) = (scene.aggregate("one").await, scene.aggregate("two").await);
    scene.select().await;
    scene.select().await;
    let store = &scene.store;
    store.add_aggregate_host(second, "a").await.unwrap();
    let ssd = ("ssd".to_owned(), Some("true".to_owned()));
    let metadata = MetadataUpdates::from([ssd]);
    store
        .update_aggregate(second, None, metadata)
        .await
        .unwrap();
    scene.select().await;
    store.destroy_aggregate(first).await.unwrap();
    scene.select().await;
    let with_host = (2, vec!["a".to_owned()]);
    let expected = [
        vec![(1, vec![]), (2, vec![])],
        vec![(1, vec![]), with_host.clone()],
        vec![with_host],
    ];
    assert_eq!(scene.told(), expected);
    let told = scene.listening.told.borrow();
    assert_eq!(told[2][0].metadata["ssd"], "true");
}

#[tokio::test]
async fn a_host_manager_that_refuses_is_told_again_and_requests_go_on() {
    let scene = Scene::new().await;
    scene.aggregate("one").await;
    scene.listening.refuses.store(true, Ordering::Relaxed);
    scene.select().await;
    assert!(scene.told().is_empty());
    scene.listening.refuses.store(false, Ordering::Relaxed);
    scene.select().await;
    assert_eq!(scene.told(), [vec![(1, vec![])]]);
}

#[tokio::test]
async fn a_message_makes_every_scheduler_look_without_a_request() {
    let scene = Scene::new().await;
    let transport: Arc<dyn Transport> = Arc::new(MemoryTransport::new());
    let mut config = ServiceConfig::new("control", BINARY_SCHEDULER, "scheduler");
    config.periodic_enable = false;
    let records = ObjectRecords::new(scene.objects.clone());
    let group = Arc::new(RecordsGroup::new(Arc::new(records)));
    let service = Service::new(config, scene.manager.clone(), transport.clone(), group);
    service.start().await.unwrap();

    let (api, ctx) = (SchedulerApi::new(transport), RequestContext::admin());
    let mut told = scene.listening.told.subscribe();
    let id = scene.aggregate("one").await;
    let made = scene.store.aggregate(id).await.unwrap();
    api.update_aggregates(&ctx, std::slice::from_ref(&made))
        .await
        .unwrap();
    let once = tokio::time::timeout(WAIT_MAX, told.wait_for(|all| all.len() == 1));
    once.await.unwrap().unwrap();
    let gone = scene.store.destroy_aggregate(id).await.unwrap();
    api.delete_aggregate(&ctx, &gone).await.unwrap();
    let twice = tokio::time::timeout(WAIT_MAX, told.wait_for(|all| all.len() == 2));
    twice.await.unwrap().unwrap();
    assert_eq!(scene.told(), [vec![(1, vec![])], vec![]]);
    // What the message says does not count: the records do.
    api.update_aggregates(&ctx, &[made]).await.unwrap();
    scene.select().await;
    assert_eq!(scene.told().len(), 2);
}
