//! What a loader does with the in-flight record and the quarantine: refuses an entry that is locked out, and notes who
//! is being built. Without them it does neither.
//!
//! Called by `factory`. Must not know how lock-outs come about.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::inspect::{FileIdentity, Inspection, Refusal, sha256};
use crate::map::EntryPoint;
use crate::quarantine::Quarantine;
use crate::record::{DriverId, InFlight, Recorded};

/// Most files whose digest is remembered; beyond it all are computed anew.
const DIGESTS_MAX: usize = 4_096;

/// The record of this process, and what earlier ones died of.
#[derive(Debug)]
pub(crate) struct Watch {
    record: Arc<InFlight>,
    quarantine: Quarantine,
    digests: Mutex<HashMap<FileIdentity, String>>,
}

impl Watch {
    pub(crate) fn new(record: Arc<InFlight>, quarantine: Quarantine) -> Watch {
        let digests = Mutex::default();
        Watch {
            record,
            quarantine,
            digests,
        }
    }

    /// Why an entry may not be loaded, if it is locked out. The digest is computed only when the entry ever was
    /// suspected.
    ///
    /// # Errors
    /// The refusal, or why the file cannot be read.
    pub(crate) fn check(&self, entry: &EntryPoint, file: &Inspection) -> Result<(), Refusal> {
        let (namespace, name) = (&*entry.namespace, entry.name.as_str());
        if !self.quarantine.knows(namespace, name) {
            return Ok(());
        }
        let digest = self.digest(file)?;
        match self.quarantine.check(&digest, namespace, name) {
            Some(mut refusal) => {
                refusal.file.clone_from(&file.file);
                Err(refusal)
            }
            None => Ok(()),
        }
    }

    /// A driver's place in the record; none when its file cannot be read any more.
    pub(crate) fn recorded(&self, entry: &EntryPoint, file: &Inspection) -> Option<Recorded> {
        let driver = DriverId {
            namespace: entry.namespace.to_string(),
            name: entry.name.clone(),
            digest: self.digest(file).ok()?,
            version: file.metadata.version.clone(),
            file: file.file.display().to_string(),
        };
        Some(Recorded::new(Arc::clone(&self.record), &driver))
    }

    /// The digest of a file that was inspected; computed once per content.
    fn digest(&self, file: &Inspection) -> Result<String, Refusal> {
        let lock = || self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&file.identity) {
            return Ok(known.clone());
        }
        let path: &Path = &file.file;
        let digest = sha256(path)?;
        let mut digests = lock();
        if digests.len() >= DIGESTS_MAX {
            digests.clear();
        }
        digests.insert(file.identity, digest.clone());
        Ok(digest)
    }
}
