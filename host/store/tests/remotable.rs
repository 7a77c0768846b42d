//! Remotable methods through the local implementation.
//!
//! Goes through the objects' own methods, as services do.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use longshore_objects::{
    ComputeNode, ComputeNodeList, Expected, Flavor, ImageMeta, Instance, InstanceFault,
    InstanceList, ObjectApi, ObjectError, RequestSpec, Service, ServiceList, TaskState,
    VersionedObject, VmState, WHAT_CHANGED,
};
use longshore_store::{LocalObjects, Options, Store};
use serde_json::json;
use tempfile::TempDir;

async fn local() -> (TempDir, Store, LocalObjects) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/host.db", dir.path().display());
    let store = Store::open(&url, Options::default()).await.unwrap();
    (dir, store.clone(), LocalObjects::new(store))
}

async fn created(api: &LocalObjects, uuid: &str) -> Instance {
    let mut instance = Instance::new();
    instance
        .set_uuid(uuid)
        .set_vm_state(VmState::Building)
        .set_task_state(None);
    instance.set_metadata(BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    instance
        .set_flavor(Flavor::get_by_flavor_id(api, "1").await.unwrap())
        .set_host(None);
    instance.create(api).await.unwrap();
    instance
}

#[tokio::test]
async fn create_fills_in_what_the_store_gave() {
    let (_dir, _, api) = local().await;
    let instance = created(&api, "u").await;
    assert!(instance.id() > 0 && instance.created_at().is_some());
    assert!(instance.changes().is_empty());
    let read = Instance::get_by_uuid(&api, "u").await.unwrap();
    assert_eq!(read.flavor().name(), "m1.tiny");
    assert_eq!(
        (read.metadata(), read.id()),
        (instance.metadata(), instance.id())
    );
    let again = Instance::from_primitive(&instance.to_primitive()).unwrap();
    let error = again.clone().create(&api).await.unwrap_err();
    assert_eq!(
        error,
        ObjectError::Exists("Instance".to_owned(), "u".to_owned())
    );
}

#[tokio::test]
async fn save_returns_only_differences() {
    let (_dir, store, api) = local().await;
    let mut instance = created(&api, "u").await;
    let mut elsewhere = store.instance("u").await.unwrap();
    elsewhere
        .set_availability_zone("z")
        .set_display_name("other");
    store
        .save_instance(elsewhere, Expected::any())
        .await
        .unwrap();
    let mut partial = Instance::new();
    partial.set_uuid("u").set_availability_zone(None);
    partial.reset_changes();
    partial.set_host("h1");
    let wire = partial.to_primitive();
    let (updates, result) = api.object_action(wire, "save", json!({})).await.unwrap();
    let keys: Vec<_> = updates.keys().map(String::as_str).collect();
    assert_eq!(keys, ["availability_zone", WHAT_CHANGED, "updated_at"]);
    assert_eq!((&updates[WHAT_CHANGED], result), (&json!([]), json!(null)));
    instance.set_progress(5);
    instance.save(&api, Expected::any()).await.unwrap();
    assert_eq!(
        (instance.host(), instance.availability_zone()),
        (Some("h1"), Some("z"))
    );
    assert!(instance.changes().is_empty());
}

#[tokio::test]
async fn a_conflict_leaves_the_object_as_it_was() {
    let (_dir, _, api) = local().await;
    let mut instance = created(&api, "u").await;
    instance.set_task_state(TaskState::Spawning);
    let expected = Expected::task(&[Some(TaskState::BlockDeviceMapping)]);
    let before = instance.clone();
    let error = instance.save(&api, expected.clone()).await.unwrap_err();
    assert_eq!(error.class(), "UnexpectedTaskStateError");
    assert_eq!(
        (instance.changes(), &instance),
        (vec!["task_state"], &before)
    );
    instance.reset_changes();
    instance.save(&api, expected).await.unwrap(); // nothing changed: nothing is checked
    let orphan = Instance::new()
        .set_host("h")
        .clone()
        .save(&api, Expected::any())
        .await;
    assert_eq!(orphan.unwrap_err().class(), "OrphanedObjectError");
}

#[tokio::test]
async fn conditions_survive_the_wire() {
    let (_dir, _, api) = local().await;
    let mut instance = created(&api, "u").await;
    instance.set_vm_state(VmState::Active).set_host("h");
    let expected = Expected::task(&[None])
        .and_vm(&[VmState::Building])
        .and_host(None);
    instance.save(&api, expected.clone()).await.unwrap();
    assert_eq!(Expected::from_args(&expected.to_args()).unwrap(), expected);
    assert_eq!(Expected::from_args(&json!({})).unwrap(), Expected::any());
    let single = Expected::from_args(&json!({"expected_task_state": "spawning"})).unwrap();
    assert_eq!(single, Expected::task(&[Some(TaskState::Spawning)]));
    assert!(Expected::from_args(&json!({"expected_vm_state": ["floating"]})).is_err());
}

#[tokio::test]
async fn refresh_reads_and_destroy_ends() {
    let (_dir, store, api) = local().await;
    let mut instance = created(&api, "u").await;
    let mut placed = store.instance("u").await.unwrap();
    placed.set_host("h");
    store.save_instance(placed, Expected::any()).await.unwrap();
    let refused = instance.clone().destroy(&api).await.unwrap_err();
    assert!(refused.to_string().contains("host changed"), "{refused}");
    instance.refresh(&api).await.unwrap();
    assert_eq!(instance.host(), Some("h"));
    instance.destroy(&api).await.unwrap();
    assert!(instance.deleted() && !instance.is_set("id"));
    let twice = instance.destroy(&api).await.unwrap_err();
    assert!(twice.to_string().contains("already destroyed"), "{twice}");
    assert!(
        InstanceList::get_by_host(&api, "h")
            .await
            .unwrap()
            .objects()
            .is_empty()
    );
}

#[tokio::test]
async fn compute_nodes_carry_growing_generations() {
    let (_dir, _, api) = local().await;
    let mut node = ComputeNode::new();
    node.set_host("h")
        .set_hypervisor_hostname("n")
        .set_vcpus(8)
        .set_cpu_allocation_ratio(4.0);
    node.set_stats(BTreeMap::from([(
        "num_instances".to_owned(),
        "3".to_owned(),
    )]));
    node.create(&api).await.unwrap();
    let first = node.generation();
    assert!(first > 0 && !node.uuid().is_empty());
    let mut second = ComputeNode::new();
    second
        .set_host("h2")
        .set_hypervisor_hostname("n")
        .create(&api)
        .await
        .unwrap();
    node.set_vcpus_used(2);
    node.save(&api).await.unwrap();
    assert!(node.generation() > first);
    let found = ComputeNode::get_by_host_and_nodename(&api, "h", "n")
        .await
        .unwrap();
    assert_eq!((found.vcpus_used(), found.cpu_allocation_ratio()), (2, 4.0));
    assert_eq!(found.stats()["num_instances"], "3");
    let since = ComputeNodeList::get_changed_since(&api, first)
        .await
        .unwrap();
    let hosts: Vec<_> = since.objects().iter().map(ComputeNode::host).collect();
    assert_eq!(hosts, ["h2", "h"]);
    let last = node.generation();
    node.destroy(&api).await.unwrap();
    let gone = ComputeNodeList::get_changed_since(&api, last)
        .await
        .unwrap()
        .into_objects();
    assert_eq!(
        (gone.len(), gone[0].deleted(), gone[0].host()),
        (1, true, "h")
    );
    assert_eq!(
        ComputeNodeList::get_all(&api)
            .await
            .unwrap()
            .objects()
            .len(),
        1
    );
    let mut again = ComputeNode::new();
    again
        .set_host("h")
        .set_hypervisor_hostname("n")
        .create(&api)
        .await
        .unwrap();
    assert!(again.id() > 0, "the name is free again");
}

#[tokio::test]
async fn a_heartbeat_is_stamped_and_other_writes_are_not() {
    let (_dir, _, api) = local().await;
    let mut service = Service::new();
    service
        .set_host("h")
        .set_binary("nova-compute")
        .set_topic("compute")
        .set_version(22);
    service.create(&api).await.unwrap();
    service.set_disabled(true).set_disabled_reason("tired");
    service.save(&api).await.unwrap();
    assert_eq!(service.last_seen_up(), None);
    service.set_report_count(1);
    service.save(&api).await.unwrap();
    assert!(service.last_seen_up().is_some());
    let read = Service::get_by_args(&api, "h", "nova-compute")
        .await
        .unwrap();
    assert_eq!(
        (read.report_count(), read.disabled_reason()),
        (1, Some("tired"))
    );
    let all = ServiceList::get_all(&api).await.unwrap();
    assert_eq!(all.into_objects(), vec![read.clone()]);
    let since = ServiceList::get_changed_since(&api, read.generation())
        .await
        .unwrap();
    assert!(since.objects().is_empty());
    let mut twin = Service::new();
    twin.set_host("h").set_binary("nova-compute");
    assert_eq!(twin.create(&api).await.unwrap_err().class(), "ObjectExists");
}

#[tokio::test]
async fn faults_and_request_specs_are_kept() {
    let (_dir, _, api) = local().await;
    created(&api, "u").await;
    let mut fault = InstanceFault::new();
    fault
        .set_instance_uuid("u")
        .set_message("broken")
        .set_host("h");
    fault.create(&api).await.unwrap();
    assert!(fault.id() > 0 && fault.created_at().is_some());
    let mut spec = RequestSpec::new();
    spec.set_instance_uuid("u")
        .set_force_hosts(vec!["h".to_owned()]);
    spec.set_image(ImageMeta::new().set_name("none").clone());
    spec.save(&api).await.unwrap();
    let mut read = RequestSpec::get_by_instance_uuid(&api, "u").await.unwrap();
    assert_eq!(read, spec);
    read.set_num_instances(4);
    read.save(&api).await.unwrap();
    let read = RequestSpec::get_by_instance_uuid(&api, "u").await.unwrap();
    assert_eq!((read.num_instances(), read.id()), (4, spec.id()));
}

#[tokio::test]
async fn unknown_objects_and_methods_are_named() {
    let (_dir, _, api) = local().await;
    let none = json!({});
    let mut stray = Flavor::new().to_primitive();
    let error = api
        .object_action(stray.clone(), "save", none.clone())
        .await
        .unwrap_err();
    assert_eq!(error.class(), "UnsupportedObjectError");
    stray["nova_object.name"] = json!("Zzz");
    let error = api
        .object_action(stray, "save", none.clone())
        .await
        .unwrap_err();
    assert_eq!(error, ObjectError::UnsupportedObject("nova.Zzz".to_owned()));
    let wire = Instance::new().to_primitive();
    let error = api
        .object_action(wire, "explode", none.clone())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/unknown-object-method");
    let error = api
        .object_class_action("Instance", "get_all", none.clone())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/unknown-object-method");
    let error = api
        .object_class_action("Instance", "get_by_uuid", none)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`uuid`"), "{error}");
}

#[tokio::test]
async fn of_many_changes_to_the_extra_specs_of_a_flavor_none_is_lost() {
    let (_dir, store, _) = local().await;
    let keys: Vec<String> = (0..8).map(|n| format!("k{n}")).collect();
    let mut changes = tokio::task::JoinSet::new();
    for key in keys.clone() {
        let store = store.clone();
        let updates = [(key, Some("v".to_owned())), ("gone".to_owned(), None)].into();
        changes.spawn(async move { store.update_extra_specs("1", updates).await });
    }
    while let Some(changed) = changes.join_next().await {
        changed.unwrap().unwrap();
    }
    let flavor = store.flavor("1").await.unwrap();
    assert!(flavor.extra_specs().keys().eq(&keys));
    let missing = store.update_extra_specs("x", BTreeMap::new()).await;
    assert_eq!(missing.unwrap_err().code(), "store/not-found");
}

#[tokio::test]
async fn flavors_and_images_are_created_changed_and_deleted() {
    let (_dir, store, _) = local().await;
    let mut flavor = Flavor::new();
    flavor
        .set_name("big")
        .set_flavorid("42")
        .set_memory_mb(1)
        .set_vcpus(1)
        .set_swap(7);
    let flavor = store.create_flavor(flavor.clone()).await.unwrap();
    let taken = Flavor::new()
        .set_name("big")
        .set_memory_mb(1)
        .set_vcpus(1)
        .clone();
    assert_eq!(
        store.create_flavor(taken).await.unwrap_err().code(),
        "store/exists"
    );
    let mut changed = flavor.clone();
    changed.set_extra_specs(BTreeMap::from([("k".to_owned(), "v".to_owned())]));
    store.save_flavor(changed).await.unwrap();
    let found = store.find_flavor("big").await.unwrap();
    assert_eq!(
        (
            found.extra_specs()["k"].as_str(),
            found.swap(),
            found.is_public()
        ),
        ("v", 7, true)
    );
    store.destroy_flavor("42").await.unwrap();
    assert_eq!(
        store.flavor("42").await.unwrap_err().code(),
        "store/not-found"
    );
    let mut image = ImageMeta::new();
    image
        .set_name("sleep")
        .set_location("/bin/sleep")
        .set_status("active");
    image.set_properties(BTreeMap::from([("args".to_owned(), "3600".to_owned())]));
    let image = store.create_image(image).await.unwrap();
    let found = store.find_image("sleep").await.unwrap();
    assert_eq!(
        (found.id(), found.properties()["args"].as_str()),
        (image.id(), "3600")
    );
    store
        .create_image(ImageMeta::new().set_name("sleep").clone())
        .await
        .unwrap();
    let error = store.find_image("sleep").await.unwrap_err();
    assert_eq!(error.code(), "store/action-refused");
    store.destroy_image(image.id()).await.unwrap();
    assert_eq!(store.images(Some("sleep")).await.unwrap().len(), 1);
}
