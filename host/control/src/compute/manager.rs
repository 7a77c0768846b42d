//! The compute manager of one host: its parts, its hooks and its periodic tasks.
//!
//! Must not hold the work itself: that is in `build.rs`, `lifecycle.rs`, `recover.rs` and
//! `power_sync.rs`. Several managers may live in one process, one per host. Built by the wiring.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{Endpoint, RequestContext, Transport};
use longshore_objects::{Expected, Instance, InstanceFault, InstanceList, ObjectApi, ObjectError};
use longshore_plugin_api::{CallContext, Virt};
use longshore_service::{Manager, PeriodicTask, ServiceError};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use super::config::ComputeConfig;
use super::endpoint::ComputeEndpoint;
use super::locks::Locks;
use super::resource_tracker::ResourceTracker;
use super::rpcapi::ComputeApi;
use crate::codes;
use crate::conductor::rpcapi::ConductorApi;
use crate::driver_call::{DriverCalls, one_line};
use crate::scheduler::SchedulerApi;

/// Writes of one record that are tried again after a failure on the way, at most.
const SAVE_RETRIES_MAX: u32 = 3;
/// Pause before the first of them; each further one is longer by as much.
const SAVE_RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How long one question to the conductor waits at the start.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stop waits for work that no request waits for.
const TASKS_WAIT_MAX: Duration = Duration::from_secs(10);
/// Time between a change of usage and the record's write.
const REPORT_DELAY: Duration = Duration::from_secs(1);
/// Time from the start until builds that were cut off are scheduled again: hosts that start at the
/// same time are then up, too.
const RESUME_DELAY: Duration = Duration::from_secs(2);
/// Time between two comparisons of power states.
const SYNC_POWER_STATES_SPACING: Duration = Duration::from_secs(600);
/// Number that an instance's fault carries.
const FAULT_CODE: i64 = 500;

/// What a compute manager is made of.
pub struct ComputeParts {
    /// The host's choices.
    pub config: ComputeConfig,
    /// Records: through the conductor, or local.
    pub objects: Arc<dyn ObjectApi>,
    /// Reaches conductors and other hosts.
    pub transport: Arc<dyn Transport>,
    /// The host's virt driver.
    pub virt: Arc<dyn Virt>,
    /// Makes the driver's calls, with their deadline.
    pub calls: DriverCalls,
}

/// The manager of the service `compute` on one host.
pub struct ComputeManager {
    pub(super) config: Arc<ComputeConfig>,
    pub(super) objects: Arc<dyn ObjectApi>,
    pub(super) conductor: ConductorApi,
    pub(super) compute: ComputeApi,
    pub(super) scheduler: SchedulerApi,
    pub(super) virt: Arc<dyn Virt>,
    pub(super) calls: DriverCalls,
    pub(super) tracker: Arc<ResourceTracker>,
    pub(super) locks: Locks,
    /// One per server group whose members are being built.
    pub(super) group_locks: Locks,
    /// None: no limit.
    pub(super) builds: Option<Semaphore>,
    /// Work that outlives a request: guests that came too late.
    tasks: Mutex<JoinSet<()>>,
    reporter: Mutex<Option<JoinHandle<()>>>,
    /// Builds that recovery handed back, until the conductor is told; bounded by the instances of
    /// the host.
    handed_back: Mutex<Vec<String>>,
    me: Weak<Self>,
}

impl ComputeManager {
    /// The manager of one host.
    pub fn new(parts: ComputeParts) -> Arc<Self> {
        let ComputeParts {
            config,
            objects,
            transport,
            virt,
            calls,
        } = parts;
        let config = Arc::new(config);
        let tracker = ResourceTracker::new(Arc::clone(&config), Arc::clone(&objects));
        let limit = config.max_concurrent_builds;
        Arc::new_cyclic(|me| Self {
            conductor: ConductorApi::new(Arc::clone(&transport)),
            compute: ComputeApi::new(Arc::clone(&transport)),
            scheduler: SchedulerApi::new(transport),
            tracker: Arc::new(tracker),
            locks: Locks::default(),
            group_locks: Locks::default(),
            builds: (limit > 0).then(|| Semaphore::new(limit.min(Semaphore::MAX_PERMITS))),
            tasks: Mutex::default(),
            reporter: Mutex::default(),
            handed_back: Mutex::default(),
            me: Weak::clone(me),
            config,
            objects,
            virt,
            calls,
        })
    }

    /// The host's resources.
    pub fn tracker(&self) -> &ResourceTracker {
        &self.tracker
    }

