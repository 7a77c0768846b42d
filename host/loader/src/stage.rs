//! Staging: a plugin's bytes are read once, hashed while they are copied into memory that nobody can change any more,
//! looked at there, and opened from there. What happens to the file on disk afterwards does not matter.
//!
//! Where the kernel forbids running such memory, or on request, a private copy named by its digest takes its place.
//! Bounds: 256 MiB per file, 10 s without a byte, 3 attempts when the file changes meanwhile, 20 to seal. Must not know
//! entries.

mod hashing;

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags};

use crate::codes;
use crate::diagnostic::escape;
use crate::inspect::{self, FileIdentity, Inspection, Refusal};
use hashing::Hashing;

/// How long a file system may give no byte.
pub const SILENCE_MAX: Duration = Duration::from_secs(10);
/// How often a file is read again because it changed meanwhile.
pub const ATTEMPTS_MAX: usize = 3;
/// How often sealing is tried while the kernel says that the memory is busy; it waits itself each time, for 150 ms or so.
const SEAL_ATTEMPTS_MAX: usize = 20;
/// Time between two of these attempts.
const SEAL_PAUSE: Duration = Duration::from_millis(10);

/// What is opened in place of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadMode {
    /// Its bytes in sealed memory; a private copy where that cannot be run.
    #[default]
    Sealed,
    /// A private copy.
    Copy,
    /// The file itself, for debugging: what is mapped can change under the host, and a copy of a file is another library.
    Direct,
}

/// How plugins are staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// What is opened.
    pub load: LoadMode,
    /// Where private copies are kept: a directory of the service user's own, made when needed.
    pub dir: PathBuf,
    /// Somebody asks for the digest. Only with [`LoadMode::Direct`] may it be spared.
    pub hash: bool,
}

/// A file that was read once, and what will be opened for it.
#[derive(Debug)]
pub struct Staged {
    /// What to open; the same bytes that were hashed and inspected, except with [`LoadMode::Direct`].
    pub open: PathBuf,
    /// Its SHA-256, 64 lower-case hex digits; empty when it was spared.
    pub digest: String,
    /// Which file it was read from, and what its headers and note say.
    pub inspection: Inspection,
    /// What keeps `open` alive.
    hold: Option<OwnedFd>,
}

impl Staged {
    /// Keeps the sealed memory for the life of the process: the dynamic linker goes by the path of an open library, so its
    /// number must never be another file's; an open descriptor also keeps backtraces readable.
    pub(crate) fn keep(self) -> (PathBuf, String) {
        if let Some(fd) = self.hold {
            std::mem::forget(fd);
        }
        (self.open, self.digest)
    }
}

/// Reads a file once and makes what will be opened for it. `panic_abort` as for `inspect_with`.
///
/// # Errors
/// As `inspect`; `plugin/changing`, `plugin/unreadable`, `plugin/cannot-stage`.
pub fn stage(path: &Path, staging: &Staging, panic_abort: bool) -> Result<Staged, Refusal> {
    if staging.load == LoadMode::Direct && !staging.hash {
        return Ok(Staged {
            open: path.to_owned(),
            digest: String::new(),
            inspection: inspect::inspect_with(path, panic_abort)?,
            hold: None,
        });
    }
    let progress = Arc::new(AtomicU64::new(0));
    let (done, answer) = mpsc::sync_channel(1);
    let (file, seen, with) = (path.to_owned(), Arc::clone(&progress), staging.clone());
    let work = move || {
        let _ = done.send(read_stable(&file, &with, &seen));
    };
    let thread = std::thread::Builder::new().name("stage plugin".to_owned());
    thread
        .spawn(work)
        .map_err(|e| cannot_stage(path, &e.to_string()))?;
    let mut before = 0;
    let copied = loop {
        match answer.recv_timeout(SILENCE_MAX) {
            Ok(copied) => break copied?,
            Err(RecvTimeoutError::Timeout) => {
                let now = progress.load(Ordering::Relaxed);
                if now == before {
                    // The thread stays with the file system; nobody waits for it.
                    return Err(silent(path));
                }
                before = now;
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(cannot_stage(path, "the thread that reads it ended"));
            }
        }
    };
    place(path, staging, copied, panic_abort)
}

/// The bytes of a file, once, with their digest.
struct Copied {
    bytes: File,
    is_memory: bool,
    digest: String,
    identity: FileIdentity,
}

fn read_stable(path: &Path, staging: &Staging, progress: &AtomicU64) -> Result<Copied, Refusal> {
    for _ in 0..ATTEMPTS_MAX {
        if let Some(copied) = read_once(path, staging, progress)? {
            return Ok(copied);
        }
    }
    let why = format!("it changed each of {ATTEMPTS_MAX} times while it was read");
    let help = "install with a rename, not with a copy in place";
    Err(Refusal::new(codes::PLUGIN_CHANGING, path, why, help))
}

/// Nothing when the file changed meanwhile.
fn read_once(
    path: &Path,
    staging: &Staging,
    progress: &AtomicU64,
) -> Result<Option<Copied>, Refusal> {
    let (mut file, meta) = inspect::open(path)?;
    let identity = FileIdentity::of(&meta);
    let (mut bytes, is_memory) = fresh(path, staging)?;
    let mut hashing = Hashing::of(identity.size);
    let mut length = 0;
    loop {
        let mut chunk = hashing.chunk();
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(inspect::unreadable(path, &e)),
        };
        length += read as u64;
        if length > inspect::FILE_BYTES_MAX {
            return Ok(None);
        }
        if staging.load != LoadMode::Direct {
            let written = bytes.write_all(&chunk[..read]);
            written.map_err(|e| cannot_stage(path, &e.to_string()))?;
        }
        hashing.take(chunk, read);
        progress.fetch_add(read as u64, Ordering::Relaxed);
    }
    let after = file.metadata().map_err(|e| inspect::unreadable(path, &e))?;
    if FileIdentity::of(&after) != identity || length != identity.size {
        return Ok(None);
    }
    if staging.load == LoadMode::Direct {
        bytes = file;
    }
    let digest = hashing.finish();
    let digest = digest.ok_or_else(|| cannot_stage(path, "the thread that hashes it ended"))?;
    Ok(Some(Copied {
        bytes,
        is_memory,
        digest,
        identity,
    }))
}

