//! Group commit and compare-and-swap.
//!
//! Goes through the public surface only.
#![expect(clippy::unwrap_used, reason = "tests")]

use longshore_objects::{
    Expected, Instance, InstanceFault, ObjectError, RequestSpec, TaskState, VmState,
};
use longshore_store::{InstanceQuery, Options, ProjectUsage, Store, StoreError};
use tempfile::TempDir;
use tokio::task::JoinSet;

async fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/host.db", dir.path().display());
    (dir, Store::open(&url, Options::default()).await.unwrap())
}

fn instance(uuid: &str) -> Instance {
    let mut instance = Instance::new();
    instance
        .set_uuid(uuid)
        .set_display_name(format!("name-{uuid}"))
        .set_project_id("p");
    instance
        .set_vm_state(VmState::Building)
        .set_task_state(TaskState::Scheduling);
    instance.set_vcpus(2).set_memory_mb(512).set_host(None);
    instance
}

fn change(uuid: &str) -> Instance {
    let mut instance = Instance::new();
    instance.set_uuid(uuid);
    longshore_objects::VersionedObject::reset_changes(&mut instance);
    instance.set_progress(50);
    instance
}

fn object(error: StoreError) -> ObjectError {
    match error {
        StoreError::Object(error) => error,
        fault => panic!("{fault}"),
    }
}

/// The row's vm state, task state and host; what the writer expects; the error's class, if any.
type CasRow = (
    VmState,
    Option<TaskState>,
    Option<&'static str>,
    Expected,
    Option<&'static str>,
);

#[tokio::test]
async fn compare_and_swap_table() {
    use TaskState as T;
    use VmState as V;
    let idle_or = |task| Expected::task(&[None, Some(task)]);
    let free = || Expected::any().and_host(None);
    let on = |host| Expected::any().and_host(Some(host));
    let rows: Vec<CasRow> = vec![
        (
            V::Building,
            Some(T::Scheduling),
            None,
            Expected::any(),
            None,
        ),
        (
            V::Building,
            Some(T::Scheduling),
            None,
            idle_or(T::Scheduling),
            None,
        ),
        (V::Active, None, None, idle_or(T::Scheduling), None),
        (V::Active, None, None, Expected::task(&[None]), None),
        (
            V::Active,
            None,
            None,
            Expected::task(&[Some(T::Spawning)]),
            Some("UnexpectedTaskStateError"),
        ),
        (
            V::Active,
            Some(T::Spawning),
            None,
            Expected::task(&[None]),
            Some("UnexpectedTaskStateError"),
        ),
        (
            V::Active,
            Some(T::Deleting),
            None,
            Expected::task(&[None]),
            Some("UnexpectedDeletingTaskStateError"),
        ),
        (
            V::Active,
            Some(T::Deleting),
            None,
            Expected::task(&[Some(T::Deleting)]),
            None,
        ),
        (V::Active, Some(T::Deleting), None, Expected::any(), None),
        (
            V::Active,
            None,
            None,
            Expected::task(&[]),
            Some("UnexpectedTaskStateError"),
        ),
        (
            V::Active,
            None,
            None,
            Expected::any().and_vm(&[V::Active, V::Error]),
            None,
        ),
        (
            V::Active,
            None,
            None,
            Expected::any().and_vm(&[V::Stopped]),
            Some("InstanceUpdateConflict"),
        ),
        (
            V::Active,
            None,
            None,
            Expected::task(&[None]).and_vm(&[V::Stopped]),
            Some("InstanceUpdateConflict"),
        ),
        (
            V::Active,
            Some(T::Deleting),
            None,
            Expected::task(&[None]).and_vm(&[V::Stopped]),
            Some("UnexpectedDeletingTaskStateError"),
        ),
        (V::Active, None, None, free(), None),
        (
            V::Active,
            None,
            Some("h1"),
            free(),
            Some("InstanceUpdateConflict"),
        ),
        (V::Active, None, Some("h1"), on("h1"), None),
        (
            V::Active,
            None,
            Some("h1"),
            on("h2"),
            Some("InstanceUpdateConflict"),
        ),
        (
            V::Active,
            None,
            None,
            on("h2"),
            Some("InstanceUpdateConflict"),
        ),
    ];
    let (_dir, store) = store().await;
    for (index, (vm, task, host, expected, wanted)) in rows.into_iter().enumerate() {
        let uuid = format!("u{index}");
        let mut row = instance(&uuid);
        row.set_vm_state(vm)
            .set_task_state(task)
            .set_host(host.map(str::to_owned));
        store.create_instance(row).await.unwrap();
        let result = store.save_instance(change(&uuid), expected.clone()).await;
        let class = result
            .as_ref()
            .err()
            .map(|error| object(error.clone()).class());
        assert_eq!(
            class, wanted,
            "row {index}: {vm} {task:?} {host:?} {expected:?}"
        );
        let written = store.instance(&uuid).await.unwrap().progress();
        assert_eq!(written, wanted.is_none().then_some(50), "row {index}");
    }
}

