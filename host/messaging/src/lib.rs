//! RPC between services, in the shape and on the wire format of oslo.messaging.
//!
//! A [`RpcClient`] sends to a [`Target`]; a [`RpcServer`] listens on a topic and hands each message
//! to the [`Endpoint`]s that registered. Messages are real serialised bytes on every
//! [`Transport`], so a service that works over [`MemoryTransport`] works over a broker.
//!
//! This crate must not know managers, objects or the database. The service layer starts the
//! servers; the `rpcapi` modules of the control plane hold the clients.
#![forbid(unsafe_code)]

pub mod baserpc;
pub mod client;
pub mod codes;
pub mod context;
pub mod dispatcher;
mod duplicates;
pub mod error;
pub mod failure;
pub mod message;
pub mod panics;
mod replies;
pub mod server;
pub mod target;
pub mod transport;
pub mod version;

pub use baserpc::BaseRpc;
pub use client::{Prepared, RpcClient};
pub use codes::Code;
pub use context::RequestContext;
pub use dispatcher::{Dispatched, Dispatcher, Endpoint, EndpointTarget};
pub use error::RpcError;
pub use failure::Failure;
pub use server::{RpcServer, ServerOptions};
pub use target::Target;
pub use transport::{Listener, MemoryTransport, ReplyQueue, Route, Transport};
pub use version::Version;
