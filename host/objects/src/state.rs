//! The states of an instance: the closed sets of words, and the status which users see.
//!
//! Must not know who changes a state; the rules are in `transition.rs`. Used by every service.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::error::ObjectError;
use crate::field::{Field, Kind, invalid};

/// Declares a closed set of words with its text form, parser and field type.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $( #[doc = concat!("`", $text, "`")] $variant, )+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];
            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ObjectError;
            fn from_str(text: &str) -> Result<Self, ObjectError> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| {
                    ObjectError::InvalidField(
                        stringify!($name).to_owned(),
                        format!("field value {text} is invalid"),
                    )
                })
            }
        }

        impl Field for $name {
            type Ref<'a> = $name;
            const KIND: Kind = Kind::Text;
            fn unset() -> Self {
                Self::ALL[0]
            }
            fn view(&self) -> $name {
                *self
            }
            fn primitive(&self) -> Value {
                Value::from(self.as_str())
            }
            fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
                let text = value.as_str().ok_or_else(|| invalid(field, "a word", value))?;
                text.parse().map_err(|_| {
                    let reason = format!("field value {text} is invalid");
                    ObjectError::InvalidField(field.to_owned(), reason)
                })
            }
        }
    };
}

words! {
    /// What the instance is, seen from its user; changes only when an operation ends.
    pub enum VmState {
        Active = "active",
        Building = "building",
        Paused = "paused",
        Suspended = "suspended",
        Stopped = "stopped",
        Rescued = "rescued",
        Resized = "resized",
        SoftDeleted = "soft-delete",
        Deleted = "deleted",
        Error = "error",
        Shelved = "shelved",
        ShelvedOffloaded = "shelved_offloaded",
    }
}

words! {
    /// What is being done to the instance; absent when it is idle.
    pub enum TaskState {
        Scheduling = "scheduling",
        BlockDeviceMapping = "block_device_mapping",
        Networking = "networking",
        Spawning = "spawning",
        ImageSnapshot = "image_snapshot",
        ImageSnapshotPending = "image_snapshot_pending",
        ImagePendingUpload = "image_pending_upload",
        ImageUploading = "image_uploading",
        ImageBackup = "image_backup",
        UpdatingPassword = "updating_password",
        ResizePrep = "resize_prep",
        ResizeMigrating = "resize_migrating",
        ResizeMigrated = "resize_migrated",
        ResizeFinish = "resize_finish",
        ResizeReverting = "resize_reverting",
        ResizeConfirming = "resize_confirming",
        Rebooting = "rebooting",
        RebootPending = "reboot_pending",
        RebootStarted = "reboot_started",
        RebootingHard = "rebooting_hard",
        RebootPendingHard = "reboot_pending_hard",
        RebootStartedHard = "reboot_started_hard",
        Pausing = "pausing",
        Unpausing = "unpausing",
        Suspending = "suspending",
        Resuming = "resuming",
        PoweringOff = "powering-off",
        PoweringOn = "powering-on",
        Rescuing = "rescuing",
        Unrescuing = "unrescuing",
        Rebuilding = "rebuilding",
        RebuildBlockDeviceMapping = "rebuild_block_device_mapping",
        RebuildSpawning = "rebuild_spawning",
        Migrating = "migrating",
        Deleting = "deleting",
        SoftDeleting = "soft-deleting",
        Restoring = "restoring",
        Shelving = "shelving",
        ShelvingImagePendingUpload = "shelving_image_pending_upload",
        ShelvingImageUploading = "shelving_image_uploading",
        ShelvingOffloading = "shelving_offloading",
        Unshelving = "unshelving",
    }
}

/// What the hypervisor says of the guest; a number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PowerState {
    /// 0: unknown.
    NoState,
    /// 1: runs.
    Running,
    /// 3: paused in memory.
    Paused,
    /// 4: off.
    Shutdown,
    /// 6: ended by a failure.
    Crashed,
    /// 7: saved to disk.
    Suspended,
}

impl PowerState {
    /// The number on the wire and in the database.
    pub const fn as_i64(self) -> i64 {
        match self {
            Self::NoState => 0,
            Self::Running => 1,
            Self::Paused => 3,
            Self::Shutdown => 4,
            Self::Crashed => 6,
            Self::Suspended => 7,
        }
    }

