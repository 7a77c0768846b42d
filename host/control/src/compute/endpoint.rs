//! The RPC interface of a compute host: reads messages and hands them to the manager.
//!
//! Must not do the work. Its client is `rpcapi.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_messaging::{Dispatched, Endpoint, EndpointTarget, Failure, RequestContext};
use longshore_objects::{
    ImageMeta, Instance, ObjectError, RequestSpec, SchedulerLimits, Selection, VersionedObject,
};
use serde_json::Value;

use super::build::BuildRequest;
use super::manager::ComputeManager;

/// The RPC interface, version 4.17.
pub(super) struct ComputeEndpoint(pub(super) Arc<ComputeManager>);

#[async_trait]
impl Endpoint for ComputeEndpoint {
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(4, 17)
    }

    async fn dispatch(&self, ctx: RequestContext, method: &str, args: Value) -> Dispatched {
        const METHODS: &[&str] = &[
            "build_and_run_instance",
            "terminate_instance",
            "stop_instance",
            "start_instance",
            "reboot_instance",
        ];
        if !METHODS.contains(&method) {
            return Dispatched::NoSuchMethod;
        }
        Dispatched::Result(match self.run(&ctx, method, &args).await {
            Ok(()) => Ok(Value::Null),
            Err(error) => {
                let failure = Failure::new(error.class(), error.to_string());
                Err(failure.with_code(error.code().to_owned()))
            }
        })
    }
}

impl ComputeEndpoint {
    /// Failures of the work itself end up in the instance's fault; what is returned is about the
    /// message.
    async fn run(
        &self,
        ctx: &RequestContext,
        method: &str,
        args: &Value,
    ) -> Result<(), ObjectError> {
        let manager = &self.0;
        let instance = Instance::from_primitive(&args["instance"])?;
        match method {
            "build_and_run_instance" => {
                manager
                    .build_and_run(ctx, build_request(instance, args)?)
                    .await;
            }
            "terminate_instance" => manager.terminate(ctx, instance.uuid()).await,
            "stop_instance" => manager.stop(ctx, instance.uuid()).await,
            "start_instance" => manager.start(ctx, instance.uuid()).await,
            _ => {
                let hard = args["reboot_type"] == "HARD";
                manager.reboot(ctx, instance.uuid(), hard).await;
            }
        }
        Ok(())
    }
}

fn build_request(instance: Instance, args: &Value) -> Result<BuildRequest, ObjectError> {
    let given = |key: &str| Some(&args[key]).filter(|value| !value.is_null());
    let hosts = args["host_list"].as_array();
    let alternates = hosts.into_iter().flatten().map(Selection::from_primitive);
    Ok(BuildRequest {
        instance,
        spec: RequestSpec::from_primitive(&args["request_spec"])?,
        image: given("image").map(ImageMeta::from_primitive).transpose()?,
        node: given("node").and_then(Value::as_str).map(str::to_owned),
        limits: given("limits")
            .map(SchedulerLimits::from_primitive)
            .transpose()?,
        alternates: alternates.collect::<Result<_, _>>()?,
    })
}
