//! Ending, stopping, starting and restarting a guest that exists.
//!
//! Each operation reads the record under the instance's lock, so a message that comes twice or too
//! late does nothing. A failure takes the task back and is recorded as a fault. Must not decide
//! which operations are allowed: the API did.

use longshore_messaging::RequestContext;
use longshore_objects::transition::{Step, steps};
use longshore_objects::{Expected, Instance, ObjectError, Operation, PowerState, VmState};
use longshore_plugin_api::RebootType;

use super::manager::{ComputeManager, is_preempted};
use crate::driver_call::CallError;

/// Why an operation did not end well.
enum Failed {
    Record(ObjectError),
    Driver(CallError),
}

impl From<ObjectError> for Failed {
    fn from(error: ObjectError) -> Self {
        Self::Record(error)
    }
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        Self::Driver(error)
    }
}

impl ComputeManager {
    /// Ends the guest and deletes the record.
    pub(super) async fn terminate(&self, ctx: &RequestContext, uuid: &str) {
        let _lock = self.locks.lock(uuid).await;
        self.terminate_locked(ctx, uuid).await;
    }

    /// The same, for a caller that holds the instance's lock.
    pub(super) async fn terminate_locked(&self, ctx: &RequestContext, uuid: &str) {
        let (api, host) = (self.objects.as_ref(), self.config.host.as_str());
        let mut row = match Instance::get_by_uuid(api, uuid).await {
            Ok(row) => row,
            Err(ObjectError::InstanceNotFound(_)) => {
                self.clean_up_guest(&ctx.request_id, uuid).await;
                self.tracker.free(uuid);
                return self.tell_gone(ctx, uuid).await;
            }
            Err(error) => {
                let code = error.code();
                return tracing::warn!(uuid, host, code, "delete is left to recovery: {error}");
            }
        };
        // It moved while the message was on its way: its new host ends it.
        if row.host().is_some_and(|other| other != host) {
            if let Err(error) = self.compute.terminate_instance(ctx, &row).await {
                tracing::warn!(
                    uuid,
                    code = error.code(),
                    "delete is left to recovery: {error}"
                );
            }
            return;
        }
        if let Err(error) = self.destroy_guest(&ctx.request_id, uuid).await {
            let text = format!("cannot delete the guest on host `{host}`: {error}");
            return self.set_error(&mut row, error.code(), &text).await;
        }
        match row.destroy(api).await {
            Ok(()) | Err(ObjectError::InstanceNotFound(_)) => {
                tracing::info!(uuid, host, "instance is deleted");
                self.tracker.free(uuid);
                self.tell_gone(ctx, uuid).await;
            }
            Err(error) => {
                let code = error.code();
                tracing::warn!(uuid, host, code, "delete is left to recovery: {error}");
            }
        }
    }

    /// Stops the guest and keeps it.
    pub(super) async fn stop(&self, ctx: &RequestContext, uuid: &str) {
        let _lock = self.locks.lock(uuid).await;
        self.operate(ctx, uuid, Operation::Stop).await;
    }

    /// Starts a guest that is off.
    pub(super) async fn start(&self, ctx: &RequestContext, uuid: &str) {
        let _lock = self.locks.lock(uuid).await;
        self.operate(ctx, uuid, Operation::Start).await;
    }

    /// Restarts the guest.
    pub(super) async fn reboot(&self, ctx: &RequestContext, uuid: &str, hard: bool) {
        let _lock = self.locks.lock(uuid).await;
        let operation = if hard {
            Operation::HardReboot
        } else {
            Operation::SoftReboot
        };
        self.operate(ctx, uuid, operation).await;
    }

    /// Carries out an operation whose task state is in the record already. The caller holds the
    /// instance's lock.
    pub(super) async fn operate(&self, ctx: &RequestContext, uuid: &str, operation: Operation) {
        let host = self.config.host.as_str();
        let mut row = match Instance::get_by_uuid(self.objects.as_ref(), uuid).await {
            Ok(row) if row.host() == Some(host) => row,
            Ok(_) => return tracing::info!(uuid, host, "instance is on another host"),
            Err(error) => return tracing::info!(uuid, host, "{operation:?} not done: {error}"),
        };
        match self.run(ctx, &mut row, operation).await {
            Ok(()) => self.tracker.note(&row),
            Err(Failed::Record(error)) if is_preempted(&error) => {
                tracing::info!(uuid, host, "task possibly preempted: {error}");
            }
            Err(Failed::Record(error)) => {
                let code = error.code();
                tracing::error!(
                    uuid,
                    host,
                    code,
                    "{operation:?} is left to recovery: {error}"
                );
            }
            Err(Failed::Driver(error)) => {
                let text = format!("cannot {} on host `{host}`: {error}", verb(operation));
                self.revert_task(&mut row, error.code(), &text).await;
            }
        }
    }

