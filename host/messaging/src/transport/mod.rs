//! The seam between RPC and whatever carries the bytes.
//!
//! [`MemoryTransport`] joins the services of one process; a broker's transport stands beside it
//! and keeps the same promises. A transport must not look into the bytes. Clients publish and own
//! a reply queue, servers listen; nobody else calls it.

mod memory;

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RpcError;

pub use memory::{MemoryTransport, QUEUE_COUNT_MAX, QUEUE_LEN_MAX};

/// Where bytes go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// One server of the topic, any.
    Topic(String),
    /// The server of that name on the topic.
    Server {
        /// The topic.
        topic: String,
        /// The server.
        server: String,
    },
    /// Every server that listens on the topic now.
    Fanout(String),
    /// A caller's reply queue.
    Reply(String),
}

impl Route {
    /// Name of the queue or exchange, as a broker calls it.
    pub fn queue(&self) -> String {
        match self {
            Self::Topic(topic) => topic.clone(),
            Self::Server { topic, server } => format!("{topic}.{server}"),
            Self::Fanout(topic) => format!("{topic}_fanout"),
            Self::Reply(queue) => queue.clone(),
        }
    }
}

/// Carries messages between clients and servers.
///
/// Promises: `publish` returns `Ok` only if the message is queued, or, for a fanout, queued for
/// every listener of that moment. What is not consumed yet waits in its queue, bounded. Messages
/// of one queue are handed out in order, each to one listener.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Queues one message. After `expires` it is discarded if nobody has taken it.
    ///
    /// # Errors
    /// `rpc/backpressure` when the queue is full, `rpc/no-reply-queue` for a reply without
    /// receiver, `rpc/closed`. In each case nothing was queued.
    async fn publish(
        &self,
        route: &Route,
        body: Vec<u8>,
        expires: Option<Duration>,
    ) -> Result<(), RpcError>;

    /// Consumes the queues of `topic`, `topic.server` and the topic's fanout until the listener
    /// is dropped.
    ///
    /// # Errors
    /// `rpc/backpressure` when no more queues can be made, `rpc/closed`.
    async fn listen(&self, topic: &str, server: &str) -> Result<Box<dyn Listener>, RpcError>;

    /// Makes a queue for replies; it ends when the value is dropped.
    ///
    /// # Errors
    /// As for [`listen`](Self::listen).
    async fn open_reply_queue(&self) -> Result<Box<dyn ReplyQueue>, RpcError>;
}

/// The messages for one server.
#[async_trait]
pub trait Listener: Send {
    /// The next message; none when the transport has ended. Taken is acknowledged: a message is
    /// never delivered again. MUST be cancel safe: a dropped future has taken nothing.
    async fn next(&mut self) -> Option<Vec<u8>>;
}

/// The replies for one client.
#[async_trait]
pub trait ReplyQueue: Send {
    /// Name that requests carry as their reply queue.
    fn name(&self) -> &str;

    /// The next reply; none when the transport has ended. Cancel safe.
    async fn next(&mut self) -> Option<Vec<u8>>;
}
