//! What a loader does with the in-flight record and the quarantine: refuses an entry that is locked out, and notes who
//! is being built. Without them it does neither.
//!
//! Called by `factory` and the loader. Must not know how lock-outs come about.

use std::sync::Arc;

use crate::inspect::{Inspection, Refusal, sha256};
use crate::map::EntryPoint;
use crate::quarantine::Quarantine;
use crate::record::{DriverId, InFlight, Recorded, now_ms};

/// The record of this process, and what earlier ones died of.
#[derive(Debug)]
pub(crate) struct Watch {
    record: Arc<InFlight>,
    quarantine: Quarantine,
}

impl Watch {
    pub(crate) fn new(record: Arc<InFlight>, quarantine: Quarantine) -> Watch {
        Watch { record, quarantine }
    }

    /// Why an entry may not be loaded from a file, if it is locked out. The file is read only when the entry was ever
    /// suspected.
    ///
    /// # Errors
    /// The refusal, or why the file cannot be read.
    pub(crate) fn check_file(&self, entry: &EntryPoint, file: &Inspection) -> Result<(), Refusal> {
        match self.quarantine.knows(&entry.namespace, &entry.name) {
            true => self.check(entry, &sha256(&file.file)?, file),
            false => Ok(()),
        }
    }

    /// Why an entry may not be loaded with the content of this digest, if it is locked out.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn check(
        &self,
        entry: &EntryPoint,
        digest: &str,
        file: &Inspection,
    ) -> Result<(), Refusal> {
        let lock_out = self.quarantine.check(digest, &entry.namespace, &entry.name);
        lock_out.map_or(Ok(()), |mut refusal| {
            refusal.file.clone_from(&file.file);
            Err(refusal)
        })
    }

    /// Whether the host died in this driver lately.
    pub(crate) fn is_suspect(&self, entry: &EntryPoint, digest: &str) -> bool {
        let (namespace, name) = (&*entry.namespace, entry.name.as_str());
        self.quarantine
            .is_suspect(digest, namespace, name, now_ms())
    }

    /// A driver's place in the record.
    pub(crate) fn recorded(&self, entry: &EntryPoint, digest: &str, file: &Inspection) -> Recorded {
        let driver = DriverId {
            namespace: entry.namespace.to_string(),
            name: entry.name.clone(),
            digest: digest.to_owned(),
            version: file.metadata.version.clone(),
            file: file.file.display().to_string(),
        };
        Recorded::new(Arc::clone(&self.record), &driver)
    }
}
