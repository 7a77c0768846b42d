//! After a start: finds what was in flight on this host and finishes it, hands it back, or marks
//! it ERROR with a fault. Nothing that was accepted is lost.
//!
//! Trusts records about what is wanted and the driver about what exists. Safe to run again.
//! Called by the manager before messages are taken.

use std::collections::HashSet;
use std::sync::Arc;

use longshore_messaging::RequestContext;
use longshore_objects::{
    Expected, Instance, InstanceList, ObjectError, Operation, PowerState, RequestSpec, TaskState,
    VmState, now,
};
use longshore_service::ServiceError;

use super::manager::{ComputeManager, is_preempted};
use crate::codes;
use crate::conductor::rpcapi::Reschedule;

/// What is to be done about one instance of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recovery {
    /// All is well.
    Nothing,
    /// The guest runs, only the record does not know it yet.
    Adopt,
    /// The build was cut off: clean up and let the conductor try again.
    HandBack,
    /// Finish the delete.
    Delete,
    /// Do the operation again.
    Repeat(Operation),
    /// A task that nobody carries on.
    ClearTask,
    /// The guest went off while nobody looked.
    Stopped,
    /// The guest is gone.
    Gone,
}

/// The rule: what the record says, and what the driver says of the guest (none: no such guest).
fn decide(vm: VmState, task: Option<TaskState>, guest: Option<PowerState>) -> Recovery {
    use TaskState as T;
    match (vm, task) {
        (_, Some(T::Deleting)) | (VmState::Deleted, _) => Recovery::Delete,
        (VmState::Error, None) | (VmState::SoftDeleted, _) => Recovery::Nothing,
        (VmState::Building, _)
        | (_, Some(T::Scheduling | T::BlockDeviceMapping | T::Networking | T::Spawning)) => {
            match guest {
                Some(PowerState::Running) => Recovery::Adopt,
                _ => Recovery::HandBack,
            }
        }
        (_, _) if guest.is_none() => Recovery::Gone,
        (_, Some(T::PoweringOff)) => Recovery::Repeat(Operation::Stop),
        (_, Some(T::PoweringOn)) => Recovery::Repeat(Operation::Start),
        (_, Some(T::Rebooting | T::RebootPending | T::RebootStarted)) => {
            Recovery::Repeat(Operation::SoftReboot)
        }
        (_, Some(T::RebootingHard | T::RebootPendingHard | T::RebootStartedHard)) => {
            Recovery::Repeat(Operation::HardReboot)
        }
        (_, Some(_)) => Recovery::ClearTask,
        (VmState::Active, None) => match guest {
            Some(PowerState::Shutdown | PowerState::Crashed) => Recovery::Stopped,
            _ => Recovery::Nothing,
        },
        _ => Recovery::Nothing,
    }
}

impl ComputeManager {
    /// Recovers every instance of this host, then looks for guests that belong to none.
    ///
    /// # Errors
    /// When the host's instances cannot be read or the driver cannot list its guests. What goes
    /// wrong with one instance is logged.
    pub async fn recover(&self) -> Result<(), ServiceError> {
        let host = self.config.host.as_str();
        let ctx = RequestContext::admin();
        let found = InstanceList::get_by_host(self.objects.as_ref(), host).await;
        let instances = found.map_err(|error| {
            let code = error.code().to_owned();
            self.service_error(&code, "recover the instances of", &error)
        })?;
        let virt = Arc::clone(&self.virt);
        let listed = self
            .calls
            .blocking(&ctx.request_id, "list_instances", move |context| {
                virt.list_instances(context)
            })
            .await;
        let guests = listed
            .map_err(|error| self.service_error(error.code(), "list the guests of", &error))?;
        let guests: HashSet<String> = guests.into_iter().collect();
        for instance in instances.objects() {
            let uuid = instance.uuid();
            // Taken means that somebody works on it: nothing to recover.
            if let Some(_lock) = self.locks.try_lock(uuid) {
                self.recover_one(&ctx, uuid, guests.contains(uuid)).await;
            }
        }
        let ours: HashSet<&str> = instances.objects().iter().map(Instance::uuid).collect();
        for uuid in guests.iter().filter(|uuid| !ours.contains(uuid.as_str())) {
            if let Some(_lock) = self.locks.try_lock(uuid) {
                self.judge_stray(&ctx, uuid).await;
            }
        }
        Ok(())
    }

