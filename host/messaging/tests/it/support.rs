//! A demo endpoint whose methods show one behaviour each, and short-hands to start it.
//!
//! Used by every module of this binary; it must not assert anything itself.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_messaging::{
    Dispatched, Endpoint, EndpointTarget, Failure, MemoryTransport, RequestContext, RpcClient,
    RpcServer, ServerOptions, Target, Transport,
};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

pub(crate) const TOPIC: &str = "demo";

/// Reports each run and may be held at a gate.
pub(crate) struct Demo {
    pub(crate) name: &'static str,
    pub(crate) target: EndpointTarget,
    pub(crate) seen: mpsc::Sender<(&'static str, RequestContext, Value)>,
    /// `hold` takes a permit from here before it returns.
    pub(crate) gate: Arc<Semaphore>,
}

pub(crate) type Seen = mpsc::Receiver<(&'static str, RequestContext, Value)>;

impl Demo {
    pub(crate) fn new(name: &'static str) -> (Arc<Self>, Seen) {
        Self::with_target(name, EndpointTarget::new(1, 5))
    }

    pub(crate) fn with_target(name: &'static str, target: EndpointTarget) -> (Arc<Self>, Seen) {
        let (seen, receiver) = mpsc::channel(1000);
        let gate = Arc::new(Semaphore::new(0));
        (
            Arc::new(Self {
                name,
                target,
                seen,
                gate,
            }),
            receiver,
        )
    }
}

#[async_trait]
impl Endpoint for Demo {
    fn target(&self) -> EndpointTarget {
        self.target.clone()
    }

    async fn dispatch(&self, ctx: RequestContext, method: &str, args: Value) -> Dispatched {
        let known = [
            "name", "echo", "hold", "fail", "panic", "context", "_hidden", "large",
        ];
        if !known.contains(&method) {
            return Dispatched::NoSuchMethod;
        }
        self.seen
            .send((self.name, ctx.clone(), args.clone()))
            .await
            .unwrap();
        Dispatched::Result(match method {
            "echo" => Ok(args),
            "hold" => {
                self.gate.acquire().await.unwrap().forget();
                Ok(json!("held"))
            }
            "fail" => Err(Failure::new("NoValidHost", "No valid host was found.")
                .with_code("schedule/no-valid-host")
                .with_kwarg("reason", "full")),
            "panic" => panic!("boom {}", 1),
            "context" => Ok(Value::Object(ctx.to_map())),
            "large" => Ok("x"
                .repeat(longshore_messaging::message::MESSAGE_LEN_MAX)
                .into()),
            _ => Ok(json!(self.name)),
        })
    }
}

pub(crate) fn transport() -> Arc<MemoryTransport> {
    Arc::new(MemoryTransport::new())
}

pub(crate) fn client(transport: &Arc<MemoryTransport>) -> RpcClient {
    RpcClient::new(as_dyn(transport), Target::new(TOPIC))
}

pub(crate) fn as_dyn(transport: &Arc<MemoryTransport>) -> Arc<dyn Transport> {
    Arc::clone(transport) as Arc<dyn Transport>
}

pub(crate) async fn serve(
    transport: &Arc<MemoryTransport>,
    server: &str,
    endpoint: &Arc<Demo>,
) -> RpcServer {
    let endpoints: Vec<Arc<dyn Endpoint>> = vec![Arc::clone(endpoint) as Arc<dyn Endpoint>];
    RpcServer::start(as_dyn(transport), TOPIC, server, endpoints)
        .await
        .unwrap()
}

pub(crate) async fn serve_with(
    transport: &Arc<MemoryTransport>,
    server: &str,
    endpoint: &Arc<Demo>,
    workers_max: usize,
) -> RpcServer {
    let endpoints: Vec<Arc<dyn Endpoint>> = vec![Arc::clone(endpoint) as Arc<dyn Endpoint>];
    let options = ServerOptions { workers_max };
    RpcServer::start_with(as_dyn(transport), TOPIC, server, endpoints, options)
        .await
        .unwrap()
}

pub(crate) fn admin() -> RequestContext {
    RequestContext::admin()
}
