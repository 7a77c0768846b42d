//! What a list asks for, and what a count answers.
//!
//! Plain values; must not know SQL. Filled by the API, read by the tables.

use longshore_objects::{TaskState, VmState};

/// Most rows in one page.
pub const LIST_MAX: u32 = 1000;

/// Filters and paging of a list of instances; absent filters match all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceQuery {
    /// Display name, exactly; several instances may share it.
    pub name: Option<String>,
    /// Part of the display name, case-sensitive.
    pub name_contains: Option<String>,
    /// One of these vm states.
    pub vm_states: Option<Vec<VmState>>,
    /// One of these task states, `None` being the idle one.
    pub task_states: Option<Vec<Option<TaskState>>>,
    /// Host.
    pub host: Option<String>,
    /// Node.
    pub node: Option<String>,
    /// Project.
    pub project_id: Option<String>,
    /// Deleted instances instead of live ones.
    pub deleted: bool,
    /// Most rows to return, at most [`LIST_MAX`], which is also the default.
    pub limit: Option<u32>,
    /// Identifier of the last instance of the page before.
    pub marker: Option<String>,
}

/// What the live instances of a project use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProjectUsage {
    /// How many there are.
    pub instances: i64,
    /// Virtual processors in all.
    pub cores: i64,
    /// Memory in all, in MB.
    pub ram_mb: i64,
}
