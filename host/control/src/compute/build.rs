//! Building an instance on this host, and handing it back when that fails.
//!
//! The good path writes twice: when the host takes the instance, and when the guest runs. Whatever
//! happens between, the record says who is to go on: this host (its recovery), or nobody (the
//! conductor's). Must not choose hosts.

use std::sync::Arc;

use longshore_messaging::RequestContext;
use longshore_objects::{
    Expected, ImageMeta, Instance, ObjectError, PowerState, RequestSpec, SchedulerLimits,
    Selection, TaskState, VmState, now,
};
use longshore_plugin_api::{CallContext, Category};
use tokio::runtime::Handle;

use super::claims::ClaimLimits;
use super::guest::{virt_image, virt_instance};
use super::manager::{ComputeManager, is_preempted};
use crate::codes;
use crate::conductor::rpcapi::Reschedule;
use crate::driver_call::{CallError, one_line};

/// What a build came with.
pub(super) struct BuildRequest {
    pub(super) instance: Instance,
    pub(super) spec: RequestSpec,
    pub(super) image: Option<ImageMeta>,
    pub(super) node: Option<String>,
    pub(super) limits: Option<SchedulerLimits>,
    pub(super) alternates: Vec<Selection>,
}

/// Why a build ended without a running guest.
enum Ended {
    /// The instance is gone, being deleted or somebody else's: not a failure.
    Preempted(ObjectError),
    /// The record could not be written; recovery goes on from what it says.
    Stranded(ObjectError),
    /// The host has too little; the record is as it was.
    Unclaimed(String),
    /// The guest was not made: stable code, text, and whether another host may do better.
    Failed(String, String, bool),
}

impl ComputeManager {
    /// Builds an instance, unless it no longer waits for a host. Every outcome is in the record.
    pub(super) async fn build_and_run(&self, ctx: &RequestContext, mut build: BuildRequest) {
        let uuid = build.instance.uuid().to_owned();
        let host = &self.config.host;
        let _lock = self.locks.lock(&uuid).await;
        let _place = match &self.builds {
            // The semaphore is never closed, so a place always comes.
            Some(builds) => builds.acquire().await.ok(),
            None => None,
        };
        let node = build.node.take().or_else(|| self.tracker.first_node());
        let node = node.unwrap_or_else(|| host.clone());
        let built = self.try_build(ctx, &mut build, &node).await;
        match &built {
            Ok(()) => self.tell_instance(ctx, &build.instance).await,
            Err(Ended::Stranded(_)) => {}
            Err(_) => self.tell_gone(ctx, &uuid).await,
        }
        match built {
            Ok(()) => tracing::info!(uuid, host, "instance runs"),
            Err(Ended::Preempted(error)) => {
                tracing::info!(uuid, host, "build gives way: {error}");
            }
            Err(Ended::Stranded(error)) => {
                let code = error.code();
                tracing::error!(uuid, host, code, "build is left to recovery: {error}");
            }
            Err(Ended::Unclaimed(reason)) => {
                if self.still_waits(&uuid).await {
                    let failed = (codes::NO_CAPACITY, reason.as_str());
                    self.reschedule(ctx, build, &node, failed, false).await;
                }
            }
            Err(Ended::Failed(code, text, may_retry)) => {
                tracing::warn!(uuid, host, code, "build failed: {text}");
                self.tracker.count_build(true);
                if may_retry {
                    self.reschedule(ctx, build, &node, (&code, &text), true)
                        .await;
                } else {
                    self.abort(build.instance, &code, &text, true).await;
                }
            }
        }
    }

    async fn try_build(
        &self,
        ctx: &RequestContext,
        build: &mut BuildRequest,
        node: &str,
    ) -> Result<(), Ended> {
        let limits = ClaimLimits::from(build.limits.as_ref());
        let claim = self.tracker.claim(node, &build.instance, limits);
        let claim = claim.map_err(Ended::Unclaimed)?;
        self.take_as_member(build, node).await?;
        self.tracker.note(&build.instance);
        if let Err(ended) = self.spawn(ctx, build, node).await {
            // Whatever is left of the guest goes before its resources are free again.
            self.clean_up_guest(&ctx.request_id, build.instance.uuid())
                .await;
            return Err(ended);
        }
        match self.finish(&mut build.instance).await {
            Ok(()) => {
                claim.keep();
                self.tracker.note(&build.instance);
                self.tracker.count_build(false);
                Ok(())
            }
            Err(Ended::Stranded(error)) => {
                // It runs and is ours by its record: its resources stay in use.
                claim.keep();
                Err(Ended::Stranded(error))
            }
            Err(ended) => {
                self.clean_up_guest(&ctx.request_id, build.instance.uuid())
                    .await;
                Err(ended)
            }
        }
    }

