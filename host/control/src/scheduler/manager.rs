//! The scheduler's manager: takes requests, one at a time, and answers with hosts.
//!
//! Must not write any record. Built by the wiring with its drivers; called by conductors through
//! `rpcapi.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{Dispatched, Endpoint, EndpointTarget, Failure, RequestContext};
use longshore_objects::{ObjectApi, RequestSpec, VersionedObject};
use longshore_service::{Manager, PeriodicTask, ServiceError};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use uuid::Uuid;

use super::aggregates;
use super::drivers::SchedulerDrivers;
use super::errors::SelectError;
use super::refresh::View;
use super::select::{Choice, Selections, select};
use super::trail::{Place, Trail, Who};
use super::watchdog::Watchdog;
use crate::call_watch::Watched;
use crate::driver_call::{CallError, DriverCalls};

/// Requests that wait or run at the same time.
pub const REQUESTS_MAX: usize = 64;
/// Instances in one request.
pub const INSTANCES_MAX: usize = 10_000;
/// Time between two runs of the driver's own periodic tasks.
const DRIVER_TASKS_SPACING: Duration = Duration::from_secs(60);

/// What an operator chooses for a scheduler, with Nova's names and defaults.
#[derive(Clone, Debug)]
pub struct SchedulerConfig {
    /// Choose at random among this many best hosts.
    pub host_subset_size: u32,
    /// Shuffle hosts that are as good as the best one.
    pub shuffle_best_same_weighed_hosts: bool,
    /// Attempts to build an instance; one less alternates are named.
    pub max_attempts: u32,
    /// Age of a heartbeat from which on a service counts as down; whole seconds.
    pub service_down_time: Duration,
    /// Longest time for one selection, and for waiting for those before it.
    pub select_timeout: Duration,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            host_subset_size: 1,
            shuffle_best_same_weighed_hosts: false,
            max_attempts: 3,
            service_down_time: Duration::from_secs(60),
            select_timeout: Duration::from_secs(30),
        }
    }
}

/// The manager of the service `scheduler`.
pub struct SchedulerManager {
    config: SchedulerConfig,
    drivers: Arc<SchedulerDrivers>,
    objects: Arc<dyn ObjectApi>,
    calls: DriverCalls,
    /// Held during a selection: requests see each other's consumption, and no host moves. The view itself goes to the
    /// selection's thread and comes back with the answer; when that does not come, the next one begins with an empty
    /// view, which reads every record again.
    turn: Arc<Mutex<View>>,
    /// A selection that was given up has come back since, and may have told the host manager old news.
    is_stale: Arc<AtomicBool>,
    places: Semaphore,
}

impl SchedulerManager {
    /// A manager with these drivers, whose hosts come from these records.
    pub fn new(
        config: SchedulerConfig,
        drivers: SchedulerDrivers,
        objects: Arc<dyn ObjectApi>,
        calls: &DriverCalls,
    ) -> Self {
        Self {
            calls: calls.with_deadline(config.select_timeout),
            config,
            drivers: Arc::new(drivers),
            objects,
            turn: Arc::default(),
            is_stale: Arc::default(),
            places: Semaphore::new(REQUESTS_MAX),
        }
    }

    /// Picks one host per instance. For each: the chosen host first, then alternates.
    ///
    /// # Errors
    /// Any [`SelectError`]; nothing stays consumed then.
    pub async fn select_destinations(
        &self,
        ctx: &RequestContext,
        spec: RequestSpec,
        uuids: Vec<String>,
    ) -> Result<Selections, SelectError> {
        if uuids.len() > INSTANCES_MAX {
            let text = format!("a request may name {INSTANCES_MAX} instances at most");
            return Err(SelectError::BadSpec(text));
        }
        let Ok(_place) = self.places.try_acquire() else {
            return Err(SelectError::Busy(REQUESTS_MAX));
        };
        let choice = Choice {
            host_subset_size: self.config.host_subset_size,
            shuffle_best_same_weighed_hosts: self.config.shuffle_best_same_weighed_hosts,
            alternates: self.config.max_attempts.saturating_sub(1),
            seed: Uuid::new_v4().as_u64_pair().0,
        };
        let mut turn = self.turn().await?;
        let read = turn.read(self.objects.as_ref()).await;
        read.map_err(|error| SelectError::Records(error.code().to_owned(), error.to_string()))?;
        let view = std::mem::take(&mut *turn);
        let (view, selections) = self
            .select_on_thread(ctx, view, (spec, uuids), choice)
            .await?;
        *turn = view;
        selections
    }

    /// The selection itself, on a thread of its own, under a watchdog. The view is lost if it is given up.
    async fn select_on_thread(
        &self,
        ctx: &RequestContext,
        mut view: View,
        (spec, uuids): (RequestSpec, Vec<String>),
        choice: Choice,
    ) -> Result<(View, Result<Selections, SelectError>), SelectError> {
        let trail = Arc::new(Trail::new(Arc::clone(&self.drivers)));
        let watchdog = Arc::new(Watchdog::new(Arc::clone(&trail)));
        let calls = self.calls.watched(Watched::by(watchdog.clone()));
        let down_time = i64::try_from(self.config.service_down_time.as_secs());
        let down_time = down_time.unwrap_or(i64::MAX);
        let is_stale = Arc::clone(&self.is_stale);
        let answer = calls.blocking_or_late(
            &ctx.request_id,
            SELECT,
            move |context| {
                let selected = match view.apply(&trail, down_time) {
                    Ok(()) => select(&view, &trail, context, (&spec, &uuids), choice),
                    Err(error) => Err(trail.drivers().failed(Who::HostManager, error)),
                };
                Ok((view, selected))
            },
            move |late| {
                is_stale.store(true, Ordering::Relaxed);
                if let Ok((_, Ok((hosts, _)))) = late {
                    hosts.release();
                }
            },
        );
        let answer = tokio::select! {
            biased;
            answer = answer => answer,
            never = watchdog.look_half_way(calls.deadline()) => match never {},
        };
        match answer {
            Ok((view, selected)) => Ok((view, selected.map(|(_, selections)| selections))),
            Err(error) => Err(self.gave_up(&watchdog, error)),
        }
    }

