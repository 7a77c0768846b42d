//! The sending side: call, cast and fanout to a target.
//!
//! A client is cheap to clone; clones share one reply queue. It must not know what the methods
//! mean. The `rpcapi` modules of the control plane wrap one client each.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::context::RequestContext;
use crate::error::RpcError;
use crate::message::OutgoingRequest;
use crate::replies::Replies;
use crate::target::Target;
use crate::transport::{Route, Transport};
use crate::version::Version;

/// How long a call waits for its reply unless told otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Sends messages to the servers of a target.
#[derive(Clone)]
pub struct RpcClient {
    shared: Arc<Shared>,
    target: Target,
    timeout: Duration,
    version_cap: Option<Version>,
}

struct Shared {
    transport: Arc<dyn Transport>,
    replies: OnceCell<Replies>,
}

impl RpcClient {
    /// A client whose messages go to `target` unless [`prepare`](Self::prepare) varies it.
    pub fn new(transport: Arc<dyn Transport>, target: Target) -> Self {
        let shared = Arc::new(Shared {
            transport,
            replies: OnceCell::new(),
        });
        Self {
            shared,
            target,
            timeout: CALL_TIMEOUT,
            version_cap: None,
        }
    }

    /// Sets how long calls wait for their reply.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Forbids messages of a later version than `cap`, for servers not upgraded yet.
    #[must_use]
    pub fn with_version_cap(mut self, cap: Version) -> Self {
        self.version_cap = Some(cap);
        self
    }

    /// Where messages go by default.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Varies the target or the timeout for some messages.
    pub fn prepare(&self) -> Prepared {
        Prepared {
            client: self.clone(),
            fault: None,
        }
    }

    /// Runs `method` on one server and waits for its result.
    ///
    /// # Errors
    /// `rpc/timeout`; [`RpcError::Remote`] with the method's failure; errors of sending, after
    /// which nothing was sent.
    pub async fn call(
        &self,
        ctx: &RequestContext,
        method: &str,
        args: Value,
    ) -> Result<Value, RpcError> {
        let version = self.checked_version()?;
        if self.target.fanout {
            return Err(self.invalid("a call cannot be used with fanout"));
        }
        let transport = &self.shared.transport;
        let open = || Replies::open(transport.as_ref());
        let replies = self.shared.replies.get_or_try_init(open).await?;
        let msg_id = new_id();
        let reply_to = Some((msg_id.as_str(), replies.queue()));
        let body = self.encode(ctx, method, &args, version, reply_to)?;
        let mut waiter = replies.expect(&msg_id)?;
        let route = self.route()?;
        transport.publish(&route, body, Some(self.timeout)).await?;
        tokio::time::timeout(self.timeout, waiter.answer())
            .await
            .unwrap_or_else(|_| {
                Err(RpcError::Timeout {
                    msg_id: msg_id.clone(),
                    method: method.to_owned(),
                    queue: route.queue(),
                    timeout: self.timeout,
                })
            })
    }

    /// Sends `method` to one server, or to all if the target is a fanout, and does not wait.
    ///
    /// # Errors
    /// Errors of sending, after which nothing was sent. A method that fails is the server's to
    /// log.
    pub async fn cast(
        &self,
        ctx: &RequestContext,
        method: &str,
        args: Value,
    ) -> Result<(), RpcError> {
        let version = self.checked_version()?;
        let body = self.encode(ctx, method, &args, version, None)?;
        self.shared
            .transport
            .publish(&self.route()?, body, None)
            .await
    }

    /// Casts to every server of the topic that listens now.
    ///
    /// # Errors
    /// As for [`cast`](Self::cast).
    pub async fn fanout(
        &self,
        ctx: &RequestContext,
        method: &str,
        args: Value,
    ) -> Result<(), RpcError> {
        self.prepare().fanout(true).cast(ctx, method, args).await
    }

