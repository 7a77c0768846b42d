//! The receiving side: takes the messages of one server and runs each on its own task.
//!
//! A place among the workers is taken before a message is, so a busy server leaves messages to its
//! siblings. A message taken is handled to its end: it is answered, or logged. The service layer
//! starts and stops servers; nothing here knows managers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::dispatcher::{Dispatcher, Endpoint};
use crate::duplicates::Duplicates;
use crate::error::{RpcError, one_line};
use crate::failure::Failure;
use crate::message::{IncomingRequest, Reply, ReplyTo};
use crate::panics;
use crate::transport::{Listener, Route, Transport};

/// Default for the messages one server handles at once.
pub const WORKERS_MAX: usize = 64;
/// Pause before a reply is tried again when the caller's queue is full.
pub const REPLY_RETRY_PERIOD: Duration = Duration::from_millis(250);
/// How often a reply is tried again; together with the period this is one minute.
pub const REPLY_RETRIES_MAX: u32 = 240;

/// Bounds of one server.
#[derive(Clone, Copy, Debug)]
pub struct ServerOptions {
    /// Messages handled at once, at least 1.
    pub workers_max: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            workers_max: WORKERS_MAX,
        }
    }
}

/// A running server. Dropping it stops the taking of messages; those in progress still finish.
pub struct RpcServer {
    stop: CancellationToken,
    kill: CancellationToken,
    /// True once no further message is taken; closed once the main task has ended.
    stopped: watch::Receiver<bool>,
}

/// What every handler needs.
struct Shared {
    transport: Arc<dyn Transport>,
    dispatcher: Dispatcher,
    topic: String,
}

impl RpcServer {
    /// Listens as `server` on `topic` with the default bounds.
    ///
    /// # Errors
    /// `rpc/invalid-target` when topic or server is empty; errors of the transport.
    pub async fn start(
        transport: Arc<dyn Transport>,
        topic: &str,
        server: &str,
        endpoints: Vec<Arc<dyn Endpoint>>,
    ) -> Result<Self, RpcError> {
        Self::start_with(
            transport,
            topic,
            server,
            endpoints,
            ServerOptions::default(),
        )
        .await
    }

    /// As [`start`](Self::start) with other bounds.
    ///
    /// # Errors
    /// As there.
    pub async fn start_with(
        transport: Arc<dyn Transport>,
        topic: &str,
        server: &str,
        endpoints: Vec<Arc<dyn Endpoint>>,
        options: ServerOptions,
    ) -> Result<Self, RpcError> {
        if topic.is_empty() || server.is_empty() {
            let target = crate::Target::new(topic).server(server).to_string();
            let problem = "a server's target must have topic and server names specified";
            return Err(RpcError::InvalidTarget { problem, target });
        }
        let listener = transport.listen(topic, server).await?;
        let (stopped_tx, stopped) = watch::channel(false);
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let dispatcher = Dispatcher::new(endpoints);
        let taker = Taker {
            shared: Arc::new(Shared {
                transport,
                dispatcher,
                topic: topic.to_owned(),
            }),
            stop: stop.clone(),
            kill: kill.clone(),
            workers: Arc::new(Semaphore::new(options.workers_max.max(1))),
            duplicates: Duplicates::default(),
            handlers: JoinSet::new(),
            stopped: stopped_tx,
        };
        // `wait` joins it through the channel that the task holds until its end.
        tokio::spawn(taker.run(listener));
        Ok(Self {
            stop,
            kill,
            stopped,
        })
    }

    /// Takes no further message; returns when that is certain. Messages that wait in the topic's
    /// queues stay there for other servers or for the next start.
    pub async fn stop(&self) {
        self.stop.cancel();
        // An error means that the main task has ended, which is stopped as well.
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }

    /// Waits until a stopped server has finished what it had taken and has sent the replies.
    /// Unbounded by itself: methods are not interrupted. May be called again.
    pub async fn wait(&self) {
        let mut stopped = self.stopped.clone();
        while stopped.changed().await.is_ok() {}
    }

    /// Stops and ends the handlers that are not finished, without a reply; their callers run into
    /// their timeout. Returns when each has come to its next wait point.
    pub async fn abort(&self) {
        self.stop.cancel();
        self.kill.cancel();
        self.wait().await;
    }
}

