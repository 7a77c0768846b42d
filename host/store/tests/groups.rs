//! Server groups and the instances of all hosts, as remotable methods read them.
#![expect(clippy::unwrap_used, reason = "tests")]

use longshore_objects::{
    Expected, Flavor, Instance, InstanceGroup, InstanceList, ObjectError, RequestSpec, TaskState,
    VersionedObject, VmState,
};
use longshore_store::{LIST_MAX, LocalObjects, Options, Store, StoreError};
use tempfile::TempDir;

async fn store() -> (TempDir, Store, LocalObjects) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/host.db", dir.path().display());
    let store = Store::open(&url, Options::default()).await.unwrap();
    (dir, store.clone(), LocalObjects::new(store))
}

fn batch(uuids: &[&str]) -> Vec<(Instance, RequestSpec)> {
    let one = |uuid: &&str| {
        let (mut instance, mut spec) = (Instance::new(), RequestSpec::new());
        let mut flavor = Flavor::new();
        flavor.set_flavorid("7").set_name("seven");
        instance
            .set_uuid(*uuid)
            .set_project_id("p")
            .set_flavor(flavor)
            .set_vm_state(VmState::Building)
            .set_task_state(TaskState::Scheduling)
            .set_host(None);
        spec.set_instance_uuid(*uuid);
        (instance, spec)
    };
    uuids.iter().map(one).collect()
}

async fn group(store: &Store) -> String {
    let mut group = InstanceGroup::new();
    group
        .set_name("far".to_owned())
        .set_policies(vec!["anti-affinity".to_owned()]);
    let group = store.create_instance_group(group, -1).await.unwrap();
    group.uuid().to_owned()
}

async fn place(store: &Store, uuid: &str, host: &str) {
    let mut instance = store.instance(uuid).await.unwrap();
    instance.set_host(host);
    store
        .save_instance(instance, Expected::any())
        .await
        .unwrap();
}

fn refused(error: StoreError) -> ObjectError {
    match error {
        StoreError::Object(error) => error,
        StoreError::Fault(fault) => panic!("{fault:?}"),
    }
}

#[tokio::test]
async fn members_and_their_hosts_are_those_of_now() {
    let (_dir, store, api) = store().await;
    let id = group(&store).await;
    store
        .create_members(&id, 3, batch(&["a", "b", "c"]))
        .await
        .unwrap();
    for (uuid, host) in [("a", "h1"), ("b", "h2"), ("c", "h2")] {
        place(&store, uuid, host).await;
    }
    let read = InstanceGroup::get_by_uuid(&api, &id).await.unwrap();
    assert_eq!(read.members(), ["a", "b", "c"]);
    assert_eq!(read.policies(), ["anti-affinity"]);
    let mut hosts = read.hosts().to_vec();
    hosts.sort();
    assert_eq!(hosts, ["h1", "h2"]);
    assert_eq!(read.get_hosts(&api, &["a"]).await.unwrap(), ["h2"]);
    assert!(
        read.get_hosts(&api, &["a", "b", "c"])
            .await
            .unwrap()
            .is_empty()
    );
    store.destroy_instance("a", false).await.unwrap();
    let read = InstanceGroup::get_by_uuid(&api, &id).await.unwrap();
    assert_eq!(
        (read.members(), read.hosts()),
        (
            &["b".to_owned(), "c".to_owned()][..],
            &["h2".to_owned()][..]
        )
    );
}

#[tokio::test]
async fn one_member_too_many_makes_none() {
    let (_dir, store, _) = store().await;
    let id = group(&store).await;
    store.create_members(&id, 2, batch(&["a"])).await.unwrap();
    let error = store.create_members(&id, 2, batch(&["b", "c"])).await;
    let error = refused(error.unwrap_err());
    assert!(matches!(error, ObjectError::ObjectAction(..)), "{error}");
    assert!(store.instance("b").await.is_err());
    // Who is deleted is no member any more.
    store.destroy_instance("a", false).await.unwrap();
    store
        .create_members(&id, 2, batch(&["b", "c"]))
        .await
        .unwrap();
    store.create_members(&id, -1, batch(&["d"])).await.unwrap();
}

#[tokio::test]
async fn a_group_that_is_gone_has_no_members_and_takes_none() {
    let (_dir, store, api) = store().await;
    let id = group(&store).await;
    store.create_members(&id, 9, batch(&["a"])).await.unwrap();
    place(&store, "a", "h1").await;
    let read = store.instance_group(&id).await.unwrap();
    store.destroy_instance_group(&id).await.unwrap();
    assert!(read.get_hosts(&api, &[]).await.unwrap().is_empty());
    let error = store.create_members(&id, 9, batch(&["b"])).await;
    let gone = ObjectError::NotFound("InstanceGroup".to_owned(), id.clone());
    assert_eq!(refused(error.unwrap_err()), gone);
    let error = InstanceGroup::get_by_uuid(&api, &id).await.unwrap_err();
    assert_eq!(error, gone);
    assert_eq!(
        refused(store.destroy_instance_group(&id).await.unwrap_err()),
        gone
    );
    assert!(store.instance("a").await.is_ok());
}

#[tokio::test]
async fn a_project_has_as_many_groups_as_allowed() {
    let (_dir, store, _) = store().await;
    let of = |project: &str| {
        let mut group = InstanceGroup::new();
        group
            .set_name("x".to_owned())
            .set_project_id(project.to_owned());
        group
    };
    store.create_instance_group(of("p"), 1).await.unwrap();
    store.create_instance_group(of("q"), 1).await.unwrap();
    let error = store.create_instance_group(of("p"), 1).await.unwrap_err();
    assert!(matches!(refused(error), ObjectError::ObjectAction(..)));
    assert_eq!(store.instance_groups(Some("x")).await.unwrap().len(), 2);
    assert_eq!(store.instance_groups(Some("y")).await.unwrap().len(), 0);
}

#[tokio::test]
async fn all_instances_with_a_host_are_read_in_pages_with_what_neighbours_are_judged_by() {
    let (_dir, store, api) = store().await;
    let names: Vec<String> = (0..=LIST_MAX).map(|n| format!("i-{n}")).collect();
    let uuids: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut placed = batch(&uuids);
    for (instance, _) in &mut placed {
        instance.set_host("h");
    }
    store.create_instances(placed).await.unwrap();
    store.create_instances(batch(&["nowhere"])).await.unwrap();
    store.destroy_instance("i-0", false).await.unwrap();
    let first = InstanceList::get_placed(&api, 0).await.unwrap();
    assert_eq!(first.objects().len(), LIST_MAX as usize);
    let one = &first.objects()[0];
    assert_eq!(
        (
            one.uuid(),
            one.host(),
            one.project_id(),
            one.flavor().flavorid()
        ),
        ("i-1", Some("h"), Some("p"), "7")
    );
    assert!(!one.is_set("vm_state") && one.changes().is_empty());
    let last = first.objects().last().unwrap().id();
    let rest = InstanceList::get_placed(&api, last).await.unwrap();
    assert!(rest.objects().is_empty());
}
