//! The shared libraries below a directory, each once.
//!
//! Bounds: depth, directory entries and libraries. Links are followed, and a directory or file that
//! was seen is not looked at again, so circles end. Opens no library. Called by `plugin_scan`.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use longshore_loader::codes;
use longshore_loader::diagnostic::escape;
use longshore_loader::inspect::Refusal;

/// Directories below the first are looked into this deep.
pub(crate) const DEPTH_MAX: usize = 16;
/// Most libraries.
pub(crate) const FILES_MAX: usize = 1_000;
/// Most directory entries, whatever they are.
pub(crate) const ENTRIES_MAX: usize = 200_000;

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The directory, absolute and without links.
    pub(crate) root: PathBuf,
    /// Files called `*.so`, those of upper directories first, then by name.
    pub(crate) libraries: Vec<PathBuf>,
    /// Directories that were not looked into, and why.
    pub(crate) remarks: Vec<String>,
}

/// Device and inode.
type Identity = (u64, u64);

/// Looks through a directory, breadth first.
///
/// # Errors
/// `plugin/not-found`, `plugin/unreadable`, `plugin/too-many-files`.
pub(crate) fn walk(dir: &Path) -> Result<Found, Refusal> {
    let root = root(dir)?;
    let mut walk = Walk::default();
    let mut queue = VecDeque::from([(root.clone(), 0)]);
    while let Some((dir, depth)) = queue.pop_front() {
        for below in walk.directory(&dir)? {
            if depth < DEPTH_MAX {
                queue.push_back((below, depth + 1));
            } else {
                walk.skip(&below, &format!("it is more than {DEPTH_MAX} levels deep"));
            }
        }
    }
    let Walk {
        libraries, remarks, ..
    } = walk;
    Ok(Found {
        root,
        libraries,
        remarks,
    })
}

fn root(dir: &Path) -> Result<PathBuf, Refusal> {
    let failed = |error: std::io::Error| {
        let (code, help) = match error.kind() {
            std::io::ErrorKind::NotFound => (codes::PLUGIN_NOT_FOUND, "correct the path"),
            _ => (codes::PLUGIN_UNREADABLE, "make it readable for this user"),
        };
        Refusal::new(code, dir, error.to_string(), help)
    };
    let root = dir.canonicalize().map_err(failed)?;
    if !root.is_dir() {
        let help = "name its directory, or run `longshore plugin inspect` on the file";
        let why = "it is not a directory";
        return Err(Refusal::new(codes::PLUGIN_NOT_FOUND, dir, why, help));
    }
    fs::read_dir(&root).map_err(failed)?;
    Ok(root)
}

#[derive(Default)]
struct Walk {
    seen: HashSet<Identity>,
    entries: usize,
    libraries: Vec<PathBuf>,
    remarks: Vec<String>,
}

impl Walk {
    /// Takes the libraries of a directory; returns the directories in it, by name.
    fn directory(&mut self, dir: &Path) -> Result<Vec<PathBuf>, Refusal> {
        let is_new = |seen: &mut HashSet<Identity>, meta: &fs::Metadata| {
            seen.insert((meta.dev(), meta.ino()))
        };
        // A directory that cannot be read, or has gone, must not hide the others.
        let paths = fs::metadata(dir).and_then(|meta| Ok((meta, self.names(dir)?)));
        let paths = match paths {
            Ok((meta, paths)) if is_new(&mut self.seen, &meta) => paths,
            Ok(_) => return Ok(Vec::new()),
            Err(error) => {
                self.skip(dir, &error.to_string());
                return Ok(Vec::new());
            }
        };
        if self.entries > ENTRIES_MAX {
            return Err(too_many(dir, &format!("more than {ENTRIES_MAX} files")));
        }
        let mut below = Vec::new();
        for path in paths {
            let Ok(meta) = fs::metadata(&path) else {
                continue;
            };
            if meta.is_dir() {
                below.push(path);
            } else if is_library(&path) && is_new(&mut self.seen, &meta) {
                if self.libraries.len() >= FILES_MAX {
                    return Err(too_many(dir, &format!("more than {FILES_MAX} libraries")));
                }
                self.libraries.push(path);
            }
        }
        Ok(below)
    }

    /// The paths in a directory, sorted, without hidden ones; stops just above the bound.
    fn names(&mut self, dir: &Path) -> std::io::Result<Vec<PathBuf>> {
        let left = (ENTRIES_MAX + 1).saturating_sub(self.entries);
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir)?.take(left) {
            self.entries += 1;
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if !name.as_encoded_bytes().starts_with(b".") {
                paths.push(path);
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }

    fn skip(&mut self, dir: &Path, why: &str) {
        let dir = escape(&dir.display().to_string());
        self.remarks.push(format!("`{dir}` is left out: {why}"));
    }
}

fn is_library(path: &Path) -> bool {
    path.extension().is_some_and(|x| x == "so")
}

fn too_many(dir: &Path, why: &str) -> Refusal {
    let help = "scan a directory with fewer files";
    let why = format!(
        "{why} were found up to `{}`",
        escape(&dir.display().to_string())
    );
    Refusal::new(codes::PLUGIN_TOO_MANY_FILES, dir, why, help)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(found: &Found) -> Vec<String> {
        let name = |p: &PathBuf| p.strip_prefix(&found.root).unwrap().display().to_string();
        found.libraries.iter().map(name).collect()
    }

    #[test]
    fn circles_end_and_each_file_comes_once() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("b/c");
        fs::create_dir_all(&deep).unwrap();
        for name in ["b/c/two.so", "one.so", ".hidden.so", "read.me"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        symlink(dir.path(), deep.join("up")).unwrap();
        symlink("one.so", dir.path().join("also.so")).unwrap();
        symlink("nowhere", dir.path().join("dangling.so")).unwrap();
        fs::hard_link(dir.path().join("one.so"), deep.join("again.so")).unwrap();
        let found = walk(dir.path()).unwrap();
        assert_eq!(names(&found), ["also.so", "b/c/two.so"]);
        assert!(found.remarks.is_empty());
    }

    #[test]
    fn what_is_too_deep_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = |depth| dir.path().join("d/".repeat(depth));
        fs::create_dir_all(path(DEPTH_MAX + 1)).unwrap();
        fs::write(path(DEPTH_MAX).join("last.so"), "").unwrap();
        fs::write(path(DEPTH_MAX + 1).join("lost.so"), "").unwrap();
        let found = walk(dir.path()).unwrap();
        assert_eq!(found.libraries.len(), 1);
        assert_eq!(found.remarks.len(), 1);
        assert!(found.remarks[0].ends_with("is left out: it is more than 16 levels deep"));
    }

    #[test]
    fn one_library_too_many_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for i in 0..FILES_MAX {
            fs::write(dir.path().join(format!("{i}.so")), "").unwrap();
            fs::write(dir.path().join(format!("{i}.txt")), "").unwrap();
        }
        assert_eq!(walk(dir.path()).unwrap().libraries.len(), FILES_MAX);
        fs::write(dir.path().join("more.so"), "").unwrap();
        let refusal = walk(dir.path()).unwrap_err();
        assert_eq!(refusal.code, codes::PLUGIN_TOO_MANY_FILES);
    }
}
