//! What a host's nodes have and what is promised of them, in memory and in their records.
//!
//! Usage lives under one lock, never held across a wait. The record follows it: at once at a start,
//! then at most once per second and node. Must not call the virt driver. Used by the manager.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_objects::{
    ComputeNode, ComputeNodeList, Instance, ObjectApi, ObjectError, TaskState, VersionedObject,
    VmState,
};
use longshore_plugin_api::Resources;
use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::claims::{Amounts, ClaimLimits, test};
use super::config::ComputeConfig;

/// The resources of one host.
pub struct ResourceTracker {
    config: Arc<ComputeConfig>,
    objects: Arc<dyn ObjectApi>,
    state: Mutex<State>,
    /// Saves of one node never overtake each other.
    saving: AsyncMutex<()>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    nodes: BTreeMap<String, Node>,
    failed_builds: u32,
    /// During an audit: instances whose usage changed since it began, so that what it read of
    /// them is outdated.
    touched: Option<HashSet<String>>,
}

#[derive(Default)]
struct Node {
    resources: Resources,
    record: Option<ComputeNode>,
    used: HashMap<String, Usage>,
    total: Amounts,
    /// The record is behind.
    dirty: bool,
}

struct Usage {
    amounts: Amounts,
    vm_state: Option<VmState>,
    task_state: Option<TaskState>,
    /// A build holds it, and no record tells of it yet.
    in_flight: bool,
}

impl Node {
    fn insert(&mut self, uuid: &str, usage: Usage) {
        self.remove(uuid);
        self.total = self.total.plus(usage.amounts);
        self.used.insert(uuid.to_owned(), usage);
        self.dirty = true;
    }

    fn remove(&mut self, uuid: &str) {
        if let Some(usage) = self.used.remove(uuid) {
            self.total = self.total.minus(usage.amounts);
            self.dirty = true;
        }
    }
}

impl State {
    fn touch(&mut self, uuid: &str) {
        if let Some(touched) = &mut self.touched {
            touched.insert(uuid.to_owned());
        }
    }
}

/// Resources held for a build; given back when dropped, unless kept.
pub(super) struct Claim {
    tracker: Arc<ResourceTracker>,
    uuid: String,
    held: bool,
}

