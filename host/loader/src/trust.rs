//! Who could change a plugin file: its owner and mode, and those of every directory and link on the way to it.
//!
//! Asked before the file is opened, with its final path as the answer. Must not read the file. The rules:
//! - everything on the way belongs to root, to the user this process runs as, or to an owner that the operator names;
//! - nobody else may write the file or a directory on the way. A sticky directory (`/tmp`) may be writable by others:
//!   they cannot rename or remove in it what is not theirs, and what is in it is held to the first rule, links included;
//! - writable by a group counts as writable by others, unless it is the owner's private group (the number of the
//!   group is that of the user, as systems with the umask 002 have it).

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::codes;
use crate::diagnostic::escape;
use crate::inspect::{self, Refusal};

/// Most symbolic links on the way to a file.
pub const HOPS_MAX: usize = 40;

/// Whom the operator trusts with plugin files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Whether owners and modes are looked at. Links are resolved in any case.
    pub check: bool,
    /// Users beside root and the one this process runs as, by number.
    pub owners: Vec<u32>,
}

impl Default for Trust {
    fn default() -> Trust {
        Trust {
            check: true,
            owners: Vec::new(),
        }
    }
}

impl Trust {
    /// Follows `path` to a file, step by step, and answers where that is.
    ///
    /// # Errors
    /// `plugin/not-found` for what leads nowhere or in a circle; `plugin/untrusted`, naming what others could change.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf, Refusal> {
        let mut at = PathBuf::from("/");
        let absolute = std::path::absolute(path).map_err(|e| inspect::absent(path, &e))?;
        let mut left: VecDeque<OsString> = steps(&absolute).collect();
        let mut hops = 0;
        let mut inside = fs::symlink_metadata(&at).map_err(|e| inspect::absent(path, &e))?;
        self.directory(path, &at, &inside)?;
        while let Some(step) = left.pop_front() {
            if step == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&step);
            let meta = fs::symlink_metadata(&next).map_err(|e| inspect::absent(path, &e))?;
            if meta.is_symlink() {
                hops += 1;
                let to = fs::read_link(&next).map_err(|e| inspect::absent(path, &e))?;
                self.link(path, &next, &meta, &inside)?;
                follow(path, &next, &to, hops)?;
                if to.is_absolute() {
                    at = PathBuf::from("/");
                }
                for step in steps(&to).collect::<Vec<_>>().into_iter().rev() {
                    left.push_front(step);
                }
                continue;
            }
            at = next;
            if meta.is_dir() && !left.is_empty() {
                self.directory(path, &at, &meta)?;
                inside = meta;
            } else {
                self.file(path, &at, &meta)?;
            }
        }
        Ok(at)
    }

    fn is_trusted(&self, uid: u32) -> bool {
        uid == 0 || uid == rustix::process::geteuid().as_raw() || self.owners.contains(&uid)
    }

    fn directory(&self, path: &Path, dir: &Path, meta: &Metadata) -> Result<(), Refusal> {
        if !self.check {
            return Ok(());
        }
        let shown = escape(&dir.display().to_string());
        if !self.is_trusted(meta.uid()) {
            let why = format!("directory `{shown}` belongs to user {}", meta.uid());
            return Err(untrusted(path, why, owner_help(dir)));
        }
        let is_sticky = meta.mode() & 0o1000 != 0;
        match writers(meta).filter(|_| !is_sticky) {
            None => Ok(()),
            Some(who) => {
                let why = format!(
                    "directory `{shown}` is writable by {who}, so the file can be replaced"
                );
                Err(untrusted(path, why, format!("chmod go-w {shown}")))
            }
        }
    }

    /// In a directory that others may write, a link is as good as its owner.
    fn link(
        &self,
        path: &Path,
        link: &Path,
        meta: &Metadata,
        inside: &Metadata,
    ) -> Result<(), Refusal> {
        if !self.check || writers(inside).is_none() || self.is_trusted(meta.uid()) {
            return Ok(());
        }
        let shown = escape(&link.display().to_string());
        let why = format!("link `{shown}` belongs to user {}", meta.uid());
        Err(untrusted(path, why, owner_help(link)))
    }

    fn file(&self, path: &Path, file: &Path, meta: &Metadata) -> Result<(), Refusal> {
        if !self.check || !meta.is_file() {
            return Ok(());
        }
        let shown = escape(&file.display().to_string());
        if !self.is_trusted(meta.uid()) {
            let why = format!("it belongs to user {}", meta.uid());
            return Err(untrusted(path, why, owner_help(file)));
        }
        match writers(meta) {
            None => Ok(()),
            Some(who) => {
                let mode = meta.mode() & 0o7777;
                let why = format!("mode {mode:04o} lets {who} change it");
                Err(untrusted(path, why, format!("chmod go-w {shown}")))
            }
        }
    }
}

