//! What `caching_scheduler` looks at: a list where it has one, all hosts where it must.

use super::fleet::{options, rows, Fleet};
use crate::caching::{CachingScheduler, KINDS_MAX};
use longshore_plugin_api::{testing, Category, RequestFields, Scheduler};
use std::path::Path;
use std::sync::Arc;

fn keeps(hosts: u32) -> Arc<dyn Scheduler> {
    let settings = format!(r#"{{"cached_hosts": {hosts}}}"#);
    testing::bridged::<dyn Scheduler, CachingScheduler>(&settings, Path::new("/nonexistent"))
        .unwrap()
}

fn forget(driver: &dyn Scheduler) {
    driver.run_periodic_tasks(&testing::call()).unwrap();
}

/// The hosts that one more instance was looked for on, and the one that it got.
fn place(fleet: &Fleet, driver: &dyn Scheduler, request: RequestFields) -> (String, usize) {
    let selections = fleet.select_by(driver, request, &options(1)).unwrap();
    let mut asked = fleet.asked().into_iter();
    let looked = asked.find(|what| what.starts_with("filter")).unwrap();
    (looked.replace("filter 0: ", ""), rows(&selections[0])[0])
}

fn any() -> RequestFields {
    RequestFields::default()
}

#[test]
fn the_best_hosts_are_looked_at_again_and_as_they_are_now() {
    let fleet = Fleet::new(&[(9, 1.0), (9, 5.0), (9, 3.0), (9, 4.0)]);
    let driver = keeps(2);
    assert_eq!(
        place(&fleet, &*driver, any()),
        ("[0, 1, 2, 3]".to_owned(), 1)
    );
    assert_eq!(place(&fleet, &*driver, any()), ("[1, 3]".to_owned(), 1));
    let fleet = Fleet::new(&[(0, 1.0), (3, 5.0), (0, 3.0), (9, 4.0)]);
    assert_eq!(
        place(&fleet, &*driver, any()),
        ("[1, 3]".to_owned(), 3),
        "what they have now"
    );
}

#[test]
fn hosts_that_came_free_are_seen_after_the_periodic_tasks() {
    let fleet = Fleet::new(&[(0, 9.0), (9, 5.0), (9, 4.0)]);
    let driver = keeps(2);
    assert_eq!(place(&fleet, &*driver, any()).1, 1);
    fleet.free(0, 9);
    assert_eq!(place(&fleet, &*driver, any()), ("[1, 2]".to_owned(), 1));
    forget(&*driver);
    assert_eq!(place(&fleet, &*driver, any()), ("[0, 1, 2]".to_owned(), 0));
}

#[test]
fn a_list_serves_as_many_instances_as_it_has_hosts() {
    let fleet = Fleet::new(&[(9, 1.0), (9, 5.0), (9, 3.0), (9, 4.0)]);
    let driver = keeps(3);
    let looked: Vec<String> = (0..6).map(|_| place(&fleet, &*driver, any()).0).collect();
    let (all, some) = ("[0, 1, 2, 3]", "[1, 2, 3]");
    assert_eq!(looked, [all, some, some, some, all, some]);
}

#[test]
fn all_hosts_are_looked_at_before_a_request_fails() {
    let fleet = Fleet::new(&[(1, 1.0), (2, 5.0), (1, 3.0)]);
    let driver = keeps(2);
    fleet.select_by(&*driver, any(), &options(1)).unwrap();
    fleet.asked();
    let selections = fleet.select_by(&*driver, any(), &options(2)).unwrap();
    assert_eq!(
        selections.iter().map(|s| rows(s)[0]).collect::<Vec<_>>(),
        [1, 2]
    );
    fleet.asked();
    let error = fleet.select_by(&*driver, any(), &options(2)).unwrap_err();
    assert_eq!(error.category(), Category::NoValidHost);
    let fleet = Fleet::new(&[(1, 1.0), (2, 9.0), (0, 3.0)]);
    let driver = keeps(2);
    fleet.select_by(&*driver, any(), &options(1)).unwrap();
    fleet.free(2, 1);
    fleet.asked();
    let found = fleet.select_by(&*driver, any(), &options(2)).unwrap();
    assert_eq!(found.iter().map(|s| rows(s)[0]).collect::<Vec<_>>(), [1, 0]);
    fleet.asked();
    assert_eq!(place(&fleet, &*driver, any()).1, 2);
}

#[test]
fn hosts_outside_of_the_list_are_filtered_as_for_a_first_instance() {
    let fleet = Fleet::new(&[(1, 9.0), (2, 8.0), (2, 1.0)]);
    let driver = keeps(2);
    fleet.select_by(&*driver, any(), &options(1)).unwrap();
    fleet.select_by(&*driver, any(), &options(1)).unwrap();
    forget(&*driver);
    fleet.free(0, 1);
    fleet.select_by(&*driver, any(), &options(1)).unwrap();
    fleet.asked();
    fleet.select_by(&*driver, any(), &options(2)).unwrap();
    let filters: Vec<String> = fleet
        .asked()
        .into_iter()
        .filter(|a| a.starts_with('f'))
        .collect();
    let expected = ["filter 0: [0, 1]", "filter 1: [1]", "filter 0: [0, 1, 2]"];
    assert_eq!(filters, expected);
}

#[test]
fn hosts_are_known_by_name_and_one_that_is_gone_is_passed_over() {
    let mut fleet = Fleet::new(&[(9, 9.0), (9, 8.0), (9, 1.0), (9, 7.0)]);
    let driver = keeps(3);
    place(&fleet, &*driver, any());
    fleet.remove(0);
    let selections = fleet.select_by(&*driver, any(), &options(1)).unwrap();
    assert_eq!(selections[0].chosen.host, "host-0002");
    assert_eq!(
        fleet.asked()[0],
        "filter 0: [0, 1]",
        "the last host has the first row"
    );
    let mut small = Fleet::new(&[(9, 9.0)]);
    small.remove(0);
    let error = small.select_by(&*driver, any(), &options(1)).unwrap_err();
    assert_eq!(error.category(), Category::NoValidHost);
}

#[test]
fn a_table_in_another_order_is_looked_at_anew() {
    let mut fleet = Fleet::new(&[(9, 0.0); 70]);
    let driver = keeps(70);
    place(&fleet, &*driver, any());
    let mut hosts = testing::hosts(70, |_, _| {});
    for row in 0..35 {
        hosts.swap_remove(row);
    }
    fleet.table = hosts.snapshot();
    fleet.eligible = longshore_plugin_api::full(35);
    fleet.eligible[0] &= !1;
    let looked = place_by_name(&fleet, &*driver);
    assert!(looked.starts_with("filter 0: [1, 2, 3"), "{looked}");
    assert!(looked.ends_with("34]"), "{looked}");
}

fn place_by_name(fleet: &Fleet, driver: &dyn Scheduler) -> String {
    fleet.select_by(driver, any(), &options(1)).unwrap();
    fleet.asked().remove(0)
}

#[test]
fn other_requests_have_lists_of_their_own_and_some_have_none() {
    let fleet = Fleet::new(&[(99, 1.0), (99, 5.0), (99, 3.0)]);
    let driver = keeps(1);
    let all = "[0, 1, 2]";
    let look = |request: RequestFields| place(&fleet, &*driver, request).0;
    assert_eq!((look(any()).as_str(), look(any()).as_str()), (all, "[1]"));
    let large = || RequestFields {
        memory_mb: 512,
        ..any()
    };
    assert_eq!(
        (look(large()).as_str(), look(large()).as_str()),
        (all, "[1]")
    );
    let name = || vec!["x".to_owned()];
    for request in [
        RequestFields {
            force_hosts: name(),
            ..any()
        },
        RequestFields {
            force_nodes: name(),
            ..any()
        },
        RequestFields {
            group_policies: name(),
            ..any()
        },
        RequestFields {
            is_rebuild: true,
            ..any()
        },
        RequestFields {
            requested_destination: Some(("x".into(), "x".into())),
            ..any()
        },
    ] {
        assert_eq!(
            (look(request.clone()).as_str(), look(request).as_str()),
            (all, all)
        );
    }
}

#[test]
fn there_are_only_so_many_lists() {
    let fleet = Fleet::new(&[(999, 0.0), (999, 999.0)]);
    let driver = keeps(1);
    let look = |root_gb| place(&fleet, &*driver, RequestFields { root_gb, ..any() }).0;
    for kind in 0..KINDS_MAX as u64 {
        assert_eq!(look(kind), "[0, 1]");
    }
    assert_eq!(look(0), "[1]");
    assert_eq!(look(KINDS_MAX as u64), "[0, 1]");
    assert_eq!(look(1), "[0, 1]", "one more, and all are forgotten");
}
