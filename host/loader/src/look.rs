//! What a start would make of an entry point, without a start: the way to its file and who owns it, what the file says of
//! itself, the driver and its settings, the content against pin, lock and signature, and whether it is locked out.
//!
//! The steps are those of loading, in its order, up to the first that runs something: nothing of the file is opened, and
//! vetting is not asked. What was read is remembered by the file's identity, so that looking again at files that did not
//! change reads none of them. For whoever lists plugins; must not know how that is shown.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::examine::{self, refused};
use crate::gate::{Content, Wanted};
use crate::inspect::{FileIdentity, Inspection, Refusal, sha256, unreadable};
use crate::load::Loader;
use crate::map::EntryPoint;
use crate::oddities;
use crate::report::LoadFailure;
use crate::settings_check;

/// Most files whose digest is remembered; beyond it all are computed anew.
const DIGESTS_MAX: usize = 4_096;

/// What is known of an entry point, as far as it could be looked at.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// Its file, with every link followed.
    pub file: Option<PathBuf>,
    /// What the file says of itself, also when it is refused for something else.
    pub inspection: Option<Arc<Inspection>>,
    /// The file's SHA-256, 64 lower-case hex digits.
    pub digest: Option<String>,
    /// Why a start would not load it.
    pub failure: Option<LoadFailure>,
    /// What is odd about the file and no reason to refuse it.
    pub warnings: Vec<Diagnostic>,
}

/// What is loaded for an entry point, and what became of its file since.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the file said of itself when it was opened.
    pub inspection: Arc<Inspection>,
    /// The SHA-256 of the bytes that run; empty when the file itself is mapped and nobody asked for it.
    pub digest: Arc<str>,
    /// Where the map leads now.
    pub on_disk: OnDisk,
}

/// The file of a loaded entry, compared with what was loaded of it. Nothing of it matters to what runs, only to the next
/// start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDisk {
    /// It has the content that runs.
    Same,
    /// It has another content.
    Changed,
    /// It is not there any more.
    Deleted,
}

impl Loader {
    /// What is loaded for an entry of this loader's map, if its library is open.
    pub fn loaded(&self, entry: &EntryPoint) -> Option<Loaded> {
        let examined = self.examined(entry)?;
        let digest = Arc::clone(&examined.library.get()?.digest);
        let inspection = Arc::clone(&examined.inspection);
        let on_disk = self.on_disk(entry, &inspection, &digest);
        Some(Loaded {
            inspection,
            digest,
            on_disk,
        })
    }

    fn on_disk(&self, entry: &EntryPoint, loaded: &Inspection, digest: &str) -> OnDisk {
        let Ok(path) = self.map().resolve_library(entry) else {
            return OnDisk::Deleted;
        };
        match std::fs::metadata(&path).map(|now| FileIdentity::of(&now)) {
            Err(_) => OnDisk::Deleted,
            Ok(now) if now == loaded.identity => OnDisk::Same,
            // Copied back or touched: what counts is the content.
            Ok(now) => match self.digests().of(&path, now) {
                Ok(found) if found == digest => OnDisk::Same,
                _ => OnDisk::Changed,
            },
        }
    }

    /// What a start would make of an entry of this loader's map. Aliases are not followed, and an entry that is switched
    /// off is looked at all the same.
    pub fn look(&self, entry: &EntryPoint) -> Looked {
        let mut looked = Looked::default();
        looked.failure = self.look_into(entry, &mut looked).err();
        looked
    }

    fn look_into(&self, entry: &EntryPoint, looked: &mut Looked) -> Result<(), LoadFailure> {
        let (loader, wanted) = (self.clone(), entry.clone());
        let (path, inspection) = self.patiently(entry, move || {
            let around = loader.surroundings();
            let path = examine::resolve(&around, &wanted)?;
            let inspection = examine::inspected(&around, &wanted, &path);
            Ok((path, inspection))
        })?;
        looked.file = Some(path.clone());
        let inspection = inspection?;
        looked.inspection = Some(Arc::clone(&inspection));
        looked.warnings = oddities::of(&inspection.facts);
        let for_entry = |r: Refusal| refused(r.for_entry(&entry.namespace, &entry.name));
        let digest = self
            .digests()
            .of(&path, inspection.identity)
            .map_err(for_entry)?;
        looked.digest = Some(digest.clone());
        let driver = &inspection.metadata.entries[examine::judge(entry, &inspection)?];
        let settings = settings_check::with_defaults(&entry.settings, &driver.settings);
        let wanted = Wanted {
            entry,
            export: &driver.name,
            settings: &Json::Object(settings).to_string(),
            is_suspect: false,
        };
        let content = Content {
            open: &path,
            digest: &digest,
            inspection: &inspection,
        };
        self.admit(&wanted, &content, |gate| gate.only_reads())
            .map_err(for_entry)
    }
}

/// The digests of files, as long as they are the same files with the same content.
#[derive(Default)]
pub(crate) struct Digests {
    files: Mutex<HashMap<FileIdentity, String>>,
}

impl Digests {
    /// The digest of a file that has this identity; computed once per content.
    fn of(&self, path: &Path, identity: FileIdentity) -> Result<String, Refusal> {
        let lock = || self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&identity) {
            return Ok(known.clone());
        }
        let digest = sha256(path)?;
        let now = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
        let mut files = lock();
        if files.len() >= DIGESTS_MAX {
            files.clear();
        }
        // One that changed meanwhile is another file, whose digest is not known.
        if FileIdentity::of(&now) == identity {
            files.insert(identity, digest.clone());
        }
        Ok(digest)
    }
}