    /// Audits the host: what the driver has, what records say that it runs, and the host's own
    /// record.
    ///
    /// # Errors
    /// The driver's when it cannot list its nodes, or those of reading and writing records.
    pub async fn update_available_resource(&self) -> Result<(), ServiceError> {
        let virt = Arc::clone(&self.virt);
        let names = self
            .calls
            .blocking("periodic", "available_nodes", move |_| {
                virt.available_nodes()
            });
        let names = names
            .await
            .map_err(|e| self.service_error(e.code(), "list the nodes of", &e))?;
        let mut nodes = Vec::with_capacity(names.len());
        for name in names {
            let (virt, node) = (Arc::clone(&self.virt), name.clone());
            let call = move |context: &CallContext<'_>| virt.available_resources(context, &node);
            match self
                .calls
                .blocking("periodic", "available_resources", call)
                .await
            {
                Ok(resources) => nodes.push((name, resources)),
                Err(error) => {
                    let (code, host) = (error.code(), &self.config.host);
                    tracing::warn!(code, host, node = name, "cannot audit a node: {error}");
                }
            }
        }
        self.tracker.begin_audit();
        let records = |e: ObjectError| {
            let code = e.code().to_owned();
            self.service_error(&code, "audit the resources of", &e)
        };
        let found = InstanceList::get_by_host(self.objects.as_ref(), &self.config.host).await;
        self.tracker
            .finish_audit(nodes, found.map_err(records)?.objects());
        self.tracker.save().await.map_err(records)?;
        self.tracker.remove_orphans().await.map_err(records)
    }

    /// Writes changed fields of an instance; a failure on the way is tried again, and a write that
    /// had arrived all the same (`reached`) counts.
    ///
    /// # Errors
    /// As for `Instance::save`.
    pub(super) async fn save_settled(
        &self,
        instance: &mut Instance,
        expected: Expected,
        reached: impl Fn(&Instance) -> bool,
    ) -> Result<(), ObjectError> {
        let api = self.objects.as_ref();
        let mut tries = 0;
        loop {
            let mut next = instance.clone();
            let error = match next.save(api, expected.clone()).await {
                Ok(()) => {
                    *instance = next;
                    return Ok(());
                }
                Err(error) => error,
            };
            if tries > 0 && is_conflict(&error) {
                let row = Instance::get_by_uuid(api, instance.uuid()).await?;
                if reached(&row) {
                    *instance = row;
                    return Ok(());
                }
            }
            if !is_passing(&error) || tries == SAVE_RETRIES_MAX {
                return Err(error);
            }
            tries += 1;
            let (uuid, code) = (instance.uuid(), error.code());
            tracing::warn!(uuid, code, tries, "writing a record again: {error}");
            tokio::time::sleep(SAVE_RETRY_PAUSE * tries).await;
        }
    }

    /// Records why an operation failed.
    pub(super) async fn record_fault(&self, uuid: &str, code: &str, text: &str) {
        let host = self.config.host.as_str();
        let mut fault = InstanceFault::new();
        fault
            .set_instance_uuid(uuid)
            .set_code(FAULT_CODE)
            .set_message(one_line(text))
            .set_details(code)
            .set_host(host);
        if let Err(error) = fault.create(self.objects.as_ref()).await {
            let code = error.code();
            tracing::warn!(code, uuid, host, "cannot record a fault: {error}");
        }
    }