#[tokio::test]
async fn a_conflict_names_both_sides() {
    let (_dir, store) = store().await;
    store.create_instance(instance("u")).await.unwrap();
    let expected = Expected::task(&[Some(TaskState::Spawning), None]);
    let error = object(
        store
            .save_instance(change("u"), expected)
            .await
            .unwrap_err(),
    );
    let text = "conflict updating instance `u`: expected task state `spawning, none`, \
                actual `scheduling`";
    assert_eq!(error.to_string(), text);
    assert_eq!(error.code(), "store/unexpected-task-state");
}

#[tokio::test]
async fn of_many_writers_with_one_expectation_one_wins() {
    let (_dir, store) = store().await;
    let mut row = instance("u");
    row.set_task_state(None);
    store.create_instance(row).await.unwrap();
    let mut writers = JoinSet::new();
    for _ in 0..64 {
        let store = store.clone();
        writers.spawn(async move {
            let mut mine = change("u");
            mine.set_task_state(TaskState::PoweringOff);
            store
                .save_instance(mine, Expected::task(&[None]))
                .await
                .is_ok()
        });
    }
    let won = writers
        .join_all()
        .await
        .into_iter()
        .filter(|won| *won)
        .count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn only_changed_fields_are_written() {
    let (_dir, store) = store().await;
    let created = store.create_instance(instance("u")).await.unwrap();
    let mut stale = created.clone();
    stale.set_progress(10);
    let mut other = created;
    other.set_host("h");
    store.save_instance(other, Expected::any()).await.unwrap();
    let row = store.save_instance(stale, Expected::any()).await.unwrap();
    assert_eq!((row.host(), row.progress()), (Some("h"), Some(10)));
}

#[tokio::test]
async fn one_bad_operation_does_not_spoil_its_group() {
    let (_dir, store) = store().await;
    store.create_instance(instance("taken")).await.unwrap();
    let mut writers = JoinSet::new();
    for index in 0..64 {
        let store = store.clone();
        writers.spawn(async move {
            let good = (instance(&format!("n{index}")), spec(&format!("n{index}")));
            let second = if index % 8 == 3 {
                "taken".to_owned()
            } else {
                format!("m{index}")
            };
            let result = store.create_instances(vec![good, (instance(&second), spec(&second))]);
            (index, result.await)
        });
    }
    for (index, result) in writers.join_all().await {
        let there = store.instance(&format!("n{index}")).await;
        if index % 8 == 3 {
            assert_eq!(object(result.unwrap_err()).class(), "ObjectExists");
            assert_eq!(
                object(there.unwrap_err()).class(),
                "InstanceNotFound",
                "all or none"
            );
        } else {
            assert_eq!(result.unwrap().len(), 2);
            there.unwrap();
            assert_eq!(
                store
                    .request_spec(&format!("m{index}"))
                    .await
                    .unwrap()
                    .num_instances(),
                3
            );
        }
    }
}

fn spec(uuid: &str) -> RequestSpec {
    let mut spec = RequestSpec::new();
    spec.set_instance_uuid(uuid).set_num_instances(3);
    spec
}

#[tokio::test]
async fn a_cancelled_caller_does_not_stop_the_others() {
    let (_dir, store) = store().await;
    let mut writers = JoinSet::new();
    for index in 0..32 {
        let store = store.clone();
        writers.spawn(async move { store.create_instance(instance(&format!("u{index}"))).await });
    }
    writers.abort_all();
    while writers.join_next().await.is_some() {}
    store.create_instance(instance("after")).await.unwrap();
    store.instance("after").await.unwrap();
}

#[tokio::test]
async fn closing_commits_what_is_queued_and_refuses_the_rest() {
    let (_dir, store) = store().await;
    let mut writers = JoinSet::new();
    for index in 0..32 {
        let store = store.clone();
        writers.spawn(async move { store.create_instance(instance(&format!("u{index}"))).await });
    }
    store.close().await;
    for result in writers.join_all().await {
        if let Err(error) = result {
            assert_eq!(error.code(), "store/closed");
        }
    }
    let error = store.create_instance(instance("late")).await.unwrap_err();
    assert_eq!(error.code(), "store/closed");
    assert_eq!(store.flavors().await.unwrap_err().code(), "store/closed");
    store.close().await;
}

#[tokio::test]
async fn destroying_hides_the_row_and_heeds_the_host() {
    let (_dir, store) = store().await;
    let mut row = instance("u");
    row.set_host("h");
    store.create_instance(row).await.unwrap();
    let refused = object(store.destroy_instance("u", true).await.unwrap_err());
    assert!(refused.to_string().contains("`host changed`"), "{refused}");
    let gone = store.destroy_instance("u", false).await.unwrap();
    assert!(gone.deleted() && gone.deleted_at().is_some());
    for error in [
        store.destroy_instance("u", false).await.unwrap_err(),
        store
            .save_instance(change("u"), Expected::any())
            .await
            .unwrap_err(),
        store.instance("u").await.unwrap_err(),
    ] {
        assert_eq!(object(error), ObjectError::InstanceNotFound("u".to_owned()));
    }
    assert!(
        store
            .instances(&InstanceQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    let deleted = InstanceQuery {
        deleted: true,
        ..InstanceQuery::default()
    };
    assert_eq!(store.instances(&deleted).await.unwrap().len(), 1);
}

#[tokio::test]
async fn lists_filter_and_page() {
    let (_dir, store) = store().await;
    for index in 0..7 {
        let mut row = instance(&format!("u{index}"));
        row.set_host(if index % 2 == 0 { "even" } else { "odd" });
        row.set_vm_state(if index < 2 {
            VmState::Active
        } else {
            VmState::Error
        });
        row.set_display_name(if index == 6 { "unlike" } else { "same" });
        row.set_task_state(None)
            .set_project_id(if index == 0 { "q" } else { "p" });
        store.create_instance(row).await.unwrap();
    }
    let all = InstanceQuery::default();
    let uuids = async |query: InstanceQuery| {
        let found = store.instances(&query).await.unwrap();
        found
            .iter()
            .map(|row| row.uuid().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let page = InstanceQuery {
        limit: Some(3),
        ..all.clone()
    };
    assert_eq!(uuids(page.clone()).await, "u6 u5 u4");
    let next = InstanceQuery {
        marker: Some("u4".into()),
        ..page
    };
    assert_eq!(uuids(next).await, "u3 u2 u1");
    let named = |name: &str| InstanceQuery {
        name: Some(name.into()),
        ..InstanceQuery::default()
    };
    assert_eq!(uuids(named("same")).await, "u5 u4 u3 u2 u1 u0");
    assert_eq!(uuids(named("sam")).await, "");
    assert_eq!(
        uuids(InstanceQuery {
            name_contains: Some("like".into()),
            ..all.clone()
        })
        .await,
        "u6"
    );
    let active = InstanceQuery {
        vm_states: Some(vec![VmState::Active]),
        ..all.clone()
    };
    assert_eq!(uuids(active).await, "u1 u0");
    let idle = InstanceQuery {
        task_states: Some(vec![None]),
        ..all.clone()
    };
    assert_eq!(uuids(idle).await.split(' ').count(), 7);
    let both = InstanceQuery {
        host: Some("even".into()),
        project_id: Some("q".into()),
        ..all.clone()
    };
    assert_eq!(uuids(both).await, "u0");
    let lost = InstanceQuery {
        marker: Some("nowhere".into()),
        ..all
    };
    assert_eq!(
        object(store.instances(&lost).await.unwrap_err()).class(),
        "NotFound"
    );
    assert_eq!(store.instances_by_host("odd").await.unwrap().len(), 3);
    let usage = store.project_usage("p").await.unwrap();
    assert_eq!(
        usage,
        ProjectUsage {
            instances: 6,
            cores: 12,
            ram_mb: 3072
        }
    );
    assert_eq!(
        store.project_usage("nobody").await.unwrap(),
        ProjectUsage::default()
    );
}

#[tokio::test]
async fn the_latest_fault_is_shown_with_its_instance() {
    let (_dir, store) = store().await;
    store.create_instance(instance("u")).await.unwrap();
    store.create_instance(instance("v")).await.unwrap();
    assert_eq!(store.instance("u").await.unwrap().fault(), None);
    for message in ["first", "second"] {
        let mut fault = InstanceFault::new();
        fault
            .set_instance_uuid("u")
            .set_code(500)
            .set_message(message);
        store.create_fault(fault).await.unwrap();
    }
    let shown = store.instance("u").await.unwrap();
    assert_eq!(shown.fault().unwrap().message(), Some("second"));
    let latest = store
        .latest_faults(&["u".into(), "v".into()])
        .await
        .unwrap();
    assert_eq!(latest.len(), 1);
    let mut stray = InstanceFault::new();
    stray.set_instance_uuid("nobody");
    let error = object(store.create_fault(stray).await.unwrap_err());
    assert_eq!(error.class(), "InstanceNotFound");
}
