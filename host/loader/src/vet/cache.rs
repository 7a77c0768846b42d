//! Verdicts that are kept: one JSON file of the service user's own, which is replaced as a whole.
//!
//! A file that is damaged, or that others may write, counts as empty and is warned about: the price is that plugins are
//! tried again. Must not know how verdicts come about.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Subject, Verdict};
use crate::inspect::sha256_bytes;

const FILE: &str = "vetting.json";
const FORMAT: u32 = 1;
/// Most verdicts that are kept; beyond it the oldest go.
const ENTRIES_MAX: usize = 10_000;
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Most output that is kept with a failure, in characters.
const OUTPUT_CHARS_MAX: usize = 1_024;
/// Bits of a mode that let others write.
const OTHERS_WRITE: u32 = 0o022;

/// What a verdict is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Of the plugin's bytes.
    pub digest: String,
    /// The program that tried it, see [`host_build`].
    pub host: String,
    /// Of entry and settings.
    pub settings: String,
}

impl Key {
    /// The key of a subject, tried by this build of the host.
    pub fn of(subject: &Subject, host: &str) -> Key {
        let parts = [&subject.namespace, &subject.export, &subject.settings].map(String::as_str);
        Key {
            digest: subject.digest.clone(),
            host: host.to_owned(),
            settings: sha256_bytes(parts.join("\0").as_bytes()),
        }
    }
}

/// What stands for this build of the program: its version, and its file's size and time. Reading and hashing the whole
/// program would take longer than a start with known plugins.
pub fn host_build() -> String {
    let meta = fs::metadata(super::EXECUTABLE);
    let file = meta.map(|m| format!("{}-{}.{}", m.size(), m.mtime(), m.mtime_nsec()));
    format!("{}-{}", env!("CARGO_PKG_VERSION"), file.unwrap_or_default())
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<'c> {
    key: Cow<'c, Key>,
    verdict: Cow<'c, Verdict>,
}

/// The file: oldest first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'c> {
    format: u32,
    verdicts: Vec<Kept<'c>>,
}

/// Verdicts by what they are about.
#[derive(Debug, Default)]
pub struct Cache {
    /// With a number that grows: the lowest is the oldest.
    kept: HashMap<Key, (u64, Verdict)>,
    next: u64,
    /// None for one that is never written.
    dir: Option<PathBuf>,
    warnings: Vec<String>,
}

impl Cache {
    /// The cache in a directory, which is made with the first verdict that is saved.
    pub fn open(dir: &Path) -> Cache {
        let mut cache = Cache {
            dir: Some(dir.to_owned()),
            ..Cache::default()
        };
        match read(&dir.join(FILE)) {
            Ok(all) => {
                for kept in all {
                    cache.insert(kept.key.into_owned(), kept.verdict.into_owned());
                }
            }
            Err(why) => cache.warn(&format!("is ignored, plugins are tried again: {why}")),
        }
        cache
    }

    /// The verdict of a key.
    pub fn get(&self, key: &Key) -> Option<&Verdict> {
        self.kept.get(key).map(|(_, verdict)| verdict)
    }

    /// Keeps a verdict, unless it is one that may change by itself.
    pub fn put(&mut self, key: Key, verdict: &Verdict) {
        self.kept.remove(&key);
        if !verdict.lasting {
            return;
        }
        let mut verdict = verdict.clone();
        let output = verdict.output.chars();
        verdict.output = output.take(OUTPUT_CHARS_MAX).collect();
        self.insert(key, verdict);
    }

    fn insert(&mut self, key: Key, verdict: Verdict) {
        self.next += 1;
        self.kept.insert(key, (self.next, verdict));
        if self.kept.len() > ENTRIES_MAX {
            let oldest = self.kept.values().map(|(number, _)| *number).min();
            self.kept.retain(|_, (number, _)| Some(*number) != oldest);
        }
    }

