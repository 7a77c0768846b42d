//! Services start in order and stop in reverse, and none holds up the exit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_service::{Drain, DrainEnd, Launchable, Launcher, ServiceError};
use tokio::time::Instant;

use crate::support::{Events, Journal, failed, journal};

struct Fake {
    name: &'static str,
    journal: Journal,
    start_fails: bool,
    reset_fails: bool,
    never_stops: bool,
}

#[async_trait]
impl Launchable for Fake {
    fn name(&self) -> &str {
        self.name
    }

    async fn start(&self) -> Result<(), ServiceError> {
        self.journal.note(format!("start {}", self.name));
        if self.start_fails {
            Err(failed(self.name))
        } else {
            Ok(())
        }
    }

    async fn stop(&self, drain: &Drain) -> Result<(), ServiceError> {
        assert!(drain.is_draining());
        self.journal.note(format!("stop {}", self.name));
        if self.never_stops {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn reset(&self) -> Result<(), ServiceError> {
        self.journal.note(format!("reset {}", self.name));
        if self.reset_fails {
            Err(failed(self.name))
        } else {
            Ok(())
        }
    }
}

/// Three services `a`, `b`, `c`; `change` may spoil them.
fn launcher(grace: u64, change: impl Fn(&mut Fake)) -> (Launcher, Events) {
    let (journal, events) = journal();
    let mut launcher = Launcher::new(Duration::from_secs(grace));
    for name in ["a", "b", "c"] {
        let journal = journal.clone();
        let mut fake = Fake {
            name,
            journal,
            start_fails: false,
            reset_fails: false,
            never_stops: false,
        };
        change(&mut fake);
        launcher = launcher.with(Arc::new(fake));
    }
    (launcher, events)
}

#[tokio::test(start_paused = true)]
async fn services_stop_in_reverse_order() {
    let (launcher, mut events) = launcher(60, |_| {});
    launcher.start().await.unwrap();
    assert_eq!(launcher.stop().await, DrainEnd::Clean);
    let expected = [
        "start a", "start b", "start c", "stop c", "stop b", "stop a",
    ];
    assert_eq!(events.so_far(), expected);
    assert_eq!(launcher.stop().await, DrainEnd::Clean);
    assert_eq!(
        launcher.start().await.unwrap_err().code(),
        "service/stopping"
    );
    assert!(events.so_far().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_to_start_is_reported_and_the_others_are_stopped() {
    let (launcher, mut events) = launcher(60, |fake| fake.start_fails = fake.name == "b");
    let error = launcher.start().await.unwrap_err();
    assert_eq!(error.to_string(), "`b` was told to fail");
    assert_eq!(events.so_far(), ["start a", "start b", "stop a"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_stops_is_left_behind_after_the_grace_period() {
    let (launcher, mut events) = launcher(60, |fake| fake.never_stops = fake.name != "a");
    launcher.start().await.unwrap();
    let start = Instant::now();
    assert_eq!(launcher.stop().await, DrainEnd::CutShort);
    assert_eq!(start.elapsed().as_secs(), 62);
    assert_eq!(events.so_far()[3..], ["stop c", "stop b", "stop a"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_guards_outside_of_services() {
    let (launcher, _events) = launcher(5, |_| {});
    let guard = launcher.drain().guard();
    assert_eq!(launcher.stop().await, DrainEnd::CutShort);
    drop(guard);
    assert_eq!(launcher.stop().await, DrainEnd::Clean);
}

#[tokio::test]
async fn a_reset_reaches_every_service_and_reports_the_first_error() {
    let (launcher, mut events) = launcher(60, |fake| fake.reset_fails = fake.name != "a");
    let error = launcher.reset().await.unwrap_err();
    assert_eq!(error.to_string(), "`b` was told to fail");
    assert_eq!(events.so_far(), ["reset a", "reset b", "reset c"]);
}
