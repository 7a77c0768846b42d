//! What a scheduler knows of the instances of hosts: from reports, from records, and from its own
//! choices.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use longshore_control::NamedDriver;
use longshore_control::scheduler::{SchedulerConfig, SchedulerDrivers, SchedulerManager};
use longshore_messaging::{Dispatched, RequestContext};
use longshore_objects::{
    Flavor, Instance, InstanceGroup, InstanceList, RequestSpec, VersionedObject, VmState,
};
use longshore_plugin_api::Filter;
use longshore_service::Manager;
use longshore_store::{LocalObjects, Options, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fakes::{Best, Hosts, Judged};
use crate::world::{World, calls};

struct Fixture {
    _dir: TempDir,
    store: Store,
    hosts: Arc<Hosts>,
    manager: Arc<SchedulerManager>,
}

impl Fixture {
    /// A scheduler with three hosts; records have the instances that are given with their hosts.
    async fn new(placed: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/host.db", dir.path().display());
        let store = Store::open(&url, Options::default()).await.unwrap();
        for (uuid, host) in placed {
            put(&store, uuid, host).await;
        }
        let hosts = Arc::new(Hosts::named(&["a", "b", "c"]));
        // Stands for the filter of this policy, and honours it as that does.
        let apart: NamedDriver<dyn Filter> = NamedDriver::new(
            "server_group_anti_affinity",
            Arc::new(Judged::new(|host, request| {
                Ok(!request.group_hosts().any(|h| h == host.host_name()))
            })),
        );
        let drivers = SchedulerDrivers::new(
            NamedDriver::new("best", Arc::new(Best)),
            NamedDriver::new("hosts", hosts.clone()),
            vec![apart],
            vec![],
        );
        let manager = SchedulerManager::new(
            SchedulerConfig::default(),
            drivers.unwrap(),
            Arc::new(LocalObjects::new(store.clone())),
            &calls(Duration::from_secs(60)),
        );
        let manager = Arc::new(manager);
        manager.init_host().await.unwrap();
        Self {
            _dir: dir,
            store,
            hosts,
            manager,
        }
    }

    /// Sends one message.
    async fn say(&self, method: &str, args: Value) -> Dispatched {
        let endpoint = Arc::clone(&self.manager).endpoints().remove(0);
        endpoint
            .dispatch(RequestContext::admin(), method, args)
            .await
    }

    async fn said(&self, method: &str, args: Value) {
        let answer = self.say(method, args).await;
        assert!(matches!(answer, Dispatched::Result(Ok(_))), "{method}");
    }

    async fn update(&self, host: &str, uuids: &[&str]) {
        let list: Vec<Instance> = uuids.iter().map(|uuid| instance(uuid, host)).collect();
        let list = InstanceList::from(list);
        let list = list.to_primitive();
        let args = json!({ "host_name": host, "instance_info": list });
        self.said("update_instance_info", args).await;
    }

    /// Chooses a host, which also tells the host manager what is new; answers the host.
    async fn select(&self, uuid: &str, group: Option<InstanceGroup>) -> String {
        let mut spec = RequestSpec::new();
        spec.set_flavor(Flavor::new()).set_instance_group(group);
        let ctx = RequestContext::admin();
        let uuids = vec![uuid.to_owned()];
        let chosen = self.manager.select_destinations(&ctx, spec, uuids).await;
        chosen.unwrap()[0][0].host().to_owned()
    }

    /// Who is where, as the host manager was told before a choice that changes nothing.
    async fn told(&self) -> BTreeMap<String, Vec<String>> {
        self.select("probe", None).await;
        let probe = json!({ "host_name": "a", "instance_uuid": "probe" });
        self.said("delete_instance_info", probe).await;
        self.hosts.told()
    }

    async fn on(&self, host: &str) -> Vec<String> {
        self.told().await.remove(host).unwrap_or_default()
    }
}

fn instance(uuid: &str, host: &str) -> Instance {
    let mut flavor = Flavor::new();
    flavor.set_flavorid("1");
    let mut instance = Instance::new();
    instance
        .set_uuid(uuid)
        .set_host(host)
        .set_project_id("project")
        .set_flavor(flavor);
    instance
}

async fn put(store: &Store, uuid: &str, host: &str) {
    store.create_instance(instance(uuid, host)).await.unwrap();
}

#[tokio::test]
async fn at_first_the_records_count() {
    let fixture = Fixture::new(&[("1", "a"), ("2", "b"), ("3", "a")]).await;
    let told = fixture.told().await;
    assert_eq!(told["a"], ["1", "3"]);
    assert_eq!(told["b"], ["2"]);
}

#[tokio::test]
async fn a_known_host_reports_what_comes_and_goes() {
    let fixture = Fixture::new(&[("1", "a")]).await;
    fixture.update("a", &["2"]).await;
    assert_eq!(fixture.on("a").await, ["1", "2"]);
    let gone = json!({ "host_name": "a", "instance_uuid": "1" });
    fixture.said("delete_instance_info", gone).await;
    assert_eq!(fixture.on("a").await, ["2"]);
}

#[tokio::test]
async fn of_an_unknown_host_several_are_all_and_one_means_to_read_the_records() {
    let fixture = Fixture::new(&[]).await;
    put(&fixture.store, "1", "a").await;
    put(&fixture.store, "2", "b").await;
    fixture.update("a", &["7", "8"]).await;
    fixture.update("b", &["9"]).await;
    let gone = json!({ "host_name": "c", "instance_uuid": "6" });
    put(&fixture.store, "5", "c").await;
    fixture.said("delete_instance_info", gone).await;
    let told = fixture.told().await;
    assert_eq!(told["a"], ["7", "8"]);
    assert_eq!(told["b"], ["2"]);
    assert_eq!(told["c"], ["5"]);
}

#[tokio::test]
async fn a_list_that_differs_means_to_read_the_records() {
    let fixture = Fixture::new(&[("1", "a")]).await;
    let sync = |uuids: &[&str]| json!({ "host_name": "a", "instance_uuids": uuids });
    put(&fixture.store, "2", "a").await;
    fixture.said("sync_instance_info", sync(&["1"])).await;
    assert_eq!(fixture.on("a").await, ["1"], "the host says the same");
    fixture.said("sync_instance_info", sync(&["1", "3"])).await;
    assert_eq!(fixture.on("a").await, ["1", "2"], "as the records say");
}

#[tokio::test]
async fn a_host_may_have_already_what_was_chosen_for_it() {
    let fixture = Fixture::new(&[("1", "a")]).await;
    assert_eq!(fixture.select("2", None).await, "a");
    let all = json!({ "host_name": "a", "instance_uuids": ["2", "1"] });
    fixture.said("sync_instance_info", all).await;
    // The record of `2` has no host yet; read now, it would be lost.
    assert_eq!(fixture.on("a").await, ["1", "2"]);
}

#[tokio::test]
async fn an_unknown_host_may_have_nothing() {
    let fixture = Fixture::new(&[]).await;
    put(&fixture.store, "1", "a").await;
    fixture.update("a", &[]).await;
    assert!(fixture.on("a").await.is_empty());
}

#[tokio::test]
async fn an_instance_counts_where_it_is_to_be_until_the_host_says_otherwise() {
    let fixture = Fixture::new(&[("1", "a")]).await;
    assert_eq!(fixture.select("2", None).await, "a");
    assert_eq!(fixture.on("a").await, ["1", "2"]);
    // The build failed there, and the next host has it.
    let gone = json!({ "host_name": "a", "instance_uuid": "2" });
    fixture.said("delete_instance_info", gone).await;
    fixture.update("b", &["2", "3"]).await;
    let told = fixture.told().await;
    assert_eq!(told["a"], ["1"]);
    assert_eq!(told["b"], ["2", "3"]);
}

#[tokio::test]
async fn members_of_a_group_count_before_their_hosts_report_them() {
    let fixture = Fixture::new(&[]).await;
    let mut group = InstanceGroup::new();
    let members = ["1", "2", "3"].map(String::from).to_vec();
    group
        .set_uuid("g")
        .set_policies(vec!["anti-affinity".to_owned()])
        .set_members(members)
        .set_hosts(Vec::new());
    let mut hosts = Vec::new();
    for uuid in ["1", "2", "3"] {
        hosts.push(fixture.select(uuid, Some(group.clone())).await);
    }
    assert_eq!(hosts, ["a", "b", "c"]);
    // Placed anew, a member is not in its own way.
    assert_eq!(fixture.select("2", Some(group)).await, "b");
}

#[tokio::test]
async fn messages_that_cannot_be_read_are_refused_and_others_unknown() {
    let fixture = Fixture::new(&[]).await;
    for (method, args) in [
        ("update_instance_info", json!({ "host_name": "a" })),
        ("delete_instance_info", json!({ "host_name": "a" })),
        ("sync_instance_info", json!({ "instance_uuids": ["1"] })),
        (
            "sync_instance_info",
            json!({ "host_name": "a", "instance_uuids": [1] }),
        ),
    ] {
        let answer = fixture.say(method, args).await;
        let Dispatched::Result(Err(failure)) = answer else {
            panic!("{method} was taken");
        };
        assert_eq!(failure.code(), Some("schedule/bad-spec"), "{method}");
    }
    let answer = fixture.say("forget_instance_info", json!({})).await;
    assert!(matches!(answer, Dispatched::NoSuchMethod));
}

#[tokio::test]
async fn a_compute_service_tells_what_it_builds_and_deletes() {
    let mut world = World::new().await;
    world.host("a").await;
    let uuid = world.create(&["web"]).await.remove(0);
    world.until_state(&uuid, VmState::Active).await;
    world.until_known("a", &[&uuid]).await;
    let row = world.store.instance(&uuid).await.unwrap();
    world
        .compute
        .terminate_instance(&world.ctx, &row)
        .await
        .unwrap();
    world.until_deleted(&uuid).await;
    world.until_known("a", &[]).await;
}
