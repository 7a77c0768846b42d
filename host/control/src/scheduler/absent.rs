//! A scheduler whose driver is locked out: it answers every request at once with the reason, so that nobody waits for a
//! service that is not there.
//!
//! Must not choose hosts. Made by the wiring in place of the manager.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_messaging::{Dispatched, Endpoint, EndpointTarget, Failure, RequestContext};
use longshore_service::Manager;
use serde_json::Value;

use super::endpoint::{SELECT, target};
use super::view::aggregates;
use super::view::instance_info::is_about_instances;

/// Stands where the scheduler would.
pub struct AbsentScheduler {
    failure: Failure,
}

impl AbsentScheduler {
    /// One that answers with this code and reason.
    pub fn new(code: &str, why: &str) -> Self {
        let failure = Failure::new("SchedulerDriverError", why.to_owned());
        Self {
            failure: failure.with_code(code.to_owned()),
        }
    }
}

#[async_trait]
impl Manager for AbsentScheduler {
    fn service_name(&self) -> &str {
        super::TOPIC
    }

    fn endpoints(self: Arc<Self>) -> Vec<Arc<dyn Endpoint>> {
        vec![self]
    }
}

#[async_trait]
impl Endpoint for AbsentScheduler {
    fn target(&self) -> EndpointTarget {
        target()
    }

    async fn dispatch(&self, _: RequestContext, method: &str, _: Value) -> Dispatched {
        match method {
            SELECT => Dispatched::Result(Err(self.failure.clone())),
            // Nobody waits for an answer, and whoever comes after it reads the records.
            aggregates::UPDATE | aggregates::DELETE => Dispatched::Result(Ok(Value::Null)),
            // Computes tell every scheduler; this one has no use for it.
            _ if is_about_instances(method) => Dispatched::Result(Ok(Value::Null)),
            _ => Dispatched::NoSuchMethod,
        }
    }
}
