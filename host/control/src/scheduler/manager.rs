//! The scheduler's manager: takes requests, several at a time, and answers with hosts.
//!
//! A request that others are in the way of, time after time, runs once while no other does: so each one ends.
//! Must not write any record. Built by the wiring with its drivers; called by conductors through
//! `rpcapi.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{Endpoint, RequestContext};
use longshore_objects::{ObjectApi, RequestSpec};
use longshore_service::{Manager, PeriodicTask, ServiceError};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, Semaphore};
use uuid::Uuid;

use super::drivers::SchedulerDrivers;
use super::endpoint::SchedulerEndpoint;
use super::errors::SelectError;
use super::selection::claims::Claims;
use super::selection::group_policy;
use super::selection::select::{Asked, Choice, Selections, select_alone, select_beside};
use super::selection::turns::{Beside, Patience, Turns};
use super::view::instances::{Instances, newcomer};
use super::view::node_uuids::NodeUuids;
use super::view::refresh::View;
use super::watch::driver_threads::DriverThreads;
use super::watch::trail::{Method, Place, Who};
use crate::driver_call::DriverCalls;

/// Requests that wait or run at the same time.
pub const REQUESTS_MAX: usize = 64;
/// Instances in one request.
pub const INSTANCES_MAX: usize = 10_000;
/// Time between two runs of the driver's own periodic tasks.
pub(super) const DRIVER_TASKS_SPACING: Duration = Duration::from_secs(60);

/// Time between two looks for instances of hosts that do not report them.
const READ_INSTANCES_SPACING: Duration = Duration::from_secs(60);

/// What an operator chooses for a scheduler, with Nova's names and defaults.
#[derive(Clone, Debug)]
pub struct SchedulerConfig {
    /// Choose at random among this many best hosts.
    pub host_subset_size: u32,
    /// Shuffle hosts that are as good as the best one.
    pub shuffle_best_same_weighed_hosts: bool,
    /// Attempts to build an instance; one less alternates are named.
    pub max_attempts: u32,
    /// Compute services report their instances; else only records say where instances are.
    pub track_instance_changes: bool,
    /// Age of a heartbeat from which on a service counts as down; whole seconds.
    pub service_down_time: Duration,
    /// Longest time for one selection, and for waiting for others.
    pub select_timeout: Duration,
    /// Requests that run at the same time.
    pub workers: usize,
    /// Where chance starts. With it requests run one at a time, so that a run can be repeated.
    pub seed: Option<u64>,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            host_subset_size: 1,
            shuffle_best_same_weighed_hosts: false,
            max_attempts: 3,
            track_instance_changes: true,
            service_down_time: Duration::from_secs(60),
            select_timeout: Duration::from_secs(30),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            seed: None,
        }
    }
}

/// The manager of the service `scheduler`.
pub struct SchedulerManager {
    config: SchedulerConfig,
    objects: Arc<dyn ObjectApi>,
    threads: DriverThreads,
    instances: Arc<Instances>,
    places: Semaphore,
    turns: Turns,
    claims: Arc<Claims>,
    node_uuids: Arc<NodeUuids>,
    /// Goes to the thread on which the host manager is told, and comes back. When it does not, the next request begins
    /// with an empty view, which reads every record again.
    view: Mutex<View>,
    /// The telling was given up and has come back since: the host manager may have been told old news.
    is_stale: Arc<AtomicBool>,
}

impl SchedulerManager {
    /// A manager with these drivers, whose hosts come from these records.
    pub fn new(
        config: SchedulerConfig,
        drivers: SchedulerDrivers,
        objects: Arc<dyn ObjectApi>,
        calls: &DriverCalls,
    ) -> Self {
        let workers = config.seed.map_or(config.workers, |_| 1);
        Self {
            threads: DriverThreads {
                calls: calls.with_deadline(config.select_timeout),
                drivers: Arc::new(drivers),
            },
            config,
            instances: Arc::new(Instances::new(Arc::clone(&objects))),
            objects,
            places: Semaphore::new(REQUESTS_MAX),
            turns: Turns::new(workers),
            claims: Arc::default(),
            node_uuids: Arc::default(),
            view: Mutex::default(),
            is_stale: Arc::default(),
        }
    }

