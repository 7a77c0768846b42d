//! A broker inside the process: named, bounded queues with several consumers.
//!
//! It behaves as a broker does, so that services cannot tell the difference: messages wait for a
//! server that is not there yet, a fanout reaches only those who listen, calls expire in the queue.
//! It must not know what the bytes mean. `longshore up` and most tests run on it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Listener, ReplyQueue, Route, Transport};
use crate::error::RpcError;

/// Default for the messages one queue holds.
pub const QUEUE_LEN_MAX: usize = 10_000;
/// Queues one transport holds; they are made by name on first use.
pub const QUEUE_COUNT_MAX: usize = 65_536;

/// In-process transport. Clones of the `Arc` it is kept in are one broker.
pub struct MemoryTransport {
    broker: Arc<Broker>,
}

/// State shared with listeners and reply queues, which outlive borrows of the transport.
struct Broker {
    len_max: usize,
    /// Topic, server and reply queues by name.
    queues: Mutex<HashMap<String, Arc<Queue>>>,
    /// Each topic's listeners. Only a publisher that holds this lock adds to a fanout queue.
    fanouts: Mutex<HashMap<String, Vec<Arc<Queue>>>>,
}

struct Queue {
    name: String,
    entries: Mutex<VecDeque<Entry>>,
    arrived: Notify,
}

struct Entry {
    body: Vec<u8>,
    expires: Option<Instant>,
}

impl MemoryTransport {
    /// Queues of [`QUEUE_LEN_MAX`] messages.
    pub fn new() -> Self {
        Self::with_queue_len_max(QUEUE_LEN_MAX)
    }

    /// Queues of `len_max` messages each.
    pub fn with_queue_len_max(len_max: usize) -> Self {
        let broker = Broker {
            len_max,
            queues: Mutex::default(),
            fanouts: Mutex::default(),
        };
        Self {
            broker: Arc::new(broker),
        }
    }

    /// Messages that wait in the queue a route leads to; 0 for a queue that does not exist, the
    /// longest one for a fanout.
    pub fn queue_len(&self, route: &Route) -> usize {
        if let Route::Fanout(topic) = route {
            let fanouts = lock(&self.broker.fanouts);
            return fanouts
                .get(topic)
                .into_iter()
                .flatten()
                .map(|q| q.len())
                .max()
                .unwrap_or(0);
        }
        lock(&self.broker.queues)
            .get(&route.queue())
            .map_or(0, |queue| queue.len())
    }
}

impl Default for MemoryTransport {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    async fn publish(
        &self,
        route: &Route,
        body: Vec<u8>,
        expires: Option<Duration>,
    ) -> Result<(), RpcError> {
        let entry = Entry {
            body,
            expires: expires.and_then(|e| Instant::now().checked_add(e)),
        };
        match route {
            Route::Fanout(topic) => self.broker.publish_fanout(topic, entry),
            Route::Reply(name) => self.broker.publish_reply(name, entry),
            Route::Topic(topic) => self.broker.queue(topic)?.push(entry, self.broker.len_max),
            Route::Server { .. } => self
                .broker
                .queue(&route.queue())?
                .push(entry, self.broker.len_max),
        }
    }

    async fn listen(&self, topic: &str, server: &str) -> Result<Box<dyn Listener>, RpcError> {
        let directed = Route::Server {
            topic: topic.to_owned(),
            server: server.to_owned(),
        };
        let shared = self.broker.queue(topic)?;
        let directed = self.broker.queue(&directed.queue())?;
        let fanout = Arc::new(Queue::new(format!(
            "{topic}_fanout_{}",
            Uuid::new_v4().simple()
        )));
        lock(&self.broker.fanouts)
            .entry(topic.to_owned())
            .or_default()
            .push(Arc::clone(&fanout));
        Ok(Box::new(MemoryListener {
            broker: Arc::clone(&self.broker),
            topic: topic.to_owned(),
            queues: [directed, fanout, shared],
            first: 0,
        }))
    }

    async fn open_reply_queue(&self) -> Result<Box<dyn ReplyQueue>, RpcError> {
        let queue = self
            .broker
            .queue(&format!("reply_{}", Uuid::new_v4().simple()))?;
        Ok(Box::new(MemoryReplies {
            broker: Arc::clone(&self.broker),
            queue,
        }))
    }
}

impl Broker {
    /// The queue of that name, made on first use.
    fn queue(&self, name: &str) -> Result<Arc<Queue>, RpcError> {
        let mut queues = lock(&self.queues);
        if let Some(queue) = queues.get(name) {
            return Ok(Arc::clone(queue));
        }
        if queues.len() >= QUEUE_COUNT_MAX {
            let queue = format!("{name} (a new queue)");
            return Err(RpcError::Backpressure {
                queue,
                len_max: QUEUE_COUNT_MAX,
            });
        }
        let queue = Arc::new(Queue::new(name.to_owned()));
        queues.insert(name.to_owned(), Arc::clone(&queue));
        Ok(queue)
    }

