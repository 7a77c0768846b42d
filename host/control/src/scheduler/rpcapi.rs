//! What siblings may ask of a scheduler.
//!
//! Must not know the manager's insides. Used by the conductor and by the API.

use std::sync::Arc;

use longshore_messaging::{RequestContext, RpcClient, RpcError, Target, Transport};
use longshore_objects::{Aggregate, RequestSpec, Selection, VersionedObject};
use serde_json::{Value, json};

use super::{TOPIC, aggregates};

/// Version of the interface.
pub(super) const VERSION: &str = "4.4";
/// The version that brought the messages about aggregates.
const AGGREGATES_VERSION: &str = "4.1";

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

fn decode(answer: &Value) -> Option<Vec<Vec<Selection>>> {
    let selection = |value: &Value| Selection::from_primitive(value).ok();
    let list = |list: &Value| list.as_array()?.iter().map(selection).collect();
    answer.as_array()?.iter().map(list).collect()
}
