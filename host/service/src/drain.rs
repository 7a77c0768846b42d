//! A stop as a value: who starts it, who hears of it, and who delays its end.
//!
//! Handed down to everything that takes work. It knows no services; the launcher holds the
//! trigger, request handlers hold guards.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{self, Instant};

/// Hears of a drain; cheap to clone.
#[derive(Clone)]
pub struct Drain {
    shared: Arc<Shared>,
}

/// Starts a drain and waits for its end.
pub struct DrainTrigger {
    shared: Arc<Shared>,
}

/// Work in progress: the drain does not end before it is dropped, within the grace period.
pub struct DrainGuard {
    shared: Arc<Shared>,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// All work was finished.
    Clean,
    /// The grace period ended first; the program exits with code 6.
    CutShort,
}

struct Shared {
    /// None until the drain starts.
    started: watch::Sender<Option<Started>>,
    guards: watch::Sender<usize>,
}

#[derive(Clone, Copy)]
struct Started {
    /// None: no limit.
    deadline: Option<Instant>,
}

impl Drain {
    /// A drain not started yet.
    pub fn new() -> (DrainTrigger, Self) {
        let (started, _) = watch::channel(None);
        let (guards, _) = watch::channel(0);
        let shared = Arc::new(Shared { started, guards });
        (
            DrainTrigger {
                shared: Arc::clone(&shared),
            },
            Self { shared },
        )
    }

    /// Whether the drain has started: take no new work.
    pub fn is_draining(&self) -> bool {
        self.shared.started.borrow().is_some()
    }

    /// Waits until the drain starts.
    pub async fn started(&self) {
        self.start_time().await;
    }

    /// What is left of the grace period; none before the start or without a limit.
    pub fn remaining(&self) -> Option<Duration> {
        let started = *self.shared.started.borrow();
        Some(started?.deadline?.saturating_duration_since(clock::now()))
    }

    /// Marks work in progress. Work that belongs to a request taken before may begin during the
    /// drain, so a guard can be had at any time.
    pub fn guard(&self) -> DrainGuard {
        self.shared.guards.send_modify(|count| *count += 1);
        DrainGuard {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Runs `work` to its end, or gives none when the grace period ends first.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.expired() => None,
        }
    }

    /// Waits until the grace period is over; for ever if it has no end.
    pub async fn expired(&self) {
        match self.start_time().await.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    async fn start_time(&self) -> Started {
        let mut started = self.shared.started.subscribe();
        // The sender lives in `shared`, which this borrows: the channel cannot close meanwhile.
        let started = started
            .wait_for(Option::is_some)
            .await
            .map(|started| *started);
        match started {
            Ok(Some(started)) => started,
            _ => std::future::pending().await,
        }
    }
}

impl DrainTrigger {
    /// Starts the drain; zero grace means no limit. Only the first start counts.
    pub fn start(&self, grace: Duration) {
        let deadline = (!grace.is_zero())
            .then(|| clock::now().checked_add(grace))
            .flatten();
        self.shared.started.send_if_modified(|started| {
            let first = started.is_none();
            if first {
                *started = Some(Started { deadline });
            }
            first
        });
    }

    /// Waits for a started drain: until no guard is left, or the grace period is over.
    pub async fn finished(&self) -> DrainEnd {
        let drain = Drain {
            shared: Arc::clone(&self.shared),
        };
        drain.started().await;
        let mut guards = self.shared.guards.subscribe();
        let idle = drain
            .within(guards.wait_for(|count| *count == 0))
            .await
            .is_some();
        if idle {
            DrainEnd::Clean
        } else {
            DrainEnd::CutShort
        }
    }

    /// How much work is in progress.
    pub fn guards(&self) -> usize {
        *self.shared.guards.borrow()
    }
}

impl Drop for DrainGuard {
    fn drop(&mut self) {
        self.shared.guards.send_modify(|count| *count -= 1);
    }
}
