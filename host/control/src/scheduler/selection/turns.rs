//! When a request may run: beside as many others as there are workers, and beside none where hosts may change or move.
//!
//! All of it is in order of arrival, so that nobody waits for those who came later. Must not know what is run. Made by
//! the manager; a wait ends at the time until which the request may begin at all.

use std::time::Duration;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::scheduler::errors::SelectError;

/// Lets requests run.
pub(in crate::scheduler) struct Turns {
    workers: Semaphore,
    phase: RwLock<()>,
}

/// While it is held requests run, beside each other, and no host changes but by what they consume.
pub(in crate::scheduler) type Beside<'t> = RwLockReadGuard<'t, ()>;
/// While it is held no other request runs.
pub(in crate::scheduler) type Alone<'t> = RwLockWriteGuard<'t, ()>;

impl Turns {
    /// For so many requests at a time.
    pub(in crate::scheduler) fn new(workers: usize) -> Self {
        Self {
            workers: Semaphore::new(workers.clamp(1, Semaphore::MAX_PERMITS)),
            phase: RwLock::new(()),
        }
    }

    /// A worker: held until the request is answered.
    pub(in crate::scheduler) async fn worker(
        &self,
        patience: &Patience,
    ) -> Result<SemaphorePermit<'_>, SelectError> {
        let permit = patience.wait(self.workers.acquire()).await?;
        // Nobody closes it.
        permit.map_err(|_| patience.is_over())
    }

    /// Waits until nobody runs alone.
    pub(in crate::scheduler) async fn beside(
        &self,
        patience: &Patience,
    ) -> Result<Beside<'_>, SelectError> {
        patience.wait(self.phase.read()).await
    }

    /// Waits until nobody runs.
    pub(in crate::scheduler) async fn alone(
        &self,
        patience: &Patience,
    ) -> Result<Alone<'_>, SelectError> {
        patience.wait(self.phase.write()).await
    }
}

/// How long a request waits for others: no step of it begins later, so that all of it takes twice as long at most.
pub(in crate::scheduler) struct Patience {
    limit: Duration,
    until: Instant,
}

impl Patience {
    /// So much from now on.
    pub(in crate::scheduler) fn of(limit: Duration) -> Self {
        Self {
            limit,
            until: Instant::now() + limit,
        }
    }

    /// Waits for what others hold.
    ///
    /// # Errors
    /// [`SelectError::Waited`].
    pub(in crate::scheduler) async fn wait<T>(
        &self,
        what: impl Future<Output = T>,
    ) -> Result<T, SelectError> {
        let waited = tokio::time::timeout_at(self.until, what).await;
        let waited = waited.map_err(|_| self.is_over())?;
        self.lasts().map(|()| waited)
    }

    /// Whether there is time left.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub(in crate::scheduler) fn lasts(&self) -> Result<(), SelectError> {
        match Instant::now() < self.until {
            true => Ok(()),
            false => Err(self.is_over()),
        }
    }

    fn is_over(&self) -> SelectError {
        SelectError::Waited(self.limit)
    }
}