    /// The state of a number; 2, 5 and all others name none.
    pub const fn from_i64(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::NoState),
            1 => Some(Self::Running),
            3 => Some(Self::Paused),
            4 => Some(Self::Shutdown),
            6 => Some(Self::Crashed),
            7 => Some(Self::Suspended),
            _ => None,
        }
    }
}

impl Field for PowerState {
    type Ref<'a> = PowerState;
    const KIND: Kind = Kind::Integer;
    fn unset() -> Self {
        Self::NoState
    }
    fn view(&self) -> PowerState {
        *self
    }
    fn primitive(&self) -> Value {
        Value::from(self.as_i64())
    }
    fn hydrate(field: &str, value: &Value) -> Result<Self, ObjectError> {
        let number = i64::hydrate(field, value)?;
        Self::from_i64(number).ok_or_else(|| {
            ObjectError::InvalidField(field.to_owned(), format!("field value {number} is invalid"))
        })
    }
}

/// The task state as a word for messages: `none` when idle.
pub fn task_word(task: Option<TaskState>) -> &'static str {
    task.map_or("none", TaskState::as_str)
}

/// The status which users see, in OpenStack's words.
pub fn status(vm: VmState, task: Option<TaskState>) -> &'static str {
    let by_task = match vm {
        VmState::Active => task.and_then(active_status),
        VmState::Stopped => task
            .and_then(resize_status)
            .or(task.and_then(rebuild_status)),
        VmState::Error => task.and_then(rebuild_status),
        VmState::Resized if task == Some(TaskState::ResizeReverting) => Some("REVERT_RESIZE"),
        VmState::Paused if task == Some(TaskState::Migrating) => Some("MIGRATING"),
        _ => None,
    };
    by_task.unwrap_or(default_status(vm))
}

fn default_status(vm: VmState) -> &'static str {
    match vm {
        VmState::Active => "ACTIVE",
        VmState::Building => "BUILD",
        VmState::Paused => "PAUSED",
        VmState::Suspended => "SUSPENDED",
        VmState::Stopped => "SHUTOFF",
        VmState::Rescued => "RESCUE",
        VmState::Resized => "VERIFY_RESIZE",
        VmState::SoftDeleted => "SOFT_DELETED",
        VmState::Deleted => "DELETED",
        VmState::Error => "ERROR",
        VmState::Shelved => "SHELVED",
        VmState::ShelvedOffloaded => "SHELVED_OFFLOADED",
    }
}

fn active_status(task: TaskState) -> Option<&'static str> {
    use TaskState as T;
    match task {
        T::Rebooting | T::RebootPending | T::RebootStarted => Some("REBOOT"),
        T::RebootingHard | T::RebootPendingHard | T::RebootStartedHard => Some("HARD_REBOOT"),
        T::UpdatingPassword => Some("PASSWORD"),
        T::Migrating => Some("MIGRATING"),
        other => rebuild_status(other).or(resize_status(other)),
    }
}

fn rebuild_status(task: TaskState) -> Option<&'static str> {
    use TaskState as T;
    matches!(
        task,
        T::Rebuilding | T::RebuildBlockDeviceMapping | T::RebuildSpawning
    )
    .then_some("REBUILD")
}

fn resize_status(task: TaskState) -> Option<&'static str> {
    use TaskState as T;
    matches!(
        task,
        T::ResizePrep | T::ResizeMigrating | T::ResizeMigrated | T::ResizeFinish
    )
    .then_some("RESIZE")
}

/// The vm states that can show this status (a list filter); empty for an unknown word.
///
/// The list is a superset: where the status depends on the task state too, the caller still
/// compares [`status`] of each instance.
pub fn vm_states_of_status(wanted: &str) -> Vec<VmState> {
    let shows = |vm: &&VmState| {
        status(**vm, None) == wanted
            || TaskState::ALL
                .iter()
                .any(|task| status(**vm, Some(*task)) == wanted)
    };
    VmState::ALL.iter().filter(shows).copied().collect()
}
