//! Compares what records say of idle guests with what the driver says.
//!
//! The driver is right about power, the user about what is wanted: a guest that went off by itself
//! becomes stopped, one that runs against its user's will is stopped again. Run periodically.

use longshore_messaging::RequestContext;
use longshore_objects::{DateTime, Expected, Instance, InstanceList, PowerState, VmState, now};
use longshore_service::ServiceError;

use super::manager::{ComputeManager, is_preempted};

/// Age in seconds of a task from which on it counts as stuck, if nobody works on it here.
const STUCK_AGE_S: i64 = 600;

/// What is to be done about one guest, beside writing its power state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Nothing,
    Warn,
    Stop,
}

/// Nova's rule for a guest that nobody works on.
fn action(vm_state: VmState, found: PowerState) -> Action {
    use PowerState as P;
    match (vm_state, found) {
        (VmState::Active, P::Shutdown | P::Crashed | P::Suspended) => Action::Stop,
        (VmState::Active, P::Paused | P::NoState) => Action::Warn,
        (VmState::Stopped, P::Running | P::Paused | P::Suspended) => Action::Stop,
        (VmState::Paused, P::Shutdown | P::Crashed) => Action::Stop,
        (VmState::SoftDeleted | VmState::Deleted, P::NoState | P::Shutdown) => Action::Nothing,
        (VmState::SoftDeleted | VmState::Deleted, _) => Action::Warn,
        _ => Action::Nothing,
    }
}

impl ComputeManager {
    /// One run over the guests of this host. Guests that are being worked on are left out; a task
    /// that nobody carries on is recovered.
    ///
    /// # Errors
    /// When the host's instances cannot be read.
    pub async fn sync_power_states(&self) -> Result<(), ServiceError> {
        let host = self.config.host.as_str();
        let found = InstanceList::get_by_host(self.objects.as_ref(), host).await;
        let instances = found.map_err(|error| {
            let code = error.code().to_owned();
            self.service_error(&code, "compare power states of", &error)
        })?;
        let stuck_since = DateTime::from_unix(now().as_unix() - STUCK_AGE_S);
        for instance in instances.objects() {
            let uuid = instance.uuid();
            let Some(_lock) = self.locks.try_lock(uuid) else {
                continue;
            };
            if instance.task_state().is_none() {
                self.sync_one(uuid).await;
            } else if instance.updated_at().is_some_and(|at| at < stuck_since) {
                // Its message was lost on the way, or nobody carries it on.
                self.recover_one(&RequestContext::admin(), uuid, true).await;
            }
        }
        self.resume_builds().await;
        Ok(())
    }

    async fn sync_one(&self, uuid: &str) {
        let host = self.config.host.as_str();
        let row = Instance::get_by_uuid(self.objects.as_ref(), uuid).await;
        let Ok(mut row) = row else { return };
        let Some(vm_state) = row.vm_state() else {
            return;
        };
        if row.host() != Some(host) || row.task_state().is_some() {
            return;
        }
        let state = match self.guest_state("periodic", uuid).await {
            Ok(state) => state.unwrap_or(PowerState::NoState),
            Err(error) => {
                let code = error.code();
                return tracing::warn!(uuid, host, code, "no power state: {error}");
            }
        };
        let mut power = state;
        match action(vm_state, state) {
            Action::Nothing => {}
            Action::Warn => tracing::warn!(uuid, host, %vm_state, ?state, "unexpected power state"),
            Action::Stop => {
                tracing::info!(uuid, host, %vm_state, ?state, "power state differs; stopping");
                let off = self.on_guest("periodic", "power_off", uuid, |virt, context, id| {
                    virt.power_off(context, id)
                });
                if let Err(error) = off.await {
                    let code = error.code();
                    return tracing::warn!(uuid, host, code, "cannot stop a guest: {error}");
                }
                power = PowerState::Shutdown;
                row.set_vm_state(VmState::Stopped);
            }
        }
        if row.power_state() == Some(power) && row.vm_state() == Some(vm_state) {
            return;
        }
        row.set_power_state(power);
        let idle = Expected::task(&[None]).and_vm(&[vm_state]);
        match row.save(self.objects.as_ref(), idle).await {
            Ok(()) => self.tracker.note(&row),
            Err(error) if is_preempted(&error) => {}
            Err(error) => {
                let code = error.code();
                tracing::warn!(uuid, host, code, "the power state is not written: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_nova() {
        use PowerState as P;
        let rows = [
            (VmState::Active, P::Running, Action::Nothing),
            (VmState::Active, P::Shutdown, Action::Stop),
            (VmState::Active, P::Crashed, Action::Stop),
            (VmState::Active, P::Suspended, Action::Stop),
            (VmState::Active, P::Paused, Action::Warn),
            (VmState::Active, P::NoState, Action::Warn),
            (VmState::Stopped, P::Running, Action::Stop),
            (VmState::Stopped, P::NoState, Action::Nothing),
            (VmState::Stopped, P::Crashed, Action::Nothing),
            (VmState::Paused, P::Shutdown, Action::Stop),
            (VmState::Paused, P::Running, Action::Nothing),
            (VmState::SoftDeleted, P::Running, Action::Warn),
            (VmState::Error, P::Running, Action::Nothing),
            (VmState::Building, P::Shutdown, Action::Nothing),
        ];
        for (vm_state, found, expected) in rows {
            assert_eq!(action(vm_state, found), expected, "{vm_state} {found:?}");
        }
    }
}
