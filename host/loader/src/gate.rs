//! What a program may have checked before a library is opened, and its other choices about loading.
//!
//! A gate is asked about bytes that were read once, hashed and sealed: what it admits is what is mapped. Lock files,
//! signatures, quarantine and vetting are gates. Must not know how files are staged or opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::inspect::{Inspection, Refusal};
use crate::map::EntryPoint;
use crate::process::ProcessWatch;
use crate::stage::LoadMode;
use crate::trust::Trust;

/// Choices of the program that loads plugins.
#[derive(Clone, Default)]
pub struct LoaderOptions {
    /// Who may own plugin files.
    pub trust: Trust,
    /// What is opened in place of the file.
    pub load: LoadMode,
    /// Where private copies are kept; below the state directory if it is not given.
    pub stage_dir: Option<PathBuf>,
    /// Also takes plugins that are built with `panic = "abort"`: a panic in one of them ends the process. Each such load
    /// is warned about.
    pub panic_abort: bool,
    /// Asked in this order before a library is opened for an entry.
    pub gates: Vec<Arc<dyn Gate>>,
    /// Looks at the state of the process around what drivers do. Nobody looks if it is not given.
    pub process: Option<Arc<ProcessWatch>>,
}

/// May refuse a library before it is opened.
pub trait Gate: Send + Sync {
    /// Whether this content may be opened for this entry. Asked once per entry and snapshot, also when the library is
    /// open already for another entry.
    ///
    /// # Errors
    /// Why not.
    fn admit(&self, wanted: &Wanted<'_>, content: &Content<'_>) -> Result<(), Refusal>;

    /// Whether `admit` only reads, so that it may also be asked by who lists plugins and loads none
    /// ([`Loader::look`](crate::Loader::look)).
    fn only_reads(&self) -> bool {
        false
    }
}

/// For what a library is to be opened.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// The entry of the map.
    pub entry: &'w EntryPoint,
    /// The driver inside the file.
    pub export: &'w str,
    /// What its constructor will get: JSON text.
    pub settings: &'w str,
    /// The host died in a call of this driver lately: what was found out about it before does not count.
    pub is_suspect: bool,
}

/// A plugin's bytes, which do not change any more.
#[derive(Clone, Copy)]
pub struct Content<'c> {
    /// Where they can be read: in sealed memory, or a private copy; the file itself when loading is direct.
    pub open: &'c Path,
    /// Their SHA-256, 64 lower-case hex digits.
    pub digest: &'c str,
    /// The file that they come from, and what they say of themselves.
    pub inspection: &'c Inspection,
}