    /// The writes before the driver's call, the call, and the last write.
    async fn run(
        &self,
        ctx: &RequestContext,
        row: &mut Instance,
        operation: Operation,
    ) -> Result<(), Failed> {
        let Some((last, before)) = steps(operation).split_last() else {
            return Ok(());
        };
        // Without a write before it, the call itself must not come too late.
        if before.is_empty() && !last.expected.contains(&row.task_state()) {
            let uuid = row.uuid();
            tracing::info!(
                uuid,
                "task possibly preempted: {operation:?} is not wanted any more"
            );
            return Ok(());
        }
        for step in before {
            self.write(row, step, None).await?;
        }
        self.drive(ctx, row.uuid(), operation).await?;
        let power = match operation {
            Operation::Stop => PowerState::Shutdown,
            _ => PowerState::Running,
        };
        // A step that names no condition still gives way to a delete.
        let task = row.task_state();
        let last = Step { ..*last };
        if last.expected.is_empty() {
            self.write_expecting(row, &last, Some(power), Expected::task(&[task]))
                .await?;
        } else {
            self.write(row, &last, Some(power)).await?;
        }
        Ok(())
    }

    async fn drive(
        &self,
        ctx: &RequestContext,
        uuid: &str,
        operation: Operation,
    ) -> Result<(), CallError> {
        let id = &ctx.request_id;
        match operation {
            Operation::Stop => {
                self.on_guest(id, "power_off", uuid, |v, c, id| v.power_off(c, id))
                    .await
            }
            Operation::Start => {
                self.on_guest(id, "power_on", uuid, |v, c, id| v.power_on(c, id))
                    .await
            }
            Operation::HardReboot => {
                let hard = RebootType::Hard;
                self.on_guest(id, "reboot", uuid, move |v, c, id| v.reboot(c, id, hard))
                    .await
            }
            _ => {
                let soft = RebootType::Soft;
                self.on_guest(id, "reboot", uuid, move |v, c, id| v.reboot(c, id, soft))
                    .await
            }
        }
    }

    async fn write(
        &self,
        row: &mut Instance,
        step: &Step,
        power: Option<PowerState>,
    ) -> Result<(), ObjectError> {
        self.write_expecting(row, step, power, Expected::task(step.expected))
            .await
    }

    async fn write_expecting(
        &self,
        row: &mut Instance,
        step: &Step,
        power: Option<PowerState>,
        expected: Expected,
    ) -> Result<(), ObjectError> {
        row.set_task_state(step.task);
        if let Some(vm) = step.vm {
            row.set_vm_state(vm);
        }
        if let Some(power) = power {
            row.set_power_state(power);
        }
        let (vm, task) = (row.vm_state(), row.task_state());
        let reached = |found: &Instance| found.vm_state() == vm && found.task_state() == task;
        self.save_settled(row, expected, reached).await
    }

    /// Takes the task back, so that the operation may be asked for again; the rest stays.
    async fn revert_task(&self, row: &mut Instance, code: &str, text: &str) {
        let (uuid, host) = (row.uuid().to_owned(), &self.config.host);
        tracing::warn!(uuid, host, code, "{text}");
        let expected = Expected::task(&[row.task_state()]);
        row.set_task_state(None);
        let reverted = |found: &Instance| found.task_state().is_none();
        match self.save_settled(row, expected, reverted).await {
            Ok(()) => self.tracker.note(row),
            Err(error) => tracing::info!(uuid, host, "the task is not reverted: {error}"),
        }
        self.record_fault(&uuid, code, text).await;
    }

    /// ERROR with a fault, whatever the task was.
    pub(super) async fn set_error(&self, row: &mut Instance, code: &str, text: &str) {
        let (uuid, host) = (row.uuid().to_owned(), &self.config.host);
        tracing::warn!(uuid, host, code, "{text}");
        row.set_vm_state(VmState::Error).set_task_state(None);
        let failed = |found: &Instance| found.vm_state() == Some(VmState::Error);
        // Whoever sees the ERROR finds its reason.
        self.record_fault(&uuid, code, text).await;
        match self.save_settled(row, Expected::any(), failed).await {
            Ok(()) => self.tracker.note(row),
            Err(error) => tracing::info!(uuid, host, "not set to ERROR: {error}"),
        }
    }
}

fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Stop => "stop the guest",
        Operation::Start => "start the guest",
        _ => "restart the guest",
    }
}