    /// Takes the instance, unless the policy of its server group forbids it by now.
    async fn take_as_member(&self, build: &mut BuildRequest, node: &str) -> Result<(), Ended> {
        let Some(group) = build.spec.instance_group() else {
            return self.take(&mut build.instance, node).await;
        };
        let _lock = self.group_locks.lock(group.uuid()).await;
        self.take(&mut build.instance, node).await?;
        match self.violated_policy(group, build.instance.uuid()).await {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(Ended::Failed(codes::GROUP_POLICY.to_owned(), reason, true)),
            Err(error) => {
                let text = format!("cannot look at its server group: {error}");
                Err(Ended::Failed(error.code().to_owned(), text, true))
            }
        }
    }

    /// First write: the instance is this host's, if it still waits for one.
    async fn take(&self, instance: &mut Instance, node: &str) -> Result<(), Ended> {
        let host = self.config.host.as_str();
        instance
            .set_host(host)
            .set_node(node)
            .set_launched_on(host)
            .set_vm_state(VmState::Building)
            .set_task_state(TaskState::Spawning);
        let ours = |row: &Instance| {
            row.host() == Some(host) && row.task_state() == Some(TaskState::Spawning)
        };
        self.save_settled(instance, awaiting_host(), ours)
            .await
            .map_err(ended)
    }

    /// Second write: the guest runs.
    async fn finish(&self, instance: &mut Instance) -> Result<(), Ended> {
        instance
            .set_vm_state(VmState::Active)
            .set_task_state(None)
            .set_power_state(PowerState::Running)
            .set_launched_at(now());
        let host = self.config.host.as_str();
        let ours =
            |row: &Instance| row.host() == Some(host) && row.vm_state() == Some(VmState::Active);
        self.save_settled(instance, self.spawning_here(), ours)
            .await
            .map_err(ended)
    }

    async fn spawn(
        &self,
        ctx: &RequestContext,
        build: &BuildRequest,
        node: &str,
    ) -> Result<(), Ended> {
        let instance = virt_instance(&build.instance, node)
            .map_err(|text| Ended::Failed(codes::BAD_SPEC.to_owned(), text, false))?;
        let image = virt_image(build.image.as_ref());
        let (virt, me, runtime) = (Arc::clone(&self.virt), self.weak(), Handle::current());
        let uuid = instance.id.clone();
        let call = move |context: &CallContext<'_>| virt.spawn(context, &instance, &image);
        let late = move |result: Result<(), CallError>| {
            if let (Ok(()), Some(me)) = (result, me.upgrade()) {
                me.spawn_on(
                    &runtime,
                    move |me| async move { me.end_late_guest(&uuid).await },
                );
            }
        };
        let spawned = self
            .calls
            .blocking_or_late(&ctx.request_id, "spawn", call, late);
        spawned.await.map_err(|error| {
            let text = format!("cannot build on host `{}`: {error}", self.config.host);
            Ended::Failed(error.code().to_owned(), text, may_retry(&error))
        })
    }

    /// A guest whose build was given up came up after all: it goes, unless it is ours again.
    async fn end_late_guest(&self, uuid: &str) {
        let _lock = self.locks.lock(uuid).await;
        let host = self.config.host.as_str();
        match Instance::get_by_uuid(self.objects.as_ref(), uuid).await {
            Ok(row) if row.host() == Some(host) => return,
            Ok(_) | Err(ObjectError::InstanceNotFound(_)) => {}
            Err(error) => {
                let code = error.code();
                tracing::warn!(uuid, host, code, "a late guest is left alone: {error}");
                return;
            }
        }
        tracing::warn!(
            uuid,
            host,
            "a guest came up after its build was given up; it goes"
        );
        self.clean_up_guest("late", uuid).await;
    }

