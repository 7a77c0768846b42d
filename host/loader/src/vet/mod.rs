//! A plugin that is new is tried in a process of its own before its code runs in the host.
//!
//! Two processes of the program's own executable are started: a *guardian*, and below it the *child*, which opens the
//! file, builds the driver in an empty directory, drops it and answers. `ready` and the driver's methods are not called:
//! they may touch what a driver that runs already owns. The program calls [`run_if_child`] first thing in `main`:
//!
//! ```no_run
//! use longshore_loader::vet;
//!
//! fn main() {
//!     vet::run_if_child();
//!     // … and later, for a plugin that is to be loaded:
//!     # let subject = vet::Subject::default();
//!     let vetter = vet::Vetter::new(vet::Policy::New, vet::Options::default(), "state/vetting".as_ref());
//!     let (verdict, _) = vetter.verdict(&subject);
//!     if let Some(refusal) = verdict.refusal(&subject) {
//!         eprintln!("{refusal}");
//!     }
//! }
//! ```
//!
//! Finds mistakes, not malice: a driver can tell that it is being tried. Must not know maps, managers or kinds.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

mod ask;
mod cache;
mod child;
mod dirs;
mod frame;
mod guardian;
mod judge;
mod protocol;
mod strays;
mod verdict;

pub use cache::{Cache, Key, host_build};
pub use dirs::clean;
pub use verdict::{Outcome, Verdict, Warning};

/// The first argument of both processes.
const ARGUMENT: &str = "longshore-vetting";
const GUARDIAN: &str = "guardian";
const CHILD: &str = "child";
/// The program that runs, also when its file was replaced.
const EXECUTABLE: &str = "/proc/self/exe";

/// Whether this program can be its own child.
static READY: AtomicBool = AtomicBool::new(false);

/// What is tried.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// What the child opens: the path of the file, or `/proc/PID/fd/N` of bytes that were sealed.
    pub file: PathBuf,
    /// The path that messages name.
    pub shown: PathBuf,
    /// SHA-256 of the bytes, in hex.
    pub digest: String,
    /// Namespace of the entry.
    pub namespace: String,
    /// Name of the entry in the map, for messages.
    pub name: String,
    /// Name of the entry in the file.
    pub export: String,
    /// Its settings with defaults, as JSON.
    pub settings: String,
}

/// How it is tried.
#[derive(Debug, Clone)]
pub struct Options {
    /// Milliseconds of wall clock for all steps.
    pub timeout_ms: u64,
    /// Environment variables that are let through; all others are not there.
    pub env: Vec<String>,
    /// Whether a warning is a refusal.
    pub strict: bool,
    /// Bytes of output that are kept, from the end.
    pub output_bytes_max: usize,
    /// Bytes of address space.
    pub memory_bytes_max: u64,
    /// Bytes of the largest file that may be written.
    pub file_bytes_max: u64,
    /// Where the directory of each vetting is made.
    pub dir: PathBuf,
    /// The executable, which calls [`run_if_child`]; none for the one that runs.
    pub program: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            timeout_ms: 10_000,
            env: Vec::new(),
            strict: false,
            output_bytes_max: 64 << 10,
            memory_bytes_max: 16 << 30,
            file_bytes_max: 64 << 20,
            dir: std::env::temp_dir(),
            program: None,
        }
    }
}

/// Which plugins are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Those that this build of the host has not tried yet with these settings.
    #[default]
    New,
    /// All, each time.
    Always,
    /// None.
    Never,
}

impl std::str::FromStr for Policy {
    type Err = ();

    fn from_str(text: &str) -> Result<Policy, ()> {
        match text {
            "new" => Ok(Policy::New),
            "always" => Ok(Policy::Always),
            "never" => Ok(Policy::Never),
            _ => Err(()),
        }
    }
}

/// Does the work of guardian or child if this process was started as one, and then ends it; otherwise returns at once.
/// Belongs first in `main`: before threads, and before anything is printed.
pub fn run_if_child() {
    READY.store(true, Ordering::Relaxed);
    let mut args = std::env::args_os().skip(1);
    let is_ours =
        args.next().is_some_and(|a| a == ARGUMENT) && std::env::var_os(strays::MARK).is_some();
    if !is_ours {
        return;
    }
    let code = match args.next().as_deref().and_then(OsStr::to_str) {
        Some(GUARDIAN) => guardian::run(),
        Some(CHILD) => child::run(),
        _ => ExitCode::FAILURE,
    };
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

/// Tries a plugin. Takes as long as the plugin does, at most `timeout_ms` and a few seconds.
///
/// A failure to try it is a failed verdict, `plugin/cannot-vet`.
pub fn vet(subject: &Subject, options: &Options) -> Verdict {
    let begun = std::time::Instant::now();
    let verdict = match ask::ask(subject, options) {
        Ok(report) => judge::judge(&report, options),
        Err(error) => judge::not_tried(&error),
    };
    let verdict = Verdict {
        ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        ..verdict
    };
    if options.strict {
        verdict.strictly()
    } else {
        verdict
    }
}

/// Tries what has to be tried and remembers the verdicts. May be used from any thread.
pub struct Vetter {
    policy: Policy,
    options: Options,
    host: String,
    cache: Mutex<Cache>,
}

impl Vetter {
    /// Reads the verdicts that are kept in `dir`, which is made if it is not there, and removes what a killed host left.
    pub fn new(policy: Policy, options: Options, dir: &Path) -> Vetter {
        if policy != Policy::Never {
            clean(&options.dir);
        }
        let cache = match policy {
            Policy::Never => Cache::default(),
            Policy::New | Policy::Always => Cache::open(dir),
        };
        let (host, cache) = (host_build(), Mutex::new(cache));
        Vetter {
            policy,
            options,
            host,
            cache,
        }
    }

    /// The verdict on a plugin, and whether it was known already. With `Policy::Never` everything passes.
    pub fn verdict(&self, subject: &Subject) -> (Verdict, bool) {
        if self.policy == Policy::Never {
            return (Verdict::passed(), true);
        }
        let key = Key::of(subject, &self.host);
        if self.policy == Policy::New
            && let Some(known) = self.lock().get(&key)
        {
            return (self.judged(known.clone()), true);
        }
        (self.tried(key, subject), false)
    }

    /// The verdict on a plugin that is tried again, whatever was found before. With `Policy::Never` everything passes.
    pub fn verdict_anew(&self, subject: &Subject) -> Verdict {
        match self.policy {
            Policy::Never => Verdict::passed(),
            Policy::New | Policy::Always => self.tried(Key::of(subject, &self.host), subject),
        }
    }

    /// No lock is held meanwhile: others may be tried at the same time.
    fn tried(&self, key: Key, subject: &Subject) -> Verdict {
        // What is kept is the verdict before strictness, which may be another one at the next start.
        let options = Options {
            strict: false,
            ..self.options.clone()
        };
        let verdict = vet(subject, &options);
        let mut cache = self.lock();
        cache.put(key, &verdict);
        cache.save();
        drop(cache);
        self.judged(verdict)
    }

    fn judged(&self, verdict: Verdict) -> Verdict {
        match self.options.strict {
            true => verdict.strictly(),
            false => verdict,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was wrong with the file of verdicts, if something was; each is said once.
    pub fn warnings(&self) -> Vec<String> {
        self.lock().take_warnings()
    }

    /// Forgets the verdicts on a file, so that it is tried again.
    pub fn forget(&self, digest: &str) {
        let mut cache = self.lock();
        if cache.forget(digest) {
            cache.save();
        }
    }
}