/// Something to copy into: sealable memory, or a file in the staging directory.
fn fresh(path: &Path, staging: &Staging) -> Result<(File, bool), Refusal> {
    match staging.load {
        LoadMode::Direct => {
            return File::open("/dev/null")
                .map(|f| (f, false))
                .map_err(|e| inspect::unreadable(path, &e));
        }
        LoadMode::Sealed => {
            if let Some(memory) = memory(path) {
                return Ok((memory, true));
            }
        }
        LoadMode::Copy => {}
    }
    let copy = tempfile_in(&staging.dir);
    copy.map(|f| (f, false))
        .map_err(|e| no_place(path, &staging.dir, &e))
}

/// Memory that may be run and sealed; nothing where the kernel forbids it.
fn memory(path: &Path) -> Option<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    let name = format!("longshore:{name}");
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know `EXEC`; those that know it may refuse it.
    let made = match rustix::fs::memfd_create(&name, flags | MemfdFlags::EXEC) {
        Err(rustix::io::Errno::INVAL) => rustix::fs::memfd_create(&name, flags),
        other => other,
    };
    made.ok().map(File::from)
}

/// An unnamed file in the directory: it has no name until it is whole.
fn tempfile_in(dir: &Path) -> io::Result<File> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(dir)?;
    let flags = rustix::fs::OFlags::TMPFILE.bits();
    let mut options = File::options();
    options.read(true).write(true).mode(0o500);
    options.custom_flags(flags.cast_signed());
    options.open(dir)
}

fn place(
    path: &Path,
    staging: &Staging,
    copied: Copied,
    panic_abort: bool,
) -> Result<Staged, Refusal> {
    let Copied {
        mut bytes,
        is_memory,
        digest,
        identity,
    } = copied;
    bytes
        .rewind()
        .map_err(|e| cannot_stage(path, &e.to_string()))?;
    if is_memory {
        seal(&bytes).map_err(|e| cannot_stage(path, &e.to_string()))?;
    }
    let read = bytes
        .try_clone()
        .map_err(|e| cannot_stage(path, &e.to_string()))?;
    let inspection = inspect::inspect_file(path, identity, read, panic_abort)?;
    let (open, hold) = if is_memory {
        let open = PathBuf::from(format!("/proc/self/fd/{}", bytes.as_raw_fd()));
        (open, Some(OwnedFd::from(bytes)))
    } else if staging.load == LoadMode::Direct {
        (path.to_owned(), None)
    } else {
        let named = name_copy(&bytes, &staging.dir, &digest);
        (named.map_err(|e| no_place(path, &staging.dir, &e))?, None)
    };
    Ok(Staged {
        open,
        digest,
        inspection,
        hold,
    })
}

/// Forbids every change of the memory. While the kernel moves or reclaims one of its pages it counts as used by somebody
/// else, and the kernel says that it is busy: that passes.
fn seal(bytes: &File) -> io::Result<()> {
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    let mut attempts = 1;
    loop {
        match rustix::fs::fcntl_add_seals(bytes, seals) {
            Err(rustix::io::Errno::BUSY) if attempts < SEAL_ATTEMPTS_MAX => attempts += 1,
            sealed => return sealed.map_err(io::Error::from),
        }
        std::thread::sleep(SEAL_PAUSE);
    }
}

/// Gives the copy its name, which is its digest. One that is there already has the same bytes, or is replaced.
fn name_copy(bytes: &File, dir: &Path, digest: &str) -> io::Result<PathBuf> {
    let target = dir.join(format!("{digest}.so"));
    if inspect::sha256(&target).is_ok_and(|found| found == digest) {
        return Ok(target);
    }
    match fs::remove_file(&target) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let from = format!("/proc/self/fd/{}", bytes.as_raw_fd());
    let flags = rustix::fs::AtFlags::SYMLINK_FOLLOW;
    rustix::fs::linkat(rustix::fs::CWD, from, rustix::fs::CWD, &target, flags)?;
    Ok(target)
}

fn silent(path: &Path) -> Refusal {
    let why = format!("no data for {} s", SILENCE_MAX.as_secs());
    let help = "see whether its file system answers";
    Refusal::new(codes::PLUGIN_UNREADABLE, path, why, help)
}

fn cannot_stage(path: &Path, why: &str) -> Refusal {
    let why = format!("it cannot be copied into memory: {}", escape(why));
    let help = "see the limits of open files and memory, or set `[plugins] load = \"copy\"`";
    Refusal::new(codes::PLUGIN_CANNOT_STAGE, path, why, help)
}

fn no_place(path: &Path, dir: &Path, error: &io::Error) -> Refusal {
    let dir = escape(&dir.display().to_string());
    let why = format!("it cannot be copied to `{dir}`: {error}");
    let help = "set `[plugins] stage_dir` to a directory with room, on a file system that allows execution";
    Refusal::new(codes::PLUGIN_CANNOT_STAGE, path, why, help)
}
