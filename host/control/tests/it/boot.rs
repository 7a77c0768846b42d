//! From an accepted request to a running guest, and everything that goes wrong on the way.

use std::sync::Arc;
use std::time::Duration;

use longshore_objects::{PowerState, TaskState, VmState};
use longshore_plugin_api::DriverError;

use crate::fakes::{Guests, Judged, Spawn};
use crate::world::World;

#[tokio::test]
async fn instances_of_one_request_become_active() {
    let mut world = World::new().await;
    let guests = world.host("a").await;
    let uuids = world.create(&["web-1", "web-2", "web-3"]).await;
    for uuid in &uuids {
        let row = world.until_state(uuid, VmState::Active).await;
        assert_eq!(
            (row.host(), row.node(), row.launched_on()),
            (Some("a"), Some("a"), Some("a"))
        );
        assert_eq!(row.power_state(), Some(PowerState::Running));
        assert!(row.launched_at().is_some() && row.fault().is_none());
        assert!(guests.state(uuid).is_some());
    }
    let tracker = world.hosts["a"].0.tracker();
    let used = tracker.used("a").unwrap();
    assert_eq!((used.memory_mb, used.vcpus, used.disk_gb), (3 * 512, 3, 3));
}

#[tokio::test]
async fn a_host_that_fails_hands_over_to_the_next_one() {
    let mut world = World::new().await;
    let (first, second) = (world.host("a").await, world.host("b").await);
    first.on_spawn(Spawn::Fails(DriverError::no_capacity("no room")));
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Active).await;
    assert_eq!(row.host(), Some("b"));
    assert!(second.state(&uuid).is_some());
    assert_eq!(world.hosts["a"].0.tracker().used("a").unwrap().memory_mb, 0);
    let spec = world.store.request_spec(&uuid).await.unwrap();
    let retry = spec.retry().unwrap();
    assert_eq!(retry.num_attempts(), 1);
    assert_eq!(retry.hosts(), [["a".to_owned(), "a".to_owned()]]);
}

#[tokio::test]
async fn after_the_last_attempt_the_instance_is_in_error() {
    let mut world = World::new().await;
    for name in ["a", "b", "c", "d"] {
        let guests = world.host(name).await;
        guests.on_spawn(Spawn::Fails(DriverError::no_space(format!(
            "{name} is full"
        ))));
    }
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Error).await;
    assert_eq!(
        (row.vm_state(), row.task_state()),
        (Some(VmState::Error), None)
    );
    assert_eq!((row.host(), row.fault().unwrap().code()), (None, 500));
    let text = row.fault().unwrap().message().unwrap().to_owned();
    assert_eq!(
        text,
        format!(
            "exceeded max scheduling attempts 3 for instance `{uuid}`; last exception: cannot \
             build on host `c`: c is full"
        )
    );
    assert!(world.hosts["d"].1.calls().is_empty());
}

#[tokio::test]
async fn what_cannot_be_right_anywhere_is_not_tried_again() {
    let mut world = World::new().await;
    let (first, second) = (world.host("a").await, world.host("b").await);
    first.on_spawn(Spawn::Fails(
        DriverError::invalid("the image is a picture").hint("use another"),
    ));
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Error).await;
    assert_eq!((row.vm_state(), row.host()), (Some(VmState::Error), None));
    let fault = row.fault().unwrap();
    assert_eq!(
        fault.message(),
        Some("cannot build on host `a`: the image is a picture (do: use another)")
    );
    assert_eq!(
        (fault.host(), fault.details()),
        (Some("a"), Some("driver/refused"))
    );
    assert!(second.calls().is_empty());
}

#[tokio::test]
async fn a_host_that_has_less_than_it_seemed_hands_over() {
    // 512 MB are reserved, so a limit of 600 MB leaves 88 MB.
    let tight = Judged::new(|_, _| Ok(true)).limit("a", 600.0);
    let mut world = World::with_filter(tight).await;
    let first = world.host("a").await;
    world.host("b").await;
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Active).await;
    assert_eq!(row.host(), Some("b"));
    assert!(first.calls().is_empty());
    let spec = world.store.request_spec(&uuid).await.unwrap();
    assert_eq!(
        spec.retry().unwrap().hosts(),
        [["a".to_owned(), "a".to_owned()]]
    );
}

#[tokio::test]
async fn a_driver_that_panics_is_a_failed_host() {
    let mut world = World::new().await;
    let first = world.host("a").await;
    world.host("b").await;
    first.on_spawn(Spawn::Panics);
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Active).await;
    assert_eq!(row.host(), Some("b"));
}

