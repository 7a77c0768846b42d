//! Aggregates: through the objects' own methods where there are some, as services do.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, HashMap};

use longshore_objects::{Aggregate, AggregateList, MetadataUpdates, ObjectError, VersionedObject};
use longshore_store::{LocalObjects, Options, Store};
use tempfile::TempDir;

async fn local() -> (TempDir, Store, LocalObjects) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/host.db", dir.path().display());
    let store = Store::open(&url, Options::default()).await.unwrap();
    (dir, store.clone(), LocalObjects::new(store))
}

fn zone(name: &str) -> MetadataUpdates {
    MetadataUpdates::from([("availability_zone".to_owned(), Some(name.to_owned()))])
}

async fn created(api: &LocalObjects, name: &str, zone: Option<&str>) -> Aggregate {
    let mut aggregate = Aggregate::new();
    aggregate.set_name(name);
    if let Some(zone) = zone {
        let pair = ("availability_zone".to_owned(), zone.to_owned());
        aggregate.set_metadata(BTreeMap::from([pair]));
    }
    aggregate.create(api).await.unwrap();
    aggregate
}

fn reason(error: ObjectError) -> String {
    match error {
        ObjectError::ObjectAction(_, reason) => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_aggregate_from_create_to_destroy() {
    let (_dir, store, api) = local().await;
    let mut aggregate = created(&api, "fast", Some("east")).await;
    assert!(aggregate.id() > 0 && aggregate.created_at().is_some());
    assert!(aggregate.changes().is_empty() && !aggregate.uuid().is_empty());
    assert_eq!(aggregate.availability_zone(), Some("east"));
    let first = aggregate.generation();
    for host in ["b", "a"] {
        aggregate.add_host(&api, host).await.unwrap();
    }
    assert_eq!(aggregate.hosts(), ["a", "b"]);
    aggregate.set_name("faster");
    aggregate.save(&api).await.unwrap();
    let updates = MetadataUpdates::from([
        ("ssd".to_owned(), Some("true".to_owned())),
        ("gone".to_owned(), None),
    ]);
    aggregate.update_metadata(&api, &updates).await.unwrap();
    let read = Aggregate::get_by_id(&api, aggregate.id()).await.unwrap();
    assert_eq!(read, aggregate);
    assert_eq!(
        (read.name(), &read.metadata()["ssd"]),
        ("faster", &"true".to_owned())
    );
    assert!(read.generation() > first);

    let refused = aggregate.clone().destroy(&api).await.unwrap_err();
    assert_eq!(reason(refused), "Host aggregate is not empty");
    for host in ["a", "b"] {
        aggregate.delete_host(&api, host).await.unwrap();
    }
    aggregate.destroy(&api).await.unwrap();
    assert!(aggregate.deleted());
    let gone = Aggregate::get_by_id(&api, aggregate.id())
        .await
        .unwrap_err();
    assert_eq!(gone.class(), "NotFound");
    assert!(store.aggregates(None).await.unwrap().is_empty());
    created(&api, "faster", None).await;
}

#[tokio::test]
async fn readers_of_changes_see_each_change_once_and_what_went() {
    let (_dir, _, api) = local().await;
    let one = created(&api, "one", None).await;
    let mut two = created(&api, "two", None).await;
    let names = |list: AggregateList| -> Vec<(String, bool)> {
        let all = list.into_objects().into_iter();
        all.map(|a| (a.name().to_owned(), a.deleted())).collect()
    };
    let all = AggregateList::get_changed_since(&api, 0).await.unwrap();
    assert_eq!(
        names(all),
        [("one".to_owned(), false), ("two".to_owned(), false)]
    );
    let seen = two.generation();
    let mut moved = one.clone();
    moved.add_host(&api, "a").await.unwrap();
    two.destroy(&api).await.unwrap();
    let changed = AggregateList::get_changed_since(&api, seen).await.unwrap();
    assert_eq!(changed.objects()[0].hosts(), ["a"]);
    assert_eq!(
        names(changed),
        [("one".to_owned(), false), ("two".to_owned(), true)]
    );
    let last = two.generation();
    let none = AggregateList::get_changed_since(&api, last).await.unwrap();
    assert!(none.objects().is_empty());
}

#[tokio::test]
async fn a_host_is_in_one_zone_at_most() {
    let (_dir, store, api) = local().await;
    let mut east = created(&api, "east", Some("east")).await;
    let mut west = created(&api, "west", Some("west")).await;
    let mut disks = created(&api, "disks", None).await;
    east.add_host(&api, "a").await.unwrap();
    disks.add_host(&api, "a").await.unwrap();
    let why = "One or more hosts already in availability zone(s) east";
    assert_eq!(reason(west.add_host(&api, "a").await.unwrap_err()), why);
    let error = disks
        .update_metadata(&api, &zone("west"))
        .await
        .unwrap_err();
    assert_eq!(reason(error), why);
    disks.update_metadata(&api, &zone("east")).await.unwrap();
    west.add_host(&api, "b").await.unwrap();
    let zones = store.host_zones(None).await.unwrap();
    let pair = |host: &str, zone: &str| (host.to_owned(), zone.to_owned());
    assert_eq!(zones, HashMap::from([pair("a", "east"), pair("b", "west")]));
    let some = ["b".to_owned(), "c".to_owned()];
    let zones = store.host_zones(Some(&some)).await.unwrap();
    assert_eq!(zones, HashMap::from([pair("b", "west")]));

    let of_a = AggregateList::get_by_host(&api, "a").await.unwrap();
    let of_a: Vec<_> = of_a.objects().iter().map(Aggregate::name).collect();
    assert_eq!(of_a, ["east", "disks"]);
    let all = AggregateList::get_all(&api).await.unwrap();
    assert_eq!(all.objects().len(), 3);
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let (_dir, store, api) = local().await;
    let mut one = created(&api, "one", None).await;
    created(&api, "two", None).await;
    one.add_host(&api, "a").await.unwrap();
    let before = store.aggregate(one.id()).await.unwrap();
    let exists = |kind: &str, name: &str| ObjectError::Exists(kind.to_owned(), name.to_owned());
    let error = one.clone().add_host(&api, "a").await.unwrap_err();
    assert_eq!(error, exists("AggregateHost", "a"));
    let error = one.clone().delete_host(&api, "b").await.unwrap_err();
    assert_eq!(error.class(), "NotFound");
    let error = one
        .clone()
        .set_name("two")
        .clone()
        .save(&api)
        .await
        .unwrap_err();
    assert_eq!(error, exists("Aggregate", "two"));
    let nameless = MetadataUpdates::from([("availability_zone".to_owned(), None)]);
    for updates in [zone(""), nameless] {
        let error = one
            .clone()
            .update_metadata(&api, &updates)
            .await
            .unwrap_err();
        let why = "Aggregate one does not support empty named availability zone";
        assert_eq!(reason(error), why);
    }
    let both = store.update_aggregate(one.id(), Some("three".to_owned()), zone(""));
    both.await.unwrap_err();
    assert_eq!(store.aggregate(one.id()).await.unwrap(), before);
    let orphan = Aggregate::new().destroy(&api).await.unwrap_err();
    assert_eq!(orphan.class(), "OrphanedObjectError");
}
