//! The compute manager of one host: its parts, its RPC interface, its hooks and periodic tasks.
//!
//! Must not hold the work itself: that is in `build.rs`, `lifecycle.rs`, `recover.rs` and
//! `power_sync.rs`. Several managers may live in one process, one per host. Built by the wiring.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{
    Dispatched, Endpoint, EndpointTarget, Failure, RequestContext, Transport,
};
use longshore_objects::{
    Expected, ImageMeta, Instance, InstanceFault, InstanceList, ObjectApi, ObjectError,
    RequestSpec, SchedulerLimits, Selection, VersionedObject,
};
use longshore_plugin_api::{CallContext, Virt};
use longshore_service::{Manager, PeriodicTask, ServiceError};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use super::build::BuildRequest;
use super::locks::Locks;
use super::resource_tracker::ResourceTracker;
use super::rpcapi::ComputeApi;
use crate::codes;
use crate::conductor::rpcapi::ConductorApi;
use crate::driver_call::{DriverCalls, one_line};

/// Writes of one record that are tried again after a failure on the way, at most.
const SAVE_RETRIES_MAX: u32 = 3;
/// Pause before the first of them; each further one is longer by as much.
const SAVE_RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How long one question to the conductor waits at the start.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between a change of usage and the record's write.
const REPORT_DELAY: Duration = Duration::from_secs(1);
/// Time from the start until builds that were cut off are scheduled again: hosts that start at the
/// same time are then up, too.
const RESUME_DELAY: Duration = Duration::from_secs(2);
/// Time between two comparisons of power states.
const SYNC_POWER_STATES_SPACING: Duration = Duration::from_secs(600);
/// Number that an instance's fault carries.
const FAULT_CODE: i64 = 500;

/// What an operator chooses for a compute host, with Nova's names and defaults.
#[derive(Clone, Debug)]
pub struct ComputeConfig {
    /// Name of the host.
    pub host: String,
    /// Address of the host, shown with it.
    pub host_ip: Option<String>,
    /// How many virtual processors one processor carries.
    pub cpu_allocation_ratio: f64,
    /// How far memory may be overcommitted.
    pub ram_allocation_ratio: f64,
    /// How far disk may be overcommitted.
    pub disk_allocation_ratio: f64,
    /// Memory kept for the host itself, MB.
    pub reserved_host_memory_mb: i64,
    /// Disk kept for the host itself, MB.
    pub reserved_host_disk_mb: i64,
    /// Processors kept for the host itself.
    pub reserved_host_cpus: i64,
    /// Builds at the same time; 0 means no limit.
    pub max_concurrent_builds: usize,
    /// Time between two audits of the host's resources.
    pub update_resources_interval: Duration,
    /// Records are written here and not through the conductor, so a start need not wait for one.
    pub use_local: bool,
    /// How long a start waits for a conductor.
    pub conductor_wait: Duration,
}

impl ComputeConfig {
    /// The defaults for a host of this name.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            host_ip: None,
            cpu_allocation_ratio: 16.0,
            ram_allocation_ratio: 1.5,
            disk_allocation_ratio: 1.0,
            reserved_host_memory_mb: 512,
            reserved_host_disk_mb: 0,
            reserved_host_cpus: 0,
            max_concurrent_builds: 10,
            update_resources_interval: Duration::from_secs(60),
            use_local: false,
            conductor_wait: Duration::from_secs(600),
        }
    }
}

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
    pub(super) virt: Arc<dyn Virt>,
    pub(super) calls: DriverCalls,
    pub(super) tracker: Arc<ResourceTracker>,
    pub(super) locks: Locks,
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
            compute: ComputeApi::new(transport),
            tracker: Arc::new(tracker),
            locks: Locks::default(),
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
        Ok(())
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
        while tasks.join_next().await.is_some() {}
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
        let audit = move || {
            let manager = Arc::clone(&audited);
            async move { manager.update_available_resource().await }
        };
        let sync = move || {
            let manager = Arc::clone(&synced);
            async move { manager.sync_power_states().await }
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
        ]
    }
}

/// The RPC interface, version 4.17.
struct ComputeEndpoint(Arc<ComputeManager>);

#[async_trait]
impl Endpoint for ComputeEndpoint {
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(4, 17)
    }

    async fn dispatch(&self, ctx: RequestContext, method: &str, args: Value) -> Dispatched {
        const METHODS: &[&str] = &[
            "build_and_run_instance",
            "terminate_instance",
            "stop_instance",
            "start_instance",
            "reboot_instance",
        ];
        if !METHODS.contains(&method) {
            return Dispatched::NoSuchMethod;
        }
        Dispatched::Result(match self.run(&ctx, method, &args).await {
            Ok(()) => Ok(Value::Null),
            Err(error) => {
                let failure = Failure::new(error.class(), error.to_string());
                Err(failure.with_code(error.code().to_owned()))
            }
        })
    }
}

impl ComputeEndpoint {
    /// Failures of the work itself end up in the instance's fault; what is returned is about the
    /// message.
    async fn run(
        &self,
        ctx: &RequestContext,
        method: &str,
        args: &Value,
    ) -> Result<(), ObjectError> {
        let manager = &self.0;
        let instance = Instance::from_primitive(&args["instance"])?;
        match method {
            "build_and_run_instance" => {
                manager
                    .build_and_run(ctx, build_request(instance, args)?)
                    .await;
            }
            "terminate_instance" => manager.terminate(ctx, instance.uuid()).await,
            "stop_instance" => manager.stop(ctx, instance.uuid()).await,
            "start_instance" => manager.start(ctx, instance.uuid()).await,
            _ => {
                let hard = args["reboot_type"] == "HARD";
                manager.reboot(ctx, instance.uuid(), hard).await;
            }
        }
        Ok(())
    }
}

fn build_request(instance: Instance, args: &Value) -> Result<BuildRequest, ObjectError> {
    let given = |key: &str| Some(&args[key]).filter(|value| !value.is_null());
    let hosts = args["host_list"].as_array();
    let alternates = hosts.into_iter().flatten().map(Selection::from_primitive);
    Ok(BuildRequest {
        instance,
        spec: RequestSpec::from_primitive(&args["request_spec"])?,
        image: given("image").map(ImageMeta::from_primitive).transpose()?,
        node: given("node").and_then(Value::as_str).map(str::to_owned),
        limits: given("limits")
            .map(SchedulerLimits::from_primitive)
            .transpose()?,
        alternates: alternates.collect::<Result<_, _>>()?,
    })
}
