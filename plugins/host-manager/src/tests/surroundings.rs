//! What is known of a host beside its reports: its service, its aggregates, its instances.

use super::support::{manager, names, report, service, with_hosts};
use crate::fleet::INSTANCES_MAX;
use longshore_plugin_api::{
    Aggregate, HostManager, HostReport, PlacedInstance, ServiceState, STATS_PCI_DEVICE_POOLS,
    STATS_UUID,
};

fn aggregate(id: u32, hosts: &[&str], zone: Option<&str>) -> Aggregate {
    Aggregate {
        id,
        hosts: hosts.iter().map(|h| h.to_string()).collect(),
        metadata: zone
            .map(|zone| ("availability_zone".to_owned(), zone.to_owned()))
            .into_iter()
            .collect(),
    }
}

fn zones(manager: &dyn HostManager) -> Vec<String> {
    let table = manager.host_table().unwrap();
    table
        .iter()
        .map(|host| host.availability_zone().to_owned())
        .collect()
}

#[test]
fn a_host_waits_for_its_service() {
    let manager = manager();
    for host in ["b", "a"] {
        manager.update_host(&report(host, 1)).unwrap();
    }
    manager
        .update_host(&HostReport {
            node: "a0".into(),
            ..report("a", 1)
        })
        .unwrap();
    assert!(manager.host_table().unwrap().is_empty());
    manager.update_service(&service("a")).unwrap();
    let table = manager.host_table().unwrap();
    assert_eq!(
        table.iter().map(|h| h.node_name()).collect::<Vec<_>>(),
        ["a", "a0"]
    );
    manager.update_service(&service("b")).unwrap();
    assert_eq!(names(&manager.host_table().unwrap()), ["a", "a", "b"]);
    manager.update_service(&service("nobody")).unwrap();
    assert_eq!(manager.host_table().unwrap().len(), 3);
}

#[test]
fn the_state_of_a_service_is_shown_for_all_nodes() {
    let manager = with_hosts(&["a", "b"]);
    manager
        .update_host(&HostReport {
            node: "a2".into(),
            ..report("a", 1)
        })
        .unwrap();
    let disabled_reason = "new disks".to_owned();
    manager
        .update_service(&ServiceState {
            host: "a".into(),
            up: false,
            disabled: true,
            disabled_reason,
        })
        .unwrap();
    let table = manager.host_table().unwrap();
    let states: Vec<_> = table
        .iter()
        .map(|h| (h.is_up(), h.is_disabled(), h.disabled_reason()))
        .collect();
    assert_eq!(
        states,
        [
            (false, true, "new disks"),
            (true, false, ""),
            (false, true, "new disks")
        ]
    );
    manager.update_service(&service("a")).unwrap();
    assert!(manager.host_table().unwrap().host(0).is_up());
}

#[test]
fn zones_are_the_union_of_what_the_aggregates_name() {
    let manager = with_hosts(&["a", "b", "c"]);
    manager
        .update_aggregates(vec![
            aggregate(7, &["a", "later"], Some("south, north")),
            aggregate(3, &["a", "b"], Some("north")),
            aggregate(5, &["a", "c"], None),
        ])
        .unwrap();
    assert_eq!(zones(&*manager), ["north,south", "north", ""]);
    let table = manager.host_table().unwrap();
    assert_eq!(
        (
            table.aggregates(0),
            table.aggregates(1),
            table.aggregates(2)
        ),
        (&[3, 5, 7][..], &[3][..], &[5][..])
    );
    manager.update_service(&service("later")).unwrap();
    manager.update_host(&report("later", 1)).unwrap();
    assert_eq!(
        zones(&*manager)[3],
        "south,north",
        "a host that comes later is in its aggregates"
    );
}

#[test]
fn aggregates_are_replaced_as_a_whole() {
    let manager = with_hosts(&["a", "b"]);
    manager
        .update_aggregates(vec![aggregate(1, &["a"], Some("north"))])
        .unwrap();
    manager
        .update_aggregates(vec![aggregate(2, &["b"], Some("south"))])
        .unwrap();
    assert_eq!(zones(&*manager), ["", "south"]);
    assert_eq!(manager.host_table().unwrap().aggregates(0), &[] as &[u32]);
    manager.update_aggregates(Vec::new()).unwrap();
    assert_eq!(zones(&*manager), ["", ""]);
}

