//! Which libraries are open: each content once, whatever names lead to it.
//!
//! Two files with the same bytes would be two sets of statics if both were opened. Called by the loader under its lock, so
//! that concurrent first use opens once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_plugin_api::__abi::host::{Plugin, RootError};

use crate::codes;
use crate::diagnostic::escape;
use crate::dynlib::{self, OpenError};
use crate::gate::Content;
use crate::inspect::{FileIdentity, Inspection, Refusal};
use crate::log;
use crate::record::{CallName, Recorded};
use crate::stage::{self, LoadMode, Staging};

/// What building a driver is called in the in-flight record, and opening its library, whose start-up code runs then.
pub(crate) const NEW: CallName = CallName::new("new");

/// An open library. It is never closed.
#[derive(Clone)]
pub(crate) struct Library {
    pub(crate) plugin: Plugin,
    /// Its number, in the order of opening.
    pub(crate) number: usize,
    /// SHA-256 of the bytes that were opened; empty when it was spared.
    pub(crate) digest: Arc<str>,
}

/// What is asked about bytes before they are opened; answers the driver's place in the in-flight record, if one is kept.
pub(crate) type Admit<'a> = dyn Fn(&Content<'_>) -> Result<Option<Recorded>, Refusal> + 'a;

/// All open libraries of a loader and of those it was reloaded to.
#[derive(Default)]
pub(crate) struct Libraries {
    open: Vec<Opened>,
    by_digest: HashMap<Arc<str>, usize>,
    /// By device and inode: files that were read, as they were then.
    by_file: HashMap<(u64, u64), (FileIdentity, usize)>,
}

struct Opened {
    library: Library,
    path: PathBuf,
    inspection: Inspection,
    /// The file itself is mapped, so that it must not change.
    is_direct: bool,
}

impl Opened {
    fn content(&self) -> Content<'_> {
        Content {
            open: &self.path,
            digest: &self.library.digest,
            inspection: &self.inspection,
        }
    }
}

impl Libraries {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// The library of an inspected file: the one that is open already, or a new one. `admit` is asked about the bytes
    /// before they are opened, and about those of a library that is open.
    ///
    /// # Errors
    /// `plugin/changing` when the file is not the one that was inspected; why it cannot be staged or is not admitted;
    /// what the dynamic linker said; a note and a root that differ.
    pub(crate) fn get(
        &mut self,
        inspection: &Inspection,
        staging: &Staging,
        panic_abort: bool,
        admit: &Admit<'_>,
    ) -> Result<Library, Refusal> {
        let (path, identity) = (&inspection.file, inspection.identity);
        let key = (identity.dev, identity.inode);
        match self.by_file.get(&key) {
            Some((known, number)) if *known == identity => return self.known(*number, admit),
            Some((_, number)) if self.is_mapped(*number, key) => {
                return Err(changed_in_place(path));
            }
            _ => {}
        }
        let staged = stage::stage(path, staging, panic_abort)?;
        if staged.inspection.identity != identity {
            return Err(changed_since(path));
        }
        // One whose digest was spared is found by its file alone.
        if let Some(number) = self.by_digest.get(&*staged.digest).copied() {
            let library = self.known(number, admit)?;
            self.by_file.insert(key, (identity, number));
            return Ok(library);
        }
        let recorded = admit(&Content {
            open: &staged.open,
            digest: &staged.digest,
            inspection: &staged.inspection,
        })?;
        if staging.load != LoadMode::Direct && dynlib::is_open(&staged.open) {
            return Err(closed_by_another(path));
        }
        let in_call = recorded.as_ref().map(|r| r.begin(NEW));
        let opened = dynlib::open(&staged.open, log::services());
        drop(in_call);
        let inspection = staged.inspection.clone();
        // What the linker took stays mapped under this path, even if it is no plugin after all.
        let (open, digest) = match &opened {
            Err(OpenError::Linker(_)) => (staged.open.clone(), staged.digest.clone()),
            _ => staged.keep(),
        };
        let plugin = opened.map_err(|e| not_opened(path, &e))?;
        agrees(&plugin, &inspection)?;
        let number = self.open.len();
        let digest: Arc<str> = digest.into();
        if !digest.is_empty() {
            self.by_digest.insert(Arc::clone(&digest), number);
        }
        let library = Library {
            plugin,
            number,
            digest,
        };
        self.by_file.insert(key, (identity, number));
        self.open.push(Opened {
            library: library.clone(),
            path: open,
            inspection,
            is_direct: staging.load == LoadMode::Direct,
        });
        Ok(library)
    }