    fn publish_reply(&self, name: &str, entry: Entry) -> Result<(), RpcError> {
        // The guard is a temporary of this statement, so pushing happens outside the lock.
        let queue = lock(&self.queues).get(name).map(Arc::clone);
        queue
            .ok_or_else(|| RpcError::NoReplyQueue {
                queue: name.to_owned(),
            })?
            .push(entry, self.len_max)
    }

    /// Queues for all listeners or for none, so that an error means that nothing was sent.
    fn publish_fanout(&self, topic: &str, entry: Entry) -> Result<(), RpcError> {
        let fanouts = lock(&self.fanouts);
        let listeners = fanouts.get(topic).map_or(&[][..], Vec::as_slice);
        if let Some(full) = listeners.iter().find(|queue| queue.len() >= self.len_max) {
            return Err(full.full(self.len_max));
        }
        if listeners.is_empty() {
            tracing::debug!(topic, "nobody listens to this fanout");
        }
        for queue in listeners {
            queue.push(
                Entry {
                    body: entry.body.clone(),
                    ..entry
                },
                self.len_max,
            )?;
        }
        Ok(())
    }
}

impl Queue {
    fn new(name: String) -> Self {
        Self {
            name,
            entries: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    fn len(&self) -> usize {
        lock(&self.entries).len()
    }

    fn full(&self, len_max: usize) -> RpcError {
        RpcError::Backpressure {
            queue: self.name.clone(),
            len_max,
        }
    }

    fn push(&self, entry: Entry, len_max: usize) -> Result<(), RpcError> {
        {
            let mut entries = lock(&self.entries);
            if entries.len() >= len_max {
                // Calls nobody waits for any more must not keep others out.
                self.discard_expired(&mut entries);
            }
            if entries.len() >= len_max {
                return Err(self.full(len_max));
            }
            entries.push_back(entry);
        }
        self.arrived.notify_one();
        Ok(())
    }

    fn pop(&self) -> Option<Vec<u8>> {
        let mut entries = lock(&self.entries);
        self.discard_expired(&mut entries);
        entries.pop_front().map(|entry| entry.body)
    }

    /// Removes expired messages from the head, as far as the first one that is not.
    fn discard_expired(&self, entries: &mut VecDeque<Entry>) {
        let expired = |entry: &mut Entry| entry.expires.is_some_and(|at| at <= Instant::now());
        while entries.pop_front_if(expired).is_some() {
            tracing::info!(
                queue = self.name,
                "discarded a call whose caller has timed out"
            );
        }
    }
}

struct MemoryListener {
    broker: Arc<Broker>,
    topic: String,
    /// Directed, fanout, shared.
    queues: [Arc<Queue>; 3],
    /// Where the next look starts: no queue starves another.
    first: usize,
}

impl MemoryListener {
    fn take(&mut self) -> Option<Vec<u8>> {
        let count = self.queues.len();
        let order = (0..count).map(|i| (self.first + i) % count);
        let (index, body) = order
            .into_iter()
            .find_map(|i| Some((i, self.queues[i].pop()?)))?;
        self.first = (index + 1) % count;
        // A wake-up of another queue may have been spent on this take; pass it on, lest a message
        // waits for this server although another one is idle.
        for queue in self.queues.iter().filter(|queue| queue.len() > 0) {
            queue.arrived.notify_one();
        }
        Some(body)
    }
}

#[async_trait]
impl Listener for MemoryListener {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(body) = self.take() {
                return Some(body);
            }
            let [a, b, c] = self.queues.each_ref().map(|queue| queue.arrived.notified());
            tokio::select! { () = a => {}, () = b => {}, () = c => {} }
        }
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        let [_, fanout, _] = &self.queues;
        let mut fanouts = lock(&self.broker.fanouts);
        if let Some(listeners) = fanouts.get_mut(&self.topic) {
            listeners.retain(|queue| !Arc::ptr_eq(queue, fanout));
            if listeners.is_empty() {
                fanouts.remove(&self.topic);
            }
        }
        drop(fanouts);
        let count = fanout.len();
        if count > 0 {
            tracing::warn!(
                queue = fanout.name,
                count,
                "fanout messages end with their listener"
            );
        }
    }
}

struct MemoryReplies {
    broker: Arc<Broker>,
    queue: Arc<Queue>,
}

#[async_trait]
impl ReplyQueue for MemoryReplies {
    fn name(&self) -> &str {
        &self.queue.name
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(body) = self.queue.pop() {
                return Some(body);
            }
            self.queue.arrived.notified().await;
        }
    }
}

impl Drop for MemoryReplies {
    fn drop(&mut self) {
        lock(&self.broker.queues).remove(&self.queue.name);
    }
}

/// No code that holds these locks can panic half-way through a change, so poison means nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
