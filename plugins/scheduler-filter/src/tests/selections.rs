//! What is chosen, in which order things happen, and how it fails.

use super::fleet::{options, rows, Fleet};
use longshore_plugin_api::{Category, SelectOptions};

#[test]
fn the_best_host_is_chosen_and_counted_before_the_next_choice() {
    let fleet = Fleet::new(&[(1, 0.0), (2, 3.0), (2, 1.0)]);
    let selections = fleet.select(&options(3)).unwrap();
    assert_eq!(
        selections.iter().map(|s| rows(s)[0]).collect::<Vec<_>>(),
        [1, 1, 2]
    );
    let expected = [
        "filter 0: [0, 1, 2]",
        "weigh",
        "consume 1",
        "filter 1: [0, 1, 2]",
        "weigh",
        "consume 1",
        "filter 2: [0, 1, 2]",
        "weigh",
        "consume 2",
    ];
    assert_eq!(fleet.asked(), expected);
}

#[test]
fn each_instance_starts_from_what_the_one_before_has_left() {
    let mut fleet = Fleet::new(&[(1, 9.0), (2, 0.0), (0, 99.0), (5, 0.0)]);
    fleet.eligible = vec![0b0111];
    fleet.select(&options(3)).unwrap();
    let filters: Vec<_> = fleet
        .asked()
        .into_iter()
        .filter(|a| a.starts_with("filter"))
        .collect();
    assert_eq!(
        filters,
        ["filter 0: [0, 1, 2]", "filter 1: [0, 1]", "filter 2: [1]"]
    );
}

#[test]
fn equal_hosts_are_taken_in_row_order() {
    let fleet = Fleet::new(&[(1, 0.0); 70]);
    let selections = fleet.select(&options(70)).unwrap();
    assert_eq!(
        selections.iter().map(|s| rows(s)[0]).collect::<Vec<_>>(),
        (0..70).collect::<Vec<_>>()
    );
}

#[test]
fn one_host_is_not_weighed() {
    let fleet = Fleet::new(&[(0, 0.0), (1, 0.0)]);
    assert_eq!(rows(&fleet.select(&options(1)).unwrap()[0]), [1]);
    assert_eq!(fleet.asked(), ["filter 0: [0, 1]", "consume 1"]);
}

#[test]
fn nothing_asked_is_nothing_answered() {
    let fleet = Fleet::new(&[(1, 0.0)]);
    assert!(fleet.select(&options(0)).unwrap().is_empty());
    assert!(fleet.asked().is_empty());
}

#[test]
fn ten_thousand_instances_get_their_hosts_and_one_too_many_gets_none() {
    let slots = 2_500;
    let fleet = Fleet::new(&[(slots, 0.0); 4]);
    let selections = fleet.select(&options(10_000)).unwrap();
    assert_eq!(selections.len(), 10_000);
    for host in 0..4 {
        let here = selections.iter().filter(|one| rows(one)[0] == host);
        assert_eq!(here.count(), slots as usize);
    }
    let error = Fleet::new(&[(slots, 0.0); 4]).select(&options(10_001));
    assert_eq!(error.unwrap_err().category(), Category::NoValidHost);
}

#[test]
fn too_few_hosts_is_an_error_that_counts_them() {
    let fleet = Fleet::new(&[(1, 0.0), (1, 0.0), (0, 0.0)]);
    let error = fleet.select(&options(5)).unwrap_err();
    assert_eq!(error.category(), Category::NoValidHost);
    assert_eq!(
        error.message(),
        "not enough hosts: 2 of 5 instances have a host, \
         the filters left 0 of 3 eligible hosts for the next"
    );
    assert!(error.help().is_some());
}

#[test]
fn no_eligible_host_is_told_apart_from_filters_that_leave_none() {
    let mut fleet = Fleet::new(&[(1, 0.0), (1, 0.0)]);
    fleet.eligible = vec![0];
    let error = fleet.select(&options(1)).unwrap_err();
    assert_eq!(
        error.message(),
        "not enough hosts: 0 of 1 instances have a host, the request allows 0 of 2 hosts"
    );
    let error = Fleet::new(&[]).select(&options(1)).unwrap_err();
    assert_eq!(error.category(), Category::NoValidHost);
}

