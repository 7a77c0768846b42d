//! Deleting, stopping, starting and restarting.

use longshore_objects::{PowerState, TaskState, VmState};
use longshore_plugin_api::{Capabilities, DriverError, PowerState as GuestPower};

use crate::fakes::Guests;
use crate::world::World;
use std::sync::Arc;

async fn running() -> (World, Arc<Guests>, String) {
    let mut world = World::new().await;
    let guests = world.host("a").await;
    let uuid = world.create(&["web"]).await.remove(0);
    world.until_state(&uuid, VmState::Active).await;
    (world, guests, uuid)
}

#[tokio::test]
async fn stop_and_start() {
    let (world, guests, uuid) = running().await;
    let row = world.set_task(&uuid, TaskState::PoweringOff).await;
    world.compute.stop_instance(&world.ctx, &row).await.unwrap();
    let row = world.until_state(&uuid, VmState::Stopped).await;
    assert_eq!(row.power_state(), Some(PowerState::Shutdown));
    assert_eq!(guests.state(&uuid), Some(GuestPower::Shutdown));
    let row = world.set_task(&uuid, TaskState::PoweringOn).await;
    world
        .compute
        .start_instance(&world.ctx, &row)
        .await
        .unwrap();
    let row = world.until_state(&uuid, VmState::Active).await;
    assert_eq!(row.power_state(), Some(PowerState::Running));
}

#[tokio::test]
async fn reboots_of_both_kinds() {
    let (world, guests, uuid) = running().await;
    for (task, hard) in [
        (TaskState::Rebooting, false),
        (TaskState::RebootingHard, true),
    ] {
        let row = world.set_task(&uuid, task).await;
        world
            .compute
            .reboot_instance(&world.ctx, &row, hard)
            .await
            .unwrap();
        world.until_state(&uuid, VmState::Active).await;
    }
    let reboot = format!("reboot {uuid}");
    assert_eq!(
        guests
            .calls()
            .iter()
            .filter(|call| **call == reboot)
            .count(),
        2
    );
}

#[tokio::test]
async fn a_stop_that_nobody_wants_any_more_does_nothing() {
    let (world, guests, uuid) = running().await;
    let row = world.store.instance(&uuid).await.unwrap();
    world.compute.stop_instance(&world.ctx, &row).await.unwrap();
    let row = world.set_task(&uuid, TaskState::Rebooting).await;
    world
        .compute
        .reboot_instance(&world.ctx, &row, false)
        .await
        .unwrap();
    world.until_state(&uuid, VmState::Active).await;
    assert!(!guests.calls().contains(&format!("power_off {uuid}")));
}

/// It looked like a driver without the ability.
#[tokio::test]
async fn an_ability_that_is_claimed_and_not_supported_is_a_contradiction() {
    for (power, words) in [
        (false, ""),
        (true, "the driver claims `power` and answers: "),
    ] {
        let (world, guests, uuid) = running().await;
        guests.refuse("power_off", DriverError::not_supported("no such button"));
        guests.claim(Capabilities {
            power,
            ..Capabilities::default()
        });
        let row = world.set_task(&uuid, TaskState::PoweringOff).await;
        world.compute.stop_instance(&world.ctx, &row).await.unwrap();
        let row = world.until(&uuid, |row| row.fault().is_some()).await;
        let text = format!("cannot stop the guest on host `a`: {words}no such button");
        assert_eq!(row.fault().unwrap().message(), Some(text.as_str()));
    }
}

#[tokio::test]
async fn a_stop_that_fails_takes_the_task_back_and_says_why() {
    let (world, guests, uuid) = running().await;
    guests.refuse("power_off", DriverError::busy("a snapshot is being made"));
    let row = world.set_task(&uuid, TaskState::PoweringOff).await;
    world.compute.stop_instance(&world.ctx, &row).await.unwrap();
    let row = world.until(&uuid, |row| row.fault().is_some()).await;
    assert_eq!(
        (row.vm_state(), row.task_state()),
        (Some(VmState::Active), None)
    );
    let text = "cannot stop the guest on host `a`: a snapshot is being made";
    assert_eq!(row.fault().unwrap().message(), Some(text));
}

#[tokio::test]
async fn delete_ends_the_guest_and_frees_its_resources() {
    let (world, guests, uuid) = running().await;
    let row = world.set_task(&uuid, TaskState::Deleting).await;
    for _ in 0..2 {
        world
            .compute
            .terminate_instance(&world.ctx, &row)
            .await
            .unwrap();
    }
    world.until_deleted(&uuid).await;
    assert_eq!(guests.state(&uuid), None);
    let last = world.create(&["last"]).await.remove(0);
    world.until_state(&last, VmState::Active).await;
    assert_eq!(
        world.hosts["a"].0.tracker().used("a").unwrap().memory_mb,
        512
    );
}

#[tokio::test]
async fn a_delete_that_fails_is_an_error_and_can_be_repeated() {
    let (world, guests, uuid) = running().await;
    guests.refuse(
        "destroy",
        DriverError::unavailable("the hypervisor is away"),
    );
    let row = world.set_task(&uuid, TaskState::Deleting).await;
    world
        .compute
        .terminate_instance(&world.ctx, &row)
        .await
        .unwrap();
    let row = world.until_state(&uuid, VmState::Error).await;
    assert_eq!(
        (row.vm_state(), row.task_state()),
        (Some(VmState::Error), None)
    );
    guests.refuse("nothing", DriverError::internal(""));
    let row = world.set_task(&uuid, TaskState::Deleting).await;
    world
        .compute
        .terminate_instance(&world.ctx, &row)
        .await
        .unwrap();
    world.until_deleted(&uuid).await;
}

#[tokio::test]
async fn power_states_follow_the_driver() {
    let (world, guests, uuid) = running().await;
    guests.put(&uuid, GuestPower::Shutdown);
    world.hosts["a"].0.sync_power_states().await.unwrap();
    let row = world.store.instance(&uuid).await.unwrap();
    let states = (row.vm_state(), row.power_state());
    assert_eq!(states, (Some(VmState::Stopped), Some(PowerState::Shutdown)));
    // Against its user's will it runs again.
    guests.put(&uuid, GuestPower::Running);
    world.hosts["a"].0.sync_power_states().await.unwrap();
    assert_eq!(guests.state(&uuid), Some(GuestPower::Shutdown));
}