    /// Whether the cap admits messages of `version`, or of the target's own version if none.
    pub fn can_send_version(&self, version: Option<&str>) -> bool {
        let version = version.or(self.target.version.as_deref());
        self.version_cap.is_none_or(|cap| {
            version.is_some_and(|v| Version::parse(v).is_ok_and(|v| cap.serves(v)))
        })
    }

    /// The version to send, after the cap's check.
    fn checked_version(&self) -> Result<Option<&str>, RpcError> {
        let text = self.target.version.as_deref();
        let Some(cap) = self.version_cap else {
            return Ok(text);
        };
        let requested = text.map(parse_version).transpose()?;
        match requested {
            Some(requested) if cap.serves(requested) => Ok(text),
            _ => Err(RpcError::VersionCap { requested, cap }),
        }
    }

    fn encode(
        &self,
        context: &RequestContext,
        method: &str,
        args: &Value,
        version: Option<&str>,
        reply_to: Option<(&str, &str)>,
    ) -> Result<Vec<u8>, RpcError> {
        let namespace = self.target.namespace.as_deref();
        let unique_id = &new_id();
        OutgoingRequest {
            method,
            args,
            namespace,
            version,
            reply_to,
            unique_id,
            context,
        }
        .encode()
    }

    fn route(&self) -> Result<Route, RpcError> {
        let topic = self.target.topic.clone();
        if topic.is_empty() {
            return Err(self.invalid("a topic is required to send"));
        }
        Ok(match &self.target.server {
            _ if self.target.fanout => Route::Fanout(topic),
            Some(server) => Route::Server {
                topic,
                server: server.clone(),
            },
            None => Route::Topic(topic),
        })
    }

    fn invalid(&self, problem: &'static str) -> RpcError {
        RpcError::InvalidTarget {
            problem,
            target: self.target.to_string(),
        }
    }
}

/// A client with a varied target; a wrong value shows when something is sent.
#[derive(Clone)]
pub struct Prepared {
    client: RpcClient,
    fault: Option<RpcError>,
}

impl Prepared {
    /// Only to the server of that name.
    #[must_use]
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.client.target.server = Some(server.into());
        self
    }

    /// To every server of the topic.
    #[must_use]
    pub fn fanout(mut self, fanout: bool) -> Self {
        self.client.target.fanout = fanout;
        self
    }

    /// In another namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.client.target.namespace = Some(namespace.into());
        self
    }

    /// With another message version.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        let version = version.into();
        self.fault = self.fault.or(parse_version(&version).err());
        self.client.target.version = Some(version);
        self
    }

    /// With another timeout of calls.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client.timeout = timeout;
        self
    }

    /// With another version cap.
    #[must_use]
    pub fn version_cap(mut self, cap: Version) -> Self {
        self.client.version_cap = Some(cap);
        self
    }

    /// As [`RpcClient::call`].
    ///
    /// # Errors
    /// As there, and `rpc/bad-version`.
    pub async fn call(
        self,
        ctx: &RequestContext,
        method: &str,
        args: Value,
    ) -> Result<Value, RpcError> {
        self.fault.map_or(Ok(()), Err)?;
        self.client.call(ctx, method, args).await
    }

    /// As [`RpcClient::cast`].
    ///
    /// # Errors
    /// As there, and `rpc/bad-version`.
    pub async fn cast(
        self,
        ctx: &RequestContext,
        method: &str,
        args: Value,
    ) -> Result<(), RpcError> {
        self.fault.map_or(Ok(()), Err)?;
        self.client.cast(ctx, method, args).await
    }

    /// As [`RpcClient::can_send_version`].
    pub fn can_send_version(&self, version: Option<&str>) -> bool {
        self.client.can_send_version(version)
    }
}

fn parse_version(text: &str) -> Result<Version, RpcError> {
    Version::parse(text).map_err(|_| RpcError::BadVersion {
        text: text.to_owned(),
    })
}

/// 32 hexadecimal digits.
fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}
