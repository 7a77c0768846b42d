//! `Store`: the guests of one host, in memory and as one file each under `instances/`.
//!
//! The directory is the truth: a guest that another driver object made there (during a live switch
//! two stand beside each other) is found, one that it removed is forgotten. Files are written under
//! a hidden name and renamed, so that a crash leaves all of one or none; they are not synced,
//! because a power cut ends everything fake anyway. Knows nothing of faults or resources; `driver`
//! calls it.

use crate::guest::Guest;
use longshore_plugin_api::{file_name, Category, DriverError};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a file that is being written starts. No id has such a file name.
const HALF_WRITTEN: &str = ".half-";

/// The longest file that is read, in bytes; ours are shorter.
const FILE_BYTES_MAX: u64 = 4096;

// What a full disk, quota or file says; the oldest supported compiler has no names for them.
const EFBIG: i32 = 27;
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

/// The guests of one host.
pub(crate) struct Store {
    /// `None`: nothing is kept in files.
    directory: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    loaded: bool,
    guests: BTreeMap<String, Known>,
}

/// A guest, and which version of its file it was read from.
struct Known {
    guest: Guest,
    version: Version,
}

/// A file that was written again is another one: it has been renamed into place.
type Version = (u64, i64, i64);

impl Store {
    /// A store in `directory`, or in memory alone. Touches nothing: the first use does.
    pub(crate) fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            inner: Mutex::default(),
        }
    }

    /// Makes the directory, if there is to be one, and clears what a crash has left half-written.
    pub(crate) fn open(&self) -> Result<(), DriverError> {
        self.lock().map(drop)
    }

    /// All guests by id.
    pub(crate) fn all(&self) -> Result<BTreeMap<String, Guest>, DriverError> {
        let mut inner = self.lock()?;
        if let Some(directory) = &self.directory {
            inner
                .read_all(directory)
                .map_err(|error| cannot("list", directory, &error))?;
        }
        Ok(inner
            .guests
            .iter()
            .map(|(id, known)| (id.clone(), known.guest.clone()))
            .collect())
    }

    /// One guest.
    pub(crate) fn get(&self, id: &str) -> Result<Option<Guest>, DriverError> {
        let mut inner = self.lock()?;
        self.find(&mut inner, id)
    }

    /// Adds a guest.
    ///
    /// # Errors
    /// `invalid` for an id that cannot be a file name, `already-exists`, or what the disk says.
    pub(crate) fn add(&self, id: &str, guest: Guest) -> Result<(), DriverError> {
        let mut inner = self.lock()?;
        if file_name::of_id(id).is_none() {
            let max = file_name::ID_BYTES_MAX;
            let size = id.len();
            return Err(DriverError::invalid(format!(
                "an instance's id must have 1 to {max} bytes, this one has {size}"
            )));
        }
        if self.find(&mut inner, id)?.is_some() {
            return Err(DriverError::already_exists(format!(
                "instance `{id}` is there already"
            )));
        }
        self.put(&mut inner, id, guest)
    }

    /// Changes a guest that is there.
    ///
    /// # Errors
    /// `not-found`, what `change` says, or what the disk says; then nothing has changed.
    pub(crate) fn change(
        &self,
        id: &str,
        change: impl FnOnce(&mut Guest) -> Result<(), DriverError>,
    ) -> Result<(), DriverError> {
        let mut inner = self.lock()?;
        let before = self.find(&mut inner, id)?.ok_or_else(|| not_found(id))?;
        let mut guest = before.clone();
        change(&mut guest)?;
        if guest == before {
            return Ok(());
        }
        self.put(&mut inner, id, guest)
    }

    /// Removes a guest, if it is there.
    pub(crate) fn remove(&self, id: &str) -> Result<(), DriverError> {
        let mut inner = self.lock()?;
        if let (Some(directory), Some(name)) = (&self.directory, file_name::of_id(id)) {
            let path = directory.join(name);
            let gone = fs::remove_file(&path).or_else(|error| match error.kind() {
                ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            });
            gone.map_err(|error| cannot("remove", &path, &error))?;
        }
        inner.guests.remove(id);
        Ok(())
    }

    fn lock(&self) -> Result<MutexGuard<'_, Inner>, DriverError> {
        // Every change is one insert or remove at its end: a panic in between leaves the map whole.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let (false, Some(directory)) = (inner.loaded, &self.directory) {
            prepare(directory).map_err(|error| cannot("use", directory, &error))?;
            inner.loaded = true;
        }
        Ok(inner)
    }

    fn find(&self, inner: &mut Inner, id: &str) -> Result<Option<Guest>, DriverError> {
        if let Some(directory) = &self.directory {
            let name = match file_name::of_id(id) {
                Some(name) => name,
                None => return Ok(None),
            };
            let path = directory.join(name);
            inner
                .read(&path, id)
                .map_err(|error| cannot("read", &path, &error))?;
        }
        Ok(inner.guests.get(id).map(|known| known.guest.clone()))
    }

    fn put(&self, inner: &mut Inner, id: &str, guest: Guest) -> Result<(), DriverError> {
        let version = match (&self.directory, file_name::of_id(id)) {
            (Some(directory), Some(name)) => write(directory, &name, &guest.to_text())
                .map_err(|error| cannot("write", &directory.join(name), &error))?,
            _ => Version::default(),
        };
        inner.guests.insert(id.to_owned(), Known { guest, version });
        Ok(())
    }
}

