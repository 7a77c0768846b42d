//! Heartbeats go on whatever happens, and say once that they are lost and once that they are back.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use longshore_service::{Heartbeat, Member, RecordsGroup, ServiceGroupJoin, ServiceRecords};
use tokio::time::Instant;

use crate::support::{Records, journal};

fn member(seconds: u64) -> Member {
    Member {
        host: "host1".into(),
        binary: "longshore-demo".into(),
        topic: "demo".into(),
        report_interval: Duration::from_secs(seconds),
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_heartbeat_comes_at_once_and_then_one_each_interval() {
    let (journal, mut events) = journal();
    let records = Arc::new(Records {
        journal,
        broken: AtomicBool::new(false),
    });
    let start = Instant::now();
    let heartbeat = Heartbeat::start(records, member(10));
    for n in 0..4 {
        assert_eq!(events.next().await, "beat");
        assert_eq!(start.elapsed().as_secs(), n * 10);
    }
    heartbeat.stop().await;
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(events.so_far().is_empty());
}

#[tokio::test]
async fn an_interval_of_zero_means_no_heartbeats() {
    let (journal, mut events) = journal();
    let records: Arc<dyn ServiceRecords> = Arc::new(Records {
        journal,
        broken: AtomicBool::new(false),
    });
    let joined = RecordsGroup::new(records).join(member(0)).await.unwrap();
    assert!(joined.is_none() && events.so_far().is_empty());
}

/// What this process logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// The one subscriber of the process. Every test that loses heartbeats forces it first: a call
/// site that is first reached on a thread without subscriber is switched off for all threads.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log
});

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_heartbeat_is_logged_once_when_lost_and_once_when_recovered() {
    let log = LazyLock::force(&LOG);
    let (journal, mut events) = journal();
    let records = Arc::new(Records {
        journal,
        broken: AtomicBool::new(true),
    });
    let logged = Member {
        host: "host-logged".into(),
        ..member(10)
    };
    let heartbeat = Heartbeat::start(Arc::clone(&records) as Arc<dyn ServiceRecords>, logged);
    let mut lost = heartbeat.lost();
    lost.wait_for(|lost| *lost).await.unwrap();
    for _ in 0..3 {
        events.next().await;
    }
    records.broken.store(false, Ordering::SeqCst);
    lost.wait_for(|lost| !*lost).await.unwrap();
    for _ in 0..3 {
        events.next().await;
    }
    let bytes = log.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    // Other tests log beside this one; only its own host counts.
    let own = text
        .lines()
        .filter(|line| line.contains("host=\"host-logged\""));
    let lines: Vec<&str> = own.map(str::trim).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("WARN lost the way to report the state"),
        "{text}"
    );
    assert!(lines[0].contains("code=\"service/report-lost\"") && lines[0].contains("`beat`"));
    assert!(lines[1].starts_with("INFO recovered"), "{text}");
}

/// Hangs in the first heartbeat, panics in the second, works from the third on.
struct Erratic(std::sync::atomic::AtomicU32);

#[async_trait::async_trait]
impl ServiceRecords for Erratic {
    async fn register(
        &self,
        _host: &str,
        _binary: &str,
        _topic: &str,
    ) -> Result<(), longshore_service::ServiceError> {
        Ok(())
    }

    async fn report_state(
        &self,
        _host: &str,
        _binary: &str,
    ) -> Result<(), longshore_service::ServiceError> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => std::future::pending().await,
            1 => panic!("told to"),
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_that_hangs_or_panics_does_not_stop_the_timer() {
    LazyLock::force(&LOG);
    let heartbeat = Heartbeat::start(Arc::new(Erratic(0.into())), member(10));
    let mut lost = heartbeat.lost();
    lost.wait_for(|lost| *lost).await.unwrap();
    lost.wait_for(|lost| !*lost).await.unwrap();
}
