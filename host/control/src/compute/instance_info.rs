//! Tells all schedulers which instances this host has, for the filters that look at neighbours.
//!
//! All at the start, single ones when they come and go, and now and then all uuids: whoever missed
//! a message notices then and reads the records. Nobody waits for it: a message that cannot be sent
//! is logged. Must not know what schedulers do with it.

use longshore_messaging::{RequestContext, RpcError};
use longshore_objects::{Instance, InstanceList};
use longshore_service::ServiceError;

use super::manager::ComputeManager;

impl ComputeManager {
    /// All instances of the host, after a start.
    ///
    /// # Errors
    /// Those of reading the records.
    pub(super) async fn tell_all_instances(&self) -> Result<(), ServiceError> {
        if self.config.track_instance_changes {
            let all = self.instances_of_host().await?;
            let ctx = RequestContext::admin();
            let (host, all) = (&self.config.host, all.objects());
            self.told(self.scheduler.update_instance_info(&ctx, host, all).await);
        }
        Ok(())
    }

    /// An instance came to this host.
    pub(super) async fn tell_instance(&self, ctx: &RequestContext, instance: &Instance) {
        if self.config.track_instance_changes {
            let (host, one) = (&self.config.host, std::slice::from_ref(instance));
            self.told(self.scheduler.update_instance_info(ctx, host, one).await);
        }
    }

    /// An instance left this host, or could not be built on it.
    pub(super) async fn tell_gone(&self, ctx: &RequestContext, uuid: &str) {
        if self.config.track_instance_changes {
            let host = &self.config.host;
            self.told(self.scheduler.delete_instance_info(ctx, host, uuid).await);
        }
    }

    /// The uuids of all instances of the host.
    ///
    /// # Errors
    /// Those of reading the records.
    pub(super) async fn sync_instance_info(&self) -> Result<(), ServiceError> {
        if self.config.track_instance_changes {
            let all = self.instances_of_host().await?;
            let uuids: Vec<&str> = all.objects().iter().map(Instance::uuid).collect();
            let (ctx, host) = (RequestContext::admin(), &self.config.host);
            self.told(self.scheduler.sync_instance_info(&ctx, host, &uuids).await);
        }
        Ok(())
    }

    async fn instances_of_host(&self) -> Result<InstanceList, ServiceError> {
        let found = InstanceList::get_by_host(self.objects.as_ref(), &self.config.host).await;
        found.map_err(|error| {
            let code = error.code().to_owned();
            self.service_error(&code, "tell schedulers of the instances of", &error)
        })
    }

    fn told(&self, sent: Result<(), RpcError>) {
        if let Err(error) = sent {
            let (code, host) = (error.code(), &self.config.host);
            tracing::warn!(
                code,
                host,
                "schedulers are not told of an instance: {error}"
            );
        }
    }
}
