//! Every error code of this crate, spelled once.
//!
//! Codes are stable for ever; texts may improve. Must not know how errors are rendered. Read by
//! `error.rs` and by the program's `explain` command.

/// One stable error code with the texts that explain it to an operator.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The code itself, `area/slug`.
    pub code: &'static str,
    /// One line: what it says.
    pub title: &'static str,
    /// How it comes about.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

pub(crate) const NOT_FOUND: &str = "store/not-found";
pub(crate) const EXISTS: &str = "store/exists";
pub(crate) const TASK_STATE: &str = "store/unexpected-task-state";
pub(crate) const DELETING: &str = "store/instance-deleting";
pub(crate) const CONFLICT: &str = "store/update-conflict";
pub(crate) const ACTION: &str = "store/action-refused";
pub(crate) const ORPHANED: &str = "store/orphaned-object";
pub(crate) const VERSION: &str = "rpc/object-version";
pub(crate) const UNSUPPORTED: &str = "rpc/unsupported-object";
pub(crate) const METHOD: &str = "rpc/unknown-object-method";
pub(crate) const FIELD: &str = "rpc/bad-object-field";

/// All codes which this crate can produce.
pub const TABLE: &[Code] = &[
    Code {
        code: NOT_FOUND,
        title: "the named record does not exist",
        cause: "it was deleted meanwhile, or the identifier is wrong",
        cure: "list the records of that kind and use an identifier from the list",
    },
    Code {
        code: EXISTS,
        title: "a record with this identifier exists already",
        cause: "the same request came twice, or the name is taken",
        cure: "use the existing record, or choose another name",
    },
    Code {
        code: TASK_STATE,
        title: "the instance is not in the task state that the writer expected",
        cause: "another operation on the same instance started or finished meanwhile",
        cure: "read the instance again; repeat the operation once its task state is clear",
    },
    Code {
        code: DELETING,
        title: "the instance is being deleted",
        cause: "a delete was accepted while another operation was running",
        cure: "nothing: the running operation gives way to the delete",
    },
    Code {
        code: CONFLICT,
        title: "the instance changed between reading and writing",
        cause: "its vm state or host is not what the writer expected",
        cure: "read the instance again and decide anew",
    },
    Code {
        code: ACTION,
        title: "the object refuses this action",
        cause: "a condition of the action does not hold, such as an unassigned host",
        cure: "read the object again; the message names the condition",
    },
    Code {
        code: ORPHANED,
        title: "the object has no identity, so it cannot be saved",
        cause: "it was built by hand and never created or read",
        cure: "create it first, or read it from the store",
    },
    Code {
        code: VERSION,
        title: "the object was written by a newer service",
        cause: "services of different releases talk to each other",
        cure: "upgrade the older service, conductors first",
    },
    Code {
        code: UNSUPPORTED,
        title: "the message holds an object of an unknown kind",
        cause: "the sender is newer, or is not part of this deployment",
        cure: "compare the versions of the services on this broker",
    },
    Code {
        code: METHOD,
        title: "the object has no such remotable method",
        cause: "the caller is newer than the service that answered",
        cure: "upgrade the conductor first, then the other services",
    },
    Code {
        code: FIELD,
        title: "a field of a wire object cannot be read",
        cause: "the value has the wrong type, or a required part is missing",
        cure: "compare the versions of sender and receiver; the message names the field",
    },
];
