//! One lock per instance, for as long as somebody uses it.
//!
//! The table holds an entry only while a lock is held or waited for, so it is bounded by the work
//! in progress. Must not know what is done under a lock. Used by everything that changes a guest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

type Table = Mutex<HashMap<String, Arc<AsyncMutex<()>>>>;

/// The locks of a host's instances.
#[derive(Default)]
pub(super) struct Locks {
    table: Arc<Table>,
}

/// A lock that is held, or waited for.
pub(super) struct Guard {
    table: Arc<Table>,
    uuid: String,
    held: Option<OwnedMutexGuard<()>>,
}

impl Locks {
    /// Waits for the lock of an instance; first come, first served.
    pub(super) async fn lock(&self, uuid: &str) -> Guard {
        let (lock, mut guard) = self.entry(uuid);
        guard.held = Some(lock.lock_owned().await);
        guard
    }

    /// The lock, unless somebody holds it.
    pub(super) fn try_lock(&self, uuid: &str) -> Option<Guard> {
        let (lock, mut guard) = self.entry(uuid);
        guard.held = Some(lock.try_lock_owned().ok()?);
        Some(guard)
    }

    /// The guard exists before the wait, so that a wait given up leaves no entry.
    fn entry(&self, uuid: &str) -> (Arc<AsyncMutex<()>>, Guard) {
        let lock = Arc::clone(table(&self.table).entry(uuid.to_owned()).or_default());
        let guard = Guard {
            table: Arc::clone(&self.table),
            uuid: uuid.to_owned(),
            held: None,
        };
        (lock, guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut table = table(&self.table);
        // Under the table's lock nobody can begin to wait, so the count is final.
        drop(self.held.take());
        let unused = |lock: &Arc<AsyncMutex<()>>| Arc::strong_count(lock) == 1;
        if table.get(&self.uuid).is_some_and(unused) {
            table.remove(&self.uuid);
        }
    }
}

/// Entries are inserted and removed whole, so poison means nothing.
fn table(table: &Table) -> MutexGuard<'_, HashMap<String, Arc<AsyncMutex<()>>>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_entry_lives_as_long_as_its_users() {
        let locks = Locks::default();
        let held = locks.lock("a").await;
        assert!(locks.try_lock("a").is_none());
        assert!(locks.try_lock("b").is_some());
        let mut waiting = Box::pin(locks.lock("a"));
        assert!(futures_poll(&mut waiting).await.is_none());
        drop(held);
        drop(waiting.await);
        assert!(table(&locks.table).is_empty());
    }

    #[tokio::test]
    async fn a_wait_given_up_leaves_nothing() {
        let locks = Locks::default();
        let held = locks.lock("a").await;
        let mut waiting = Box::pin(locks.lock("a"));
        assert!(futures_poll(&mut waiting).await.is_none());
        drop(held);
        drop(waiting);
        assert!(table(&locks.table).is_empty());
    }

    /// Polls once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|cx| {
            let polled = std::pin::Pin::new(&mut *future).poll(cx);
            std::task::Poll::Ready(match polled {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
