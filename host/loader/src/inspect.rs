//! What a plugin file is and says of itself, without running any of its code.
//!
//! Reads headers and notes only, and never blocks on a pipe or a device. The digest is computed
//! only when asked for. Called by the managers before loading, by `plugin inspect` and `plugin
//! scan`; must not know the map.

use std::fmt;
use std::fs::{File, Metadata as FileMetadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use object::read::ReadCache;
use sha2::{Digest as _, Sha256};

use crate::codes;
use crate::diagnostic::{escape, nearest};
use crate::elf::{self, ElfFacts, ElfRefusal};
use crate::note::{self, EntryMetadata, Metadata};
use crate::system;

/// Largest plugin file, in bytes.
pub const FILE_BYTES_MAX: u64 = 256 << 20;
/// The flag of `open` on Linux, the same on all machines that are supported.
const O_NONBLOCK: i32 = 0o4000;
/// Most files of a directory that are looked at for a suggestion.
const NEIGHBOURS_MAX: usize = 1_000;

/// Which file it was, and which content: another value means it must be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the content, nanoseconds since 1970.
    pub mtime_ns: i128,
    /// Last change of the inode, nanoseconds since 1970.
    pub ctime_ns: i128,
}

impl FileIdentity {
    /// From what the file system says.
    pub fn of(meta: &FileMetadata) -> FileIdentity {
        let ns = |s: i64, n: i64| i128::from(s) * 1_000_000_000 + i128::from(n);
        FileIdentity {
            dev: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            mtime_ns: ns(meta.mtime(), meta.mtime_nsec()),
            ctime_ns: ns(meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// A file that is a longshore plugin this host can speak to.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The path as asked for.
    pub file: PathBuf,
    /// Size in bytes.
    pub size: u64,
    /// Which file and content it was.
    pub identity: FileIdentity,
    /// What its headers say.
    pub facts: ElfFacts,
    /// What its note says.
    pub metadata: Metadata,
}

impl Inspection {
    /// The drivers of one namespace.
    pub fn entries_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a EntryMetadata> {
        self.metadata
            .entries
            .iter()
            .filter(move |e| e.namespace == namespace)
    }

    /// The driver that an entry point means: the one it names, or the one called like the entry,
    /// or the only one of the namespace.
    ///
    /// # Errors
    /// `plugin/no-such-driver`, with what the file offers.
    pub fn choose(
        &self,
        namespace: &str,
        name: &str,
        export: Option<&str>,
    ) -> Result<&EntryMetadata, Refusal> {
        if let Some(found) = self.metadata.driver(namespace, name, export) {
            return Ok(found);
        }
        let wanted = export.unwrap_or(name);
        let offered = self.entries_in(namespace);
        let names: Vec<&str> = offered.map(|e| e.name.as_str()).collect();
        let file = escape(&self.file.display().to_string());
        let why = if names.is_empty() {
            format!("`{file}` offers nothing in `{namespace}`")
        } else {
            let list = crate::diagnostic::quoted_list(&names);
            format!(
                "`{file}` offers {list} in `{namespace}`, not `{}`",
                escape(wanted)
            )
        };
        let help = match nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("run `longshore plugin inspect {file}` to see all it offers"),
        };
        let refusal = Refusal::new(codes::PLUGIN_NO_SUCH_DRIVER, &self.file, why, help);
        Err(refusal.for_entry(namespace, name))
    }
}

/// Why a file is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `area/slug`.
    pub code: &'static str,
    /// The driver that was wanted, if one was.
    pub driver: Option<Box<str>>,
    /// Its namespace.
    pub namespace: Option<Box<str>>,
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: String,
    /// What to do.
    pub help: String,
}

impl Refusal {
    /// A refusal of a file.
    pub fn new(
        code: &'static str,
        file: &Path,
        why: impl Into<String>,
        help: impl Into<String>,
    ) -> Refusal {
        let (driver, namespace) = (None, None);
        Refusal {
            code,
            driver,
            namespace,
            file: file.to_owned(),
            why: why.into(),
            help: help.into(),
        }
    }

