//! Who may change the states, and to what: one rule per operation, as data.
//!
//! `accept` is the API's guard and first write; `steps` are the writes of compute, in order. Pure
//! functions over (operation, vm state, task state); must not know the store or any service.

use crate::state::{TaskState as T, VmState as V, task_word};

/// An operation that a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the operations' own names")]
pub enum Operation {
    Boot,
    Delete,
    SoftDelete,
    Restore,
    Stop,
    ForceStop,
    Start,
    SoftReboot,
    HardReboot,
    Pause,
    Unpause,
    Suspend,
    Resume,
    Rescue,
    Unrescue,
    Rebuild,
    Resize,
    ConfirmResize,
    RevertResize,
    Shelve,
    Snapshot,
}

/// What the API checks and writes for an operation.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Vm states in which it is allowed; absent: all.
    pub vm_states: Option<&'static [V]>,
    /// Task states in which it is allowed; absent: all. `None` in the list is the idle state.
    pub task_states: Option<&'static [Option<T>]>,
    /// Task state to write.
    pub task: T,
    /// Task states that the write expects (compare-and-swap); absent: no condition.
    pub expected: Option<&'static [Option<T>]>,
}

/// One write of compute, in the course of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Vm state to write; absent: it stays.
    pub vm: Option<V>,
    /// Task state to write; `None` is the idle state.
    pub task: Option<T>,
    /// Task states that the write expects; empty: no condition.
    pub expected: &'static [Option<T>],
}

/// Why an operation is not allowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which state stands against it: `vm_state` or `task_state`.
    pub attribute: &'static str,
    /// Its present value.
    pub state: &'static str,
}

const IDLE: &[Option<T>] = &[None];
const HARD_REBOOT_FROM: &[Option<T>] = &[
    None,
    Some(T::Rebooting),
    Some(T::RebootPending),
    Some(T::RebootStarted),
    Some(T::Resuming),
    Some(T::RebootingHard),
    Some(T::Unpausing),
    Some(T::Pausing),
    Some(T::Suspending),
];
const WORKING: &[V] = &[V::Active, V::Stopped, V::Paused, V::Suspended];

const fn idle_only(vm_states: &'static [V], task: T) -> Rule {
    Rule {
        vm_states: Some(vm_states),
        task_states: Some(IDLE),
        task,
        expected: Some(IDLE),
    }
}

/// The rule of an operation.
pub const fn rule(operation: Operation) -> Rule {
    match operation {
        Operation::Boot => Rule {
            vm_states: Some(&[]),
            task_states: None,
            task: T::Scheduling,
            expected: None,
        },
        Operation::Delete => Rule {
            vm_states: None,
            task_states: None,
            task: T::Deleting,
            expected: None,
        },
        Operation::SoftDelete => Rule {
            vm_states: None,
            task_states: None,
            task: T::SoftDeleting,
            expected: None,
        },
        Operation::Restore => idle_only(&[V::SoftDeleted], T::Restoring),
        Operation::Stop => idle_only(&[V::Active, V::Error], T::PoweringOff),
        Operation::ForceStop => Rule {
            vm_states: None,
            task_states: None,
            task: T::PoweringOff,
            expected: Some(IDLE),
        },
        Operation::Start => idle_only(&[V::Stopped], T::PoweringOn),
        Operation::SoftReboot => idle_only(&[V::Active], T::Rebooting),
        Operation::HardReboot => Rule {
            vm_states: Some(&[V::Active, V::Stopped, V::Paused, V::Suspended, V::Error]),
            task_states: Some(HARD_REBOOT_FROM),
            task: T::RebootingHard,
            expected: Some(HARD_REBOOT_FROM),
        },
        Operation::Pause => idle_only(&[V::Active], T::Pausing),
        Operation::Unpause => idle_only(&[V::Paused], T::Unpausing),
        Operation::Suspend => idle_only(&[V::Active], T::Suspending),
        Operation::Resume => idle_only(&[V::Suspended], T::Resuming),
        Operation::Rescue => idle_only(&[V::Active, V::Stopped, V::Error], T::Rescuing),
        Operation::Unrescue => idle_only(&[V::Rescued], T::Unrescuing),
        Operation::Rebuild => idle_only(&[V::Active, V::Stopped, V::Error], T::Rebuilding),
        Operation::Resize => idle_only(&[V::Active, V::Stopped], T::ResizePrep),
        Operation::ConfirmResize => idle_only(&[V::Resized], T::ResizeConfirming),
        Operation::RevertResize => idle_only(&[V::Resized], T::ResizeReverting),
        Operation::Shelve => idle_only(WORKING, T::Shelving),
        Operation::Snapshot => idle_only(WORKING, T::ImageSnapshotPending),
    }
}

/// Checks an operation against the present states.
///
/// # Errors
/// `Refused` names the state that stands against it; the vm state is checked first.
pub fn accept(operation: Operation, vm: V, task: Option<T>) -> Result<Rule, Refused> {
    let rule = rule(operation);
    if rule.vm_states.is_some_and(|allowed| !allowed.contains(&vm)) {
        return Err(Refused {
            attribute: "vm_state",
            state: vm.as_str(),
        });
    }
    if rule
        .task_states
        .is_some_and(|allowed| !allowed.contains(&task))
    {
        return Err(Refused {
            attribute: "task_state",
            state: task_word(task),
        });
    }
    Ok(rule)
}