#[test]
fn alternates_of_one_instance_are_the_next_best() {
    let fleet = Fleet::new(&[(1, 1.0), (1, 5.0), (1, 3.0), (0, 9.0), (1, 4.0)]);
    let select = |alternates| {
        fleet
            .select(&SelectOptions {
                alternates,
                ..options(1)
            })
            .unwrap()
    };
    assert_eq!(rows(&select(2)[0]), [1, 4, 2]);
    let fleet = Fleet::new(&[(1, 1.0), (1, 5.0)]);
    let selections = fleet
        .select(&SelectOptions {
            alternates: u32::MAX,
            ..options(1)
        })
        .unwrap();
    assert_eq!(rows(&selections[0]), [1, 0], "no more than there are");
}

#[test]
fn alternates_of_several_instances_avoid_every_chosen_host() {
    let fleet = Fleet::new(&[(2, 9.0), (2, 7.0), (2, 3.0), (2, 1.0)]);
    let selections = fleet
        .select(&SelectOptions {
            alternates: 2,
            ..options(3)
        })
        .unwrap();
    let all: Vec<_> = selections.iter().map(rows).collect();
    assert_eq!(all, [[0, 2, 3], [0, 2, 3], [1, 2, 3]]);
}

#[test]
fn the_subset_is_chosen_from_at_random_and_the_seed_decides() {
    let choose = |seed| {
        let fleet = Fleet::new(&[(1, 5.0), (1, 4.0), (1, 3.0), (1, 2.0)]);
        let options = SelectOptions {
            host_subset_size: 3,
            alternates: 1,
            seed,
            ..options(1)
        };
        rows(&fleet.select(&options).unwrap()[0])
    };
    let chosen: Vec<_> = (0..100).map(|seed| choose(seed)[0]).collect();
    assert!((0..3).all(|row| chosen.contains(&row)), "{chosen:?}");
    assert!(!chosen.contains(&3));
    assert!((0..100).all(|seed| choose(seed) == choose(seed)));
    let next_best = |rows: &[usize]| rows[1] == usize::from(rows[0] == 0);
    assert!((0..100).all(|seed| next_best(&choose(seed))));
}

#[test]
fn equals_of_the_best_are_shuffled_when_asked_for() {
    let choose = |seed| {
        let fleet = Fleet::new(&[(1, 0.0), (1, 5.0), (1, 5.0), (1, 5.0)]);
        let options = SelectOptions {
            shuffle_best_same_weighed_hosts: true,
            seed,
            ..options(1)
        };
        rows(&fleet.select(&options).unwrap()[0])[0]
    };
    let chosen: Vec<_> = (0..100).map(choose).collect();
    assert!(
        (1..4).all(|row| chosen.contains(&row)) && !chosen.contains(&0),
        "{chosen:?}"
    );
}

#[test]
fn a_failure_of_what_was_lent_ends_the_request() {
    let mut fleet = Fleet::new(&[(1, 5.0), (1, 0.0)]);
    fleet.broken = Some(0);
    assert_eq!(fleet.select(&options(2)).unwrap_err().message(), "broken");
    let mut fleet = Fleet::new(&[(1, 0.0)]);
    fleet.eligible = vec![1, 1];
    let message = fleet.select(&options(1)).unwrap_err().message().to_owned();
    assert_eq!(
        message,
        "the mask of eligible hosts has 2 words, and the table 1 hosts"
    );
}

#[test]
fn a_deadline_that_has_passed_ends_the_request() {
    use longshore_plugin_api::{testing, RequestFields, Scheduler};
    let driver = crate::select::FilterScheduler::default();
    let fleet = Fleet::new(&[(1, 0.0)]);
    let request = RequestFields::default().into();
    let end = driver.select_destinations(&testing::late_call(), &request, &options(1), &fleet);
    assert_eq!(end.unwrap_err().category(), Category::Timeout);
    assert!(fleet.asked().is_empty());
}