    /// Says which entry point wanted the file.
    #[must_use]
    pub fn for_entry(mut self, namespace: &str, driver: &str) -> Refusal {
        self.namespace = Some(namespace.into());
        self.driver = Some(driver.into());
        self
    }

    /// The head of the message.
    pub fn what(&self) -> String {
        match (&self.driver, &self.namespace) {
            (Some(driver), Some(namespace)) => {
                format!(
                    "cannot load driver `{}` for `{}`",
                    escape(driver),
                    escape(namespace)
                )
            }
            _ => format!(
                "cannot load plugin `{}`",
                escape(&self.file.display().to_string())
            ),
        }
    }

    /// The form for a log: one line.
    pub fn one_line(&self) -> String {
        format!(
            "{}: {} (do: {}) code={}",
            self.what(),
            self.why,
            self.help,
            self.code
        )
    }

    fn from_elf(file: &Path, refusal: ElfRefusal) -> Refusal {
        Refusal::new(refusal.code, file, refusal.why, refusal.help)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.code, self.what())?;
        if !self.file.as_os_str().is_empty() {
            writeln!(f, "  file: {}", escape(&self.file.display().to_string()))?;
        }
        writeln!(f, "  why:  {}", self.why)?;
        write!(f, "  do:   {}", self.help)
    }
}

impl std::error::Error for Refusal {}

/// Inspects a file. Runs none of its code, and takes well under a millisecond for a file in the
/// page cache.
///
/// # Errors
/// The first reason why it is not a plugin this host can load.
pub fn inspect(path: &Path) -> Result<Inspection, Refusal> {
    inspect_with(path, false)
}

/// As `inspect`; `panic_abort` also takes a plugin whose panic would end the host.
///
/// # Errors
/// As `inspect`.
pub fn inspect_with(path: &Path, panic_abort: bool) -> Result<Inspection, Refusal> {
    let (file, meta) = open(path)?;
    let identity = FileIdentity::of(&meta);
    let cache = ReadCache::new(file);
    let (facts, metadata) = read(&cache, panic_abort).map_err(|r| Refusal::from_elf(path, r))?;
    Ok(Inspection {
        file: path.to_owned(),
        size: meta.len(),
        identity,
        facts,
        metadata,
    })
}

/// Inspects an open file; `path` is for messages, `identity` for what `Inspection` says.
///
/// # Errors
/// As `inspect_with`.
pub(crate) fn inspect_file(
    path: &Path,
    identity: FileIdentity,
    file: File,
    panic_abort: bool,
) -> Result<Inspection, Refusal> {
    let cache = ReadCache::new(file);
    let (facts, metadata) = read(&cache, panic_abort).map_err(|r| Refusal::from_elf(path, r))?;
    Ok(Inspection {
        file: path.to_owned(),
        size: identity.size,
        identity,
        facts,
        metadata,
    })
}

/// Inspects bytes that were read already; `path` is for messages, `identity` for what
/// `Inspection` says.
///
/// # Errors
/// As `inspect`.
pub fn inspect_bytes(
    path: &Path,
    identity: FileIdentity,
    bytes: &[u8],
) -> Result<Inspection, Refusal> {
    let (facts, metadata) = read(bytes, false).map_err(|r| Refusal::from_elf(path, r))?;
    Ok(Inspection {
        file: path.to_owned(),
        size: bytes.len() as u64,
        identity,
        facts,
        metadata,
    })
}

fn read<'d, R: object::read::ReadRef<'d>>(
    data: R,
    panic_abort: bool,
) -> Result<(ElfFacts, Metadata), ElfRefusal> {
    let (facts, notes) = elf::read(data)?;
    let metadata = note::read(&notes)?;
    system::check(&facts)?;
    if !panic_abort {
        note::check_panic(&metadata)?;
    }
    Ok((facts, metadata))
}

