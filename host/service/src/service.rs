//! The life of one service: start in a fixed order, stop without losing what was taken.
//!
//! It must not know what the manager does or where records are kept. The launcher starts and
//! stops it; a start that fails leaves nothing running.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{BaseRpc, Endpoint, RpcServer, Transport};

use crate::codes;
use crate::drain::Drain;
use crate::error::ServiceError;
use crate::group::{Heartbeat, Member, ServiceGroupJoin};
use crate::launcher::Launchable;
use crate::manager::Manager;
use crate::periodic::PeriodicTasks;

/// Default time between heartbeats.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(10);
/// Default bound of the random delay before periodic tasks start.
pub const PERIODIC_FUZZY_DELAY: Duration = Duration::from_secs(60);

/// Who a service is and how it keeps time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Name of the host; the RPC server name, so unique among the servers of a topic.
    pub host: String,
    /// Name of the program in the service record.
    pub binary: String,
    /// RPC topic.
    pub topic: String,
    /// Time between heartbeats; zero means none.
    pub report_interval: Duration,
    /// Whether periodic tasks run.
    pub periodic_enable: bool,
    /// Bound of the random delay before they start, in whole seconds.
    pub periodic_fuzzy_delay: Duration,
}

impl ServiceConfig {
    /// The usual intervals.
    pub fn new(
        host: impl Into<String>,
        binary: impl Into<String>,
        topic: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            binary: binary.into(),
            topic: topic.into(),
            report_interval: REPORT_INTERVAL,
            periodic_enable: true,
            periodic_fuzzy_delay: PERIODIC_FUZZY_DELAY,
        }
    }

    fn member(&self) -> Member {
        Member {
            host: self.host.clone(),
            binary: self.binary.clone(),
            topic: self.topic.clone(),
            report_interval: self.report_interval,
        }
    }
}

/// A manager with its RPC server, its heartbeats and its periodic tasks.
pub struct Service {
    config: ServiceConfig,
    manager: Arc<dyn Manager>,
    transport: Arc<dyn Transport>,
    group: Arc<dyn ServiceGroupJoin>,
    phase: Mutex<Phase>,
}

enum Phase {
    Stopped,
    /// A start or a stop is under way.
    Changing,
    Running(Running),
}

/// What a start has brought up so far.
struct Running {
    server: RpcServer,
    heartbeat: Option<Heartbeat>,
    periodic: Option<PeriodicTasks>,
}

impl Service {
    /// A service that is not started.
    pub fn new(
        config: ServiceConfig,
        manager: Arc<dyn Manager>,
        transport: Arc<dyn Transport>,
        group: Arc<dyn ServiceGroupJoin>,
    ) -> Self {
        Self {
            config,
            manager,
            transport,
            group,
            phase: Mutex::new(Phase::Stopped),
        }
    }

    /// Starts the service; returns when it takes messages.
    ///
    /// # Errors
    /// The code of the step that failed, with service, host and step named; what was started is
    /// stopped again. `service/already-started`.
    pub async fn start(&self) -> Result<(), ServiceError> {
        self.claim_start()?;
        let started = self.start_steps().await;
        let (phase, result) = match started {
            Ok(running) => (Phase::Running(running), Ok(())),
            Err(error) => (Phase::Stopped, Err(error)),
        };
        *self.phase() = phase;
        result
    }

    /// Stops the service: no further message or run, those in progress finish within the drain's
    /// grace, then `cleanup_host`. Does nothing if the service is not running.
    ///
    /// # Errors
    /// `service/drain-cut-short`; the service is stopped all the same.
    pub async fn stop(&self, drain: &Drain) -> Result<(), ServiceError> {
        let running = match &mut *self.phase() {
            phase @ Phase::Running(_) => std::mem::replace(phase, Phase::Changing),
            _ => return Ok(()),
        };
        let Phase::Running(mut running) = running else {
            return Ok(());
        };
        let finished = drain.within(running.finish()).await;
        if finished.is_none() {
            running.periodic = None;
            running.server.abort().await;
        }
        self.clean_up().await;
        // Last, since a host that finishes its work still lives.
        if let Some(heartbeat) = running.heartbeat.take() {
            heartbeat.stop().await;
        }
        *self.phase() = Phase::Stopped;
        tracing::info!(service = self.name(), host = self.config.host, "stopped");
        finished.ok_or_else(|| {
            let text = format!(
                "`{}` had work left at the end of the grace period",
                self.name()
            );
            ServiceError::new(codes::DRAIN_CUT_SHORT, text)
        })
    }