const fn step(vm: Option<V>, task: Option<T>, expected: &'static [Option<T>]) -> Step {
    Step { vm, task, expected }
}

/// The writes of compute for an operation, in order; the last one ends it.
///
/// A soft reboot of a rescued instance, a rebuild of a stopped one and a shelve that offloads at
/// once end in a state of their own, which the caller chooses.
pub const fn steps(operation: Operation) -> &'static [Step] {
    match operation {
        Operation::Boot => const { &BOOT },
        Operation::Delete => const { &[step(Some(V::Deleted), None, &[])] },
        Operation::SoftDelete => const { &[step(Some(V::SoftDeleted), None, &[])] },
        Operation::Restore => const { &[step(Some(V::Active), None, &[])] },
        Operation::Stop | Operation::ForceStop => {
            const { &[step(Some(V::Stopped), None, &[Some(T::PoweringOff)])] }
        }
        Operation::Start => const { &[step(Some(V::Active), None, &[Some(T::PoweringOn)])] },
        Operation::SoftReboot => const { &SOFT_REBOOT },
        Operation::HardReboot => const { &HARD_REBOOT },
        Operation::Pause => const { &[step(Some(V::Paused), None, &[Some(T::Pausing)])] },
        Operation::Unpause => const { &[step(Some(V::Active), None, &[Some(T::Unpausing)])] },
        Operation::Suspend => const { &[step(Some(V::Suspended), None, &[Some(T::Suspending)])] },
        Operation::Resume => const { &[step(Some(V::Active), None, &[Some(T::Resuming)])] },
        Operation::Rescue => const { &[step(Some(V::Rescued), None, &[Some(T::Rescuing)])] },
        Operation::Unrescue => const { &[step(Some(V::Active), None, &[Some(T::Unrescuing)])] },
        Operation::Rebuild => const { &REBUILD },
        Operation::Resize => const { &RESIZE },
        Operation::ConfirmResize => const { &[step(Some(V::Active), None, &[])] },
        Operation::RevertResize => {
            const { &[step(Some(V::Active), None, &[Some(T::ResizeReverting)])] }
        }
        Operation::Shelve => const { &[step(Some(V::Shelved), None, &[Some(T::Shelving)])] },
        Operation::Snapshot => const { &SNAPSHOT },
    }
}

const BOOT: [Step; 4] = [
    step(Some(V::Building), None, &[Some(T::Scheduling), None]),
    step(Some(V::Building), Some(T::BlockDeviceMapping), &[]),
    step(
        Some(V::Building),
        Some(T::Spawning),
        &[Some(T::BlockDeviceMapping)],
    ),
    step(Some(V::Active), None, &[Some(T::Spawning)]),
];
const SOFT_REBOOT: [Step; 3] = [
    step(
        None,
        Some(T::RebootPending),
        &[
            Some(T::Rebooting),
            Some(T::RebootPending),
            Some(T::RebootStarted),
        ],
    ),
    step(None, Some(T::RebootStarted), &[Some(T::RebootPending)]),
    step(Some(V::Active), None, &[]),
];
const HARD_REBOOT: [Step; 3] = [
    step(
        None,
        Some(T::RebootPendingHard),
        &[
            Some(T::RebootingHard),
            Some(T::RebootPendingHard),
            Some(T::RebootStartedHard),
        ],
    ),
    step(
        None,
        Some(T::RebootStartedHard),
        &[Some(T::RebootPendingHard)],
    ),
    step(Some(V::Active), None, &[]),
];
const REBUILD: [Step; 3] = [
    step(
        None,
        Some(T::RebuildBlockDeviceMapping),
        &[Some(T::Rebuilding)],
    ),
    step(
        None,
        Some(T::RebuildSpawning),
        &[Some(T::RebuildBlockDeviceMapping)],
    ),
    step(Some(V::Active), None, &[Some(T::RebuildSpawning)]),
];
const RESIZE: [Step; 4] = [
    step(None, Some(T::ResizeMigrating), &[Some(T::ResizePrep)]),
    step(None, Some(T::ResizeMigrated), &[Some(T::ResizeMigrating)]),
    step(None, Some(T::ResizeFinish), &[Some(T::ResizeMigrated)]),
    step(Some(V::Resized), None, &[Some(T::ResizeFinish)]),
];
const SNAPSHOT: [Step; 4] = [
    step(
        None,
        Some(T::ImageSnapshot),
        &[Some(T::ImageSnapshotPending)],
    ),
    step(None, Some(T::ImagePendingUpload), &[Some(T::ImageSnapshot)]),
    step(
        None,
        Some(T::ImageUploading),
        &[Some(T::ImagePendingUpload)],
    ),
    step(None, None, &[Some(T::ImageUploading)]),
];
