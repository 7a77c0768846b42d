//! What siblings may ask of a conductor.
//!
//! [`ConductorApi`] is the client; [`RpcObjects`] makes remotable objects work through it. Must not
//! know the manager's insides. Used by the API and by compute.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{RequestContext, RpcClient, RpcError, Target, Transport};
use longshore_objects::{ObjectApi, ObjectError, Selection, VersionedObject};
use serde_json::{Map, Value, json};

use super::TOPIC;

/// Version of the object interface.
pub(super) const OBJECT_VERSION: &str = "3.0";
/// Namespace of the interface for tasks.
pub(super) const TASK_NAMESPACE: &str = "compute_task";
/// Version of the interface for tasks.
pub(super) const TASK_VERSION: &str = "1.17";

/// What a reschedule tells the conductor about the attempt that failed.
#[derive(Clone, Debug, Default)]
pub struct Reschedule {
    /// The instances, usually one.
    pub uuids: Vec<String>,
    /// Hosts that the scheduler named beside the chosen one, best first.
    pub alternates: Vec<Selection>,
    /// Why the last attempt failed, one line.
    pub reason: String,
}

/// The client of conductors; cheap to clone.
#[derive(Clone)]
pub struct ConductorApi {
    objects: RpcClient,
    tasks: RpcClient,
}

impl ConductorApi {
    /// A client over this transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let objects = Target::new(TOPIC).version(OBJECT_VERSION);
        let tasks = Target::new(TOPIC)
            .namespace(TASK_NAMESPACE)
            .version(TASK_VERSION);
        Self {
            objects: RpcClient::new(Arc::clone(&transport), objects),
            tasks: RpcClient::new(transport, tasks),
        }
    }

    /// Finds hosts for new instances of one request and has them built there; a cast.
    ///
    /// # Errors
    /// Errors of sending. The instances are then found again by the conductor's recovery.
    pub async fn schedule_and_build_instances(
        &self,
        ctx: &RequestContext,
        uuids: Vec<String>,
    ) -> Result<(), RpcError> {
        let args = json!({ "instance_uuids": uuids });
        let method = "schedule_and_build_instances";
        self.tasks.cast(ctx, method, args).await
    }

    /// Tries instances again, whose build failed on a host; a cast.
    ///
    /// # Errors
    /// Errors of sending. The instances are then found again by the conductor's recovery.
    pub async fn build_instances(
        &self,
        ctx: &RequestContext,
        again: Reschedule,
    ) -> Result<(), RpcError> {
        let host_list: Vec<Value> = again.alternates.iter().map(|s| s.to_primitive()).collect();
        let args = json!({
            "instance_uuids": again.uuids,
            "host_list": host_list,
            "reason": again.reason,
        });
        self.tasks.cast(ctx, "build_instances", args).await
    }

    /// Asks whether a conductor answers within `timeout`.
    ///
    /// # Errors
    /// `rpc/timeout`, or errors of sending.
    pub async fn ping(&self, ctx: &RequestContext, timeout: Duration) -> Result<(), RpcError> {
        let client = self.objects.prepare().namespace("baseapi").version("1.1");
        let args = json!({ "arg": "ping" });
        client
            .timeout(timeout)
            .call(ctx, "ping", args)
            .await
            .map(drop)
    }
}

/// Remotable methods run by a conductor: objects for services without a database.
#[derive(Clone)]
pub struct RpcObjects {
    client: RpcClient,
    ctx: RequestContext,
}

impl RpcObjects {
    /// Objects over this transport; `ctx` says who writes.
    pub fn new(transport: Arc<dyn Transport>, ctx: RequestContext) -> Self {
        let target = Target::new(TOPIC).version(OBJECT_VERSION);
        Self {
            client: RpcClient::new(transport, target),
            ctx,
        }
    }

    async fn call(&self, method: &str, args: Value) -> Result<Value, ObjectError> {
        let answer = self.client.call(&self.ctx, method, args).await;
        answer.map_err(object_error)
    }
}

/// The object error that a remote failure stands for.
fn object_error(error: RpcError) -> ObjectError {
    let code = error.code().to_owned();
    match error {
        RpcError::Remote(failure) => {
            ObjectError::from_remote(failure.class(), failure.message(), &code)
        }
        other => ObjectError::Remote {
            class: "MessagingException".to_owned(),
            message: other.to_string(),
            code,
        },
    }
}

#[async_trait]
impl ObjectApi for RpcObjects {
    async fn object_action(
        &self,
        object: Value,
        method: &str,
        args: Value,
    ) -> Result<(Map<String, Value>, Value), ObjectError> {
        let args = json!({
            "objinst": object, "objmethod": method, "args": [], "kwargs": args,
        });
        match self.call("object_action", args).await? {
            Value::Array(mut pair) if pair.len() == 2 => {
                let (result, updates) = (pair.pop().unwrap_or_default(), pair.pop());
                match updates {
                    Some(Value::Object(updates)) => Ok((updates, result)),
                    _ => Err(bad_answer()),
                }
            }
            _ => Err(bad_answer()),
        }
    }

    async fn object_class_action(
        &self,
        name: &str,
        method: &str,
        args: Value,
    ) -> Result<Value, ObjectError> {
        let args = json!({
            "objname": name, "objmethod": method, "object_versions": {},
            "args": [], "kwargs": args,
        });
        self.call("object_class_action_versions", args).await
    }
}

fn bad_answer() -> ObjectError {
    let reason = "the conductor's answer is no pair of updates and result".to_owned();
    ObjectError::InvalidField("object_action".to_owned(), reason)
}
