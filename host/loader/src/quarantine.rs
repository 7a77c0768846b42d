//! Which drivers are locked out, and why: those in a call when the host died, twice within ten minutes. Kept across
//! restarts in one file of the state directory.
//!
//! A lock-out is of one content (digest) under one entry: a new build is not locked out. It is read at a start; what an
//! operator releases takes effect at the next one. Called by the program, the loader's steps and the command line; must
//! not know how a death is found out (`record`) or how drivers are loaded.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::codes;
use crate::diagnostic::escape;
use crate::inspect::Refusal;
use crate::record::{Death, DriverId};

/// The file's name in the state directory.
pub const FILE: &str = "quarantine.json";
/// Deaths within this time of each other count together, in milliseconds.
pub const WINDOW_MS: u64 = 10 * 60 * 1000;
/// Deaths after which a driver is locked out.
pub const DEATHS_MAX: usize = 2;
/// Most deaths that are kept; the oldest go first. They matter for [`WINDOW_MS`] only.
const KEPT_DEATHS_MAX: usize = 64;
/// Most lock-outs that are kept; the oldest go first.
const LOCKED_MAX: usize = 256;
/// Largest file that is read.
const BYTES_MAX: u64 = 4 << 20;
const FORMAT: u32 = 1;

/// A driver that is locked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOut {
    /// Namespace of the entry.
    pub namespace: String,
    /// Name of the entry.
    pub name: String,
    /// SHA-256 of its file.
    pub digest: String,
    /// The plugin's version.
    pub version: String,
    /// Its file.
    pub file: String,
    /// The call that ran at the last death.
    pub call: String,
    /// How often the host died in it.
    pub deaths: usize,
    /// When it was locked out, milliseconds since 1970.
    pub since_ms: u64,
}

/// A death of the host in a driver's call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Blame {
    namespace: String,
    name: String,
    digest: String,
    call: String,
    at_ms: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    format: u32,
    deaths: Vec<Blame>,
    locked: Vec<LockOut>,
}

/// What a death meant for one driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was in this call; once more soon, and it is locked out. It is to be vetted again before it is used.
    Suspected {
        /// Who.
        driver: DriverId,
        /// The call.
        call: String,
    },
    /// It is locked out now.
    LockedOut(LockOut),
}

/// The lock-outs of one state directory.
#[derive(Debug)]
pub struct Quarantine {
    path: PathBuf,
    content: Content,
}

