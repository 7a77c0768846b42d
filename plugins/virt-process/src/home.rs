//! `Home`: the directory of one instance, and `Homes`: all of them.
//!
//! `instances/<id>/` holds `spec`, `pid`, `exit`, `output` and `cwd/`. `spec` is written and synced
//! before anything is started; `pid` by the started process itself, before it becomes the program;
//! `exit` when the end was seen. Removing renames to `.trash-<id>` first: what is listed is whole,
//! and trash is cleared at the next start.

use crate::errors::{cannot, gone_is_fine};
use crate::proc::{self, Process};
use crate::spec::Spec;
use longshore_plugin_api::{file_name, DriverError};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How the directory of an instance that is being removed starts. No id has such a file name.
const TRASH: &str = ".trash-";

/// The largest `spec` and `pid` that are read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What `exit` holds for an instance that was stopped by a verb.
pub(crate) const STOPPED: &str = "stopped";

/// Where the instances of one host are.
pub(crate) struct Homes {
    wanted: PathBuf,
    /// Known, without links, after the first use.
    root: Mutex<Option<PathBuf>>,
}

/// The directory of one instance.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// The instance.
    pub(crate) id: String,
    /// Its directory, without links in it.
    pub(crate) directory: PathBuf,
    /// The last part of it.
    pub(crate) name: String,
}

impl Homes {
    /// Touches nothing: the first use does.
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self {
            wanted: state_dir.join("instances"),
            root: Mutex::default(),
        }
    }

    /// The directory of all instances; the first use makes it and clears trash.
    pub(crate) fn root(&self) -> Result<PathBuf, DriverError> {
        let mut root = self.root.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = &*root {
            return Ok(root.clone());
        }
        let made = prepare(&self.wanted).map_err(|error| cannot("use", &self.wanted, &error))?;
        *root = Some(made.clone());
        Ok(made)
    }

    /// The home of an id, there or not; `None` if the id cannot have one.
    pub(crate) fn of(&self, id: &str) -> Result<Option<Home>, DriverError> {
        let root = self.root()?;
        let home = |name: String| Home {
            id: id.to_owned(),
            directory: root.join(&name),
            name,
        };
        Ok(file_name::of_id(id).map(home))
    }

    /// All homes that are there, by id.
    pub(crate) fn all(&self) -> Result<Vec<Home>, DriverError> {
        let root = self.root()?;
        let mut homes = Vec::new();
        let entries = fs::read_dir(&root).map_err(|error| cannot("list", &root, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| cannot("list", &root, &error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(id) = file_name::to_id(&name) {
                homes.push(Home {
                    id,
                    directory: entry.path(),
                    name,
                });
            }
        }
        homes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(homes)
    }
}

fn prepare(wanted: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(wanted)?;
    let root = fs::canonicalize(wanted)?;
    for entry in fs::read_dir(&root)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TRASH) {
            // A driver beside us may be removing it at this moment.
            gone_is_fine(fs::remove_dir_all(entry.path()))?;
        }
    }
    Ok(root)
}

impl Home {
    pub(crate) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.directory).is_ok()
    }

    pub(crate) fn pid_file(&self) -> PathBuf {
        self.directory.join("pid")
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.directory.join("output")
    }

    /// The working directory and `HOME` of the program.
    pub(crate) fn cwd(&self) -> PathBuf {
        self.directory.join("cwd")
    }

    /// Makes the home of a new instance, with its spec on the disk.
    ///
    /// # Errors
    /// `already-exists`, or what the disk says; then nothing is left.
    pub(crate) fn create(&self, spec: &Spec) -> Result<(), DriverError> {
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let message = format!("instance `{}` is there already", self.id);
                return Err(DriverError::already_exists(message));
            }
            Err(error) => return Err(cannot("make", &self.directory, &error)),
            Ok(()) => {}
        }
        self.write_spec(spec).map_err(|error| {
            // Best effort: the error that matters is the first.
            let _ = fs::remove_dir_all(&self.directory);
            cannot("write", &self.directory.join("spec"), &error)
        })
    }

    fn write_spec(&self, spec: &Spec) -> io::Result<()> {
        let half = self.directory.join("spec.half");
        let mut file = File::create(&half)?;
        file.write_all(spec.to_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&half, self.directory.join("spec"))?;
        fs::create_dir(self.cwd())?;
        File::open(&self.directory)?.sync_all()
    }

    /// What the instance is started from; `None` if a crash came before it was written, or it
    /// cannot be understood.
    pub(crate) fn spec(&self) -> Option<Spec> {
        Spec::from_text(&read(&self.directory.join("spec"))?).filter(|spec| spec.id == self.id)
    }

    /// The instance's process, if it runs.
    pub(crate) fn running(&self) -> Option<Process> {
        let recorded = read(&self.pid_file()).and_then(|text| parse_pid(&text));
        let (process, boot) = match recorded {
            Some(recorded) => recorded,
            // A crash came before it was written, or it is garbage: look for the first process of
            // the session.
            None => {
                let marked = proc::marked(&self.directory);
                let leads = |p: &Process| p.stat().map_or(false, |stat| stat.session == p.pid);
                return marked.into_iter().find(leads);
            }
        };
        (boot == proc::boot() && process.is_alive()).then_some(process)
    }

    /// How the instance ended, if that was seen: [`STOPPED`], or a status such as `exit status: 1`.
    pub(crate) fn exit(&self) -> Option<String> {
        read(&self.directory.join("exit")).map(|text| text.trim().to_owned())
    }

    /// Remembers how the instance ended.
    pub(crate) fn set_exit(&self, how: &str) -> Result<(), DriverError> {
        let path = self.directory.join("exit");
        fs::write(&path, format!("{how}\n")).map_err(|error| cannot("write", &path, &error))
    }

    /// Forgets the last run, before the next.
    pub(crate) fn clear_run(&self) -> Result<(), DriverError> {
        for path in [self.directory.join("exit"), self.pid_file()] {
            let gone = gone_is_fine(fs::remove_file(&path));
            gone.map_err(|error| cannot("remove", &path, &error))?;
        }
        Ok(())
    }

    /// Removes the home, if it is there. Its processes must have ended.
    pub(crate) fn discard(&self) -> Result<(), DriverError> {
        let trash = self
            .directory
            .with_file_name(format!("{TRASH}{}", self.name));
        let discard = || {
            // Left by an earlier try that failed half-way.
            gone_is_fine(fs::remove_dir_all(&trash))?;
            gone_is_fine(fs::rename(&self.directory, &trash))?;
            match fs::symlink_metadata(&trash) {
                Ok(metadata) if !metadata.is_dir() => fs::remove_file(&trash),
                _ => gone_is_fine(fs::remove_dir_all(&trash)),
            }
        };
        discard().map_err(|error| cannot("remove", &self.directory, &error))
    }
}

fn read(path: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return None;
    }
    String::from_utf8(fs::read(path).ok()?).ok()
}

/// `pid start boot`, with a line end: without it the file is half-written.
fn parse_pid(text: &str) -> Option<(Process, String)> {
    let fields: Vec<&str> = text.strip_suffix('\n')?.split(' ').collect();
    match fields[..] {
        [pid, start, boot] => {
            // 0 and 1 would mean "everybody" and "the first process" to `kill`.
            let pid = pid.parse().ok().filter(|&pid| pid > 1)?;
            Some((
                Process {
                    pid,
                    start: start.parse().ok()?,
                },
                boot.to_owned(),
            ))
        }
        _ => None,
    }
}
