//! Runs a service's periodic tasks, one after the other.
//!
//! A slow task delays the others instead of running beside them, so tasks of one service need no
//! locks against each other. Runs missed meanwhile are one run. A task that fails or panics is
//! logged and runs again at its next time.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use longshore_messaging::panics;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::{self, Instant, Random};
use crate::codes;
use crate::error::ServiceError;

/// Spacing of a task that names none, and the longest pause between two looks at the table.
pub const DEFAULT_SPACING: Duration = Duration::from_secs(60);
/// The jitter is at most the spacing divided by this: 5 %.
const JITTER_DIVISOR: f64 = 20.0;

/// A future that can be stored and sent.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Something to do every so often.
#[derive(Clone)]
pub struct PeriodicTask {
    /// Name in the log, `<manager>.<method>`.
    pub name: String,
    /// Time between two runs; zero means [`DEFAULT_SPACING`].
    pub spacing: Duration,
    /// Due at once when the service starts, instead of one spacing later.
    pub run_immediately: bool,
    /// Makes one run.
    pub run: Arc<dyn Fn() -> BoxFuture<Result<(), ServiceError>> + Send + Sync>,
}

impl PeriodicTask {
    /// A task that first runs one spacing after the start.
    pub fn new<F, Fut>(name: impl Into<String>, spacing: Duration, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), ServiceError>> + Send + 'static,
    {
        let run = Arc::new(move || Box::pin(run()) as BoxFuture<_>);
        Self {
            name: name.into(),
            spacing,
            run_immediately: false,
            run,
        }
    }

    /// Due at once when the service starts.
    #[must_use]
    pub fn immediately(mut self) -> Self {
        self.run_immediately = true;
        self
    }
}

/// The running periodic tasks of one service. Dropping it ends them at their next wait point.
pub struct PeriodicTasks {
    stop: CancellationToken,
    runner: JoinHandle<()>,
}

impl PeriodicTasks {
    /// Starts the tasks after a random delay of whole seconds from 0 to `fuzzy_delay`, so that the
    /// services of a site that starts at once do not work in step.
    pub fn start(tasks: Vec<PeriodicTask>, fuzzy_delay: Duration) -> Self {
        let mut random = Random::new();
        let delay = Duration::from_secs(random.up_to(fuzzy_delay.as_secs()));
        let table = Table::new(tasks, random);
        let stop = CancellationToken::new();
        let runner = tokio::spawn(table.run(delay, stop.clone()));
        Self { stop, runner }
    }

    /// Starts no further run; does not wait.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits for the run in progress, after [`stop`](Self::stop). Unbounded by itself; cancel safe.
    pub async fn wait(&mut self) {
        if !self.runner.is_finished() {
            let _ = (&mut self.runner).await;
        }
    }
}

impl Drop for PeriodicTasks {
    fn drop(&mut self) {
        self.runner.abort();
    }
}

/// The time from which the next spacing counts, after a run due since `last_run + spacing`.
///
/// It lies on the task's own grid, so a late run does not shift the later ones, plus a jitter of
/// whole seconds below 5 % of the spacing; `fraction` is a random number from 0 to 1.
pub fn last_run_after(
    now: Instant,
    last_run: Option<Instant>,
    spacing: Duration,
    fraction: f64,
) -> Instant {
    let Some(last_run) = last_run else { return now };
    let late = (now - last_run).as_nanos() % spacing.as_nanos().max(1);
    let late = Duration::from_nanos(u64::try_from(late).unwrap_or(u64::MAX));
    let jitter = (spacing.as_secs_f64() * fraction / JITTER_DIVISOR) as u64;
    now.checked_sub(late).unwrap_or(now) + Duration::from_secs(jitter)
}

struct Row {
    task: PeriodicTask,
    spacing: Duration,
    last_run: Option<Instant>,
}

impl Row {
    /// When the task is due; none if it was never run and is due at once.
    fn due(&self) -> Option<Instant> {
        self.last_run.map(|last_run| last_run + self.spacing)
    }
}

struct Table {
    rows: Vec<Row>,
    random: Random,
}

impl Table {
    fn new(tasks: Vec<PeriodicTask>, random: Random) -> Self {
        let start = clock::now();
        let row = |task: PeriodicTask| Row {
            spacing: if task.spacing.is_zero() {
                DEFAULT_SPACING
            } else {
                task.spacing
            },
            last_run: (!task.run_immediately).then_some(start),
            task,
        };
        Self {
            rows: tasks.into_iter().map(row).collect(),
            random,
        }
    }

    async fn run(mut self, delay: Duration, stop: CancellationToken) {
        let mut next = clock::now() + delay;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(next) => {}
            }
            next = self.pass(&stop).await;
        }
    }

    /// Runs what is due, in order; gives the time of the next look.
    async fn pass(&mut self, stop: &CancellationToken) -> Instant {
        for row in &mut self.rows {
            let now = clock::now();
            if stop.is_cancelled() {
                break;
            }
            if row.due().is_none_or(|due| due <= now) {
                let fraction = self.random.fraction();
                row.last_run = Some(last_run_after(now, row.last_run, row.spacing, fraction));
                run_logged(&row.task).await;
            }
        }
        let latest = clock::now() + DEFAULT_SPACING;
        self.rows
            .iter()
            .filter_map(Row::due)
            .fold(latest, Instant::min)
    }
}

async fn run_logged(task: &PeriodicTask) {
    let name = &task.name;
    tracing::debug!("running periodic task {name}");
    // The call is inside the future as well: making the run may panic, too.
    match panics::catch(async { (task.run)().await }).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(
                code = error.code(),
                "Error during {name}: {}",
                error.chain()
            );
        }
        Err(panic) => {
            let code = codes::PANICKED;
            tracing::error!(code, "Error during {name}: it panicked: {panic:?}");
        }
    }
}