impl Quarantine {
    /// Reads the lock-outs kept in `dir`. Without a file there are none.
    ///
    /// # Errors
    /// The system's, and `InvalidData` for a file that nobody here wrote: it is left as it is.
    pub fn open(dir: &Path) -> io::Result<Quarantine> {
        let path = dir.join(FILE);
        let content = match File::open(&path) {
            Ok(file) => read(file, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(error) => return Err(error),
        };
        Ok(Quarantine { path, content })
    }

    /// What follows from the end of the last process; kept on disk before it is answered. A death counts for each
    /// driver that was in a call, once.
    ///
    /// # Errors
    /// The system's: then nothing was kept.
    pub fn note(&mut self, death: &Death) -> io::Result<Vec<Verdict>> {
        if !death.is_unexplained() || death.calls.is_empty() {
            return Ok(Vec::new());
        }
        let at_ms = death.last_seen_ms();
        let mut seen: Vec<&DriverId> = Vec::new();
        let mut verdicts = Vec::new();
        for call in &death.calls {
            if !seen.contains(&&call.driver) {
                seen.push(&call.driver);
                verdicts.push(self.blame(&call.driver, &call.call, at_ms));
            }
        }
        let (deaths, locked) = (&mut self.content.deaths, &mut self.content.locked);
        deaths.drain(..deaths.len().saturating_sub(KEPT_DEATHS_MAX));
        locked.drain(..locked.len().saturating_sub(LOCKED_MAX));
        self.write()?;
        Ok(verdicts)
    }

    fn blame(&mut self, driver: &DriverId, call: &str, at_ms: u64) -> Verdict {
        let DriverId {
            namespace,
            name,
            digest,
            version,
            file,
        } = driver.clone();
        let call = call.to_owned();
        let blame = Blame {
            namespace,
            name,
            digest,
            call,
            at_ms,
        };
        let recent = |b: &&Blame| b.is_like(&blame) && b.at_ms.abs_diff(at_ms) <= WINDOW_MS;
        let deaths = 1 + self.content.deaths.iter().filter(recent).count();
        let Blame {
            namespace,
            name,
            digest,
            call,
            ..
        } = blame.clone();
        self.content.deaths.push(blame);
        if deaths < DEATHS_MAX {
            let driver = driver.clone();
            return Verdict::Suspected { driver, call };
        }
        let since_ms = at_ms;
        let lock = LockOut {
            namespace,
            name,
            digest,
            version,
            file,
            call,
            deaths,
            since_ms,
        };
        let same = |l: &LockOut| l.is_of(&lock.digest, &lock.namespace, &lock.name);
        self.content.locked.retain(|l| !same(l));
        self.content.locked.push(lock.clone());
        Verdict::LockedOut(lock)
    }

    /// Whether anything is kept about an entry, whatever its file: only then its digest is worth computing.
    pub fn knows(&self, namespace: &str, name: &str) -> bool {
        let locked = self.content.locked.iter();
        let mut names = locked.map(|l| (l.namespace.as_str(), l.name.as_str()));
        names.any(|known| known == (namespace, name)) || {
            let deaths = self.content.deaths.iter();
            let mut names = deaths.map(|d| (d.namespace.as_str(), d.name.as_str()));
            names.any(|known| known == (namespace, name))
        }
    }

    /// Whether an entry with this content must be vetted whatever was found before: the host died in it within
    /// [`WINDOW_MS`] before `now_ms`, milliseconds since 1970.
    pub fn is_suspect(&self, digest: &str, namespace: &str, name: &str, now_ms: u64) -> bool {
        let mut deaths = self.content.deaths.iter();
        deaths.any(|d| {
            let recent = d.at_ms.abs_diff(now_ms) <= WINDOW_MS;
            recent && d.digest == digest && d.namespace == namespace && d.name == name
        })
    }

    /// Why an entry with this content may not be loaded, if it may not.
    pub fn check(&self, digest: &str, namespace: &str, name: &str) -> Option<Refusal> {
        let mut locked = self.content.locked.iter();
        let lock = locked.find(|l| l.is_of(digest, namespace, name))?;
        Some(lock.refusal())
    }

    /// Everything that is locked out, the oldest first.
    pub fn list(&self) -> &[LockOut] {
        &self.content.locked
    }

    /// Lets the lock-outs of one entry go, or all, with the deaths that led to them. Answers what was let go; keeps it
    /// on disk.
    ///
    /// # Errors
    /// The system's: then nothing changed on disk.
    pub fn release(&mut self, entry: Option<(&str, &str)>) -> io::Result<Vec<LockOut>> {
        let meant = |namespace: &str, name: &str| entry.is_none_or(|e| e == (namespace, name));
        let content = &mut self.content;
        content.deaths.retain(|d| !meant(&d.namespace, &d.name));
        let let_go = |l: &mut LockOut| meant(&l.namespace, &l.name);
        let released: Vec<LockOut> = content.locked.extract_if(.., let_go).collect();
        self.write()?;
        Ok(released)
    }

    /// A whole file or none: written beside it, on disk, renamed.
    fn write(&mut self) -> io::Result<()> {
        self.content.format = FORMAT;
        let text = serde_json::to_string_pretty(&self.content)?;
        let fresh = self.path.with_extension("new");
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)
    }
}

impl LockOut {
    fn is_of(&self, digest: &str, namespace: &str, name: &str) -> bool {
        self.digest == digest && self.namespace == namespace && self.name == name
    }

    /// The refusal of an entry that is locked out.
    pub fn refusal(&self) -> Refusal {
        let (namespace, name) = (escape(&self.namespace), escape(&self.name));
        let times = match self.deaths {
            2 => "twice".to_owned(),
            n => format!("{n} times"),
        };
        let why = format!(
            "the host died {times} while in `{name}.{}`",
            escape(&self.call)
        );
        let help = format!(
            "install another build, or change what made it fail and run `longshore plugin quarantine release {namespace} {name}`"
        );
        let refusal = Refusal::new(codes::PLUGIN_QUARANTINED, Path::new(&self.file), why, help);
        refusal.for_entry(&self.namespace, &self.name)
    }
}

impl Blame {
    fn is_like(&self, other: &Blame) -> bool {
        self.digest == other.digest && self.namespace == other.namespace && self.name == other.name
    }
}

