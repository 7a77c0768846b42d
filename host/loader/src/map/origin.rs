//! Where a map comes from: what is needed to read it again. Values only.

use std::path::PathBuf;
use std::sync::Arc;

use super::environment::Environment;
use super::stamp::Stamps;

/// Choices of the program that loads a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// A drop-in with a fatal error is skipped as a whole and reported, instead of failing the
    /// load.
    pub lenient: bool,
    /// Directories for bare file names, after all others.
    pub builtin_dirs: Vec<PathBuf>,
    /// The lock beside the map is not read: for whoever is about to write it.
    pub ignore_lock: bool,
}

/// What a map was made from.
#[derive(Debug, Clone, Default)]
pub(super) enum Origin {
    /// Text in memory, which does not change.
    #[default]
    Text,
    /// Files.
    Files(Arc<Files>),
}

/// What is needed to read a map again.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) path: PathBuf,
    pub(super) environment: Environment,
    pub(super) options: LoadOptions,
    pub(super) stamps: Stamps,
}
