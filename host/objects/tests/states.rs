//! States: words, status, and the rules of the operations.
//!
//! Goes through the public surface only.

use longshore_objects::state::vm_states_of_status;
use longshore_objects::transition::{accept, rule, steps};
use longshore_objects::{Operation, PowerState, TaskState as T, VmState as V, status};

#[test]
fn words_are_parsed_and_nothing_else() {
    for vm in V::ALL {
        assert_eq!(vm.as_str().parse::<V>().unwrap(), *vm);
    }
    for task in T::ALL {
        assert_eq!(task.as_str().parse::<T>().unwrap(), *task);
    }
    assert_eq!((V::ALL.len(), T::ALL.len()), (12, 42));
    assert!("Active".parse::<V>().is_err());
    let numbers: Vec<i64> = (-1..9)
        .filter(|n| PowerState::from_i64(*n).is_some())
        .collect();
    assert_eq!(numbers, [0, 1, 3, 4, 6, 7]);
}

#[test]
fn status_follows_both_states() {
    let rows = [
        (V::Building, Some(T::Spawning), "BUILD"),
        (V::Active, None, "ACTIVE"),
        (V::Active, Some(T::Rebooting), "REBOOT"),
        (V::Active, Some(T::RebootStartedHard), "HARD_REBOOT"),
        (V::Active, Some(T::RebuildSpawning), "REBUILD"),
        (V::Active, Some(T::ResizeFinish), "RESIZE"),
        (V::Active, Some(T::Deleting), "ACTIVE"),
        (V::Stopped, None, "SHUTOFF"),
        (V::Stopped, Some(T::ResizePrep), "RESIZE"),
        (V::Stopped, Some(T::Rebuilding), "REBUILD"),
        (V::Resized, None, "VERIFY_RESIZE"),
        (V::Resized, Some(T::ResizeReverting), "REVERT_RESIZE"),
        (V::Paused, Some(T::Migrating), "MIGRATING"),
        (V::Error, Some(T::Rebuilding), "REBUILD"),
        (V::Error, Some(T::Rebooting), "ERROR"),
        (V::Deleted, None, "DELETED"),
    ];
    for (vm, task, wanted) in rows {
        assert_eq!(status(vm, task), wanted, "{vm} {task:?}");
    }
    assert_eq!(vm_states_of_status("REBOOT"), [V::Active]);
    assert_eq!(vm_states_of_status("SHUTOFF"), [V::Stopped]);
    assert!(vm_states_of_status("FLOATING").is_empty());
}

#[test]
fn guards_name_the_state_that_stands_against_the_operation() {
    let refused = |operation, vm, task| {
        let refused = accept(operation, vm, task).unwrap_err();
        (refused.attribute, refused.state)
    };
    assert_eq!(
        refused(Operation::Start, V::Active, None),
        ("vm_state", "active")
    );
    assert_eq!(
        refused(Operation::Stop, V::Active, Some(T::PoweringOff)),
        ("task_state", "powering-off")
    );
    assert_eq!(
        refused(Operation::HardReboot, V::Active, Some(T::Spawning)).0,
        "task_state"
    );
    assert_eq!(refused(Operation::Boot, V::Active, None).0, "vm_state");
    accept(Operation::HardReboot, V::Error, Some(T::Rebooting)).unwrap();
    for vm in V::ALL {
        for task in T::ALL {
            accept(Operation::Delete, *vm, Some(*task)).unwrap();
        }
    }
}

#[test]
fn the_first_step_expects_what_the_api_wrote() {
    use Operation as O;
    let simple = [
        O::Boot,
        O::Stop,
        O::Start,
        O::SoftReboot,
        O::HardReboot,
        O::Pause,
        O::Unpause,
        O::Suspend,
        O::Resume,
        O::Rescue,
        O::Unrescue,
        O::Rebuild,
        O::Resize,
        O::RevertResize,
        O::Shelve,
        O::Snapshot,
    ];
    for operation in simple {
        let first = steps(operation)[0];
        let written = Some(rule(operation).task);
        assert!(first.expected.contains(&written), "{operation:?}");
        assert_eq!(
            steps(operation).last().unwrap().task,
            None,
            "{operation:?} ends idle"
        );
    }
}