fn read(file: File, path: &Path) -> io::Result<Content> {
    let wrong = |why: String| {
        let path = escape(&path.display().to_string());
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{path}` {why}; move it away"),
        )
    };
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    let content: Content =
        serde_json::from_str(&text).map_err(|e| wrong(format!("is no list of lock-outs: {e}")))?;
    match content.format {
        FORMAT => Ok(content),
        other => Err(wrong(format!(
            "has format {other}, this host knows {FORMAT}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::DeathCall;

    const MINUTE: u64 = 60 * 1000;

    fn driver(name: &str, digest: &str) -> DriverId {
        DriverId {
            namespace: "acme.kind".to_owned(),
            name: name.to_owned(),
            digest: digest.to_owned(),
            version: "1.0.0".to_owned(),
            file: format!("/{name}.so"),
        }
    }

    fn death(at_ms: u64, calls: &[(&DriverId, &str)]) -> Death {
        let call = |(driver, call): &(&DriverId, &str)| DeathCall {
            driver: (*driver).clone(),
            call: (*call).to_owned(),
            since_ms: at_ms,
        };
        Death {
            started_ms: at_ms.saturating_sub(1),
            pid: 1,
            clean: false,
            machine_restarted: false,
            calls: calls.iter().map(call).collect(),
        }
    }

    #[test]
    fn the_second_death_within_ten_minutes_locks_out_that_build_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let (a, other) = (driver("a", "11"), driver("b", "11"));
        let mut quarantine = Quarantine::open(dir.path()).unwrap();
        let first = quarantine.note(&death(MINUTE, &[(&a, "spawn"), (&a, "destroy")]));
        let suspected = Verdict::Suspected {
            driver: a.clone(),
            call: "spawn".to_owned(),
        };
        assert_eq!(first.unwrap(), [suspected]);
        assert!(quarantine.check("11", "acme.kind", "a").is_none());
        assert!(quarantine.is_suspect("11", "acme.kind", "a", 11 * MINUTE));
        assert!(!quarantine.is_suspect("11", "acme.kind", "a", 12 * MINUTE));
        // Kept across restarts.
        let mut quarantine = Quarantine::open(dir.path()).unwrap();
        let second = quarantine.note(&death(11 * MINUTE, &[(&other, "new"), (&a, "spawn")]));
        let second = second.unwrap();
        assert!(matches!(&second[0], Verdict::Suspected { driver, .. } if *driver == other));
        assert!(matches!(&second[1], Verdict::LockedOut(lock) if lock.name == "a"));
        let quarantine = Quarantine::open(dir.path()).unwrap();
        let refusal = quarantine.check("11", "acme.kind", "a").unwrap();
        assert_eq!(
            refusal.to_string(),
            "error[plugin/quarantined]: cannot load driver `a` for `acme.kind`\n  file: /a.so\n  \
             why:  the host died twice while in `a.spawn`\n  do:   install another build, or change \
             what made it fail and run `longshore plugin quarantine release acme.kind a`"
        );
        assert!(
            quarantine.check("22", "acme.kind", "a").is_none(),
            "a new build"
        );
        assert!(
            quarantine.check("11", "acme.kind", "b").is_none(),
            "another entry"
        );
    }

    #[test]
    fn deaths_far_apart_explained_or_without_a_call_lock_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        let a = driver("a", "11");
        let mut quarantine = Quarantine::open(dir.path()).unwrap();
        quarantine.note(&death(0, &[(&a, "spawn")])).unwrap();
        let later = quarantine
            .note(&death(11 * MINUTE, &[(&a, "spawn")]))
            .unwrap();
        assert!(matches!(later[..], [Verdict::Suspected { .. }]));
        let clean = Death {
            clean: true,
            ..death(12 * MINUTE, &[(&a, "spawn")])
        };
        let machine = Death {
            machine_restarted: true,
            ..death(12 * MINUTE, &[(&a, "spawn")])
        };
        for death in [clean, machine, death(12 * MINUTE, &[])] {
            assert_eq!(quarantine.note(&death).unwrap(), []);
        }
        assert_eq!(quarantine.list(), []);
    }

    #[test]
    fn a_release_forgets_the_deaths_too() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (driver("a", "11"), driver("b", "22"));
        let mut quarantine = Quarantine::open(dir.path()).unwrap();
        for at in [1, 2] {
            quarantine
                .note(&death(at, &[(&a, "spawn"), (&b, "new")]))
                .unwrap();
        }
        assert_eq!(quarantine.list().len(), 2);
        let released = quarantine.release(Some(("acme.kind", "a"))).unwrap();
        assert_eq!((released.len(), quarantine.list().len()), (1, 1));
        assert!(!quarantine.knows("acme.kind", "a") && quarantine.knows("acme.kind", "b"));
        let again = quarantine.note(&death(3, &[(&a, "spawn")])).unwrap();
        assert!(matches!(again[..], [Verdict::Suspected { .. }]));
        assert_eq!(quarantine.release(None).unwrap().len(), 1);
        assert_eq!(Quarantine::open(dir.path()).unwrap().list(), []);
    }

    #[test]
    fn the_file_is_private_bounded_and_never_guessed_at() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let mut quarantine = Quarantine::open(dir.path()).unwrap();
        let drivers: Vec<_> = (0..2 * LOCKED_MAX)
            .map(|i| driver(&format!("d{i}"), "11"))
            .collect();
        let calls: Vec<_> = drivers.iter().map(|d| (d, "new")).collect();
        // More than a record holds at once.
        for calls in calls.chunks(32) {
            quarantine.note(&death(1, calls)).unwrap();
            quarantine.note(&death(2, calls)).unwrap();
        }
        assert_eq!(quarantine.list().len(), LOCKED_MAX);
        assert!(quarantine.content.deaths.len() <= KEPT_DEATHS_MAX);
        let path = dir.path().join(FILE);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for text in [
            "",
            "{}",
            "[]",
            "{\"format\": 9, \"deaths\": [], \"locked\": []}",
        ] {
            fs::write(&path, text).unwrap();
            let error = Quarantine::open(dir.path()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text}");
        }
    }
}
