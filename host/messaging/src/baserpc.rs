//! The endpoint that every service has besides its manager: is anybody there?
//!
//! Namespace `baseapi`, version 1.1. The service layer adds it after the manager's own endpoint.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::context::RequestContext;
use crate::dispatcher::{Dispatched, Endpoint, EndpointTarget};
use crate::failure::Failure;

/// Namespace of the base endpoint.
pub const NAMESPACE: &str = "baseapi";

/// Answers `ping` with the name of the service.
#[derive(Clone, Debug)]
pub struct BaseRpc {
    service_name: String,
}

impl BaseRpc {
    /// The base endpoint of the service of that name.
    pub fn new(service_name: impl Into<String>) -> Self {
        Self {
            service_name: service_name.into(),
        }
    }
}

#[async_trait]
impl Endpoint for BaseRpc {
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(1, 1).namespace(NAMESPACE)
    }

    async fn dispatch(&self, _ctx: RequestContext, method: &str, args: Value) -> Dispatched {
        match method {
            "ping" => Dispatched::Result(match args.get("arg") {
                Some(arg) => Ok(json!({ "service": self.service_name, "arg": arg })),
                None => Err(Failure::builtin(
                    "TypeError",
                    "`ping` needs the argument `arg`",
                )),
            }),
            // No back door exists; peers may still ask for its port.
            "get_backdoor_port" => Dispatched::Result(Ok(Value::Null)),
            _ => Dispatched::NoSuchMethod,
        }
    }
}
