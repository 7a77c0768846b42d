//! From the library that an entry names to a path.
//!
//! Absolute: as it is. With a `/`: relative to the file that says so. A bare name: the first of
//! the search directories that has it. The system loader's own search is never used. Opens
//! nothing.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::entry::EntryPoint;
use super::snapshot::PluginMap;
use crate::codes;
use crate::diagnostic::{escape, nearest};
use crate::inspect::Refusal;

/// A library that is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryNotFound {
    /// As written in the map.
    pub lib: String,
    /// The directories that were looked in.
    pub looked_in: Vec<PathBuf>,
    /// A file there with nearly that name.
    pub nearest: Option<String>,
}

impl LibraryNotFound {
    /// As a refusal of the entry.
    pub fn into_refusal(self, entry: &EntryPoint) -> Refusal {
        let help = match &self.nearest {
            Some(near) => format!("did you mean `{}`?", escape(near)),
            None => "install the file, or correct `lib` or `[longshore] search`".to_owned(),
        };
        let why = format!("{self} ({})", entry.origin);
        Refusal::new(codes::PLUGIN_NOT_FOUND, Path::new(&self.lib), why, help)
            .for_entry(&entry.namespace, &entry.name)
    }
}

impl fmt::Display for LibraryNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "library `{}` not found", escape(&self.lib))?;
        let dirs: Vec<String> = self
            .looked_in
            .iter()
            .map(|d| d.display().to_string())
            .collect();
        if dirs.is_empty() {
            return f.write_str("; there is no directory to look in");
        }
        write!(f, "; looked in {}", crate::diagnostic::quoted_list(&dirs))
    }
}

impl std::error::Error for LibraryNotFound {}

impl PluginMap {
    /// The path of the entry's library. Whether it is a plugin is not looked at.
    ///
    /// # Errors
    /// The directories looked in, and the nearest name found there.
    pub fn resolve_library(&self, entry: &EntryPoint) -> Result<PathBuf, LibraryNotFound> {
        let search = self.search_for(&entry.namespace);
        locate(entry, search).ok_or_else(|| {
            if entry.lib.contains('/') {
                let path = entry.dir.join(&entry.lib);
                not_found(
                    entry,
                    path.parent().map(Path::to_owned).into_iter().collect(),
                )
            } else {
                not_found(entry, search.to_vec())
            }
        })
    }

    /// The search directories of a namespace: those of the environment count only where the
    /// environment may change something.
    fn search_for(&self, namespace: &str) -> &[PathBuf] {
        let locked = self.policy(namespace).is_some_and(|p| !p.env());
        &self.search[if locked { self.environment_dirs } else { 0 }..]
    }

    /// Where bare file names are looked for, in order.
    pub fn search_dirs(&self) -> impl Iterator<Item = &Path> {
        self.search.iter().map(PathBuf::as_path)
    }
}

/// The path of an entry's library, if there is one.
fn locate(entry: &EntryPoint, search: &[PathBuf]) -> Option<PathBuf> {
    if entry.lib.contains('/') {
        // An absolute path stays as it is.
        Some(entry.dir.join(&entry.lib)).filter(|p| is_there(p))
    } else {
        let mut paths = search.iter().map(|d| d.join(&entry.lib));
        paths.find(|p| is_there(p))
    }
}

/// Whether the libraries of two entries are one file under two names.
pub(super) fn is_same_file(a: &EntryPoint, b: &EntryPoint, search: &[PathBuf]) -> bool {
    let identity = |entry| {
        let meta = locate(entry, search)?.metadata().ok()?;
        Some((meta.dev(), meta.ino()))
    };
    identity(a).is_some_and(|file| identity(b) == Some(file))
}

/// A dangling link counts as there: loading it says where it leads, which helps more than "not
/// found".
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn not_found(entry: &EntryPoint, looked_in: Vec<PathBuf>) -> LibraryNotFound {
    let file = Path::new(&entry.lib)
        .file_name()
        .map(|n| n.to_string_lossy().into_owned());
    let file = file.unwrap_or_default();
    let near = looked_in
        .iter()
        .filter_map(|d| crate::inspect::neighbour(&d.join(&file)));
    let near: Vec<String> = near.collect();
    let nearest = nearest(&file, near.iter().map(String::as_str)).map(str::to_owned);
    LibraryNotFound {
        lib: entry.lib.clone(),
        looked_in,
        nearest,
    }
}
