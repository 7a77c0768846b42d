//! Runs the services of one process: starts them in order, stops them in reverse.
//!
//! It must not know what a service is beyond [`Launchable`], so the web API takes part as well.
//! The program calls it between its wiring and its exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::codes;
use crate::drain::{Drain, DrainEnd, DrainTrigger};
use crate::error::ServiceError;

/// Default grace period of a stop.
pub const GRACEFUL_TIMEOUT: Duration = Duration::from_secs(60);
/// What a service may take for its own end after the grace period is over.
pub const STOP_MARGIN: Duration = Duration::from_secs(1);

/// Something a launcher starts and stops.
#[async_trait]
pub trait Launchable: Send + Sync {
    /// Name for messages.
    fn name(&self) -> &str;

    /// Returns when the service works. A failed start MUST leave nothing running.
    async fn start(&self) -> Result<(), ServiceError>;

    /// Finishes within the drain's grace period, or answers that it was cut short.
    async fn stop(&self, drain: &Drain) -> Result<(), ServiceError>;

    /// Takes over a configuration that was read again.
    async fn reset(&self) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// The services of one process.
pub struct Launcher {
    services: Vec<Arc<dyn Launchable>>,
    /// How many were begun; the last of them may have been given up half-way.
    begun: AtomicUsize,
    graceful_timeout: Duration,
    trigger: DrainTrigger,
    drain: Drain,
}

impl Launcher {
    /// A launcher without services; a zero timeout means that a stop waits for ever.
    pub fn new(graceful_timeout: Duration) -> Self {
        let (trigger, drain) = Drain::new();
        let (services, begun) = (Vec::new(), AtomicUsize::new(0));
        Self {
            services,
            begun,
            graceful_timeout,
            trigger,
            drain,
        }
    }

    /// Adds a service behind those added before.
    #[must_use]
    pub fn with(mut self, service: Arc<dyn Launchable>) -> Self {
        self.services.push(service);
        self
    }

    /// The drain that [`stop`](Self::stop) starts, for what takes work outside of services.
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }

    /// Starts the services in order. If one fails, those before it are stopped again.
    ///
    /// # Errors
    /// That of the service that failed, which names it; `service/stopping` after a stop.
    pub async fn start(&self) -> Result<(), ServiceError> {
        for (index, service) in self.services.iter().enumerate() {
            if self.drain.is_draining() {
                let text = format!("gave up the start before `{}`", service.name());
                return Err(ServiceError::new(codes::STOPPING, text));
            }
            self.begun.store(index + 1, Ordering::Relaxed);
            if let Err(error) = service.start().await {
                self.begun.store(index, Ordering::Relaxed);
                self.stop().await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Drains and stops the services in reverse order, then waits for the guards that are left.
    /// What a service says about its own end is logged here.
    pub async fn stop(&self) -> DrainEnd {
        self.trigger.start(self.graceful_timeout);
        let mut end = DrainEnd::Clean;
        let begun = self.begun.swap(0, Ordering::Relaxed);
        for service in self.services.iter().take(begun).rev() {
            if let Err(error) = self.stop_one(service.as_ref()).await {
                let (code, why) = (error.code(), error.chain());
                tracing::error!(
                    code,
                    why,
                    service = service.name(),
                    "the stop was not clean"
                );
                end = DrainEnd::CutShort;
            }
        }
        if self.trigger.finished().await == DrainEnd::CutShort {
            let count = self.trigger.guards();
            tracing::error!(
                code = codes::DRAIN_CUT_SHORT,
                count,
                "requests were cut short"
            );
            end = DrainEnd::CutShort;
        }
        end
    }

    /// Resets every service, in order; one that fails does not keep the news from the others.
    ///
    /// # Errors
    /// The first error; later ones are logged.
    pub async fn reset(&self) -> Result<(), ServiceError> {
        let mut first = Ok(());
        for service in &self.services {
            match (service.reset().await, &first) {
                (Err(error), Ok(())) => first = Err(error),
                (Err(error), Err(_)) => {
                    let (code, why) = (error.code(), error.chain());
                    tracing::error!(code, why, service = service.name(), "cannot reset");
                }
                (Ok(()), _) => {}
            }
        }
        first
    }

    /// A service that ignores the grace period does not hold up the exit.
    async fn stop_one(&self, service: &dyn Launchable) -> Result<(), ServiceError> {
        let too_late = async {
            self.drain.expired().await;
            tokio::time::sleep(STOP_MARGIN).await;
        };
        tokio::select! {
            biased;
            stopped = service.stop(&self.drain) => stopped,
            () = too_late => {
                let text = format!("`{}` did not stop in time", service.name());
                Err(ServiceError::new(codes::DRAIN_CUT_SHORT, text))
            }
        }
    }
}
