//! What the three processes say to each other: the host asks, the child says how far it is and what it found, the
//! guardian says how the child ended. Values only.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// From the host to the guardian, and from there to the child.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    /// What the child opens.
    pub(super) file: PathBuf,
    /// What messages call it.
    pub(super) shown: PathBuf,
    /// The entry.
    pub(super) namespace: String,
    /// Its name in the file.
    pub(super) export: String,
    /// For its constructor.
    pub(super) settings: String,
    /// A directory that is there for this vetting alone.
    pub(super) dir: PathBuf,
    /// Wall clock for all steps.
    pub(super) timeout_ms: u64,
    /// Processor time, in seconds.
    pub(super) cpu_seconds_max: u64,
    /// Address space of the child.
    pub(super) memory_bytes_max: u64,
    /// Largest file that it may write.
    pub(super) file_bytes_max: u64,
    /// How much of its output is kept.
    pub(super) output_bytes_max: usize,
    /// Who must be the child's parent; 0 in what the host sends.
    pub(super) guardian: i32,
}

/// What the child is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// Nothing of the plugin yet.
    Starting,
    /// `dlopen`: the library's own constructors run.
    Loading,
    /// The root is compared with the note.
    Comparing,
    /// The driver's constructor runs.
    Building,
    /// The driver is dropped.
    Dropping,
}

impl Step {
    /// As in "killed while …".
    pub(super) fn text(self) -> &'static str {
        match self {
            Step::Starting => "starting",
            Step::Loading => "loading",
            Step::Comparing => "reading what the plugin says of itself",
            Step::Building => "building the driver",
            Step::Dropping => "dropping the driver",
        }
    }
}

/// From the child to the guardian.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Message {
    /// This comes next.
    Step(Step),
    /// The last one.
    Answer(Answer),
}

/// What the child found out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    /// Why the plugin cannot be used at all.
    pub(super) refused: Option<Refused>,
    /// What its constructor or its drop said, politely.
    pub(super) driver_error: Option<String>,
    /// Process state that differs, one text each.
    pub(super) changes: Vec<String>,
    /// Threads that run after loading, before anything was called.
    pub(super) early_threads: Vec<String>,
    /// Threads and descriptors that are left when the driver is gone.
    pub(super) leaks: Vec<String>,
}

/// A refusal on its way between processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) code: String,
    pub(super) why: String,
    pub(super) help: String,
}

/// From the guardian to the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Report {
    /// How it ended.
    pub(super) end: End,
    /// The last step that the child said.
    pub(super) step: Step,
    /// What it left running, by name; shortened, see `strays_count`.
    pub(super) strays: Vec<String>,
    /// How many that were.
    pub(super) strays_count: usize,
    /// The end of what it printed.
    pub(super) output: String,
}

/// How a child ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum End {
    /// With an answer.
    Answered(Answer),
    /// A signal killed it first.
    Signal(i32),
    /// It ended itself first, with this status.
    Exit(i32),
    /// Time was up.
    Timeout,
    /// What it wrote was no answer of ours.
    Forged,
    /// It could not be started.
    NotStarted(String),
}