    /// Forgets all verdicts on a file; answers whether there were any.
    pub fn forget(&mut self, digest: &str) -> bool {
        let before = self.kept.len();
        self.kept.retain(|key, _| key.digest != digest);
        self.kept.len() != before
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Writes the file. A failure is a warning: what was not kept is tried again.
    pub fn save(&mut self) {
        let Some(dir) = self.dir.clone() else { return };
        let mut all: Vec<_> = self.kept.iter().collect();
        all.sort_unstable_by_key(|(_, (number, _))| *number);
        let verdicts = all.into_iter().map(|(key, kept)| Kept {
            key: Cow::Borrowed(key),
            verdict: Cow::Borrowed(&kept.1),
        });
        let verdicts = verdicts.collect();
        let document = Document {
            format: FORMAT,
            verdicts,
        };
        let written = write(&dir, &document);
        if let Err(why) = written {
            self.warn(&format!("cannot be written: {why}"));
        }
    }

    /// What was wrong with the file since this was asked last.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Says it once.
    fn warn(&mut self, what: &str) {
        let file = self.dir.as_deref().unwrap_or(Path::new("")).join(FILE);
        let text = format!("the file of verdicts `{}` {what}", file.display());
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }
}

/// Nothing there is an empty cache.
fn read(file: &Path) -> io::Result<Vec<Kept<'static>>> {
    let open = match fs::File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let meta = open.metadata()?;
    let me = rustix::process::geteuid().as_raw();
    if !meta.is_file() || meta.uid() != me || meta.mode() & OTHERS_WRITE != 0 {
        return Err(io::Error::other("others may write it"));
    }
    let mut bytes = Vec::new();
    open.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let document: Document<'static> = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
    if document.format != FORMAT {
        return Err(io::Error::other(format!(
            "its format is {}, not {FORMAT}",
            document.format
        )));
    }
    Ok(document.verdicts)
}

/// Beside it, then over it: a reader sees the old file or the new one.
fn write(dir: &Path, document: &Document<'_>) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let json = serde_json::to_vec(document).map_err(io::Error::other)?;
    let fresh = dir.join(format!(".{FILE}.{}", std::process::id()));
    // One that a killed process of the same number left.
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    let written = file
        .write_all(&json)
        .and_then(|()| fs::rename(&fresh, dir.join(FILE)));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key(number: usize) -> Key {
        Key {
            digest: format!("d{number}"),
            host: "h".to_owned(),
            settings: "s".to_owned(),
        }
    }

    #[test]
    fn verdicts_outlive_the_process_in_a_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let mut cache = Cache::open(&dir.path().join("new"));
        let failed = Verdict::failed("plugin/exited-in-vetting", "it left".to_owned(), "stay");
        cache.put(key(1), &Verdict::passed());
        cache.put(key(2), &failed);
        cache.put(
            key(3),
            &Verdict {
                lasting: false,
                ..failed.clone()
            },
        );
        cache.save();
        let again = Cache::open(&dir.path().join("new"));
        assert_eq!(again.get(&key(1)), Some(&Verdict::passed()));
        assert_eq!(again.get(&key(2)), Some(&failed));
        assert_eq!(again.get(&key(3)), None);
        let other = Key {
            host: "other".to_owned(),
            ..key(1)
        };
        assert_eq!(again.get(&other), None);
        let mode = fs::metadata(dir.path().join("new").join(FILE))
            .unwrap()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    fn the_oldest_go_first() {
        let mut cache = Cache::default();
        for number in 0..=ENTRIES_MAX {
            cache.insert(key(number), Verdict::passed());
        }
        cache.put(key(ENTRIES_MAX + 1), &Verdict::passed());
        assert_eq!(cache.len(), ENTRIES_MAX);
        assert!(cache.get(&key(1)).is_none() && cache.get(&key(2)).is_some());
        assert!(cache.forget("d2") && !cache.forget("d2"));
    }

    #[test]
    fn a_damaged_or_open_file_is_empty_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        fs::write(&file, "{\"format\":1,\"verd").unwrap();
        let mut cache = Cache::open(dir.path());
        assert!(cache.is_empty());
        let said = cache.take_warnings();
        assert!(
            said[0].contains("is ignored") && cache.take_warnings().is_empty(),
            "{said:?}"
        );
        cache.put(key(1), &Verdict::passed());
        cache.save();
        assert_eq!(Cache::open(dir.path()).len(), 1);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        let mut open = Cache::open(dir.path());
        assert!(open.is_empty() && open.take_warnings()[0].contains("others may write it"));
    }
}
