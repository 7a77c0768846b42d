//! Finds hosts for instances and has them built there.
//!
//! On the good path nothing is written: the host writes when it takes the instance. Every write
//! here is a compare-and-swap on an instance that still waits for a host, so a task that is carried
//! out twice does no harm. Used by the manager's interface and by recovery.

use longshore_messaging::{Failure, RequestContext, RpcError};
use longshore_objects::{
    Expected, Instance, InstanceFault, InstanceGroup, ObjectError, RequestSpec, SchedulerRetries,
    Selection, TaskState, VersionedObject, VmState,
};
use longshore_store::StoreError;
use serde_json::Value;

use super::manager::ConductorManager;
use super::rpcapi::Reschedule;
use crate::codes;
use crate::compute::rpcapi::Build;
use crate::driver_call::one_line;
use crate::scheduler::DETAILS_KEY;

/// Number that an instance's fault carries unless the failure has its own.
const FAULT_CODE: i64 = 500;

/// Lines of a failure's details that are kept.
const DETAILS_LINES_MAX: usize = 100;

/// The task could not be carried out now; the instances wait for recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deferred;

impl ConductorManager {
    /// Carries out a build or a reschedule. Instances of one task share the first one's request;
    /// those that no longer wait for a host are left alone.
    pub(super) async fn build(
        &self,
        ctx: &RequestContext,
        task: Reschedule,
    ) -> Result<(), Deferred> {
        let mut instances = Vec::with_capacity(task.uuids.len());
        for uuid in &task.uuids {
            match self.store.instance(uuid).await {
                Ok(instance) if waits_for_host(&instance) => instances.push(instance),
                Ok(_) => tracing::debug!(uuid, "instance does not wait for a host any more"),
                Err(error) => tracing::info!(uuid, code = error.code(), "not built: {error}"),
            }
        }
        let Some(first) = instances.first() else {
            return Ok(());
        };
        let mut spec = match self.store.request_spec(first.uuid()).await {
            Ok(spec) => spec,
            Err(error) => {
                let failure = Failure::new("RequestSpecNotFound", error.to_string());
                self.give_up(&instances, &failure.with_code(error.code().to_owned()))
                    .await;
                return Ok(());
            }
        };
        if let Err(error) = self.read_group(&mut spec).await {
            return Err(deferred(&instances, error.code(), &error));
        }
        if let Err(failure) = self.next_attempt(&mut spec, first.uuid(), &task.reason) {
            self.give_up(&instances, &failure).await;
            return Ok(());
        }
        let chosen = match self
            .destinations(ctx, &spec, &instances, task.alternates)
            .await
        {
            Ok(chosen) => chosen,
            Err(RpcError::Remote(failure)) => {
                let failure = after(failure, &task.reason);
                self.give_up(&instances, &failure).await;
                return Ok(());
            }
            Err(error @ RpcError::Timeout { .. }) => {
                self.give_up(&instances, &error.into()).await;
                return Ok(());
            }
            Err(error) => return Err(deferred(&instances, error.code(), &error)),
        };
        self.cast_builds(ctx, &spec, &instances, &chosen).await
    }

    /// Where the other members of the instance's group are now, which no earlier attempt knew. A
    /// group that was deleted meanwhile asks for nothing any more.
    async fn read_group(&self, spec: &mut RequestSpec) -> Result<(), StoreError> {
        let Some(group) = spec.instance_group() else {
            return Ok(());
        };
        let group = match self.store.instance_group(group.uuid()).await {
            Ok(group) => Some(group),
            Err(StoreError::Object(ObjectError::NotFound(..))) => None,
            Err(error) => return Err(error),
        };
        spec.set_instance_group(group);
        Ok(())
    }

    /// Counts the attempt that begins now.
    fn next_attempt(
        &self,
        spec: &mut RequestSpec,
        uuid: &str,
        reason: &str,
    ) -> Result<(), Failure> {
        let Some(retry) = spec.retry() else {
            let mut first = SchedulerRetries::new();
            first.set_num_attempts(1).set_hosts(Vec::new());
            spec.set_retry(first);
            return Ok(());
        };
        let mut retry = retry.clone();
        let (attempts, max) = (
            retry.num_attempts().saturating_add(1),
            self.config.max_attempts,
        );
        if attempts > i64::from(max) {
            let reason = if reason.is_empty() { "unknown" } else { reason };
            let text = format!(
                "exceeded max scheduling attempts {max} for instance `{uuid}`; last exception: {}",
                one_line(reason)
            );
            let failure = Failure::new("MaxRetriesExceeded", text);
            return Err(failure.with_code(codes::MAX_ATTEMPTS));
        }
        retry.set_num_attempts(attempts);
        spec.set_retry(retry);
        Ok(())
    }

    /// Per instance: the host, then its alternates. Alternates from before are used up first, unless
    /// members of a strict group may have taken them meanwhile.
    async fn destinations(
        &self,
        ctx: &RequestContext,
        spec: &RequestSpec,
        instances: &[Instance],
        alternates: Vec<Selection>,
    ) -> Result<Vec<Vec<Selection>>, RpcError> {
        let is_strict = spec.instance_group().is_some_and(InstanceGroup::is_strict);
        if instances.len() == 1 && !alternates.is_empty() && !is_strict {
            return Ok(vec![alternates]);
        }
        let uuids: Vec<String> = instances.iter().map(|i| i.uuid().to_owned()).collect();
        let mut tries_left = self.config.max_attempts.max(1);
        loop {
            let answer = self.scheduler.select_destinations(ctx, spec, &uuids).await;
            tries_left -= 1;
            match answer {
                Err(RpcError::Timeout { .. }) if tries_left > 0 => {
                    tracing::warn!(tries_left, "the scheduler did not answer; asking again");
                }
                answer => return answer,
            }
        }
    }

