//! What a start would make of an entry point, without a start: the way to its file and who owns it, what the file says of
//! itself, the driver and its settings, the content against pin, lock and signature, and whether it is locked out.
//!
//! The steps are those of loading, in its order, up to the first that runs something: nothing of the file is opened, and
//! vetting is not asked. What was read is remembered by the file's identity, so that looking again at files that did not
//! change reads none of them. For whoever lists plugins; must not know how that is shown.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use crate::examine::{self, refused};
use crate::gate::{Content, Wanted};
use crate::inspect::{FileIdentity, Inspection, Refusal, sha256, unreadable};
use crate::load::Loader;
use crate::map::EntryPoint;
use crate::note::EntryMetadata;
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
}

impl Looked {
    /// What the file says of the driver that the entry means, if it has it.
    pub fn driver(&self, entry: &EntryPoint) -> Option<&EntryMetadata> {
        let export = entry.export.as_deref();
        let metadata = &self.inspection.as_ref()?.metadata;
        metadata.driver(&entry.namespace, &entry.name, export)
    }
}

impl Loader {
    /// What a start would make of an entry of this loader's map. Aliases are not followed, and an entry that is switched
    /// off is looked at all the same.
    pub fn look(&self, entry: &EntryPoint) -> Looked {
        let mut looked = Looked::default();
        looked.failure = self.look_into(entry, &mut looked).err();
        looked
    }

    fn look_into(&self, entry: &EntryPoint, looked: &mut Looked) -> Result<(), LoadFailure> {
        let around = self.surroundings();
        let path = examine::resolve(&around, entry)?;
        looked.file = Some(path.clone());
        let inspection = examine::inspected(&around, entry, &path)?;
        looked.inspection = Some(Arc::clone(&inspection));
        let for_entry = |r: Refusal| refused(r.for_entry(&entry.namespace, &entry.name));
        let digest = self.digests().of(&inspection).map_err(for_entry)?;
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
    /// The digest of a file that was inspected; computed once per content.
    fn of(&self, file: &Inspection) -> Result<String, Refusal> {
        let lock = || self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&file.identity) {
            return Ok(known.clone());
        }
        let digest = sha256(&file.file)?;
        let now = std::fs::metadata(&file.file).map_err(|e| unreadable(&file.file, &e))?;
        let mut files = lock();
        if files.len() >= DIGESTS_MAX {
            files.clear();
        }
        // One that changed meanwhile is another file, whose digest is not known.
        if FileIdentity::of(&now) == file.identity {
            files.insert(file.identity, digest.clone());
        }
        Ok(digest)
    }
}