    pub(super) async fn recover_one(&self, ctx: &RequestContext, uuid: &str, listed: bool) {
        let host = self.config.host.as_str();
        // Read again under the lock: only what is so now counts.
        let mut row = match Instance::get_by_uuid(self.objects.as_ref(), uuid).await {
            Ok(row) if row.host() == Some(host) => row,
            Ok(_) | Err(_) => return,
        };
        let guest = if listed {
            self.guest_state(&ctx.request_id, uuid).await
        } else {
            Ok(None)
        };
        let guest = match guest {
            Ok(guest) => guest,
            Err(error) => {
                let code = error.code();
                return tracing::warn!(uuid, host, code, "not recovered: {error}");
            }
        };
        let Some(vm_state) = row.vm_state() else {
            return;
        };
        let as_read = Expected::task(&[row.task_state()]).and_host(Some(host));
        let recovery = decide(vm_state, row.task_state(), guest);
        if recovery != Recovery::Nothing {
            tracing::info!(uuid, host, %vm_state, ?recovery, "recovering an instance");
        }
        match recovery {
            Recovery::Nothing => {}
            Recovery::Adopt => self.adopt(row, as_read).await,
            Recovery::HandBack => self.hand_back(ctx, row, as_read).await,
            Recovery::Delete => self.terminate_locked(ctx, uuid).await,
            Recovery::Repeat(operation) => self.operate(ctx, uuid, operation).await,
            Recovery::ClearTask => {
                row.set_task_state(None);
                self.save_recovered(row, as_read).await;
            }
            Recovery::Stopped => {
                let off = PowerState::Shutdown;
                row.set_vm_state(VmState::Stopped).set_power_state(off);
                self.save_recovered(row, as_read).await;
            }
            Recovery::Gone => {
                let text = format!("the guest is gone from host `{host}`");
                row.set_power_state(PowerState::NoState);
                self.set_error(&mut row, codes::GUEST_GONE, &text).await;
            }
        }
    }

    async fn adopt(&self, mut row: Instance, as_read: Expected) {
        row.set_vm_state(VmState::Active)
            .set_task_state(None)
            .set_power_state(PowerState::Running)
            .set_launched_at(now());
        self.save_recovered(row, as_read).await;
    }

    /// The build was cut off: what is left of the guest goes, and the conductor tries again. It is
    /// no failed attempt of this host, so the retry information stays as it is.
    async fn hand_back(&self, ctx: &RequestContext, mut row: Instance, as_read: Expected) {
        let (uuid, host) = (row.uuid().to_owned(), self.config.host.as_str());
        if let Err(error) = self.destroy_guest(&ctx.request_id, &uuid).await {
            let text = format!("cannot clean up a build that was cut off on `{host}`: {error}");
            return self.set_error(&mut row, error.code(), &text).await;
        }
        row.set_host(None)
            .set_node(None)
            .set_vm_state(VmState::Building)
            .set_task_state(TaskState::Scheduling);
        if !self.save_recovered(row, as_read).await {
            return;
        }
        self.handed_back().push(uuid);
    }

    /// Tells the conductor of builds that were handed back, once this host takes messages again.
    pub(super) async fn resume_builds(&self) {
        let uuids = std::mem::take(&mut *self.handed_back());
        let (ctx, host) = (RequestContext::admin(), &self.config.host);
        for uuid in uuids {
            let again = Reschedule {
                uuids: vec![uuid.clone()],
                alternates: Vec::new(),
                reason: format!("host `{host}` went down during the build"),
            };
            if let Err(error) = self.conductor.build_instances(&ctx, again).await {
                let code = error.code();
                tracing::warn!(uuid, code, "the build is left to recovery: {error}");
            }
        }
    }

