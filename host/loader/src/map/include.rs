//! A drop-in directory, as the base file names it. A value, for warnings about directories that give nothing.

use std::path::PathBuf;

use crate::diagnostic::Place;

/// A drop-in directory, and what it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The directory.
    pub dir: PathBuf,
    /// Where the map names it; nothing for the default.
    pub place: Option<Place>,
    /// Files in it that are drop-ins, also those that a later directory replaces.
    pub files: usize,
    /// The base file is one of its files, which is passed over.
    pub holds_base: bool,
}
