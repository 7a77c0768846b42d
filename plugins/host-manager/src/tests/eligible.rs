//! Which hosts a request allows, and whether filters run after that.

use super::support::with_hosts;
use longshore_plugin_api::{full, HostReport, Mask, RequestFields, RequestSpec};

/// Rows of a, B, c and of c's second node that are left; and whether filters run.
fn eligible(request: RequestFields) -> (Vec<usize>, bool) {
    let manager = with_hosts(&["a", "B", "c"]);
    manager
        .update_host(&HostReport {
            node: "c2".into(),
            ..super::support::report("c", 1)
        })
        .unwrap();
    let table = manager.host_table().unwrap();
    let mut words = full(4);
    let mut mask = Mask::new(&mut words, 4);
    let filters_run = manager
        .eligible_hosts(&table, &RequestSpec::from(request), &mut mask)
        .unwrap();
    (mask.iter().collect(), filters_run)
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[test]
fn a_plain_request_allows_every_host() {
    assert_eq!(eligible(RequestFields::default()), (vec![0, 1, 2, 3], true));
}

#[test]
fn a_destination_is_one_host_and_node_and_filters_run() {
    let to = |host: &str, node: &str| {
        let requested_destination = Some((host.to_owned(), node.to_owned()));
        eligible(RequestFields {
            requested_destination,
            ..RequestFields::default()
        })
    };
    assert_eq!(to("c", "c2"), (vec![3], true));
    assert_eq!(to("c", ""), (vec![2, 3], true));
    assert_eq!(to("b", "B"), (vec![], true), "case counts");
    assert_eq!(to("a", "gone"), (vec![], true));
}

#[test]
fn ignored_hosts_are_compared_without_case() {
    let ignore_hosts = list(&["b", "C", "gone"]);
    assert_eq!(
        eligible(RequestFields {
            ignore_hosts,
            ..RequestFields::default()
        }),
        (vec![0], true)
    );
}

#[test]
fn forced_hosts_are_compared_without_case_and_filters_do_not_run() {
    let force = |names| RequestFields {
        force_hosts: list(names),
        ..RequestFields::default()
    };
    assert_eq!(eligible(force(&["b", "A"])), (vec![0, 1], false));
    assert_eq!(eligible(force(&["gone"])), (vec![], false));
}

#[test]
fn forced_nodes_are_exact_and_on_top_of_forced_hosts() {
    let force = |hosts, nodes| RequestFields {
        force_hosts: list(hosts),
        force_nodes: list(nodes),
        ..RequestFields::default()
    };
    assert_eq!(eligible(force(&[], &["c2", "a"])), (vec![0, 3], false));
    assert_eq!(eligible(force(&["c"], &["c2", "a"])), (vec![3], false));
    assert_eq!(eligible(force(&[], &["C2"])), (vec![], false));
}

#[test]
fn an_ignored_host_cannot_be_forced() {
    let (ignore_hosts, force_hosts) = (list(&["a"]), list(&["a", "c"]));
    let request = RequestFields {
        ignore_hosts,
        force_hosts,
        ..RequestFields::default()
    };
    assert_eq!(eligible(request), (vec![2, 3], false));
}

#[test]
fn filters_run_for_a_check_of_a_forced_host() {
    let force_hosts = list(&["a"]);
    let rebuild = RequestFields {
        force_hosts: force_hosts.clone(),
        is_rebuild: true,
        ..RequestFields::default()
    };
    assert_eq!(eligible(rebuild), (vec![0], true));
    let scheduler_hints = vec![("_nova_check_type".to_owned(), "live_migrate".to_owned())];
    assert_eq!(
        eligible(RequestFields {
            force_hosts,
            scheduler_hints,
            ..RequestFields::default()
        }),
        (vec![0], true)
    );
}
