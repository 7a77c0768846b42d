//! Finds the endpoint that serves a request and runs the method.
//!
//! Endpoints are tried in the order of registration; namespace and version decide which may
//! serve. The dispatcher must not know queues, replies or serialised bytes.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::context::RequestContext;
use crate::failure::Failure;
use crate::message::Call;
use crate::version::Version;

/// The interface an endpoint serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointTarget {
    /// None is a namespace of its own, the usual one.
    pub namespace: Option<String>,
    /// Former names of the namespace, still served.
    pub legacy_namespaces: Vec<String>,
    /// Highest version served; lower minors of the same major are served too.
    pub version: Version,
}

impl EndpointTarget {
    /// Version `major.minor` in no namespace.
    pub const fn new(major: u32, minor: u32) -> Self {
        let version = Version::new(major, minor);
        Self {
            namespace: None,
            legacy_namespaces: Vec::new(),
            version,
        }
    }

    /// Sets the namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Serves a former namespace as well.
    #[must_use]
    pub fn legacy_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.legacy_namespaces.push(namespace.into());
        self
    }

    /// Whether a request for this namespace and version may go here.
    fn serves(&self, namespace: Option<&str>, version: Version) -> bool {
        let legacy = namespace.is_some_and(|n| self.legacy_namespaces.iter().any(|l| l == n));
        (self.namespace.as_deref() == namespace || legacy) && self.version.serves(version)
    }
}

/// What became of a request at one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Dispatched {
    /// The method ran: its value or its failure.
    Result(Result<Value, Failure>),
    /// There is no method of that name; nothing was done.
    NoSuchMethod,
}

/// An object whose methods can be called at a target.
///
/// `dispatch` MUST answer [`Dispatched::NoSuchMethod`] without side effects for names it does not
/// know, since the next endpoint is asked then. It runs on its own task, many at once; it MAY
/// panic, which the caller sees as a failure.
#[async_trait]
pub trait Endpoint: Send + Sync {
    /// The interface served; asked once, when the server starts.
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(1, 0)
    }

    /// Runs `method` with `args`, which is always an object.
    async fn dispatch(&self, ctx: RequestContext, method: &str, args: Value) -> Dispatched;
}

/// The endpoints of one server.
pub struct Dispatcher {
    endpoints: Vec<(EndpointTarget, Arc<dyn Endpoint>)>,
}

impl Dispatcher {
    /// Tries the endpoints in this order.
    pub fn new(endpoints: Vec<Arc<dyn Endpoint>>) -> Self {
        let with_target = |endpoint: Arc<dyn Endpoint>| (endpoint.target(), endpoint);
        Self {
            endpoints: endpoints.into_iter().map(with_target).collect(),
        }
    }

    /// Runs the call at the first endpoint that serves it.
    ///
    /// # Errors
    /// The method's own failure; `NoSuchMethod` when endpoints of that interface lack the method;
    /// `UnsupportedVersion` when no endpoint serves the namespace and version.
    pub async fn dispatch(&self, ctx: RequestContext, call: Call) -> Result<Value, Failure> {
        let Call {
            method,
            args,
            namespace,
            version,
        } = call;
        let candidates = self.candidates(namespace.as_deref(), version);
        let Some((last, earlier)) = candidates.split_last() else {
            return Err(Failure::unsupported_version(&version.to_string(), &method));
        };
        if method.starts_with('_') {
            return Err(Failure::no_such_method(&method));
        }
        for endpoint in earlier {
            // The next candidate may need the arguments again.
            let (ctx, args) = (ctx.clone(), args.clone());
            if let Dispatched::Result(result) = endpoint.dispatch(ctx, &method, args).await {
                return result;
            }
        }
        match last.dispatch(ctx, &method, args).await {
            Dispatched::Result(result) => result,
            Dispatched::NoSuchMethod => Err(Failure::no_such_method(&method)),
        }
    }

    /// The endpoints that may serve, in order; nearly always one.
    fn candidates(&self, namespace: Option<&str>, version: Version) -> Vec<&dyn Endpoint> {
        let all = self.endpoints.iter();
        let serving = all.filter(|(target, _)| target.serves(namespace, version));
        serving.map(|(_, endpoint)| endpoint.as_ref()).collect()
    }
}
