//! The gates that come with the loader: signatures, and trying a plugin in a process of its own. A program puts them into
//! [`LoaderOptions::gates`](crate::LoaderOptions); the lock file needs no gate, as the map carries it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::gate::{Content, Gate, Wanted};
use crate::inspect::{self, Refusal};
use crate::log::{self, Level};
use crate::signature::{self, Key};
use crate::vet::{Subject, Vetter};

/// Verifies the signature beside a file over the bytes that will be opened.
#[derive(Debug, Clone)]
pub struct SignatureGate {
    /// Whose signatures count.
    pub keys: Vec<Key>,
    /// Whether a file without a signature is refused.
    pub required: bool,
}

impl Gate for SignatureGate {
    fn admit(&self, wanted: &Wanted<'_>, content: &Content<'_>) -> Result<(), Refusal> {
        let file = &content.inspection.file;
        let Some(text) = signature::read_beside(file)? else {
            return match self.required {
                true => Err(signature::missing(file)),
                false => Ok(()),
            };
        };
        let bytes = File::open(content.open).map_err(|e| inspect::unreadable(file, &e))?;
        let signed = signature::verify(file, bytes, &text, &self.keys)?;
        let (key, comment) = (signed.key, &signed.comment);
        let text = format_args!("signed by key `{key}`: {comment}");
        log::say(
            Level::Debug,
            &wanted.entry.namespace,
            &wanted.entry.name,
            text,
        );
        Ok(())
    }

    fn only_reads(&self) -> bool {
        true
    }
}

/// Tries a plugin in a process of its own before it is opened in this one.
pub struct VettingGate(pub Vetter);

impl Gate for VettingGate {
    fn admit(&self, wanted: &Wanted<'_>, content: &Content<'_>) -> Result<(), Refusal> {
        let entry = wanted.entry;
        let subject = Subject {
            file: from_outside(content.open),
            shown: content.inspection.file.clone(),
            digest: content.digest.to_owned(),
            namespace: entry.namespace.to_string(),
            name: entry.name.clone(),
            export: wanted.export.to_owned(),
            settings: wanted.settings.to_owned(),
        };
        let (verdict, was_known) = match wanted.is_suspect {
            true => (self.0.verdict_anew(&subject), false),
            false => self.0.verdict(&subject),
        };
        for warning in self.0.warnings() {
            log::say(
                Level::Warn,
                &entry.namespace,
                &entry.name,
                format_args!("{warning}"),
            );
        }
        if !was_known {
            for warning in &verdict.warnings {
                let text = format_args!("{}: {}", warning.code, warning.text);
                log::say(Level::Warn, &entry.namespace, &entry.name, text);
            }
        }
        verdict.refusal(&subject).map_or(Ok(()), Err)
    }
}

/// A path of this process as another one reaches it: a descriptor is opened through this process's number.
fn from_outside(open: &Path) -> PathBuf {
    match open.strip_prefix("/proc/self") {
        Ok(rest) => Path::new("/proc")
            .join(std::process::id().to_string())
            .join(rest),
        Err(_) => open.to_owned(),
    }
}
