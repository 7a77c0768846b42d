//! Brings each reply to the call that waits for it.
//!
//! One reply queue and one reader task per client, made with its first call. The reader must not
//! keep the client alive: it holds the table of waiting calls only, and ends with the client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::RpcError;
use crate::failure::Failure;
use crate::message::{Reply, Undecodable};
use crate::transport::{ReplyQueue, Transport};

/// Calls of one client that may wait at once.
pub(crate) const CALLS_WAITING_MAX: usize = 10_000;

pub(crate) type Answer = Result<Value, RpcError>;

/// The reply side of a client. Dropping it ends the reader and the queue.
pub(crate) struct Replies {
    queue: String,
    waiting: Arc<Waiting>,
    reader: JoinHandle<()>,
}

impl Replies {
    pub(crate) async fn open(transport: &dyn Transport) -> Result<Self, RpcError> {
        let source = transport.open_reply_queue().await?;
        let queue = source.name().to_owned();
        let waiting = Arc::new(Waiting::default());
        let reader = tokio::spawn(read(source, Arc::clone(&waiting)));
        Ok(Self {
            queue,
            waiting,
            reader,
        })
    }

    /// Name of the queue, for the request.
    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    /// Registers a call before its request is published.
    pub(crate) fn expect(&self, msg_id: &str) -> Result<Waiter, RpcError> {
        let (answer, receiver) = oneshot::channel();
        let mut table = self.waiting.lock();
        if table.closed {
            return Err(RpcError::Closed);
        }
        if table.calls.len() >= CALLS_WAITING_MAX {
            let queue = "calls waiting for a reply".to_owned();
            return Err(RpcError::Backpressure {
                queue,
                len_max: CALLS_WAITING_MAX,
            });
        }
        table.calls.insert(
            msg_id.to_owned(),
            Pending {
                answer,
                early: None,
            },
        );
        drop(table);
        let waiting = Arc::clone(&self.waiting);
        Ok(Waiter {
            msg_id: msg_id.to_owned(),
            waiting,
            receiver,
        })
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        // Nobody can wait for a reply any more; the reader holds nothing that needs a clean end.
        self.reader.abort();
    }
}

/// One waiting call; dropping it gives up the place in the table.
pub(crate) struct Waiter {
    msg_id: String,
    waiting: Arc<Waiting>,
    receiver: oneshot::Receiver<Answer>,
}

impl Waiter {
    pub(crate) async fn answer(&mut self) -> Answer {
        (&mut self.receiver).await.unwrap_or(Err(RpcError::Closed))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.waiting.lock().calls.remove(&self.msg_id);
    }
}

#[derive(Default)]
struct Waiting(Mutex<Table>);

#[derive(Default)]
struct Table {
    calls: HashMap<String, Pending>,
    closed: bool,
}

struct Pending {
    answer: oneshot::Sender<Answer>,
    /// What came in a message that was not the last one.
    early: Option<Result<Value, Failure>>,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // Insertions and removals only: a panic cannot leave the table half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer is sent outside the lock; the caller may already be gone, which is no error.
    fn finish(&self, msg_id: &str, answer: impl FnOnce(&mut Pending) -> Answer) {
        let Some(mut pending) = self.lock().calls.remove(msg_id) else {
            tracing::info!(msg_id, "no call waits for this reply, it is discarded");
            return;
        };
        let answer = answer(&mut pending);
        let _ = pending.answer.send(answer);
    }

    fn accept(&self, reply: Reply) {
        if reply.ending {
            return self.finish(&reply.msg_id, |pending| {
                let early = pending.early.take();
                early.unwrap_or(reply.result).map_err(RpcError::Remote)
            });
        }
        // A heartbeat is an unfinished reply without a value.
        if reply.result != Ok(Value::Null)
            && let Some(pending) = self.lock().calls.get_mut(&reply.msg_id)
        {
            pending.early = Some(reply.result);
        }
    }

    fn refuse(&self, msg_id: Option<String>, Undecodable(problem): Undecodable) {
        match msg_id {
            Some(id) => self.finish(&id, |_| Err(RpcError::BadReply { problem })),
            None => tracing::error!(problem, "discarded a reply that cannot be read"),
        }
    }
}

async fn read(mut source: Box<dyn ReplyQueue>, waiting: Arc<Waiting>) {
    while let Some(body) = source.next().await {
        match Reply::decode(&body) {
            Ok(reply) => waiting.accept(reply),
            Err((msg_id, problem)) => waiting.refuse(msg_id, problem),
        }
    }
    let calls = {
        let mut table = waiting.lock();
        table.closed = true;
        std::mem::take(&mut table.calls)
    };
    for pending in calls.into_values() {
        let _ = pending.answer.send(Err(RpcError::Closed));
    }
}