impl Drop for RpcServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The main task of a server.
struct Taker {
    shared: Arc<Shared>,
    stop: CancellationToken,
    kill: CancellationToken,
    workers: Arc<Semaphore>,
    duplicates: Duplicates,
    handlers: JoinSet<()>,
    stopped: watch::Sender<bool>,
}

impl Taker {
    async fn run(mut self, mut listener: Box<dyn Listener>) {
        loop {
            let taken = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                taken = self.take(listener.as_mut()) => taken,
            };
            let Some((permit, body)) = taken else {
                tracing::error!(
                    topic = self.shared.topic,
                    "the transport ended, taking stops"
                );
                break;
            };
            self.accept(permit, &body);
            while self.handlers.try_join_next().is_some() {}
        }
        drop(listener);
        self.stopped.send_replace(true);
        let all = async { while self.handlers.join_next().await.is_some() {} };
        let killed = tokio::select! {
            () = all => false,
            () = self.kill.cancelled() => true,
        };
        if killed {
            let (topic, count) = (&self.shared.topic, self.handlers.len());
            tracing::warn!(topic, count, "ended methods that did not finish in time");
            self.handlers.shutdown().await;
        }
    }

    /// A free worker first, then a message. Cancel safe, as both waits are.
    async fn take(&self, listener: &mut dyn Listener) -> Option<(OwnedSemaphorePermit, Vec<u8>)> {
        let permit = Arc::clone(&self.workers).acquire_owned().await.ok()?;
        Some((permit, listener.next().await?))
    }

    fn accept(&mut self, permit: OwnedSemaphorePermit, body: &[u8]) {
        let request = match IncomingRequest::decode(body) {
            Ok(request) => request,
            Err(problem) => {
                let problem = one_line(&problem.0);
                tracing::error!(
                    topic = self.shared.topic,
                    problem,
                    "dropped an unreadable message"
                );
                return;
            }
        };
        if let Some(id) = &request.unique_id
            && self.duplicates.is_repeat(id)
        {
            let topic = &self.shared.topic;
            tracing::info!(topic, unique_id = ?id, "ignored a repeated message");
            return;
        }
        let shared = Arc::clone(&self.shared);
        self.handlers.spawn(async move {
            shared.handle(request).await;
            drop(permit);
        });
    }
}

impl Shared {
    async fn handle(&self, request: IncomingRequest) {
        let IncomingRequest {
            reply_to,
            context,
            call,
            ..
        } = request;
        let request_id = context.request_id.clone();
        let (method, outcome) = match call {
            Ok(call) => {
                let method = call.method.clone();
                let outcome = panics::catch(self.dispatcher.dispatch(context, call)).await;
                let outcome = outcome.unwrap_or_else(|text| {
                    tracing::error!(topic = self.topic, method, text, "a method panicked");
                    Err(Failure::panicked(&method, &text))
                });
                (method, outcome)
            }
            Err(failure) => (String::new(), Err(failure)),
        };
        match (reply_to, outcome) {
            (Some(to), outcome) => self.reply(to, &method, outcome).await,
            // Nobody else will ever hear of it.
            (None, Err(failure)) => {
                let topic = &self.topic;
                tracing::error!(topic, ?method, request_id, %failure, "a cast failed");
            }
            (None, Ok(_)) => {}
        }
    }

    async fn reply(&self, to: ReplyTo, method: &str, outcome: Result<Value, Failure>) {
        let mut reply = Reply {
            msg_id: to.msg_id,
            result: outcome,
            ending: true,
        };
        let unique_id = Uuid::new_v4().simple().to_string();
        let encoded = reply.encode(&unique_id).or_else(|error| {
            reply.result = Err(Failure::from(error));
            reply.encode(&unique_id)
        });
        let sent = match encoded {
            Ok(body) => self.publish_reply(&Route::Reply(to.queue), body).await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            let code = error.code();
            tracing::warn!(topic = self.topic, ?method, code, %error, "abandoned a reply");
        }
    }

    /// A full reply queue empties again; a missing one does not come back.
    async fn publish_reply(&self, route: &Route, body: Vec<u8>) -> Result<(), RpcError> {
        for _ in 0..REPLY_RETRIES_MAX {
            match self.transport.publish(route, body.clone(), None).await {
                Err(RpcError::Backpressure { .. }) => tokio::time::sleep(REPLY_RETRY_PERIOD).await,
                done => return done,
            }
        }
        self.transport.publish(route, body, None).await
    }
}