impl Claim {
    /// The instance runs: its resources stay in use until they are freed.
    pub(super) fn keep(mut self) {
        self.held = false;
        let mut state = self.tracker.state();
        state.touch(&self.uuid);
        for node in state.nodes.values_mut() {
            if let Some(usage) = node.used.get_mut(&self.uuid) {
                usage.in_flight = false;
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.held {
            self.tracker.free(&self.uuid);
        }
    }
}

impl ResourceTracker {
    /// A tracker that knows no node yet.
    pub fn new(config: Arc<ComputeConfig>, objects: Arc<dyn ObjectApi>) -> Self {
        Self {
            config,
            objects,
            state: Mutex::default(),
            saving: AsyncMutex::default(),
            changed: Notify::new(),
        }
    }

    /// What instances use of a node, without what is reserved; none for an unknown node.
    pub fn used(&self, node: &str) -> Option<Amounts> {
        self.state().nodes.get(node).map(|node| node.total)
    }

    /// The first node; most hosts have one.
    pub(super) fn first_node(&self) -> Option<String> {
        self.state().nodes.keys().next().cloned()
    }

    /// Promises resources of a node to an instance.
    ///
    /// # Errors
    /// Why not, one line.
    pub(super) fn claim(
        self: &Arc<Self>,
        node: &str,
        instance: &Instance,
        limits: ClaimLimits,
    ) -> Result<Claim, String> {
        let (uuid, host) = (instance.uuid(), &self.config.host);
        let reserved = self.reserved();
        let mut state = self.state();
        let Some(found) = state.nodes.get_mut(node) else {
            return Err(format!("host `{host}` has no node `{node}`"));
        };
        let mut claim = Claim {
            tracker: Arc::clone(self),
            uuid: uuid.to_owned(),
            held: false,
        };
        // Counted already: it runs here, and its record will refuse a second build.
        if found.used.contains_key(uuid) {
            return Ok(claim);
        }
        let amounts = Amounts::of(instance);
        test(amounts, found.total.plus(reserved), limits)
            .map_err(|reasons| format!("insufficient compute resources on `{host}`: {reasons}"))?;
        let usage = Usage {
            amounts,
            vm_state: Some(VmState::Building),
            task_state: Some(TaskState::Spawning),
            in_flight: true,
        };
        found.insert(uuid, usage);
        state.touch(uuid);
        claim.held = true;
        drop(state);
        self.changed.notify_one();
        Ok(claim)
    }

    /// Takes over the states of an instance that uses resources here.
    pub(super) fn note(&self, instance: &Instance) {
        let mut state = self.state();
        let uuid = instance.uuid();
        for node in state.nodes.values_mut() {
            if let Some(usage) = node.used.get_mut(uuid) {
                usage.vm_state = instance.vm_state();
                usage.task_state = instance.task_state();
                node.dirty = true;
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Gives back what an instance uses.
    pub(super) fn free(&self, uuid: &str) {
        let mut state = self.state();
        state.touch(uuid);
        for node in state.nodes.values_mut() {
            node.remove(uuid);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Counts a build: failures in a row make a host less attractive.
    pub(super) fn count_build(&self, failed: bool) {
        let mut state = self.state();
        let before = state.failed_builds;
        let after = if failed { before.saturating_add(1) } else { 0 };
        if after != before {
            state.failed_builds = after;
            state.nodes.values_mut().for_each(|node| node.dirty = true);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Begins an audit: call before the records are read.
    pub(super) fn begin_audit(&self) {
        self.state().touched = Some(HashSet::new());
    }

    /// Ends an audit: what the nodes have, and which instances their records say they run.
    pub(super) fn finish_audit(&self, nodes: Vec<(String, Resources)>, instances: &[Instance]) {
        let mut state = self.state();
        let touched = state.touched.take().unwrap_or_default();
        let known: HashSet<&String> = nodes.iter().map(|(name, _)| name).collect();
        state.nodes.retain(|name, _| known.contains(name));
        for (name, resources) in nodes {
            let node = state.nodes.entry(name.clone()).or_default();
            node.resources = resources;
            node.dirty = true;
            let here = |i: &&Instance| i.node() == Some(name.as_str()) && uses_resources(i);
            let found: HashMap<&str, &Instance> = instances
                .iter()
                .filter(here)
                .map(|i| (i.uuid(), i))
                .collect();
            let gone: Vec<String> = node
                .used
                .iter()
                .filter(|(uuid, usage)| {
                    !usage.in_flight
                        && !touched.contains(*uuid)
                        && !found.contains_key(uuid.as_str())
                })
                .map(|(uuid, _)| uuid.clone())
                .collect();
            gone.iter().for_each(|uuid| node.remove(uuid));
            for (uuid, instance) in found {
                if !touched.contains(uuid) && !node.used.get(uuid).is_some_and(|u| u.in_flight) {
                    node.insert(uuid, usage_of(instance));
                }
            }
        }
    }

    /// Waits until a record is behind.
    pub(super) async fn wait_for_change(&self) {
        self.changed.notified().await;
    }

    /// Writes the record of each node that is behind; makes it if there is none.
    ///
    /// # Errors
    /// The first failure; that node stays behind and is written next time.
    pub(super) async fn save(&self) -> Result<(), ObjectError> {
        let _one_at_a_time = self.saving.lock().await;
        let names: Vec<String> = self.state().nodes.keys().cloned().collect();
        for name in names {
            let Some((before, next)) = self.next_record(&name) else {
                continue;
            };
            let written = match before {
                Some(before) => self.write(before, &next).await,
                None => self.make(&name, next).await,
            };
            let mut state = self.state();
            let Some(node) = state.nodes.get_mut(&name) else {
                continue;
            };
            match written {
                Ok(record) => node.record = Some(record),
                Err(error) => {
                    node.dirty = true;
                    // A record that was deleted under us is made anew.
                    if matches!(error, ObjectError::NotFound(..)) {
                        node.record = None;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Deletes the records of nodes that this host no longer has.
    ///
    /// # Errors
    /// Those of reading and deleting.
    pub(super) async fn remove_orphans(&self) -> Result<(), ObjectError> {
        let api = self.objects.as_ref();
        let host = &self.config.host;
        for mut record in ComputeNodeList::get_all_by_host(api, host)
            .await?
            .into_objects()
        {
            let name = record.hypervisor_hostname().to_owned();
            if !self.state().nodes.contains_key(&name) {
                tracing::info!(host, node = name, "deleting orphan compute node");
                record.destroy(api).await?;
            }
        }
        Ok(())
    }

    async fn make(&self, name: &str, mut next: ComputeNode) -> Result<ComputeNode, ObjectError> {
        let (api, host) = (self.objects.as_ref(), &self.config.host);
        match ComputeNode::get_by_host_and_nodename(api, host, name).await {
            Ok(before) => self.write(before, &next).await,
            Err(ObjectError::NotFound(..)) => {
                tracing::info!(host, node = name, "new compute node");
                next.create(api).await.map(|()| next)
            }
            Err(error) => Err(error),
        }
    }

    /// Saves what differs, and nothing when nothing does.
    async fn write(
        &self,
        mut record: ComputeNode,
        next: &ComputeNode,
    ) -> Result<ComputeNode, ObjectError> {
        let differences = next.differences(&record);
        record.assign_fields(&differences)?;
        record.save(self.objects.as_ref()).await.map(|()| record)
    }

    /// The record as it was and as it is to be, for a node that is behind.
    fn next_record(&self, name: &str) -> Option<(Option<ComputeNode>, ComputeNode)> {
        let mut state = self.state();
        let failed_builds = state.failed_builds;
        let node = state.nodes.get_mut(name)?;
        if !std::mem::take(&mut node.dirty) {
            return None;
        }
        let mut next = ComputeNode::new();
        next.set_host(self.config.host.as_str())
            .set_hypervisor_hostname(name);
        self.describe(&mut next, &node.resources);
        self.count(&mut next, node);
        next.set_stats(stats(node, failed_builds));
        Some((node.record.clone(), next))
    }

    /// What the node is.
    fn describe(&self, next: &mut ComputeNode, has: &Resources) {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let supported: Vec<[&str; 3]> = has
            .supported_instances
            .iter()
            .map(|s| [s.architecture.as_str(), &s.hypervisor_type, &s.vm_mode])
            .collect();
        next.set_vcpus(i64::from(has.vcpus))
            .set_memory_mb(whole(has.memory_mb))
            .set_local_gb(whole(has.local_gb))
            .set_hypervisor_type(has.hypervisor_type.as_str())
            .set_hypervisor_version(i64::from(has.hypervisor_version))
            .set_disk_available_least(has.disk_available_least)
            .set_cpu_info(has.cpu_info.as_str())
            .set_supported_hv_specs(serde_json::json!(supported).to_string())
            .set_host_ip(self.config.host_ip.clone())
            .set_cpu_allocation_ratio(self.config.cpu_allocation_ratio)
            .set_ram_allocation_ratio(self.config.ram_allocation_ratio)
            .set_disk_allocation_ratio(self.config.disk_allocation_ratio);
    }

    /// What is used of it.
    fn count(&self, next: &mut ComputeNode, node: &Node) {
        let used = node.total.plus(self.reserved());
        let busy = node
            .used
            .values()
            .filter(|u| u.task_state.is_some())
            .count();
        let free_ram = next.memory_mb().saturating_sub(used.memory_mb);
        let free_disk = next.local_gb().saturating_sub(used.disk_gb);
        next.set_vcpus_used(used.vcpus)
            .set_memory_mb_used(used.memory_mb)
            .set_local_gb_used(used.disk_gb)
            .set_free_ram_mb(free_ram)
            .set_free_disk_gb(free_disk)
            .set_running_vms(node.used.len() as i64)
            .set_current_workload(busy as i64);
    }

    fn reserved(&self) -> Amounts {
        Amounts {
            memory_mb: self.config.reserved_host_memory_mb,
            // Nova rounds what is reserved of the disk up to whole GB.
            disk_gb: self.config.reserved_host_disk_mb.saturating_add(1023) / 1024,
            vcpus: self.config.reserved_host_cpus,
        }
    }

    /// Never held across a wait. Each change is completed before anything can panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn uses_resources(instance: &Instance) -> bool {
    let free = [VmState::Deleted, VmState::ShelvedOffloaded];
    !instance
        .vm_state()
        .is_some_and(|state| free.contains(&state))
}

fn usage_of(instance: &Instance) -> Usage {
    Usage {
        amounts: Amounts::of(instance),
        vm_state: instance.vm_state(),
        task_state: instance.task_state(),
        in_flight: false,
    }
}

/// The counters that filters and weighers read, beside the driver's own.
fn stats(node: &Node, failed_builds: u32) -> BTreeMap<String, String> {
    let mut counters: BTreeMap<String, u64> = BTreeMap::new();
    let mut add = |key: String| *counters.entry(key).or_default() += 1;
    for usage in node.used.values() {
        if let Some(state) = usage.vm_state {
            add(format!("num_vm_{state}"));
        }
        if let Some(task) = usage.task_state {
            add(format!("num_task_{task}"));
        }
        if is_io(usage) {
            add("io_workload".to_owned());
        }
    }
    counters.entry("io_workload".to_owned()).or_default();
    counters.insert("num_instances".to_owned(), node.used.len() as u64);
    counters.insert("failed_builds".to_owned(), u64::from(failed_builds));
    let mut stats = node.resources.stats.clone();
    stats.extend(
        counters
            .into_iter()
            .map(|(key, count)| (key, count.to_string())),
    );
    stats
}

/// Whether an instance is being built, moved or saved.
fn is_io(usage: &Usage) -> bool {
    use TaskState as T;
    let moving = [
        T::ResizeMigrating,
        T::Rebuilding,
        T::ResizePrep,
        T::ImageSnapshot,
        T::ImageBackup,
        T::Rescuing,
        T::Unshelving,
    ];
    usage.vm_state == Some(VmState::Building)
        || usage.task_state.is_some_and(|task| moving.contains(&task))
}
