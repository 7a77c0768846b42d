//! What compute services tell schedulers of their instances: reads the messages.
//!
//! Must not keep anything: that is `instances.rs`. Part of the scheduler's RPC interface since 4.2;
//! sent by `rpcapi.rs`.

use longshore_messaging::{Dispatched, Failure};
use longshore_objects::{InstanceList, VersionedObject};
use serde_json::Value;

use super::instances::Instances;
use crate::scheduler::errors::SelectError;

/// Instances came to a host, or changed there.
pub(in crate::scheduler) const UPDATE: &str = "update_instance_info";
/// An instance left a host.
pub(in crate::scheduler) const DELETE: &str = "delete_instance_info";
/// All instances of a host, by uuid.
pub(in crate::scheduler) const SYNC: &str = "sync_instance_info";

/// Whether a method is one of these.
pub(in crate::scheduler) fn is_about_instances(method: &str) -> bool {
    [UPDATE, DELETE, SYNC].contains(&method)
}

/// Takes over what one message says.
pub(in crate::scheduler) async fn dispatch(
    instances: &Instances,
    method: &str,
    args: &Value,
) -> Dispatched {
    let taken = match method {
        UPDATE => update(instances, args).await,
        DELETE => delete(instances, args).await,
        SYNC => sync(instances, args).await,
        _ => return Dispatched::NoSuchMethod,
    };
    Dispatched::Result(taken.map(|()| Value::Null))
}

async fn update(instances: &Instances, args: &Value) -> Result<(), Failure> {
    let list = InstanceList::from_primitive(&args["instance_info"]);
    let list = list.map_err(|error| bad(error.to_string()))?;
    instances
        .update(text(args, "host_name")?, list.objects())
        .await;
    Ok(())
}

async fn delete(instances: &Instances, args: &Value) -> Result<(), Failure> {
    let (host, uuid) = (text(args, "host_name")?, text(args, "instance_uuid")?);
    instances.delete(host, uuid).await;
    Ok(())
}

async fn sync(instances: &Instances, args: &Value) -> Result<(), Failure> {
    let uuids = serde_json::from_value::<Vec<String>>(args["instance_uuids"].clone());
    let uuids = uuids.map_err(|_| bad("`instance_uuids` is no list of texts".to_owned()))?;
    instances.sync(text(args, "host_name")?, &uuids).await;
    Ok(())
}

fn text<'a>(args: &'a Value, key: &str) -> Result<&'a str, Failure> {
    let text = args[key].as_str();
    text.ok_or_else(|| bad(format!("`{key}` is no text")))
}

fn bad(text: String) -> Failure {
    SelectError::BadSpec(text).to_failure()
}