impl Inner {
    /// Brings the map in line with the directory. Unchanged files are not opened.
    fn read_all(&mut self, directory: &Path) -> io::Result<()> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if let Some(id) = entry.file_name().to_str().and_then(file_name::to_id) {
                self.read(&entry.path(), &id)?;
                ids.push(id);
            }
        }
        ids.sort_unstable();
        self.guests.retain(|id, _| ids.binary_search(id).is_ok());
        Ok(())
    }

    /// Brings one guest in line with its file.
    fn read(&mut self, path: &Path, id: &str) -> io::Result<()> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.guests.remove(id);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let version = version(&metadata);
        if self.guests.get(id).map(|known| known.version) == Some(version) {
            return Ok(());
        }
        let readable = metadata.is_file() && metadata.len() <= FILE_BYTES_MAX;
        let bytes = if readable {
            fs::read(path)?
        } else {
            Vec::new()
        };
        let guest = std::str::from_utf8(&bytes).ok().and_then(Guest::from_text);
        let guest = guest.unwrap_or_else(Guest::unknown);
        self.guests.insert(id.to_owned(), Known { guest, version });
        Ok(())
    }
}

fn prepare(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(HALF_WRITTEN)
        {
            // Perhaps a driver beside us has just renamed it; it is not half-written then.
            fs::remove_file(entry.path()).or_else(|error| match error.kind() {
                ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        }
    }
    Ok(())
}

/// Writes a file under a hidden name and puts it in place. On failure nothing is left of it.
fn write(directory: &Path, name: &str, text: &str) -> io::Result<Version> {
    let half = directory.join(format!("{HALF_WRITTEN}{name}"));
    let put = || {
        fs::write(&half, text)?;
        let version = version(&fs::symlink_metadata(&half)?);
        fs::rename(&half, directory.join(name))?;
        Ok(version)
    };
    let done = put().or_else(|error: io::Error| match error.kind() {
        // A driver that starts beside us may have taken the hidden file for a leftover: once more.
        ErrorKind::NotFound => put(),
        _ => Err(error),
    });
    if done.is_err() {
        // Best effort: a leftover is cleared at the next start, and never believed.
        let _ = fs::remove_file(&half);
    }
    done
}

fn version(metadata: &fs::Metadata) -> Version {
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

fn cannot(verb: &str, path: &Path, error: &io::Error) -> DriverError {
    // A missing or existing file is this driver's trouble, not a missing or existing instance.
    let category = match error.raw_os_error() {
        Some(EFBIG) | Some(ENOSPC) | Some(EDQUOT) => Category::NoSpace,
        _ => Category::Unavailable,
    };
    DriverError::new(
        category,
        format!("cannot {verb} `{}`: {error}", path.display()),
    )
    .hint("look at the owner, mode and free space of the host's state directory")
    .retry()
}

/// The error of every verb on a guest that is not there.
pub(crate) fn not_found(id: &str) -> DriverError {
    DriverError::not_found(format!("instance `{id}` is not on this host"))
}
