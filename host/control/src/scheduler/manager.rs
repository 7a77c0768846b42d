//! The scheduler's manager: takes requests, one at a time, and answers with hosts.
//!
//! Must not write any record. Built by the wiring with its drivers; called by conductors through
//! `rpcapi.rs`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{Dispatched, Endpoint, EndpointTarget, Failure, RequestContext};
use longshore_objects::{ObjectApi, RequestSpec, VersionedObject};
use longshore_service::{Manager, PeriodicTask, ServiceError};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use uuid::Uuid;

use super::errors::SelectError;
use super::host_states::{SchedulerDrivers, failed};
use super::refresh::View;
use super::select::{Choice, Selections, select};
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
    /// Longest time for one selection, waiting included.
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
    /// Held during a selection: requests see each other's consumption, and no host moves.
    view: Arc<Mutex<View>>,
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
            view: Arc::default(),
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
        let name = self.drivers.scheduler.name.clone();
        let mut view = self.locked_view().await?;
        let changes = view.changes(self.objects.as_ref()).await;
        let changes = changes
            .map_err(|error| SelectError::Records(error.code().to_owned(), error.to_string()))?;
        let drivers = Arc::clone(&self.drivers);
        let down_time = i64::try_from(self.config.service_down_time.as_secs());
        let down_time = down_time.unwrap_or(i64::MAX);
        let answer = self.calls.blocking_or_late(
            &ctx.request_id,
            &name,
            move |context| {
                view.apply(changes, &drivers.host_manager, down_time);
                Ok(select(&view, &drivers, context, (&spec, &uuids), choice))
            },
            |late| {
                if let Ok(Ok((hosts, _))) = late {
                    hosts.release();
                }
            },
        );
        match answer.await {
            Ok(selected) => selected.map(|(_, selections)| selections),
            Err(error) => Err(failed("scheduler", &name, error)),
        }
    }

    /// Waits for the requests before this one.
    async fn locked_view(&self) -> Result<OwnedMutexGuard<View>, SelectError> {
        let limit = self.config.select_timeout;
        let locked = Arc::clone(&self.view).lock_owned();
        tokio::time::timeout(limit, locked).await.map_err(|_| {
            let name = &self.drivers.scheduler.name;
            failed("scheduler", name, CallError::Timeout(limit))
        })
    }

    async fn run_driver_tasks(&self) -> Result<(), ServiceError> {
        let driver = Arc::clone(&self.drivers.scheduler.driver);
        let name = &self.drivers.scheduler.name;
        let ran = self.calls.blocking("periodic", name, move |context| {
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

/// The RPC interface, version 4.4.
struct SchedulerEndpoint(Arc<SchedulerManager>);

#[async_trait]
impl Endpoint for SchedulerEndpoint {
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(4, 4)
    }

    async fn dispatch(&self, ctx: RequestContext, method: &str, args: Value) -> Dispatched {
        if method != "select_destinations" {
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
