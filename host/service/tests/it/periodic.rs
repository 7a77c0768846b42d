//! When periodic tasks run: in order, on their own grid, missed runs as one.

use std::time::Duration;

use longshore_service::clock::Random;
use longshore_service::periodic::last_run_after;
use longshore_service::{PeriodicTask, PeriodicTasks};
use tokio::time::Instant;

use crate::support::{Journal, failed, journal};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A task that notes its name and the second it ran at.
fn noting(journal: &Journal, name: &'static str, spacing: u64) -> PeriodicTask {
    let (journal, start) = (journal.clone(), Instant::now());
    PeriodicTask::new(name, seconds(spacing), move || {
        journal.note(format!("{name}@{}", start.elapsed().as_secs()));
        async { Ok(()) }
    })
}

#[tokio::test(start_paused = true)]
async fn tasks_due_together_run_in_order_and_each_at_its_spacing() {
    let (journal, mut events) = journal();
    let tasks = vec![
        noting(&journal, "a", 10),
        noting(&journal, "b", 15).immediately(),
        noting(&journal, "c", 10),
    ];
    let mut running = PeriodicTasks::start(tasks, Duration::ZERO);
    for event in [
        "b@0", "a@10", "c@10", "b@15", "a@20", "c@20", "a@30", "b@30", "c@30",
    ] {
        assert_eq!(events.next().await, event);
    }
    running.stop();
    running.wait().await;
    running.wait().await;
    tokio::time::advance(seconds(100)).await;
    assert!(events.so_far().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_spacing_of_zero_means_a_minute() {
    let (journal, mut events) = journal();
    let _running = PeriodicTasks::start(vec![noting(&journal, "a", 0)], Duration::ZERO);
    let at: u64 = events
        .next()
        .await
        .strip_prefix("a@")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(at, 60);
}

#[tokio::test(start_paused = true)]
async fn runs_missed_behind_a_slow_task_are_one_run_and_the_grid_stays() {
    let (journal, mut events) = journal();
    let slow = journal.clone();
    let mut first = true;
    let lengths = std::sync::Mutex::new(move || std::mem::take(&mut first));
    let slow = PeriodicTask::new("slow", seconds(5), move || {
        slow.note("slow");
        let length = if (lengths.lock().unwrap())() { 33 } else { 0 };
        async move {
            tokio::time::sleep(seconds(length)).await;
            Ok(())
        }
    });
    let tasks = vec![slow, noting(&journal, "quick", 5)];
    let _running = PeriodicTasks::start(tasks, Duration::ZERO);
    let mut quick = Vec::new();
    while quick.len() < 3 {
        let event = events.next().await;
        if event.starts_with("quick") {
            quick.push(event);
        }
    }
    // Due at 5, delayed to 38 by the slow task, then on the grid of five seconds again.
    assert_eq!(quick, ["quick@38", "quick@40", "quick@45"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_or_panics_runs_again_and_does_not_stop_the_others() {
    let (journal, mut events) = journal();
    let fails = PeriodicTask::new("demo.fails", seconds(10), || async { Err(failed("task")) });
    let panics = PeriodicTask::new("demo.panics", seconds(10), || async { panic!("told to") });
    let never_made = PeriodicTask {
        run: std::sync::Arc::new(|| panic!("before the future is made")),
        ..fails.clone()
    };
    let tasks = vec![fails, panics, never_made, noting(&journal, "last", 10)];
    let _running = PeriodicTasks::start(tasks, Duration::ZERO);
    assert_eq!(events.next().await, "last@10");
    assert_eq!(events.next().await, "last@20");
}

#[tokio::test(start_paused = true)]
async fn the_start_is_delayed_by_whole_seconds_up_to_the_bound() {
    for _ in 0..20 {
        let (journal, mut events) = journal();
        let tasks = vec![noting(&journal, "a", 10).immediately()];
        let _running = PeriodicTasks::start(tasks, seconds(3));
        let event = events.next().await;
        assert!(
            ["a@0", "a@1", "a@2", "a@3"].contains(&event.as_str()),
            "{event}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_run_counts_from_the_grid_with_a_jitter_below_five_per_cent() {
    let start = Instant::now();
    let at = |second: u64| start + seconds(second);
    let mut random = Random::seeded(1);
    for (now, spacing, fraction, expected) in [
        (10, 10, 0.0, 10),
        (14, 10, 0.0, 10),
        (35, 10, 0.0, 30),
        (10, 10, 0.999, 10), // no jitter below a spacing of 20 s
        (20, 20, 0.999, 20),
        (105, 100, 0.999, 104),
        (105, 100, 0.5, 102),
        (600, 600, 0.999, 629),
    ] {
        let last = last_run_after(at(now), Some(start), seconds(spacing), fraction);
        assert_eq!(last, at(expected), "at {now} with spacing {spacing}");
    }
    assert_eq!(last_run_after(at(7), None, seconds(60), 0.9), at(7));
    for _ in 0..1000 {
        let last = last_run_after(at(600), Some(start), seconds(600), random.fraction());
        assert!(last >= at(600) && last < at(630));
        assert!(random.up_to(3) <= 3);
    }
    assert_eq!(Random::seeded(7).fraction(), Random::seeded(7).fraction());
}
