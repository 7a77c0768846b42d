//! What a start takes for itself: the state directory, the database, the address.
//!
//! Looks, and binds the address for a moment; makes no file. Called by `doctor`.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use longshore_store::{Looked, look};
use rustix::fs::{Access, access, statvfs};

use super::report::Report;
use crate::cli::exit::Exit;
use crate::config::Config;
use crate::config::address::{Database, Listen};

/// With less free space than this no start is sensible, in bytes.
const SPACE_MIN: u64 = 16 << 20;
/// With less free space than this somebody should look, in bytes.
const SPACE_LOW: u64 = 512 << 20;
/// The number of a process fits in here, in bytes.
const NUMBER_BYTES_MAX: u64 = 32;

/// `answers` is whether a longshore host listens at the configured address.
pub(super) fn check(config: &Config, answers: bool, report: &mut Report) {
    let holder = holder(&config.host.state_dir);
    state_dir(&config.host.state_dir, holder, report);
    if let Database::Sqlite(path) = &config.database.url {
        database(path, report);
    }
    if let Listen::Tcp(address) = &config.api.listen {
        listen(*address, answers.then_some(holder), report);
    }
}

/// The process that runs on the state directory. The lock is only tried when its file names a
/// process that lives, so that no start is ever in its way.
fn holder(dir: &Path) -> Option<u32> {
    let file = File::open(dir.join("lock")).ok()?;
    let mut number = String::new();
    (&file)
        .take(NUMBER_BYTES_MAX)
        .read_to_string(&mut number)
        .ok()?;
    let pid: u32 = number.trim().parse().ok()?;
    if !Path::new(&format!("/proc/{pid}")).exists() {
        return None;
    }
    matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)).then_some(pid)
}

fn state_dir(dir: &Path, holder: Option<u32>, report: &mut Report) {
    const CHECK: &str = "state_dir";
    let shown = dir.display();
    let Some(existing) = existing(dir) else {
        let message = format!("`{shown}` is relative to nothing");
        return report.failed(CHECK, Exit::Unreachable, message, "write an absolute path");
    };
    if !existing.is_dir() {
        let is = match existing.is_symlink() {
            true => "a link that leads to no directory",
            false => "a file, not a directory",
        };
        let message = format!("`{}` is {is}", existing.display());
        let help = "move it away, or set `host.state_dir`";
        return report.failed(CHECK, Exit::Unreachable, message, help);
    }
    if let Err(why) = writable(&existing, true) {
        let message = format!("cannot write in `{}`: {why}", existing.display());
        let help = "make it writable for this user, or set `host.state_dir`";
        return report.failed(CHECK, Exit::Unreachable, message, help);
    }
    if let Some(pid) = holder {
        let message = format!("`{shown}` is in use: longshore runs on it as process {pid}");
        let help = "nothing, if that is meant; a second start fails until it is stopped";
        report.warning(CHECK, message, help);
    }
    free_space(dir, &existing, report);
}

fn free_space(dir: &Path, existing: &Path, report: &mut Report) {
    const CHECK: &str = "state_dir";
    let shown = dir.display();
    let free = match statvfs(existing) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => {
            let message = format!("the free space of `{shown}` is not known: {error}");
            return report.warning(CHECK, message, "look at its file system");
        }
    };
    let mib = free >> 20;
    let help = "free some space, or set `host.state_dir` to a larger file system";
    if free < SPACE_MIN {
        let message = format!("`{shown}` has {mib} MiB of free space");
        report.failed(CHECK, Exit::Unreachable, message, help);
    } else if free < SPACE_LOW {
        let message = format!("`{shown}` has only {mib} MiB of free space");
        report.warning(CHECK, message, help);
    } else {
        let fresh = if existing == dir {
            ""
        } else {
            ", will be made"
        };
        let message = format!("{shown}{fresh}");
        report.ok(CHECK, message, vec![format!("{mib} MiB free")]);
    }
}

fn database(path: &Path, report: &mut Report) {
    const CHECK: &str = "database";
    let shown = path.display();
    let looked = match look(&format!("sqlite://{shown}")) {
        Ok(looked) => looked,
        Err(error) => {
            let message = format!("cannot use `{shown}`: {} ({})", error.why(), error.code());
            return report.failed(CHECK, Exit::Unreachable, message, error.cure());
        }
    };
    // SQLite keeps its journal beside the file, so the directory must be writable too.
    let dir = path.parent().and_then(existing);
    let places = [
        path.exists().then(|| (path.to_owned(), false)),
        dir.map(|d| (d, true)),
    ];
    for (place, is_dir) in places.into_iter().flatten() {
        if let Err(why) = writable(&place, is_dir) {
            let message = format!("cannot write `{}`: {why}", place.display());
            let help = "give this user write access to the file and its directory";
            return report.failed(CHECK, Exit::Unreachable, message, help);
        }
    }
    let state = match looked {
        Looked::Fresh => "will be made".to_owned(),
        Looked::Ours { version, newest } if version == newest => format!("schema {version}"),
        Looked::Ours { version, newest } => {
            let message = format!("{shown} will be migrated from schema {version} to {newest}");
            let help = "copy it first: an older release refuses a migrated database";
            return report.warning(CHECK, message, help);
        }
        Looked::InJournal => "its first commits are still in its `-wal` file".to_owned(),
    };
    report.ok(CHECK, format!("{shown}, {state}"), Vec::new());
}

/// `longshore` is who holds the state directory, if it is longshore that listens there already.
fn listen(address: SocketAddr, longshore: Option<Option<u32>>, report: &mut Report) {
    const CHECK: &str = "listen";
    let error = match TcpListener::bind(address) {
        Ok(_) if address.port() == 0 => {
            return report.ok(CHECK, format!("{address}, any free port"), Vec::new());
        }
        Ok(_) => return report.ok(CHECK, format!("{address} is free"), Vec::new()),
        Err(error) => error,
    };
    let (message, help) = match error.kind() {
        io::ErrorKind::AddrInUse => match longshore {
            Some(Some(pid)) => {
                let message = format!("{address} is in use: longshore runs here, process {pid}");
                let help = "nothing, if that is meant; a second start fails until it is stopped";
                return report.warning(CHECK, message, help);
            }
            Some(None) => (
                format!("{address} is in use by another longshore host"),
                "stop that one, or set `api.listen` to another address",
            ),
            None => (
                format!("{address} is in use by another program"),
                "stop that one (`ss -ltnp` names it), or set `api.listen`",
            ),
        },
        io::ErrorKind::AddrNotAvailable => (
            format!("this machine does not have the address of {address}"),
            "set `api.listen` to an address that `ip addr` lists",
        ),
        io::ErrorKind::PermissionDenied => (
            format!("this user may not listen on {address}: {error}"),
            "use a port above 1023",
        ),
        _ => (
            format!("cannot listen on {address}: {error}"),
            "set `api.listen` to another address",
        ),
    };
    report.failed(CHECK, Exit::Unreachable, message, help);
}

/// The directory, or the nearest one above it that exists.
fn existing(path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().filter(|p| !p.as_os_str().is_empty());
    let mut there = above.filter(|p| p.symlink_metadata().is_ok());
    there.next().map(Path::to_owned)
}

fn writable(path: &Path, is_dir: bool) -> Result<(), rustix::io::Errno> {
    let exec = if is_dir {
        Access::EXEC_OK
    } else {
        Access::READ_OK
    };
    access(path, Access::WRITE_OK | exec)
}
