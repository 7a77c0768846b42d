//! Joins a service to its group: a record that it exists, and heartbeats that it lives.
//!
//! The record is behind [`ServiceRecords`], which higher layers implement over the database or
//! over the conductor; nothing here knows which. Losing the records never ends the heartbeats.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::panics;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::codes;
use crate::error::ServiceError;

/// Longest time one heartbeat may take before it counts as failed.
pub const REPORT_TIMEOUT: Duration = Duration::from_secs(60);

/// The records of services, wherever they are kept.
#[async_trait]
pub trait ServiceRecords: Send + Sync {
    /// Makes the record of `binary` on `host`, or brings an existing one up to date. MUST succeed
    /// when a sibling makes the same record at the same time.
    async fn register(&self, host: &str, binary: &str, topic: &str) -> Result<(), ServiceError>;

    /// Notes that the service lives now.
    async fn report_state(&self, host: &str, binary: &str) -> Result<(), ServiceError>;
}

/// Who joins a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name of the host, which is the RPC server name.
    pub host: String,
    /// Name of the program, for example `longshore-scheduler`.
    pub binary: String,
    /// Topic of the service.
    pub topic: String,
    /// Time between heartbeats; zero means none.
    pub report_interval: Duration,
}

/// How a service becomes known to the others.
#[async_trait]
pub trait ServiceGroupJoin: Send + Sync {
    /// Makes the service's record, before it takes messages.
    async fn register(&self, member: &Member) -> Result<(), ServiceError>;

    /// Begins to report that the member lives; none if its interval is zero.
    async fn join(&self, member: Member) -> Result<Option<Heartbeat>, ServiceError>;
}

/// The group kept in service records: each heartbeat is a write.
pub struct RecordsGroup {
    records: Arc<dyn ServiceRecords>,
}

impl RecordsGroup {
    /// The group in these records.
    pub fn new(records: Arc<dyn ServiceRecords>) -> Self {
        Self { records }
    }
}

#[async_trait]
impl ServiceGroupJoin for RecordsGroup {
    async fn register(&self, member: &Member) -> Result<(), ServiceError> {
        self.records
            .register(&member.host, &member.binary, &member.topic)
            .await
    }

    async fn join(&self, member: Member) -> Result<Option<Heartbeat>, ServiceError> {
        let records = Arc::clone(&self.records);
        let beats = !member.report_interval.is_zero();
        Ok(beats.then(|| Heartbeat::start(records, member)))
    }
}

/// The running heartbeats of one service. Dropping it ends them.
pub struct Heartbeat {
    stop: CancellationToken,
    timer: JoinHandle<()>,
    lost: watch::Receiver<bool>,
}

impl Heartbeat {
    /// Reports now and then at every interval of the member.
    pub fn start(records: Arc<dyn ServiceRecords>, member: Member) -> Self {
        let stop = CancellationToken::new();
        let (lost_tx, lost) = watch::channel(false);
        let timer = Timer {
            records,
            member,
            lost: lost_tx,
        };
        let timer = tokio::spawn(timer.run(stop.clone()));
        Self { stop, timer, lost }
    }

    /// Whether the last heartbeat failed; can be awaited.
    pub fn lost(&self) -> watch::Receiver<bool> {
        self.lost.clone()
    }

    /// Ends the heartbeats and waits for the timer's end. A heartbeat in progress is given up.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = (&mut self.timer).await;
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

struct Timer {
    records: Arc<dyn ServiceRecords>,
    member: Member,
    lost: watch::Sender<bool>,
}

impl Timer {
    async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.member.report_interval);
        // After an outage one heartbeat is worth as much as all that were missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let beats = async {
            loop {
                ticks.tick().await;
                self.note(self.report().await);
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = beats => {}
        }
    }

    async fn report(&self) -> Result<(), ServiceError> {
        let Member { host, binary, .. } = &self.member;
        let report = panics::catch(async { self.records.report_state(host, binary).await });
        match tokio::time::timeout(REPORT_TIMEOUT, report).await {
            Ok(Ok(reported)) => reported,
            Ok(Err(panic)) => {
                let text = format!("the heartbeat of `{binary}` panicked: {panic:?}");
                Err(ServiceError::new(codes::PANICKED, text))
            }
            Err(_) => {
                let text = format!("the heartbeat of `{binary}` took over {REPORT_TIMEOUT:?}");
                Err(ServiceError::new(codes::REPORT_TIMEOUT, text))
            }
        }
    }

    /// One line when reporting is lost and one when it is back, however long it lasts.
    fn note(&self, reported: Result<(), ServiceError>) {
        let Member { host, binary, .. } = &self.member;
        let was_lost = self.lost.send_replace(reported.is_err());
        match (was_lost, reported) {
            (false, Err(error)) => {
                let (code, why) = (codes::REPORT_LOST, error.chain());
                tracing::warn!(code, host, binary, why, "lost the way to report the state");
            }
            (true, Ok(())) => {
                tracing::info!(host, binary, "recovered, the state is reported again");
            }
            (true, Err(error)) => {
                tracing::debug!(host, binary, why = error.chain(), "still cannot report");
            }
            (false, Ok(())) => {}
        }
    }
}
