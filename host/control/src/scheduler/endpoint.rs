//! The scheduler's RPC interface: from a message to the manager and back.
//!
//! Must not know how hosts are chosen. Made by the manager, called by the RPC server.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_messaging::{Dispatched, Endpoint, EndpointTarget, Failure, RequestContext};
use longshore_objects::{RequestSpec, VersionedObject};
use serde_json::{Value, json};

use super::errors::SelectError;
use super::manager::SchedulerManager;
use super::selection::select::Selections;
use super::view::aggregates;
use super::view::instance_info;

/// The method that picks hosts.
pub(super) const SELECT: &str = "select_destinations";

/// What calls of this interface name.
pub(super) fn target() -> EndpointTarget {
    EndpointTarget::new(4, 4)
}

/// The RPC interface, version 4.4.
pub(super) struct SchedulerEndpoint(pub(super) Arc<SchedulerManager>);

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
            return instance_info::dispatch(self.0.instances(), method, &args).await;
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
