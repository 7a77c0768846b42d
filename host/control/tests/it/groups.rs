//! Server groups: what compute and conductor do about a policy that the scheduler did not see broken.

use longshore_objects::VmState;

use crate::fakes::Judged;
use crate::world::World;

/// A filter that stands for the one of this policy and looks at nothing.
async fn blind(policy: &str) -> World {
    let name = format!("server_group_{}", policy.replace('-', "_"));
    World::with_named(&name, Judged::new(|_, _| Ok(true))).await
}

async fn hosts_of(world: &World, uuids: &[String]) -> Vec<String> {
    let mut hosts = Vec::new();
    for uuid in uuids {
        let row = world.until_state(uuid, VmState::Active).await;
        hosts.push(row.host().unwrap().to_owned());
    }
    hosts.sort();
    hosts
}

#[tokio::test]
async fn a_host_sends_away_a_second_member_of_an_anti_affinity_group() {
    let mut world = blind("anti-affinity").await;
    let guests = world.host("a").await;
    let group = world.group("anti-affinity").await;
    let uuids = world.accept_as(Some(&group), &["one", "two"]).await;
    world.build(uuids.clone()).await;
    let one = world.until_state(&uuids[0], VmState::Active).await;
    assert_eq!(one.host(), Some("a"));
    let two = world.until_state(&uuids[1], VmState::Error).await;
    let fault = two.fault().unwrap().message().unwrap().to_owned();
    let why = "another member of its anti-affinity group is on host `a`";
    assert!(fault.contains(why), "{fault}");
    let spec = world.store.request_spec(&uuids[1]).await.unwrap();
    assert_eq!(spec.retry().unwrap().hosts().len(), 3, "all attempts");
    assert!(guests.state(&uuids[1]).is_none());
    assert_eq!(world.hosts["a"].0.tracker().used("a").unwrap().vcpus, 1);
}

#[tokio::test]
async fn members_that_are_built_at_the_same_time_see_each_other() {
    let not_tried = Judged::new(|host, request| {
        let mut tried = request.retry_hosts();
        Ok(!tried.any(|(name, _)| name == host.host_name()))
    });
    let mut world = World::with_named("server_group_anti_affinity", not_tried).await;
    for name in ["a", "b", "c"] {
        world.host(name).await;
    }
    let group = world.group("anti-affinity").await;
    let uuids = world
        .accept_as(Some(&group), &["one", "two", "three"])
        .await;
    // Three requests, and a scheduler that sends each to `a` first.
    for uuid in &uuids {
        world.build(vec![uuid.clone()]).await;
    }
    assert_eq!(hosts_of(&world, &uuids).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_host_without_members_sends_away_a_member_of_an_affinity_group() {
    let mut world = blind("affinity").await;
    world.host("b").await;
    let group = world.group("affinity").await;
    let uuids = world.accept_as(Some(&group), &["one", "two"]).await;
    world.build(vec![uuids[0].clone()]).await;
    world.until_state(&uuids[0], VmState::Active).await;
    world.host("a").await;
    world.build(vec![uuids[1].clone()]).await;
    let row = world
        .until(&uuids[1], |row| row.vm_state() == Some(VmState::Error))
        .await;
    let fault = row.fault().unwrap().message().unwrap().to_owned();
    let why = "the members of its affinity group are not on host `a`";
    assert!(fault.contains(why), "{fault}");
}

#[tokio::test]
async fn a_group_that_is_gone_asks_for_nothing() {
    let mut world = World::new().await;
    world.host("a").await;
    let group = world.group("anti-affinity").await;
    let uuids = world.accept_as(Some(&group), &["one", "two"]).await;
    world
        .store
        .destroy_instance_group(group.uuid())
        .await
        .unwrap();
    // No filter of this scheduler honours the policy; nobody asks for it any more.
    world.build(uuids.clone()).await;
    assert_eq!(hosts_of(&world, &uuids).await, ["a", "a"]);
}

#[tokio::test]
async fn a_policy_that_nothing_honours_is_an_error_with_its_reason() {
    let mut world = World::new().await;
    world.host("a").await;
    for (policy, by) in [
        ("affinity", "filter `server_group_affinity`"),
        ("anti-affinity", "filter `server_group_anti_affinity`"),
        ("soft-affinity", "weigher `server_group_soft_affinity`"),
        (
            "soft-anti-affinity",
            "weigher `server_group_soft_anti_affinity`",
        ),
    ] {
        let group = world.group(policy).await;
        let uuid = world.accept_as(Some(&group), &["one"]).await.remove(0);
        world.build(vec![uuid.clone()]).await;
        let row = world.until_state(&uuid, VmState::Error).await;
        let fault = row.fault().unwrap();
        let text =
            format!("the server group's policy `{policy}` is not supported: {by} is not enabled");
        assert_eq!(fault.message(), Some(text.as_str()));
        let details = "UnsupportedPolicyException (schedule/unsupported-policy)";
        assert_eq!(fault.details(), Some(details));
    }
}