    /// Writes if the states are still those that were read; a delete meanwhile wins.
    async fn save_recovered(&self, mut row: Instance, as_read: Expected) -> bool {
        let uuid = row.uuid().to_owned();
        let (vm, task) = (row.vm_state(), row.task_state());
        let reached = |found: &Instance| found.vm_state() == vm && found.task_state() == task;
        match self.save_settled(&mut row, as_read, reached).await {
            Ok(()) => true,
            Err(error) if is_preempted(&error) => {
                tracing::info!(uuid, "recovery gives way: {error}");
                false
            }
            Err(error) => {
                tracing::warn!(uuid, code = error.code(), "not recovered: {error}");
                false
            }
        }
    }

    /// A guest that no record of this host names.
    async fn judge_stray(&self, ctx: &RequestContext, uuid: &str) {
        let (api, host) = (self.objects.as_ref(), self.config.host.as_str());
        let why = match Instance::get_by_uuid(api, uuid).await {
            Ok(row) if row.host() == Some(host) => return,
            Ok(row) => format!("its instance is on {}", row.host().unwrap_or("no host")),
            Err(ObjectError::InstanceNotFound(_)) => {
                // The request outlives the instance: with it, the instance was ours and is deleted.
                match RequestSpec::get_by_instance_uuid(api, uuid).await {
                    Ok(_) => "its instance is deleted".to_owned(),
                    Err(_) => {
                        let text = "a guest of the driver is unknown here and is left alone";
                        return tracing::warn!(uuid, host, "{text}");
                    }
                }
            }
            Err(error) => {
                let code = error.code();
                return tracing::warn!(uuid, host, code, "a guest is not judged: {error}");
            }
        };
        tracing::warn!(uuid, host, "destroying a guest: {why}");
        self.clean_up_guest(&ctx.request_id, uuid).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TaskState as T;
    use VmState as V;

    const RUNS: Option<PowerState> = Some(PowerState::Running);
    const OFF: Option<PowerState> = Some(PowerState::Shutdown);

    #[test]
    fn table() {
        let rows = [
            (V::Building, Some(T::Spawning), RUNS, Recovery::Adopt),
            (V::Building, Some(T::Spawning), OFF, Recovery::HandBack),
            (V::Building, Some(T::Spawning), None, Recovery::HandBack),
            (V::Active, Some(T::Deleting), RUNS, Recovery::Delete),
            (V::Error, Some(T::Deleting), None, Recovery::Delete),
            (V::Error, None, None, Recovery::Nothing),
            (
                V::Error,
                Some(T::PoweringOff),
                RUNS,
                Recovery::Repeat(Operation::Stop),
            ),
            (V::Active, None, RUNS, Recovery::Nothing),
            (V::Active, None, OFF, Recovery::Stopped),
            (V::Active, None, None, Recovery::Gone),
            (V::Stopped, None, OFF, Recovery::Nothing),
            (V::Stopped, None, None, Recovery::Gone),
            (
                V::Active,
                Some(T::PoweringOff),
                RUNS,
                Recovery::Repeat(Operation::Stop),
            ),
            (V::Active, Some(T::PoweringOff), None, Recovery::Gone),
            (
                V::Stopped,
                Some(T::PoweringOn),
                OFF,
                Recovery::Repeat(Operation::Start),
            ),
            (
                V::Active,
                Some(T::RebootStarted),
                RUNS,
                Recovery::Repeat(Operation::SoftReboot),
            ),
            (
                V::Active,
                Some(T::RebootingHard),
                OFF,
                Recovery::Repeat(Operation::HardReboot),
            ),
            (V::Active, Some(T::Pausing), RUNS, Recovery::ClearTask),
        ];
        for (vm, task, guest, expected) in rows {
            assert_eq!(decide(vm, task, guest), expected, "{vm} {task:?} {guest:?}");
        }
    }
}