    /// Picks one host per instance. For each: the chosen host first, then alternates.
    ///
    /// # Errors
    /// Any [`SelectError`]; nothing stays consumed then.
    pub async fn select_destinations(
        &self,
        ctx: &RequestContext,
        mut spec: RequestSpec,
        uuids: Vec<String>,
    ) -> Result<Selections, SelectError> {
        if uuids.len() > INSTANCES_MAX {
            let text = format!("a request may name {INSTANCES_MAX} instances at most");
            return Err(SelectError::BadSpec(text));
        }
        group_policy::check(&self.threads.drivers, &spec)?;
        let Ok(_place) = self.places.try_acquire() else {
            return Err(SelectError::Busy(REQUESTS_MAX));
        };
        let patience = Patience::of(self.config.select_timeout);
        let _worker = self.turns.worker(&patience).await?;
        let choice = self.choice(&uuids);
        let beside = self.up_to_date(ctx, &patience).await?;
        self.instances.begin(&mut spec, &uuids);
        let request = Arc::new((spec, uuids, choice));
        let mut selected = self.select(ctx, &request, Some(&self.claims)).await?;
        drop(beside);
        if selected.is_none() {
            let _alone = self.turns.alone(&patience).await?;
            selected = self.select(ctx, &request, None).await?;
        }
        // Alone there is nobody in its way.
        let selections = selected.ok_or(SelectError::Waited(self.config.select_timeout))?;
        let (spec, uuids, _) = &*request;
        for (uuid, hosts) in uuids.iter().zip(&selections) {
            if let Some(chosen) = hosts.first() {
                self.instances.choose(chosen.host(), newcomer(spec, uuid));
            }
        }
        Ok(selections)
    }

    fn choice(&self, uuids: &[String]) -> Choice {
        let random = || Uuid::new_v4().as_u64_pair().0;
        let first = uuids.first().map_or("", String::as_str);
        Choice {
            host_subset_size: self.config.host_subset_size,
            shuffle_best_same_weighed_hosts: self.config.shuffle_best_same_weighed_hosts,
            alternates: self.config.max_attempts.saturating_sub(1),
            seed: self
                .config
                .seed
                .map_or_else(random, |seed| seed_of(seed, first)),
        }
    }