    /// Who kept the selection from ending, and in what.
    fn gave_up(&self, watchdog: &Watchdog, error: CallError) -> SelectError {
        match watchdog.held_by() {
            Some(Place { who, method }) => {
                let named = format!("{} in `{}`", self.drivers.named(who), method.name());
                SelectError::Driver(named, error)
            }
            None => self.drivers.failed(Who::Scheduler, error),
        }
    }

    /// Waits for the requests before this one.
    async fn turn(&self) -> Result<OwnedMutexGuard<View>, SelectError> {
        let limit = self.config.select_timeout;
        let turn = Arc::clone(&self.turn).lock_owned();
        let mut turn = tokio::time::timeout(limit, turn)
            .await
            .map_err(|_| SelectError::Waited(limit))?;
        if self.is_stale.swap(false, Ordering::Relaxed) {
            *turn = View::default();
        }
        Ok(turn)
    }

    /// Takes the records over now rather than with the next request.
    async fn look_again(&self, ctx: &RequestContext) -> Result<(), SelectError> {
        let mut turn = self.turn().await?;
        let read = turn.read(self.objects.as_ref()).await;
        read.map_err(|error| SelectError::Records(error.code().to_owned(), error.to_string()))?;
        let mut view = std::mem::take(&mut *turn);
        let trail = Arc::new(Trail::new(Arc::clone(&self.drivers)));
        let watchdog = Arc::new(Watchdog::new(Arc::clone(&trail)));
        let down_time = i64::try_from(self.config.service_down_time.as_secs());
        let down_time = down_time.unwrap_or(i64::MAX);
        let is_stale = Arc::clone(&self.is_stale);
        let calls = self.calls.watched(Watched::by(watchdog.clone()));
        let looked = calls.blocking_or_late(
            &ctx.request_id,
            aggregates::UPDATE,
            move |_| {
                let told = view.apply(&trail, down_time);
                Ok((view, told))
            },
            move |_| is_stale.store(true, Ordering::Relaxed),
        );
        let (view, told) = looked
            .await
            .map_err(|error| self.gave_up(&watchdog, error))?;
        *turn = view;
        told.map_err(|error| self.drivers.failed(Who::HostManager, error))
    }

    async fn run_driver_tasks(&self) -> Result<(), ServiceError> {
        let scheduler = &self.drivers.scheduler;
        let (driver, name) = (Arc::clone(&scheduler.driver), &scheduler.name);
        let calls = self.calls.watched(scheduler.watch.clone());
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

    fn endpoints(self: Arc<Self>) -> Vec<Arc<dyn Endpoint>> {
        vec![Arc::new(SchedulerEndpoint(self))]
    }

    fn periodic_tasks(self: Arc<Self>) -> Vec<PeriodicTask> {
        let run = move || {
            let manager = Arc::clone(&self);
            async move { manager.run_driver_tasks().await }
        };
        let name = "SchedulerManager._run_periodic_tasks";
        vec![PeriodicTask::new(name, DRIVER_TASKS_SPACING, run)]
    }
}

/// The method that picks hosts.
pub(super) const SELECT: &str = "select_destinations";

/// What calls of this interface name.
pub(super) fn target() -> EndpointTarget {
    EndpointTarget::new(4, 4)
}

/// The RPC interface, version 4.4.
struct SchedulerEndpoint(Arc<SchedulerManager>);

#[async_trait]
impl Endpoint for SchedulerEndpoint {
    fn target(&self) -> EndpointTarget {
        target()
    }

    async fn dispatch(&self, ctx: RequestContext, method: &str, args: Value) -> Dispatched {
        if [aggregates::UPDATE, aggregates::DELETE].contains(&method) {
            let looked = self.0.look_again(&ctx).await;
            return Dispatched::Result(looked.map(|()| Value::Null).map_err(|e| e.to_failure()));
        }
        if method != SELECT {
            return Dispatched::NoSuchMethod;
        }
        Dispatched::Result(match decode(&args) {
            Ok((spec, uuids)) => {
                let selected = self.0.select_destinations(&ctx, spec, uuids).await;
                selected.map(|s| encode(&s)).map_err(|e| e.to_failure())
            }
            Err(failure) => Err(failure),
        })
    }
}

fn decode(args: &Value) -> Result<(RequestSpec, Vec<String>), Failure> {
    let bad = |text: String| SelectError::BadSpec(text).to_failure();
    let spec = RequestSpec::from_primitive(&args["spec_obj"]);
    let spec = spec.map_err(|error| bad(error.to_string()))?;
    let uuids = serde_json::from_value(args["instance_uuids"].clone());
    let uuids = uuids.map_err(|_| bad("`instance_uuids` is no list of texts".to_owned()))?;
    Ok((spec, uuids))
}

fn encode(selections: &Selections) -> Value {
    let list = |list: &Vec<longshore_objects::Selection>| -> Vec<Value> {
        list.iter().map(|one| one.to_primitive()).collect()
    };
    json!(selections.iter().map(list).collect::<Vec<_>>())
}
