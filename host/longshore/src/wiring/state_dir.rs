//! The state directory belongs to one process at a time. The lock is held by the open file, not by its
//! existence, so a killed process leaves nothing that has to be removed by hand.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::codes;

/// Keeps the directory locked while it lives.
pub(super) struct StateDirLock {
    _file: File,
}

/// Makes the directory if need be, and locks it.
pub(super) fn lock(dir: &Path) -> Result<StateDirLock, Failure> {
    let name = dir.display();
    let cannot = |why: std::io::Error| {
        let what = format!("cannot use the state directory `{name}`");
        let help = "make it writable for this user, or set `host.state_dir`";
        Failure::new(Exit::Unreachable, codes::STATE_DIR, what)
            .why(why.to_string())
            .help(help)
    };
    if dir.is_file() {
        let why = io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is a file, not a directory",
        );
        return Err(cannot(why).help("move the file away, or set `host.state_dir`"));
    }
    fs::create_dir_all(dir).map_err(cannot)?;
    let path = dir.join("lock");
    let options = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path);
    let mut file = options.map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who holds it is a courtesy; the lock is what counts.
            let _ = file.read_to_string(&mut holder);
            let what = format!("the state directory `{name}` is in use");
            let why = format!("process {} runs on it", holder.trim());
            let help = "stop that one, or give this one its own `host.state_dir`";
            let failure = Failure::new(Exit::Failed, codes::ALREADY_RUNNING, what);
            return Err(failure.why(why).help(help));
        }
        Err(fs::TryLockError::Error(error)) => return Err(cannot(error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
    written.map_err(cannot)?;
    Ok(StateDirLock { _file: file })
}
