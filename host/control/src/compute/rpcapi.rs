//! What siblings may ask of a compute service; everything goes to one host.
//!
//! Must not know the manager's insides. Used by the API and by the conductor.

use std::sync::Arc;

use longshore_messaging::{RequestContext, RpcClient, RpcError, Target, Transport};
use longshore_objects::{ImageMeta, Instance, RequestSpec, Selection, VersionedObject};
use serde_json::{Value, json};

use super::TOPIC;

/// Version of the interface.
pub(super) const VERSION: &str = "4.17";

/// What a host needs to build one instance.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// The instance, without a host.
    pub instance: &'a Instance,
    /// The request, with its retry information.
    pub spec: &'a RequestSpec,
    /// What it starts from.
    pub image: Option<&'a ImageMeta>,
    /// The chosen host, node and limits.
    pub selection: &'a Selection,
    /// Where to try next, best first.
    pub alternates: &'a [Selection],
}

/// The client of compute services; cheap to clone.
#[derive(Clone)]
pub struct ComputeApi {
    client: RpcClient,
}

impl ComputeApi {
    /// A client over this transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        let target = Target::new(TOPIC).version(VERSION);
        Self {
            client: RpcClient::new(transport, target),
        }
    }

    /// Builds an instance on the host of its selection; a cast.
    ///
    /// # Errors
    /// Errors of sending.
    pub async fn build_and_run_instance(
        &self,
        ctx: &RequestContext,
        build: Build<'_>,
    ) -> Result<(), RpcError> {
        let host_list: Vec<Value> = build.alternates.iter().map(|s| s.to_primitive()).collect();
        let limits = build.selection.limits().map(|limits| limits.to_primitive());
        let args = json!({
            "instance": build.instance.to_primitive(),
            "image": build.image.map(|image| image.to_primitive()),
            "request_spec": build.spec.to_primitive(),
            "node": build.selection.nodename(),
            "limits": limits,
            "host_list": host_list,
        });
        self.cast(ctx, build.selection.host(), "build_and_run_instance", args)
            .await
    }

    /// Ends an instance and deletes its record; a cast to its host.
    ///
    /// # Errors
    /// `rpc/invalid-target` when it has no host; errors of sending.
    pub async fn terminate_instance(
        &self,
        ctx: &RequestContext,
        instance: &Instance,
    ) -> Result<(), RpcError> {
        self.to_host(ctx, instance, "terminate_instance", None)
            .await
    }

    /// Stops an instance whose task state is `powering-off`; a cast to its host.
    ///
    /// # Errors
    /// As for [`terminate_instance`](Self::terminate_instance).
    pub async fn stop_instance(
        &self,
        ctx: &RequestContext,
        instance: &Instance,
    ) -> Result<(), RpcError> {
        self.to_host(ctx, instance, "stop_instance", None).await
    }

    /// Starts an instance whose task state is `powering-on`; a cast to its host.
    ///
    /// # Errors
    /// As for [`terminate_instance`](Self::terminate_instance).
    pub async fn start_instance(
        &self,
        ctx: &RequestContext,
        instance: &Instance,
    ) -> Result<(), RpcError> {
        self.to_host(ctx, instance, "start_instance", None).await
    }

    /// Restarts an instance whose task state is `rebooting` or `rebooting_hard`; a cast to its
    /// host.
    ///
    /// # Errors
    /// As for [`terminate_instance`](Self::terminate_instance).
    pub async fn reboot_instance(
        &self,
        ctx: &RequestContext,
        instance: &Instance,
        hard: bool,
    ) -> Result<(), RpcError> {
        let kind = if hard { "HARD" } else { "SOFT" };
        let kind = Some(("reboot_type", json!(kind)));
        self.to_host(ctx, instance, "reboot_instance", kind).await
    }

    async fn to_host(
        &self,
        ctx: &RequestContext,
        instance: &Instance,
        method: &str,
        more: Option<(&str, Value)>,
    ) -> Result<(), RpcError> {
        let Some(host) = instance.host() else {
            return Err(RpcError::InvalidTarget {
                problem: "the instance has no host yet",
                target: instance.uuid().to_owned(),
            });
        };
        let mut args = json!({ "instance": instance.to_primitive() });
        if let Some((key, value)) = more {
            args[key] = value;
        }
        self.cast(ctx, host, method, args).await
    }

    async fn cast(
        &self,
        ctx: &RequestContext,
        host: &str,
        method: &str,
        args: Value,
    ) -> Result<(), RpcError> {
        self.client
            .prepare()
            .server(host)
            .cast(ctx, method, args)
            .await
    }
}
