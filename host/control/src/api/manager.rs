//! `ApiManager`: what the API does to instances, once a request is understood.
//!
//! Each operation is checked by the transition rules, written with compare-and-swap, then handed on
//! as a message. Must not know HTTP requests. Used by the handlers of servers.

use std::sync::Arc;

use longshore_messaging::{RequestContext, Transport};
use longshore_objects::{
    Conflict, Expected, Instance, ObjectError, Operation, TaskState, VmState, accept,
};
use longshore_store::{Store, StoreError};

use super::codes;
use super::config::ApiConfig;
use super::error::ApiError;
use crate::compute::rpcapi::ComputeApi;
use crate::conductor::rpcapi::ConductorApi;
use crate::scheduler::SchedulerApi;

/// How often a delete looks again when the instance moves under it.
const DELETE_TRIES_MAX: usize = 4;

/// The operations on instances.
pub(crate) struct ApiManager {
    pub(crate) store: Store,
    pub(crate) conductor: ConductorApi,
    pub(crate) scheduler: SchedulerApi,
    compute: ComputeApi,
    pub(crate) config: ApiConfig,
}

impl ApiManager {
    pub(crate) fn new(store: Store, transport: Arc<dyn Transport>, config: ApiConfig) -> Self {
        Self {
            store,
            conductor: ConductorApi::new(Arc::clone(&transport)),
            scheduler: SchedulerApi::new(Arc::clone(&transport)),
            compute: ComputeApi::new(transport),
            config,
        }
    }

    /// Gives an instance another name.
    pub(crate) async fn rename(&self, uuid: &str, name: &str) -> Result<Instance, ApiError> {
        let mut instance = self.store.instance(uuid).await?;
        instance.set_display_name(name);
        Ok(self.store.save_instance(instance, Expected::any()).await?)
    }

    /// Deletes an instance: at once while no host has it, else by its host. May be repeated.
    pub(crate) async fn delete(&self, ctx: &RequestContext, uuid: &str) -> Result<(), ApiError> {
        for _ in 0..DELETE_TRIES_MAX {
            let mut instance = self.store.instance(uuid).await?;
            if instance.host().is_some() {
                instance.set_task_state(TaskState::Deleting).set_progress(0);
                let marked = self.store.save_instance(instance, Expected::any()).await?;
                // A build that failed may have given it back meanwhile: then nobody has it.
                if marked.host().is_some() {
                    return Ok(self.compute.terminate_instance(ctx, &marked).await?);
                }
            }
            match self.store.destroy_instance(uuid, true).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Object(ObjectError::ObjectAction(..))) => {}
                Err(other) => return Err(other.into()),
            }
        }
        let message = format!("Instance {uuid} changes its host all the time; delete it again");
        Err(ApiError::conflict(codes::STATE, message))
    }

    /// Starts, stops or restarts an instance; `action` is the word for messages.
    pub(crate) async fn power(
        &self,
        ctx: &RequestContext,
        uuid: &str,
        operation: Operation,
        action: &str,
    ) -> Result<(), ApiError> {
        let mut instance = self.store.instance(uuid).await?;
        let vm = instance.vm_state().unwrap_or(VmState::Error);
        let before = instance.task_state();
        let rule = accept(operation, vm, before)
            .map_err(|refused| wrong_state(action, uuid, refused.attribute, refused.state))?;
        if instance.host().is_none() {
            let message = format!("Instance {uuid} is not ready");
            return Err(ApiError::conflict(codes::STATE, message).because("no host has it"));
        }
        instance.set_task_state(rule.task);
        if operation == Operation::Stop {
            instance.set_progress(0);
        }
        let expected = Expected {
            vm_states: rule.vm_states.map(<[VmState]>::to_vec),
            task_states: rule.expected.map(<[_]>::to_vec),
            host: None,
        };
        let saved = self.store.save_instance(instance, expected).await;
        let saved = saved.map_err(|error| conflict(action, error))?;
        let sent = match operation {
            Operation::Start => self.compute.start_instance(ctx, &saved).await,
            Operation::SoftReboot => self.compute.reboot_instance(ctx, &saved, false).await,
            Operation::HardReboot => self.compute.reboot_instance(ctx, &saved, true).await,
            _ => self.compute.stop_instance(ctx, &saved).await,
        };
        match sent {
            Ok(()) => Ok(()),
            Err(error) => {
                self.take_back(saved, rule.task, before).await;
                Err(error.into())
            }
        }
    }

    /// Nobody will carry it out, so the task must not stay.
    async fn take_back(&self, mut saved: Instance, task: TaskState, before: Option<TaskState>) {
        saved.set_task_state(before);
        let uuid = saved.uuid().to_owned();
        let undone = self
            .store
            .save_instance(saved, Expected::task(&[Some(task)]))
            .await;
        if let Err(error) = undone {
            tracing::warn!(uuid, why = %error, "a task which nobody carries out stays");
        }
    }
}

fn wrong_state(action: &str, uuid: &str, attribute: &str, state: &str) -> ApiError {
    let message = format!("Cannot '{action}' instance {uuid} while it is in {attribute} {state}");
    ApiError::conflict(codes::STATE, message).because(format!("its {attribute} is `{state}`"))
}

/// The state changed between reading and writing.
fn conflict(action: &str, error: StoreError) -> ApiError {
    let found = |conflict: &Conflict, attribute| {
        wrong_state(action, &conflict.uuid, attribute, &conflict.actual)
    };
    match &error {
        StoreError::Object(
            ObjectError::UnexpectedTaskState(what) | ObjectError::UnexpectedDeletingTaskState(what),
        ) => found(what, "task_state"),
        StoreError::Object(ObjectError::InstanceUpdateConflict(what)) => found(what, "vm_state"),
        _ => error.into(),
    }
}
