//! What is found half-done after a start is finished, handed back, or marked.

use std::sync::Arc;
use std::time::Duration;

use longshore_control::compute::{ComputeConfig, ComputeManager, ComputeParts};
use longshore_control::conductor::RpcObjects;
use longshore_messaging::{MemoryTransport, RequestContext, Transport};
use longshore_objects::{Expected, TaskState, VmState};
use longshore_plugin_api::PowerState;
use longshore_service::Manager;

use crate::fakes::Guests;
use crate::world::{World, calls};

const DEADLINE: Duration = Duration::from_secs(60);

/// Puts a record into the given state on host `a`.
async fn on_host(world: &World, name: &str, vm: VmState, task: Option<TaskState>) -> String {
    let uuid = world.accept(&[name]).await.remove(0);
    let mut row = world.store.instance(&uuid).await.unwrap();
    row.set_host("a")
        .set_node("a")
        .set_vm_state(vm)
        .set_task_state(task);
    world
        .store
        .save_instance(row, Expected::any())
        .await
        .unwrap();
    uuid
}

#[tokio::test]
async fn a_host_that_starts_again_finishes_what_was_in_flight() {
    let mut world = World::new().await;
    let guests = Arc::new(Guests::new("a"));
    let up = on_host(&world, "up", VmState::Building, Some(TaskState::Spawning)).await;
    let cut = on_host(&world, "cut", VmState::Building, Some(TaskState::Spawning)).await;
    let half = on_host(&world, "half", VmState::Building, Some(TaskState::Spawning)).await;
    let ends = on_host(&world, "ends", VmState::Active, Some(TaskState::Deleting)).await;
    let stops = on_host(
        &world,
        "stops",
        VmState::Active,
        Some(TaskState::PoweringOff),
    )
    .await;
    let boots = on_host(
        &world,
        "boots",
        VmState::Active,
        Some(TaskState::RebootStarted),
    )
    .await;
    let gone = on_host(&world, "gone", VmState::Active, None).await;
    let off = on_host(&world, "off", VmState::Active, None).await;
    let fine = on_host(&world, "fine", VmState::Active, None).await;
    for uuid in [&up, &ends, &stops, &boots, &fine] {
        guests.put(uuid, PowerState::Running);
    }
    for uuid in [&half, &off] {
        guests.put(uuid, PowerState::Shutdown);
    }
    world.host_with("a", guests.clone(), DEADLINE).await;
    world.until_deleted(&ends).await;
    for uuid in [&up, &cut, &half, &boots, &fine] {
        let row = world.until_state(uuid, VmState::Active).await;
        assert_eq!(row.host(), Some("a"));
    }
    let spawned: Vec<String> = guests
        .calls()
        .into_iter()
        .filter(|call| call.starts_with("spawn"))
        .collect();
    assert_eq!(spawned.len(), 2, "{spawned:?}");
    for uuid in [&stops, &off] {
        world.until_state(uuid, VmState::Stopped).await;
    }
    let row = world.until_state(&gone, VmState::Error).await;
    assert_eq!(row.vm_state(), Some(VmState::Error));
    assert_eq!(row.fault().unwrap().details(), Some("driver/guest-gone"));
    let used = world.hosts["a"].0.tracker().used("a").unwrap();
    // Every instance but the deleted one.
    assert_eq!(used.memory_mb, 8 * 512);
}

#[tokio::test]
async fn recovering_twice_changes_nothing_more() {
    let mut world = World::new().await;
    let guests = Arc::new(Guests::new("a"));
    let up = on_host(&world, "up", VmState::Building, Some(TaskState::Spawning)).await;
    guests.put(&up, PowerState::Running);
    world.host_with("a", guests.clone(), DEADLINE).await;
    let before = world.store.instance(&up).await.unwrap();
    let calls = guests.calls();
    world.hosts["a"].0.recover().await.unwrap();
    assert_eq!(world.store.instance(&up).await.unwrap(), before);
    assert_eq!(guests.calls(), calls);
}

#[tokio::test]
async fn guests_of_nobody() {
    let mut world = World::new().await;
    let guests = Arc::new(Guests::new("a"));
    let deleted = on_host(&world, "deleted", VmState::Active, None).await;
    world.store.destroy_instance(&deleted, false).await.unwrap();
    let moved = on_host(&world, "moved", VmState::Active, None).await;
    let mut row = world.store.instance(&moved).await.unwrap();
    row.set_host("elsewhere");
    world
        .store
        .save_instance(row, Expected::any())
        .await
        .unwrap();
    for id in [deleted.as_str(), moved.as_str(), "made-by-hand"] {
        guests.put(id, PowerState::Running);
    }
    world.host_with("a", guests.clone(), DEADLINE).await;
    assert_eq!(guests.state(&deleted), None);
    assert_eq!(guests.state(&moved), None);
    assert_eq!(guests.state("made-by-hand"), Some(PowerState::Running));
}

#[tokio::test]
async fn the_conductor_finds_builds_and_deletes_that_nobody_carries_on() {
    let mut world = World::new().await;
    world.host("a").await;
    let uuids = world.accept(&["waits", "deleting"]).await;
    world.set_task(&uuids[1], TaskState::Deleting).await;
    // Nothing is old enough yet.
    world
        .conductor
        .recover(Duration::from_secs(3600))
        .await
        .unwrap();
    let row = world.store.instance(&uuids[0]).await.unwrap();
    assert_eq!(row.task_state(), Some(TaskState::Scheduling));
    world.conductor.recover(Duration::ZERO).await.unwrap();
    world.until_state(&uuids[0], VmState::Active).await;
    world.until_deleted(&uuids[1]).await;
}

#[tokio::test]
async fn a_host_without_a_conductor_does_not_start() {
    let transport: Arc<dyn Transport> = Arc::new(MemoryTransport::new());
    let mut config = ComputeConfig::new("a");
    config.conductor_wait = Duration::from_millis(50);
    let manager = ComputeManager::new(ComputeParts {
        config,
        objects: Arc::new(RpcObjects::new(
            Arc::clone(&transport),
            RequestContext::admin(),
        )),
        transport,
        virt: Arc::new(Guests::new("a")),
        calls: calls(DEADLINE),
    });
    let error = manager.init_host().await.unwrap_err();
    assert_eq!(error.code(), "service/conductor-away");
}

#[tokio::test]
async fn a_task_that_nobody_carries_on_is_finished_while_the_host_runs() {
    let mut world = World::new().await;
    let guests = world.host("a").await;
    let uuid = world.create(&["web"]).await.remove(0);
    world.until_state(&uuid, VmState::Active).await;
    world.set_task(&uuid, TaskState::PoweringOff).await;
    // Young tasks have a message on its way.
    world.hosts["a"].0.sync_power_states().await.unwrap();
    assert_eq!(guests.state(&uuid), Some(PowerState::Running));
    world.hosts["a"].0.recover().await.unwrap();
    world.until_state(&uuid, VmState::Stopped).await;
    assert_eq!(guests.state(&uuid), Some(PowerState::Shutdown));
}
