//! The object whose methods are a service's RPC interface, and the hooks of its life.
//!
//! Order in a start: `init_host`, service record, `pre_start_hook`, RPC server, `post_start_hook`,
//! heartbeats, periodic tasks. In a stop: RPC server, periodic tasks, `cleanup_host`, heartbeats.
//! The service calls; a manager must not start tasks that it does not join in `cleanup_host`.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_messaging::Endpoint;

use crate::error::ServiceError;
use crate::periodic::PeriodicTask;

/// What a service is made of. A hook that fails stops the start, except as noted.
///
/// After a stop the service MAY be started again with the same manager, so each hook MUST be fit
/// to run more than once.
#[async_trait]
pub trait Manager: Send + Sync + 'static {
    /// Name of the service, for example `scheduler`.
    fn service_name(&self) -> &str;

    /// Makes the host ready, before any record of the service exists. Here a manager recovers what
    /// was in flight when it last ended.
    async fn init_host(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Runs when the record exists and no message is taken yet.
    async fn pre_start_hook(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Runs when messages are being taken.
    async fn post_start_hook(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Undoes `init_host`, after the last message was handled; also after a failed start. An error
    /// is logged and nothing more.
    async fn cleanup_host(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    /// The configuration was read again; takes over what may change while running.
    async fn reset(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    /// The RPC endpoints: the manager's own first, then additional ones. The service puts the base
    /// endpoint (`ping`) behind the first.
    fn endpoints(self: Arc<Self>) -> Vec<Arc<dyn Endpoint>>;

    /// The periodic tasks, in the order in which those due at once run.
    fn periodic_tasks(self: Arc<Self>) -> Vec<PeriodicTask> {
        Vec::new()
    }
}
