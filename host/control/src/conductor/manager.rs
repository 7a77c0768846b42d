//! The conductor's manager: its RPC interfaces and periodic tasks.
//!
//! Must not hold the work itself: that is in `build.rs` and `recover.rs`. Built by the wiring;
//! called through `rpcapi.rs`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{
    Dispatched, Endpoint, EndpointTarget, Failure, RequestContext, Transport,
};
use longshore_objects::{ObjectApi, ObjectError, Selection, VersionedObject};
use longshore_service::{Manager, PeriodicTask, ServiceError};
use longshore_store::{LocalObjects, Store};
use serde_json::{Value, json};

use super::rpcapi::{Reschedule, TASK_NAMESPACE};
use crate::compute::rpcapi::ComputeApi;
use crate::scheduler::rpcapi::SchedulerApi;

/// What an operator chooses for a conductor.
#[derive(Clone, Debug)]
pub struct ConductorConfig {
    /// Hosts on which one instance is tried, at most.
    pub max_attempts: u32,
    /// Time between two looks for builds that nobody carries on.
    pub recover_interval: Duration,
    /// Age from which on a build without a host counts as such.
    pub recover_age: Duration,
}

impl Default for ConductorConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            recover_interval: Duration::from_secs(60),
            recover_age: Duration::from_secs(120),
        }
    }
}

/// The manager of the service `conductor`.
pub struct ConductorManager {
    pub(super) config: ConductorConfig,
    pub(super) store: Store,
    pub(super) objects: Arc<dyn ObjectApi>,
    pub(super) scheduler: SchedulerApi,
    pub(super) compute: ComputeApi,
}

impl ConductorManager {
    /// A conductor over this store, whose siblings are reached over this transport.
    pub fn new(config: ConductorConfig, store: Store, transport: Arc<dyn Transport>) -> Self {
        Self {
            config,
            objects: Arc::new(LocalObjects::new(store.clone())),
            store,
            scheduler: SchedulerApi::new(Arc::clone(&transport)),
            compute: ComputeApi::new(transport),
        }
    }
}

#[async_trait]
impl Manager for ConductorManager {
    fn service_name(&self) -> &str {
        super::TOPIC
    }

    fn endpoints(self: Arc<Self>) -> Vec<Arc<dyn Endpoint>> {
        let objects = Arc::clone(&self.objects);
        vec![
            Arc::new(ObjectEndpoint(objects)),
            Arc::new(TaskEndpoint(self)),
        ]
    }

    fn periodic_tasks(self: Arc<Self>) -> Vec<PeriodicTask> {
        let (spacing, age) = (self.config.recover_interval, self.config.recover_age);
        let run = move || {
            let manager = Arc::clone(&self);
            async move { manager.recover(age).await }
        };
        let name = "ConductorManager._recover_stuck_builds";
        vec![PeriodicTask::new(name, spacing, run)]
    }
}

/// Remotable objects, version 3.0, in no namespace.
struct ObjectEndpoint(Arc<dyn ObjectApi>);

#[async_trait]
impl Endpoint for ObjectEndpoint {
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(3, 0)
    }

    async fn dispatch(&self, _ctx: RequestContext, method: &str, mut args: Value) -> Dispatched {
        let result = match method {
            "object_action" => self.action(&mut args).await,
            "object_class_action_versions" => self.class_action(&mut args).await,
            _ => return Dispatched::NoSuchMethod,
        };
        Dispatched::Result(result.map_err(|error| failure(&error)))
    }
}

impl ObjectEndpoint {
    async fn action(&self, args: &mut Value) -> Result<Value, ObjectError> {
        let object = args["objinst"].take();
        let (method, kwargs) = (text(args, "objmethod")?, args["kwargs"].clone());
        let (updates, result) = self.0.object_action(object, method, kwargs).await?;
        Ok(json!([updates, result]))
    }

    async fn class_action(&self, args: &mut Value) -> Result<Value, ObjectError> {
        let kwargs = args["kwargs"].take();
        let (name, method) = (text(args, "objname")?, text(args, "objmethod")?);
        self.0.object_class_action(name, method, kwargs).await
    }
}

fn text<'a>(args: &'a Value, key: &str) -> Result<&'a str, ObjectError> {
    args[key].as_str().ok_or_else(|| {
        let reason = "the argument must be a text".to_owned();
        ObjectError::InvalidField(key.to_owned(), reason)
    })
}

fn failure(error: &ObjectError) -> Failure {
    let (class, code) = (error.class(), error.code().to_owned());
    let failure = match class {
        "ValueError" => Failure::builtin(class, error.to_string()),
        _ => Failure::new(class, error.to_string()),
    };
    failure.with_code(code)
}

/// Tasks that take several services, version 1.17, in their own namespace.
struct TaskEndpoint(Arc<ConductorManager>);

#[async_trait]
impl Endpoint for TaskEndpoint {
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(1, 17).namespace(TASK_NAMESPACE)
    }

    async fn dispatch(&self, ctx: RequestContext, method: &str, args: Value) -> Dispatched {
        if !["schedule_and_build_instances", "build_instances"].contains(&method) {
            return Dispatched::NoSuchMethod;
        }
        Dispatched::Result(match decode(&args) {
            Ok(task) => {
                // Who is to be built has been told; what fails from here on is in its fault.
                let _ = self.0.build(&ctx, task).await;
                Ok(Value::Null)
            }
            Err(error) => Err(failure(&error)),
        })
    }
}

fn decode(args: &Value) -> Result<Reschedule, ObjectError> {
    let uuids = serde_json::from_value(args["instance_uuids"].clone());
    let uuids = uuids.map_err(|_| {
        let reason = "the argument must be a list of texts".to_owned();
        ObjectError::InvalidField("instance_uuids".to_owned(), reason)
    })?;
    let hosts = args["host_list"].as_array();
    let alternates = hosts.into_iter().flatten().map(Selection::from_primitive);
    Ok(Reschedule {
        uuids,
        alternates: alternates.collect::<Result<_, _>>()?,
        reason: args["reason"].as_str().unwrap_or_default().to_owned(),
    })
}

/// A failure of a periodic task or hook of this service.
pub(super) fn service_error(what: &str, error: &dyn CodedError) -> ServiceError {
    ServiceError::new(error.coded().to_owned(), format!("cannot {what}: {error}"))
}

/// Errors with a stable code.
pub(super) trait CodedError: std::fmt::Display {
    /// The code.
    fn coded(&self) -> &str;
}

impl CodedError for longshore_store::StoreError {
    fn coded(&self) -> &str {
        self.code()
    }
}
