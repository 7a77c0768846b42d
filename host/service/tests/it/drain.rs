//! A drain ends when the last guard is gone, or when the grace period is over.

use std::time::Duration;

use longshore_service::{Drain, DrainEnd};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_guards() {
    let (trigger, drain) = Drain::new();
    assert!(!drain.is_draining() && drain.remaining().is_none());
    let (one, two) = (drain.guard(), drain.clone().guard());
    assert_eq!(trigger.guards(), 2);
    let heard = drain.clone();
    let heard = tokio::spawn(async move { heard.started().await });
    trigger.start(Duration::from_secs(60));
    heard.await.unwrap();
    assert!(drain.is_draining());
    assert_eq!(drain.remaining(), Some(Duration::from_secs(60)));
    let finished = tokio::spawn(async move { trigger.finished().await });
    drop(one);
    tokio::task::yield_now().await;
    assert!(!finished.is_finished());
    drop(two);
    assert_eq!(finished.await.unwrap(), DrainEnd::Clean);
}

#[tokio::test(start_paused = true)]
async fn a_drain_honours_the_grace_period() {
    let (trigger, drain) = Drain::new();
    let _kept = drain.guard();
    let start = Instant::now();
    trigger.start(Duration::from_secs(60));
    // Only the first start counts.
    trigger.start(Duration::from_secs(1));
    assert_eq!(trigger.finished().await, DrainEnd::CutShort);
    assert_eq!(start.elapsed().as_secs(), 60);
    assert_eq!(drain.within(std::future::pending::<()>()).await, None);
    assert_eq!(drain.within(async { 1 }).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn zero_grace_has_no_limit() {
    let (trigger, drain) = Drain::new();
    trigger.start(Duration::ZERO);
    let guard = drain.guard();
    assert_eq!(drain.remaining(), None);
    let finished = tokio::spawn(async move { trigger.finished().await });
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    assert!(!finished.is_finished());
    drop(guard);
    assert_eq!(finished.await.unwrap(), DrainEnd::Clean);
}