#[tokio::test]
async fn a_guest_that_comes_up_too_late_goes_again() {
    let mut world = World::new().await;
    let slow = Arc::new(Guests::new("a"));
    slow.on_spawn(Spawn::Waits);
    let slow = world.host_with("a", slow, Duration::from_millis(200)).await;
    world.host("b").await;
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Active).await;
    assert_eq!(row.host(), Some("b"));
    // The cleanup after the timeout found nothing yet.
    slow.called(&format!("destroy {uuid}")).await;
    slow.open_gate();
    let mut journal = slow.journal.subscribe();
    let twice =
        |calls: &Vec<String>| calls.iter().filter(|c| c.starts_with("destroy")).count() == 2;
    journal.wait_for(twice).await.unwrap();
    assert_eq!(slow.state(&uuid), None);
    assert_eq!(world.store.instance(&uuid).await.unwrap().host(), Some("b"));
}

#[tokio::test]
async fn a_delete_during_the_build_wins() {
    let mut world = World::new().await;
    let guests = world.host("a").await;
    guests.on_spawn(Spawn::Waits);
    let uuid = world.create(&["web"]).await.remove(0);
    guests.called(&format!("spawn {uuid}")).await;
    let row = world.set_task(&uuid, TaskState::Deleting).await;
    world
        .compute
        .terminate_instance(&world.ctx, &row)
        .await
        .unwrap();
    guests.open_gate();
    world.until_deleted(&uuid).await;
    assert_eq!(guests.state(&uuid), None);
    // The build ended before the delete could begin, and both gave their part back.
    assert_eq!(world.hosts["a"].0.tracker().used("a").unwrap().memory_mb, 0);
}

#[tokio::test]
async fn an_instance_deleted_before_its_build_is_left_alone() {
    let mut world = World::new().await;
    let guests = world.host("a").await;
    let uuids = world.accept(&["gone", "stays"]).await;
    world.store.destroy_instance(&uuids[0], true).await.unwrap();
    let api = &world.api;
    api.schedule_and_build_instances(&world.ctx, uuids.clone())
        .await
        .unwrap();
    world.until_state(&uuids[1], VmState::Active).await;
    assert_eq!(guests.calls(), [format!("spawn {}", uuids[1])]);
}

#[tokio::test]
async fn a_build_told_twice_happens_once() {
    let mut world = World::new().await;
    let (a, b) = (world.host("a").await, world.host("b").await);
    let uuids = world.accept(&["web"]).await;
    for _ in 0..5 {
        let api = &world.api;
        api.schedule_and_build_instances(&world.ctx, uuids.clone())
            .await
            .unwrap();
    }
    world.until_state(&uuids[0], VmState::Active).await;
    let last = world.create(&["last"]).await.remove(0);
    world.until_state(&last, VmState::Active).await;
    let spawns = |guests: &Guests| {
        let wanted = format!("spawn {}", uuids[0]);
        guests
            .calls()
            .iter()
            .filter(|call| **call == wanted)
            .count()
    };
    assert_eq!(spawns(&a) + spawns(&b), 1);
}

#[tokio::test]
async fn no_valid_host_names_the_filter() {
    let nobody = Judged::new(|_, _| Ok(false));
    let mut world = World::with_filter(nobody).await;
    world.host("a").await;
    world.host("b").await;
    let uuids = world.create(&["web-1", "web-2"]).await;
    for uuid in &uuids {
        let row = world.until_state(uuid, VmState::Error).await;
        assert_eq!(
            (row.vm_state(), row.task_state()),
            (Some(VmState::Error), None)
        );
        let fault = row.fault().unwrap();
        assert_eq!(
            fault.message().unwrap(),
            "no valid host was found for instance 1 of 2: filter `more` left 0 of 2 hosts"
        );
        assert_eq!(
            fault.details().unwrap(),
            "up: 2 → 2, ram: 2 → 2, more: 2 → 0\na\nb\n\
             NoValidHost (schedule/no-valid-host)"
        );
    }
}

/// It said only that `retry` left no host, and what had to be mended stood in another host's log.
#[tokio::test]
async fn without_a_next_host_the_last_failure_is_named_too() {
    let mut world = World::with_filter(Judged::new(|_, request| {
        Ok(request.retry_hosts().next().is_none())
    }))
    .await;
    let guests = world.host("a").await;
    guests.on_spawn(Spawn::Fails(DriverError::no_space("the disk is full")));
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Error).await;
    let text = row.fault().unwrap().message().unwrap().to_owned();
    assert!(text.starts_with("no valid host was found: "), "{text}");
    assert!(
        text.ends_with("; last exception: cannot build on host `a`: the disk is full"),
        "{text}"
    );
}

#[tokio::test]
async fn without_any_host_the_text_says_so() {
    let world = World::new().await;
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Error).await;
    let text = row.fault().unwrap().message().unwrap().to_owned();
    assert!(
        text.starts_with("no valid host was found: no host is known"),
        "{text}"
    );
}
