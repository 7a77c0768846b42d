//! What siblings may ask of a scheduler.
//!
//! Must not know the manager's insides. Used by the conductor.

use std::sync::Arc;

use longshore_messaging::{RequestContext, RpcClient, RpcError, Target, Transport};
use longshore_objects::{RequestSpec, Selection, VersionedObject};
use serde_json::{Value, json};

use super::TOPIC;

/// Version of the interface.
pub(super) const VERSION: &str = "4.4";

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
}

fn decode(answer: &Value) -> Option<Vec<Vec<Selection>>> {
    let selection = |value: &Value| Selection::from_primitive(value).ok();
    let list = |list: &Value| list.as_array()?.iter().map(selection).collect();
    answer.as_array()?.iter().map(list).collect()
}
