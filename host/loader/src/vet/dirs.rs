//! The directory that one vetting gets, and the removal of those that a killed host left.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::frame;
use super::strays;

const PREFIX: &str = "longshore-vetting-";
/// Most left directories that one call removes.
const CLEANED_MAX: usize = 1_000;
/// Deepest directory that is made removable.
const DEPTH_MAX: usize = 32;

/// A directory for one vetting; gone when this is dropped.
pub(super) struct WorkDir {
    path: PathBuf,
}

impl WorkDir {
    /// Makes it below `base`, which is made if it is not there, with an empty one for working in and one for state. Its
    /// name says whose it is.
    pub(super) fn new(base: &Path) -> io::Result<WorkDir> {
        let nonce = frame::nonce()?;
        let hex: String = nonce.iter().map(|b| format!("{b:02x}")).collect();
        let me = std::process::id();
        let started = strays::started(me).unwrap_or_default();
        let mut private = DirBuilder::new();
        private.mode(0o700);
        DirBuilder::new().recursive(true).mode(0o700).create(base)?;
        let path = base.join(format!("{PREFIX}{me}-{started}-{hex}"));
        private.create(&path)?;
        let dir = WorkDir { path };
        private.create(work(&dir.path))?;
        private.create(state(&dir.path))?;
        Ok(dir)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Where the child works.
pub(super) fn work(dir: &Path) -> PathBuf {
    dir.join("work")
}

/// What the driver gets as its state directory.
pub(super) fn state(dir: &Path) -> PathBuf {
    dir.join("state")
}

/// Removes a directory; what stays is found by [`clean`] later.
pub(super) fn remove(dir: &Path) {
    if fs::remove_dir_all(dir).is_err() {
        open_up(dir, 0);
        // A second failure is for `clean`, too.
        let _ = fs::remove_dir_all(dir);
    }
}

/// A plugin may have left directories that nobody may enter.
fn open_up(dir: &Path, depth: usize) {
    let is_dir = fs::symlink_metadata(dir).is_ok_and(|m| m.is_dir());
    if !is_dir || depth > DEPTH_MAX {
        return;
    }
    // What cannot be changed shows when it is removed.
    let _ = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
    let Ok(all) = fs::read_dir(dir) else { return };
    for entry in all.flatten() {
        open_up(&entry.path(), depth + 1);
    }
}

/// Removes what hosts that were killed while they tried a plugin left below `base`: processes and directories. Answers
/// how many vettings that were. Those of hosts that live are left alone.
pub fn clean(base: &Path) -> usize {
    let Ok(all) = fs::read_dir(base) else {
        return 0;
    };
    let me = rustix::process::geteuid().as_raw();
    let orphans = all.flatten().filter(|entry| {
        let name = entry.file_name();
        let is_ours = fs::symlink_metadata(entry.path()).is_ok_and(|m| m.is_dir() && m.uid() == me);
        is_ours && name.to_str().is_some_and(is_orphan)
    });
    let mut count = 0;
    for entry in orphans.take(CLEANED_MAX) {
        strays::end_marked(&entry.path());
        remove(&entry.path());
        count += 1;
    }
    count
}

/// Whether the host that a directory is named for is gone.
fn is_orphan(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let mut parts = rest.splitn(3, '-').map(str::parse::<u64>);
    let (Some(Ok(pid)), Some(Ok(started))) = (parts.next(), parts.next()) else {
        return false;
    };
    u32::try_from(pid).is_ok_and(|pid| strays::started(pid) != Some(started))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_goes_with_its_owner_whatever_is_in_it() {
        let base = tempfile::tempdir().unwrap();
        let dir = WorkDir::new(base.path()).unwrap();
        let closed = state(dir.path()).join("closed");
        fs::create_dir_all(closed.join("inner")).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        drop(dir);
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_what_dead_hosts_left_is_cleaned() {
        let base = tempfile::tempdir().unwrap();
        let mine = WorkDir::new(base.path()).unwrap();
        let me = std::process::id();
        for name in [
            format!("{PREFIX}{me}-1-ab"),
            format!("{PREFIX}odd"),
            "other".to_owned(),
        ] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        assert_eq!(clean(base.path()), 1);
        assert!(mine.path().is_dir());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 3);
    }
}