#[test]
fn instances_of_a_host_are_replaced_as_a_whole() {
    let manager = with_hosts(&["a", "b"]);
    let uuids = |list: &[&str]| list.iter().map(|u| u.to_string()).collect();
    let instances = || {
        let table = manager.host_table().unwrap();
        table
            .instances(0)
            .iter()
            .map(|&id| table.text(id).to_owned())
            .collect::<Vec<_>>()
    };
    manager.sync_instance_info("a", uuids(&["x", "y"])).unwrap();
    manager
        .sync_instance_info("unknown", uuids(&["z"]))
        .unwrap();
    assert_eq!(instances(), ["x", "y"]);
    assert!(manager.host_table().unwrap().instances(1).is_empty());
    manager.sync_instance_info("a", uuids(&["y"])).unwrap();
    assert_eq!(instances(), ["y"]);
    manager.sync_instance_info("a", uuids(&[])).unwrap();
    assert!(instances().is_empty());
    let too_many = vec![String::new(); INSTANCES_MAX + 1];
    assert!(manager.sync_instance_info("a", too_many).is_err());
}

#[test]
fn what_is_known_of_a_host_survives_the_removal_of_another() {
    let manager = with_hosts(&["a", "b"]);
    manager
        .update_aggregates(vec![aggregate(2, &["b"], Some("south"))])
        .unwrap();
    manager
        .sync_instance_info("b", vec!["x".to_owned()])
        .unwrap();
    manager.remove_host("a", "a").unwrap();
    let table = manager.host_table().unwrap();
    assert_eq!(
        (names(&table), table.host(0).availability_zone()),
        (vec!["b"], "south")
    );
    assert_eq!(table.instances(0).len(), 1);
}

#[test]
fn metadata_of_aggregates_stand_with_each_of_their_hosts() {
    let manager = with_hosts(&["a", "b", "c"]);
    let said = |id, hosts: &[&str], pairs: &[(&str, &str)]| Aggregate {
        metadata: pairs
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect(),
        ..aggregate(id, hosts, None)
    };
    let aggregates = vec![
        said(7, &["a", "b"], &[("ssd", "true"), ("gpu", "2")]),
        said(3, &["a"], &[("gpu", "1")]),
    ];
    manager.update_aggregates(aggregates).unwrap();
    let table = manager.host_table().unwrap();
    let metadata = |row| table.host(row).aggregate_metadata().collect::<Vec<_>>();
    assert_eq!(
        metadata(0),
        [(3, "gpu", "1"), (7, "gpu", "2"), (7, "ssd", "true")]
    );
    assert_eq!(metadata(1), [(7, "gpu", "2"), (7, "ssd", "true")]);
    assert!(metadata(2).is_empty());
    manager.update_aggregates(Vec::new()).unwrap();
    let table = manager.host_table().unwrap();
    assert_eq!(table.host(0).aggregate_metadata().count(), 0);
}

#[test]
fn instances_may_come_with_their_flavors_and_projects() {
    let manager = with_hosts(&["a"]);
    let placed = |uuid: &str, flavor: &str| PlacedInstance {
        uuid: uuid.to_owned(),
        flavor_id: flavor.to_owned(),
        project_id: "p".to_owned(),
    };
    let instances = vec![placed("x", "1"), placed("y", "2")];
    manager.sync_instances("a", instances).unwrap();
    let table = manager.host_table().unwrap();
    let texts = |ids: &[u32]| {
        ids.iter()
            .map(|&id| table.text(id).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(table.instances(0)), ["x", "y"]);
    assert_eq!(texts(table.instance_flavors(0)), ["1", "2"]);
    assert_eq!(texts(table.instance_projects(0)), ["p", "p"]);
    manager
        .sync_instance_info("a", vec!["z".to_owned()])
        .unwrap();
    let table = manager.host_table().unwrap();
    assert_eq!(
        table.text(table.instance_flavors(0)[0]),
        "",
        "the flavor is not known"
    );
}

#[test]
fn facts_that_travel_among_the_stats_are_columns() {
    let manager = with_hosts(&["a"]);
    let facts = [
        (STATS_UUID, "u-1"),
        (STATS_PCI_DEVICE_POOLS, "[]"),
        ("gpu", "1"),
    ];
    let stats = facts.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let report = HostReport {
        stats: stats.into(),
        ..report("a", 2)
    };
    manager.update_host(&report).unwrap();
    let table = manager.host_table().unwrap();
    let host = table.host(0);
    assert_eq!((host.uuid(), host.pci_device_pools()), ("u-1", "[]"));
    assert_eq!((host.stats(), host.numa_topology()), (r#"{"gpu":"1"}"#, ""));
}