/// Who may write it beside its owner.
fn writers(meta: &Metadata) -> Option<&'static str> {
    let mode = meta.mode();
    if mode & 0o002 != 0 {
        return Some("everybody");
    }
    let is_private = meta.gid() == meta.uid();
    (mode & 0o020 != 0 && !is_private).then_some("its group")
}

fn steps(path: &Path) -> impl Iterator<Item = OsString> {
    let step = |c: Component<'_>| match c {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    path.components().filter_map(step)
}

fn follow(path: &Path, link: &Path, to: &Path, hops: usize) -> Result<(), Refusal> {
    if hops <= HOPS_MAX && !to.as_os_str().is_empty() {
        return Ok(());
    }
    let (link, to) = (link.display().to_string(), to.display().to_string());
    let why = format!(
        "link `{}` to `{}` leads in a circle",
        escape(&link),
        escape(&to)
    );
    let error = io::Error::other(why);
    Err(Refusal::new(
        codes::PLUGIN_NOT_FOUND,
        path,
        error.to_string(),
        "correct the link",
    ))
}

fn untrusted(path: &Path, why: String, help: impl Into<String>) -> Refusal {
    Refusal::new(codes::PLUGIN_UNTRUSTED, path, why, help)
}

fn owner_help(path: &Path) -> String {
    let shown = escape(&path.display().to_string());
    format!("chown root {shown}, or list its owner under `[trust] owners`")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().canonicalize().unwrap();
        fs::create_dir(at.join("plugins")).unwrap();
        mode(&at.join("plugins"), 0o755);
        let file = at.join("plugins/x.so");
        fs::write(&file, "x").unwrap();
        mode(&file, 0o644);
        (dir, file)
    }

    #[test]
    fn a_file_that_only_its_owner_can_change_is_trusted() {
        let (_dir, file) = place();
        assert_eq!(Trust::default().resolve(&file), Ok(file));
    }

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        let (_dir, file) = place();
        mode(&file, 0o666);
        let refusal = Trust::default().resolve(&file).unwrap_err();
        assert_eq!(refusal.code, "plugin/untrusted");
        assert_eq!(refusal.why, "mode 0666 lets everybody change it");
        assert_eq!(refusal.help, format!("chmod go-w {}", file.display()));
        let unchecked = Trust {
            check: false,
            ..Trust::default()
        };
        assert_eq!(unchecked.resolve(&file), Ok(file));
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused_unless_it_is_sticky() {
        let (_dir, file) = place();
        let plugins = file.parent().unwrap();
        mode(plugins, 0o777);
        let refusal = Trust::default().resolve(&file).unwrap_err();
        let expected = format!(
            "directory `{}` is writable by everybody, so the file can be replaced",
            plugins.display()
        );
        assert_eq!((refusal.code, refusal.why), ("plugin/untrusted", expected));
        mode(plugins, 0o1777);
        assert_eq!(Trust::default().resolve(&file), Ok(file));
    }

    #[test]
    fn an_owner_must_be_named() {
        let (_dir, file) = place();
        let Ok(()) = std::os::unix::fs::chown(&file, Some(12345), Some(12345)) else {
            // Only root can give files away; whoever is not root owns all its files.
            return;
        };
        let refusal = Trust::default().resolve(&file).unwrap_err();
        assert_eq!(refusal.why, "it belongs to user 12345");
        let named = Trust {
            owners: vec![12345],
            ..Trust::default()
        };
        assert_eq!(named.resolve(&file), Ok(file.clone()));
        // Writable by the owner's private group is writable by the owner.
        mode(&file, 0o664);
        assert_eq!(named.resolve(&file), Ok(file.clone()));
        std::os::unix::fs::chown(&file, None, Some(7)).unwrap();
        let refusal = named.resolve(&file).unwrap_err();
        assert_eq!(refusal.why, "mode 0664 lets its group change it");
    }

    #[test]
    fn every_step_of_a_link_is_looked_at() {
        let (dir, file) = place();
        let at = dir.path().canonicalize().unwrap();
        let link = at.join("link.so");
        symlink("plugins/../plugins/x.so", &link).unwrap();
        assert_eq!(Trust::default().resolve(&link), Ok(file.clone()));
        mode(file.parent().unwrap(), 0o777);
        assert!(Trust::default().resolve(&link).is_err());
    }

    #[test]
    fn links_that_lead_nowhere_or_in_a_circle_are_named() {
        let (dir, _) = place();
        let at = dir.path().canonicalize().unwrap();
        symlink("b.so", at.join("a.so")).unwrap();
        symlink("a.so", at.join("b.so")).unwrap();
        let refusal = Trust::default().resolve(&at.join("a.so")).unwrap_err();
        assert_eq!(refusal.code, "plugin/not-found");
        assert!(refusal.why.ends_with("leads in a circle"), "{refusal}");
        symlink("gone.so", at.join("c.so")).unwrap();
        let refusal = Trust::default().resolve(&at.join("c.so")).unwrap_err();
        assert_eq!(refusal.code, "plugin/not-found");
        assert!(refusal.why.contains("leads nowhere"), "{refusal}");
    }
}
