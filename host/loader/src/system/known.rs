//! What the libraries of this system say of themselves, each read once: they do not change under a running host, or what
//! it has open is not theirs any more.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use object::read::ReadCache;

use crate::elf::Library;

/// Most libraries that are remembered; beyond it all are forgotten.
const LIBRARIES_MAX: usize = 256;

type Known = HashMap<PathBuf, Option<Arc<Library>>>;

/// A library; nothing when it cannot be read.
pub(super) fn library(path: &Path) -> Option<Arc<Library>> {
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(found) = known.get(path) {
        return found.clone();
    }
    let file = File::open(path).ok()?;
    let found = Library::read(&ReadCache::new(file)).map(Arc::new);
    if known.len() >= LIBRARIES_MAX {
        known.clear();
    }
    known.insert(path.to_owned(), found.clone());
    found
}