/// Opens a plugin file for reading, after making sure that it is a regular file within bounds:
/// opening a pipe would wait for its writer.
///
/// # Errors
/// `plugin/not-found`, `plugin/not-a-file`, `plugin/unreadable`, `plugin/too-large`,
/// `plugin/changing`.
pub fn open(path: &Path) -> Result<(File, FileMetadata), Refusal> {
    let before = std::fs::metadata(path).map_err(|e| absent(path, &e))?;
    if !before.is_file() {
        return Err(not_a_file(path, &before));
    }
    // Something may have put a pipe there meanwhile; the flag keeps even that from blocking.
    let file = File::options()
        .read(true)
        .custom_flags(O_NONBLOCK)
        .open(path);
    let file = file.map_err(|e| unreadable(path, &e))?;
    let meta = file.metadata().map_err(|e| unreadable(path, &e))?;
    if (meta.dev(), meta.ino()) != (before.dev(), before.ino()) {
        let why = "the file changed while it was opened";
        let help = "install with a rename, then try again";
        return Err(Refusal::new(codes::PLUGIN_CHANGING, path, why, help));
    }
    if meta.len() > FILE_BYTES_MAX {
        let why = format!(
            "the file has {} bytes, the limit is {FILE_BYTES_MAX}",
            meta.len()
        );
        let help = "strip its debug information";
        return Err(Refusal::new(codes::PLUGIN_TOO_LARGE, path, why, help));
    }
    Ok((file, meta))
}

/// The SHA-256 of a file, in 64 lower-case hex digits.
///
/// # Errors
/// As `open`, and `plugin/unreadable` while reading.
pub fn sha256(path: &Path) -> Result<String, Refusal> {
    let (file, _) = open(path)?;
    let mut file = file.take(FILE_BYTES_MAX);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(n) => hasher.update(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable(path, &e)),
        }
    }
}

/// The SHA-256 of bytes, in 64 lower-case hex digits.
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pair = |b: &u8| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]].map(char::from);
    digest.iter().flat_map(pair).collect()
}

pub(crate) fn absent(path: &Path, error: &io::Error) -> Refusal {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return unreadable(path, error);
    }
    let why = match std::fs::read_link(path) {
        Ok(to) => {
            let to = escape(&to.display().to_string());
            format!(
                "link `{}` to `{to}` leads nowhere",
                escape(&path.display().to_string())
            )
        }
        Err(_) => "no such file".to_owned(),
    };
    let help = match neighbour(path) {
        Some(near) => format!("did you mean `{}`?", escape(&near)),
        None => "install the file, or correct the path".to_owned(),
    };
    Refusal::new(codes::PLUGIN_NOT_FOUND, path, why, help)
}

/// The file of the same directory with the nearest name.
pub(crate) fn neighbour(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let directory = path.parent()?;
    let names: Vec<String> = std::fs::read_dir(directory)
        .ok()?
        .take(NEIGHBOURS_MAX)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .collect();
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

fn not_a_file(path: &Path, meta: &FileMetadata) -> Refusal {
    let kind = meta.file_type();
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    let help = match only_library_in(path).filter(|_| kind.is_dir()) {
        Some(inside) => format!("name the `.so` inside it: `{}`", escape(&inside)),
        None => "name a `.so` file".to_owned(),
    };
    Refusal::new(
        codes::PLUGIN_NOT_A_FILE,
        path,
        format!("the path is {what}"),
        help,
    )
}

fn only_library_in(directory: &Path) -> Option<String> {
    let mut found = std::fs::read_dir(directory)
        .ok()?
        .take(NEIGHBOURS_MAX)
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|x| x == "so"));
    let only = found.next()?;
    found.next().is_none().then(|| only.display().to_string())
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    let why = match std::fs::symlink_metadata(path) {
        Ok(meta) => {
            let mode = meta.mode() & 0o7777;
            format!(
                "{error}; the file belongs to user {}, mode {mode:04o}",
                meta.uid()
            )
        }
        Err(_) => error.to_string(),
    };
    let help = "make it readable: `chmod a+r` on the file, `a+x` on its directories";
    Refusal::new(codes::PLUGIN_UNREADABLE, path, why, help)
}

#[cfg(test)]
pub(crate) mod tests;