    /// Hands the instance back to the conductor, which tries the next host. `taken`: the record
    /// says that it is this host's.
    async fn reschedule(
        &self,
        ctx: &RequestContext,
        mut build: BuildRequest,
        node: &str,
        (code, text): (&str, &str),
        taken: bool,
    ) {
        let uuid = build.instance.uuid().to_owned();
        if !may_move(&build.spec) {
            return self.abort(build.instance, code, text, taken).await;
        }
        // The attempt is noted before anybody can begin the next one.
        if let Err(error) = self.note_attempt(&mut build.spec, &uuid, node).await {
            let text = format!("{text}; the attempt cannot be noted: {error}");
            return self.abort(build.instance, code, &text, taken).await;
        }
        if taken && let Err(error) = self.give_back(&mut build.instance).await {
            let code = error.code();
            tracing::info!(uuid, code, "a failed build is not handed back: {error}");
            return;
        }
        let again = Reschedule {
            uuids: vec![uuid.clone()],
            alternates: build.alternates,
            reason: one_line(text),
        };
        if let Err(error) = self.conductor.build_instances(ctx, again).await {
            let code = error.code();
            tracing::warn!(uuid, code, "the reschedule is left to recovery: {error}");
        }
    }

    async fn note_attempt(
        &self,
        spec: &mut RequestSpec,
        uuid: &str,
        node: &str,
    ) -> Result<(), ObjectError> {
        let mut retry = spec.retry().cloned().unwrap_or_default();
        let mut hosts = retry.hosts().to_vec();
        hosts.push(vec![self.config.host.clone(), node.to_owned()]);
        retry
            .set_num_attempts(retry.num_attempts().max(1))
            .set_hosts(hosts);
        spec.set_instance_uuid(uuid).set_retry(retry);
        spec.save(self.objects.as_ref()).await
    }

    async fn give_back(&self, instance: &mut Instance) -> Result<(), ObjectError> {
        instance
            .set_host(None)
            .set_node(None)
            .set_vm_state(VmState::Building)
            .set_task_state(TaskState::Scheduling);
        let back = |row: &Instance| {
            row.host().is_none() && row.task_state() == Some(TaskState::Scheduling)
        };
        self.save_settled(instance, self.spawning_here(), back)
            .await
    }

    /// No other host would do better: ERROR with a fault, at once.
    async fn abort(&self, mut instance: Instance, code: &str, text: &str, taken: bool) {
        instance
            .set_host(None)
            .set_node(None)
            .set_vm_state(VmState::Error)
            .set_task_state(None);
        let expected = if taken {
            self.spawning_here()
        } else {
            awaiting_host()
        };
        let failed = |row: &Instance| row.vm_state() == Some(VmState::Error);
        let uuid = instance.uuid().to_owned();
        // Whoever sees the ERROR finds its reason: the fault comes first, and shows only with it.
        self.record_fault(&uuid, code, text).await;
        if let Err(error) = self.save_settled(&mut instance, expected, failed).await {
            let code = error.code();
            tracing::info!(uuid, code, "a failed build is not set to ERROR: {error}");
        }
    }

    async fn still_waits(&self, uuid: &str) -> bool {
        match Instance::get_by_uuid(self.objects.as_ref(), uuid).await {
            Ok(row) => row.host().is_none() && row.task_state() == Some(TaskState::Scheduling),
            Err(_) => false,
        }
    }

    /// What an instance looks like while this host builds it.
    fn spawning_here(&self) -> Expected {
        Expected::task(&[Some(TaskState::Spawning)]).and_host(Some(&self.config.host))
    }
}

/// What an instance that waits for a host looks like.
fn awaiting_host() -> Expected {
    Expected::task(&[Some(TaskState::Scheduling)])
        .and_vm(&[VmState::Building])
        .and_host(None)
}

fn ended(error: ObjectError) -> Ended {
    if is_preempted(&error) {
        Ended::Preempted(error)
    } else {
        Ended::Stranded(error)
    }
}

/// Whether another host may do better: not if the request itself cannot be right.
fn may_retry(error: &CallError) -> bool {
    let hopeless = [Category::Invalid, Category::NotSupported];
    !error
        .category()
        .is_some_and(|category| hopeless.contains(&category))
}

/// Whether the request leaves a choice: one forced host or node does not.
fn may_move(spec: &RequestSpec) -> bool {
    let forced = |list: Option<&[String]>| list.is_some_and(|list| list.len() == 1);
    !forced(spec.force_hosts()) && !forced(spec.force_nodes())
}