    /// Runs something that no request waits for; joined when the host is cleaned up.
    pub(super) fn spawn_on<F, Fut>(&self, runtime: &Handle, work: F)
    where
        F: FnOnce(Arc<Self>) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let Some(me) = self.me.upgrade() else {
            return;
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work(me), runtime);
    }

    /// A handle for callbacks that may run after the manager's end.
    pub(super) fn weak(&self) -> Weak<Self> {
        Weak::clone(&self.me)
    }

    pub(super) fn service_error(
        &self,
        code: &str,
        what: &str,
        error: &dyn std::fmt::Display,
    ) -> ServiceError {
        let text = format!("cannot {what} host `{}`: {error}", self.config.host);
        ServiceError::new(code.to_owned(), text)
    }

    async fn wait_for_conductor(&self) -> Result<(), ServiceError> {
        let ctx = RequestContext::admin();
        let waiting = async {
            while let Err(error) = self.conductor.ping(&ctx, PING_TIMEOUT).await {
                let host = &self.config.host;
                tracing::warn!(
                    code = error.code(),
                    host,
                    "waiting for a conductor: {error}"
                );
                // A send that fails at once must not become a busy loop.
                tokio::time::sleep(SAVE_RETRY_PAUSE).await;
            }
        };
        tokio::time::timeout(self.config.conductor_wait, waiting)
            .await
            .map_err(|_| {
                let waited = format!("none answered within {:?}", self.config.conductor_wait);
                self.service_error(codes::CONDUCTOR_AWAY, "reach a conductor from", &waited)
            })
    }

    /// Has builds that were cut off scheduled again, then follows the changes of usage with the
    /// host's record, until aborted.
    fn start_reporter(&self) {
        let tracker = Arc::clone(&self.tracker);
        let host = self.config.host.clone();
        let me = self.weak();
        let resume = async move {
            tokio::time::sleep(RESUME_DELAY).await;
            if let Some(me) = me.upgrade() {
                me.resume_builds().await;
            }
        };
        let report = async move {
            loop {
                tracker.wait_for_change().await;
                tokio::time::sleep(REPORT_DELAY).await;
                if let Err(error) = tracker.save().await {
                    let code = error.code();
                    tracing::warn!(code, host, "cannot report the host's resources: {error}");
                }
            }
        };
        let run = async move { tokio::join!(resume, report).0 };
        if let Some(old) = self.reporter().replace(tokio::spawn(run)) {
            old.abort();
        }
    }

    pub(super) fn handed_back(&self) -> MutexGuard<'_, Vec<String>> {
        let lock = self.handed_back.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    fn reporter(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.reporter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another operation owns the instance, or it is gone: the writer gives way.
pub(super) fn is_preempted(error: &ObjectError) -> bool {
    matches!(error, ObjectError::InstanceNotFound(_)) || is_conflict(error)
}

fn is_conflict(error: &ObjectError) -> bool {
    matches!(
        error,
        ObjectError::UnexpectedTaskState(_)
            | ObjectError::UnexpectedDeletingTaskState(_)
            | ObjectError::InstanceUpdateConflict(_)
    )
}

/// Whether the same write may succeed later: the way to the record failed, not the write.
fn is_passing(error: &ObjectError) -> bool {
    matches!(
        error,
        ObjectError::Remote { .. } | ObjectError::Store { .. }
    )
}

#[async_trait]
impl Manager for ComputeManager {
    fn service_name(&self) -> &str {
        super::TOPIC
    }

    async fn init_host(&self) -> Result<(), ServiceError> {
        if !self.config.use_local {
            self.wait_for_conductor().await?;
        }
        self.recover().await
    }

    async fn pre_start_hook(&self) -> Result<(), ServiceError> {
        self.update_available_resource().await
    }

    async fn post_start_hook(&self) -> Result<(), ServiceError> {
        self.start_reporter();
        self.tell_all_instances().await
    }

    async fn cleanup_host(&self) -> Result<(), ServiceError> {
        let reporter = self.reporter().take();
        if let Some(reporter) = reporter {
            reporter.abort();
            let _ = reporter.await;
        }
        let mut tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        let finished = async { while tasks.join_next().await.is_some() {} };
        // What is cut off here is found by the next start's recovery.
        let _ = tokio::time::timeout(TASKS_WAIT_MAX, finished).await;
        self.tracker.save().await.map_err(|error| {
            let code = error.code().to_owned();
            self.service_error(&code, "report the resources of", &error)
        })
    }

    fn endpoints(self: Arc<Self>) -> Vec<Arc<dyn Endpoint>> {
        vec![Arc::new(ComputeEndpoint(self))]
    }

    fn periodic_tasks(self: Arc<Self>) -> Vec<PeriodicTask> {
        let (audited, synced) = (Arc::clone(&self), Arc::clone(&self));
        let told = Arc::clone(&self);
        let audit = move || {
            let manager = Arc::clone(&audited);
            async move { manager.update_available_resource().await }
        };
        let sync = move || {
            let manager = Arc::clone(&synced);
            async move { manager.sync_power_states().await }
        };
        let tell = move || {
            let manager = Arc::clone(&told);
            async move { manager.sync_instance_info().await }
        };
        let spacing = self.config.update_resources_interval;
        vec![
            PeriodicTask::new("ComputeManager.update_available_resource", spacing, audit),
            PeriodicTask::new(
                "ComputeManager._sync_power_states",
                SYNC_POWER_STATES_SPACING,
                sync,
            )
            .immediately(),
            PeriodicTask::new(
                "ComputeManager._sync_scheduler_instance_info",
                self.config.scheduler_instance_sync_interval,
                tell,
            ),
        ]
    }
}