    fn known(&self, number: usize, admit: &Admit<'_>) -> Result<Library, Refusal> {
        let open = &self.open[number];
        admit(&open.content())?;
        Ok(open.library.clone())
    }

    /// Whether it is this very file that is mapped.
    fn is_mapped(&self, number: usize, key: (u64, u64)) -> bool {
        let open = &self.open[number];
        let identity = open.inspection.identity;
        open.is_direct && (identity.dev, identity.inode) == key
    }
}

fn changed_in_place(path: &Path) -> Refusal {
    let why = "the file was changed in place after it was loaded";
    let help = "install a new build by renaming it over the old one, then restart";
    Refusal::new(codes::PLUGIN_CHANGING, path, why, help)
}

fn changed_since(path: &Path) -> Refusal {
    let why = "the file is not the one that was inspected a moment ago";
    let help = "install with a rename, then try again";
    Refusal::new(codes::PLUGIN_CHANGING, path, why, help)
}

fn closed_by_another(path: &Path) -> Refusal {
    let why = "the descriptor of a library that is open was closed by somebody else";
    let help = "restart the host; a plugin closes descriptors that are not its own";
    Refusal::new(codes::PLUGIN_CANNOT_STAGE, path, why, help)
}

pub(crate) fn not_opened(path: &Path, error: &OpenError) -> Refusal {
    let (code, why, help) = match error {
        OpenError::Linker(text) => (
            codes::PLUGIN_REFUSED_BY_LOADER,
            format!("the dynamic linker says: {}", escape(text)),
            "see what it misses with `ldd -r FILE`, and build on the oldest system you support",
        ),
        OpenError::NoSymbol => (
            codes::ABI_BAD_HEADER,
            "it has a longshore note but not the symbol `longshore_plugin_1`".to_owned(),
            "do not strip the dynamic symbol table; rebuild with `export_plugin!`",
        ),
        OpenError::Root(RootError::BadHeader(what)) => (
            codes::ABI_BAD_HEADER,
            (*what).to_owned(),
            "rebuild with the same plugin-api on a clean target directory",
        ),
        OpenError::Root(RootError::Version(major, minor)) => {
            let here = crate::note::HOST_API;
            (
                codes::ABI_VERSION,
                format!("built for plugin-api {major}.{minor}, this host has {here}"),
                "upgrade the host, or build the plugin against this host's version",
            )
        }
    };
    Refusal::new(code, path, why, help)
}

/// The note is a hint; what is called is the root. Where they differ, somebody tampered or mixed.
pub(crate) fn agrees(plugin: &Plugin, inspection: &Inspection) -> Result<(), Refusal> {
    let refuse = |why: String| {
        let help = "rebuild the plugin on a clean target directory";
        let code = codes::PLUGIN_UNSTABLE_METADATA;
        Err(Refusal::new(code, &inspection.file, why, help))
    };
    let (major, minor) = plugin.api_version();
    let root = format!("{major}.{minor}");
    let metadata = &inspection.metadata;
    if root != metadata.api {
        let note = &metadata.api;
        return refuse(format!("its note says plugin-api {note}, its root {root}"));
    }
    if plugin.aborts_on_panic() != (metadata.panic == "abort") {
        return refuse("its note and its root disagree on the panic mode".to_owned());
    }
    let entries = plugin.entries();
    let root: Vec<_> = entries
        .map(|e| (e.namespace(), e.name(), e.kind()))
        .collect();
    let note = metadata.entries.iter();
    let note = note.map(|e| (e.namespace.as_str(), e.name.as_str(), e.kind.as_str()));
    if !note.eq(root) {
        return refuse("its note and its root list different entry points".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