    async fn cast_builds(
        &self,
        ctx: &RequestContext,
        spec: &RequestSpec,
        instances: &[Instance],
        chosen: &[Vec<Selection>],
    ) -> Result<(), Deferred> {
        let mut outcome = Ok(());
        for (instance, hosts) in instances.iter().zip(chosen) {
            let Some((selection, alternates)) = hosts.split_first() else {
                continue;
            };
            let mut spec = spec.clone();
            spec.set_instance_uuid(instance.uuid());
            let build = Build {
                instance,
                spec: &spec,
                image: spec.image(),
                selection,
                alternates,
            };
            if let Err(error) = self.compute.build_and_run_instance(ctx, build).await {
                let waiting = std::slice::from_ref(instance);
                outcome = Err(deferred(waiting, error.code(), &error));
            }
        }
        outcome
    }

    /// Sets instances to ERROR with a fault, unless something else happened to them meanwhile.
    async fn give_up(&self, instances: &[Instance], failure: &Failure) {
        let (code, text) = (
            failure.code().unwrap_or_default(),
            one_line(failure.message()),
        );
        for instance in instances {
            let uuid = instance.uuid();
            tracing::warn!(code, uuid, "instance is set to ERROR: {text}");
            if let Err(error) = self.set_error(instance, &text, failure).await {
                let code = error.code();
                tracing::warn!(code, uuid, "cannot set instance to ERROR: {error}");
            }
        }
    }

    async fn set_error(
        &self,
        instance: &Instance,
        text: &str,
        failure: &Failure,
    ) -> Result<(), ObjectError> {
        let mut lost = instance.clone();
        lost.reset_changes();
        lost.set_vm_state(VmState::Error).set_task_state(None);
        // Whoever sees the ERROR finds its reason: the fault comes first, and shows only with it.
        if let Err(error) = self.record_fault(instance.uuid(), text, failure).await {
            let (uuid, code) = (instance.uuid(), error.code());
            tracing::warn!(code, uuid, "cannot record a fault: {error}");
        }
        match lost.save(self.objects.as_ref(), awaiting_host()).await {
            // Deleted, or taken by a host: no error of this instance any more.
            Err(error) if preempted(&error) => Ok(()),
            saved => saved,
        }
    }

    async fn record_fault(
        &self,
        uuid: &str,
        text: &str,
        failure: &Failure,
    ) -> Result<(), ObjectError> {
        let mut fault = InstanceFault::new();
        fault
            .set_instance_uuid(uuid)
            .set_code(FAULT_CODE)
            .set_message(text)
            .set_details(details(failure));
        fault.create(self.objects.as_ref()).await
    }
}

/// What the failure says beyond its message, line by line; at the end its class and code.
fn details(failure: &Failure) -> String {
    let kind = format!("{} ({})", failure.class(), failure.code().unwrap_or(""));
    let more = failure.kwargs().get(DETAILS_KEY).and_then(Value::as_str);
    let lines = more.unwrap_or_default().lines().take(DETAILS_LINES_MAX);
    let lines: Vec<String> = lines.map(one_line).chain([kind]).collect();
    lines.join("\n")
}

/// What an instance that waits for a host looks like.
fn awaiting_host() -> Expected {
    Expected::task(&[Some(TaskState::Scheduling)])
        .and_vm(&[VmState::Building])
        .and_host(None)
}

fn waits_for_host(instance: &Instance) -> bool {
    instance.vm_state() == Some(VmState::Building)
        && instance.task_state() == Some(TaskState::Scheduling)
        && instance.host().is_none()
}

/// A failure to find the next host, with what the last one said: that is what has to be mended.
fn after(failure: Failure, reason: &str) -> Failure {
    if reason.is_empty() {
        return failure;
    }
    let text = format!(
        "{}; last exception: {}",
        failure.message(),
        one_line(reason)
    );
    let whole = Failure::new(failure.class(), text).with_module(failure.module());
    let kwargs = failure.kwargs().iter();
    kwargs.fold(whole, |whole, (key, value)| {
        whole.with_kwarg(key, value.clone())
    })
}

/// Whether a write came too late, because another operation owns the instance now.
fn preempted(error: &ObjectError) -> bool {
    matches!(
        error,
        ObjectError::InstanceNotFound(_)
            | ObjectError::UnexpectedTaskState(_)
            | ObjectError::UnexpectedDeletingTaskState(_)
            | ObjectError::InstanceUpdateConflict(_)
    )
}

fn deferred(instances: &[Instance], code: &str, error: &dyn std::fmt::Display) -> Deferred {
    let count = instances.len();
    let uuid = instances.first().map_or("", Instance::uuid);
    tracing::warn!(
        code,
        uuid,
        count,
        "builds wait for the next recovery: {error}"
    );
    Deferred
}