    /// Reads what changed, and tells the host manager of it before any other request goes on. Holds hosts where they are.
    async fn up_to_date(
        &self,
        ctx: &RequestContext,
        patience: &Patience,
    ) -> Result<Beside<'_>, SelectError> {
        let mut view = patience.wait(self.view.lock()).await?;
        if self.is_stale.swap(false, Ordering::Relaxed) {
            *view = View::default();
            self.instances.tell_again();
        }
        let down_time = i64::try_from(self.config.service_down_time.as_secs());
        let down_time = down_time.unwrap_or(i64::MAX);
        let read = view.read(self.objects.as_ref(), down_time).await;
        let has_news =
            read.map_err(|error| SelectError::Records(error.code().to_owned(), error.to_string()))?;
        if !has_news {
            return self.turns.beside(patience).await;
        }
        let alone = self.turns.alone(patience).await?;
        self.claims.begin_phase();
        let (mut taken, node_uuids) = (std::mem::take(&mut *view), Arc::clone(&self.node_uuids));
        let is_stale = Arc::clone(&self.is_stale);
        let told = self.threads.run(
            &ctx.request_id,
            TELL,
            move |trail, _| {
                let told = taken.apply(trail, &node_uuids, down_time);
                (taken, told)
            },
            move |_| is_stale.store(true, Ordering::Relaxed),
        );
        let (taken, told) = told.await?;
        *view = taken;
        told.map_err(|error| self.threads.drivers.failed(Who::HostManager, error))?;
        patience.lasts()?;
        Ok(alone.downgrade())
    }

    /// The selection itself, beside others if there are claims. None if these were in the way each time.
    async fn select(
        &self,
        ctx: &RequestContext,
        request: &Arc<(RequestSpec, Vec<String>, Choice)>,
        claims: Option<&Arc<Claims>>,
    ) -> Result<Option<Selections>, SelectError> {
        let (request, claims) = (Arc::clone(request), claims.cloned());
        let node_uuids = Arc::clone(&self.node_uuids);
        let instances = Arc::clone(&self.instances);
        let selected = self.threads.run(
            &ctx.request_id,
            SELECTION,
            move |trail, context| {
                let told = instances.tell(trail);
                told.map_err(|error| trail.drivers().failed(Who::HostManager, error))?;
                let (spec, uuids, choice) = &*request;
                let asked = Asked {
                    spec,
                    uuids,
                    choice: *choice,
                    node_uuids: &node_uuids,
                    instances: Some(&instances),
                };
                match claims {
                    Some(claims) => select_beside(&claims, trail, context, asked),
                    None => select_alone(trail, context, asked).map(Some),
                }
            },
            |late| {
                if let Ok(Some((hosts, _))) = late {
                    hosts.release();
                }
            },
        );
        Ok(selected.await??.map(|(_, selections)| selections))
    }

    /// Which instances hosts have.
    pub(super) fn instances(&self) -> &Instances {
        &self.instances
    }

    /// Takes the records over now rather than with the next request.
    ///
    /// # Errors
    /// Those of reading and of telling the host manager; the next request tries again.
    pub(super) async fn look_again(&self, ctx: &RequestContext) -> Result<(), SelectError> {
        let patience = Patience::of(self.config.select_timeout);
        self.up_to_date(ctx, &patience).await.map(drop)
    }

    /// Reads which instances hosts have that do not report it.
    async fn read_instances(&self) -> Result<(), ServiceError> {
        let read = match self.config.track_instance_changes {
            true => self.instances.read_records().await,
            false => self.instances.read_all().await,
        };
        read.map_err(|error| {
            let text = format!("cannot read which instances hosts have: {error}");
            ServiceError::new(error.code().to_owned(), text)
        })
    }

    async fn run_driver_tasks(&self) -> Result<(), ServiceError> {
        let scheduler = &self.threads.drivers.scheduler;
        let (driver, name) = (Arc::clone(&scheduler.driver), &scheduler.name);
        let calls = self.threads.calls.watched(scheduler.watch.clone());
        let ran = calls.blocking("periodic", "run_periodic_tasks", move |context| {
            driver.run_periodic_tasks(context)
        });
        ran.await.map_err(|error| {
            let text = format!("the periodic tasks of scheduler `{name}` failed: {error}");
            ServiceError::new(error.code(), text)
        })
    }
}

#[async_trait]
impl Manager for SchedulerManager {
    fn service_name(&self) -> &str {
        super::TOPIC
    }

    async fn init_host(&self) -> Result<(), ServiceError> {
        if let Err(error) = self.read_instances().await {
            // It is tried again soon, and hosts report meanwhile.
            tracing::warn!(code = error.code(), "{error}");
        }
        Ok(())
    }

    fn endpoints(self: Arc<Self>) -> Vec<Arc<dyn Endpoint>> {
        vec![Arc::new(SchedulerEndpoint(self))]
    }

    fn periodic_tasks(self: Arc<Self>) -> Vec<PeriodicTask> {
        let reader = Arc::clone(&self);
        let read = move || {
            let manager = Arc::clone(&reader);
            async move { manager.read_instances().await }
        };
        let run = move || {
            let manager = Arc::clone(&self);
            async move { manager.run_driver_tasks().await }
        };
        let driver_tasks = "SchedulerManager._run_periodic_tasks";
        let instances = "SchedulerManager._read_instances";
        vec![
            PeriodicTask::new(driver_tasks, DRIVER_TASKS_SPACING, run),
            PeriodicTask::new(instances, READ_INSTANCES_SPACING, read),
        ]
    }
}

/// A selection as a whole.
const SELECTION: Place = Place {
    who: Who::Scheduler,
    method: Method::SelectDestinations,
};
/// The telling of what changed.
const TELL: Place = Place {
    who: Who::HostManager,
    method: Method::UpdateHost,
};

/// Where chance starts for the request of this instance.
fn seed_of(seed: u64, uuid: &str) -> u64 {
    let hash = Sha256::new().chain_update(seed.to_le_bytes());
    let hash = hash.chain_update(uuid).finalize();
    let each = hash.iter().take(8).map(|byte| u64::from(*byte));
    each.fold(0, |seed, byte| seed << 8 | byte)
}
