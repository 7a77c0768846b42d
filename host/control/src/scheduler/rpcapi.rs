//! What siblings may ask of a scheduler.
//!
//! Must not know the manager's insides. Used by the conductor, the API and compute.

use std::sync::Arc;

use longshore_messaging::{RequestContext, RpcClient, RpcError, Target, Transport};
use longshore_objects::{
    Aggregate, Instance, InstanceList, RequestSpec, Selection, VersionedObject,
};
use serde_json::{Value, json};

use super::TOPIC;
use super::view::aggregates;
use super::view::instance_info::{DELETE, SYNC, UPDATE};

/// Version of the interface.
pub(super) const VERSION: &str = "4.4";
/// The version that brought the messages about aggregates.
const AGGREGATES_VERSION: &str = "4.1";

/// Instances of which one message tells, so that it stays far below the size that messages may have.
const INSTANCES_PER_MESSAGE_MAX: usize = 5_000;

/// The client of schedulers; cheap to clone.
#[derive(Clone)]
pub struct SchedulerApi {
    client: RpcClient,
}

impl SchedulerApi {
    /// A client over this transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let target = Target::new(TOPIC).version(VERSION);
        Self {
            client: RpcClient::new(transport, target),
        }
    }

    /// Picks one host per instance; a call. For each instance, in the order of `uuids`: the chosen
    /// host first, then alternates, best first.
    ///
    /// # Errors
    /// A remote failure of class `NoValidHost` with the code `schedule/no-valid-host`; other
    /// failures of the scheduler's drivers; errors of RPC.
    pub async fn select_destinations(
        &self,
        ctx: &RequestContext,
        spec: &RequestSpec,
        uuids: &[String],
    ) -> Result<Vec<Vec<Selection>>, RpcError> {
        let args = json!({ "spec_obj": spec.to_primitive(), "instance_uuids": uuids });
        let answer = self.client.call(ctx, "select_destinations", args).await?;
        decode(&answer).ok_or_else(|| RpcError::BadReply {
            problem: "`select_destinations` answered no lists of selections".to_owned(),
        })
    }

    /// Says that these aggregates changed; a cast to every scheduler.
    ///
    /// # Errors
    /// Errors of sending.
    pub async fn update_aggregates(
        &self,
        ctx: &RequestContext,
        aggregates: &[Aggregate],
    ) -> Result<(), RpcError> {
        let list: Vec<Value> = aggregates.iter().map(|one| one.to_primitive()).collect();
        let args = json!({ "aggregates": list });
        self.tell_all(ctx, aggregates::UPDATE, args).await
    }

    /// Says that this aggregate is gone; a cast to every scheduler.
    ///
    /// # Errors
    /// Errors of sending.
    pub async fn delete_aggregate(
        &self,
        ctx: &RequestContext,
        aggregate: &Aggregate,
    ) -> Result<(), RpcError> {
        let args = json!({ "aggregate": aggregate.to_primitive() });
        self.tell_all(ctx, aggregates::DELETE, args).await
    }

    async fn tell_all(
        &self,
        ctx: &RequestContext,
        method: &str,
        args: Value,
    ) -> Result<(), RpcError> {
        let all = self
            .client
            .prepare()
            .fanout(true)
            .version(AGGREGATES_VERSION);
        all.cast(ctx, method, args).await
    }
}

/// What computes tell all schedulers of their instances.
impl SchedulerApi {
    /// Instances came to a host or changed there; casts to all schedulers. Of a host that a
    /// scheduler does not know, the first of several are taken for all that it has.
    ///
    /// # Errors
    /// Errors of sending.
    pub async fn update_instance_info(
        &self,
        ctx: &RequestContext,
        host: &str,
        instances: &[Instance],
    ) -> Result<(), RpcError> {
        let none: &[Instance] = &[];
        let parts = instances.chunks(INSTANCES_PER_MESSAGE_MAX);
        // No instances at all is news, too.
        for part in parts.chain(instances.is_empty().then_some(none)) {
            let list = InstanceList::from(part.iter().map(Instance::neighbour).collect::<Vec<_>>());
            let args = json!({ "host_name": host, "instance_info": list.to_primitive() });
            self.client.fanout(ctx, UPDATE, args).await?;
        }
        Ok(())
    }

    /// An instance left a host, or never came to it; a cast to all schedulers.
    ///
    /// # Errors
    /// Errors of sending.
    pub async fn delete_instance_info(
        &self,
        ctx: &RequestContext,
        host: &str,
        uuid: &str,
    ) -> Result<(), RpcError> {
        let args = json!({ "host_name": host, "instance_uuid": uuid });
        self.client.fanout(ctx, DELETE, args).await
    }

    /// The instances of a host, all of them; a cast to all schedulers.
    ///
    /// # Errors
    /// Errors of sending.
    pub async fn sync_instance_info(
        &self,
        ctx: &RequestContext,
        host: &str,
        uuids: &[&str],
    ) -> Result<(), RpcError> {
        let args = json!({ "host_name": host, "instance_uuids": uuids });
        self.client.fanout(ctx, SYNC, args).await
    }
}

fn decode(answer: &Value) -> Option<Vec<Vec<Selection>>> {
    let selection = |value: &Value| Selection::from_primitive(value).ok();
    let list = |list: &Value| list.as_array()?.iter().map(selection).collect();
    answer.as_array()?.iter().map(list).collect()
}