    /// Hands the manager the news that the configuration was read again.
    ///
    /// # Errors
    /// The manager's.
    pub async fn reset(&self) -> Result<(), ServiceError> {
        self.manager.reset().await
    }

    /// Name of the manager's service.
    pub fn name(&self) -> &str {
        self.manager.service_name()
    }

    fn claim_start(&self) -> Result<(), ServiceError> {
        let mut phase = self.phase();
        if !matches!(*phase, Phase::Stopped) {
            let text = format!("`{}` is already started", self.name());
            return Err(ServiceError::new(codes::ALREADY_STARTED, text));
        }
        *phase = Phase::Changing;
        Ok(())
    }

    async fn start_steps(&self) -> Result<Running, ServiceError> {
        let (host, version) = (&self.config.host, env!("CARGO_PKG_VERSION"));
        tracing::info!(service = self.name(), host, version, "starting");
        self.manager
            .init_host()
            .await
            .map_err(|e| self.at("init_host", e))?;
        let started = self.start_initialised().await;
        if started.is_err() {
            self.clean_up().await;
        }
        started
    }

    async fn start_initialised(&self) -> Result<Running, ServiceError> {
        let member = self.config.member();
        self.group
            .register(&member)
            .await
            .map_err(|e| self.at("register", e))?;
        self.manager
            .pre_start_hook()
            .await
            .map_err(|e| self.at("pre_start_hook", e))?;
        let server = self
            .start_server()
            .await
            .map_err(|e| self.at("rpc server", e))?;
        let mut running = Running {
            server,
            heartbeat: None,
            periodic: None,
        };
        match self.start_serving(&mut running, member).await {
            Ok(()) => Ok(running),
            Err(error) => {
                running.finish().await;
                Err(error)
            }
        }
    }

    async fn start_server(&self) -> Result<RpcServer, ServiceError> {
        let mut endpoints = Arc::clone(&self.manager).endpoints();
        let base: Arc<dyn Endpoint> = Arc::new(BaseRpc::new(self.name()));
        endpoints.insert(endpoints.len().min(1), base);
        let transport = Arc::clone(&self.transport);
        Ok(RpcServer::start(transport, &self.config.topic, &self.config.host, endpoints).await?)
    }

    /// The steps after the server, whose failure needs an orderly way back.
    async fn start_serving(
        &self,
        running: &mut Running,
        member: Member,
    ) -> Result<(), ServiceError> {
        self.manager
            .post_start_hook()
            .await
            .map_err(|e| self.at("post_start_hook", e))?;
        let heartbeat = self.group.join(member).await;
        running.heartbeat = heartbeat.map_err(|e| self.at("join", e))?;
        if self.config.periodic_enable {
            let tasks = Arc::clone(&self.manager).periodic_tasks();
            let fuzzy_delay = self.config.periodic_fuzzy_delay;
            let some = !tasks.is_empty();
            running.periodic = some.then(|| PeriodicTasks::start(tasks, fuzzy_delay));
        }
        Ok(())
    }

    async fn clean_up(&self) {
        if let Err(error) = self.manager.cleanup_host().await {
            let (code, why) = (error.code(), error.chain());
            tracing::error!(
                code,
                why,
                service = self.name(),
                "error during cleanup_host"
            );
        }
    }

    fn at(&self, step: &str, error: ServiceError) -> ServiceError {
        error.at_start(self.name(), &self.config.host, step)
    }

    /// Never held across a wait. Values are replaced whole, so poison means nothing.
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Takes no more work and finishes what was taken. Periodic tasks end here, before
    /// `cleanup_host`, since they use what it tears down.
    async fn finish(&mut self) {
        self.server.stop().await;
        if let Some(periodic) = &mut self.periodic {
            periodic.stop();
            periodic.wait().await;
        }
        self.server.wait().await;
        self.periodic = None;
    }
}

#[async_trait]
impl Launchable for Service {
    fn name(&self) -> &str {
        Self::name(self)
    }

    async fn start(&self) -> Result<(), ServiceError> {
        Self::start(self).await
    }

    async fn stop(&self, drain: &Drain) -> Result<(), ServiceError> {
        Self::stop(self, drain).await
    }

    async fn reset(&self) -> Result<(), ServiceError> {
        Self::reset(self).await
    }
}
