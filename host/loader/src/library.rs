//! Which libraries are open: each content once, whatever names lead to it.
//!
//! A symbolic or hard link is the same file; a copy is another file with the same content, and would be a second set of
//! statics if it were opened. Called by `factory`, under the loader's lock, so that concurrent first use opens once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_plugin_api::__abi::host::{Plugin, RootError};

use crate::codes;
use crate::diagnostic::escape;
use crate::dynlib::{self, OpenError};
use crate::inspect::{FileIdentity, Inspection, Refusal, sha256};
use crate::log;

/// An open library. It is never closed.
#[derive(Clone)]
pub(crate) struct Library {
    pub(crate) plugin: Plugin,
    /// Its number, in the order of opening.
    pub(crate) number: usize,
}

/// All open libraries of a loader and of those it was reloaded to.
#[derive(Default)]
pub(crate) struct Libraries {
    open: Vec<Opened>,
    /// By device and inode: files that are open, and copies of them.
    by_file: HashMap<(u64, u64), (FileIdentity, usize)>,
}

struct Opened {
    library: Library,
    path: PathBuf,
    inspection: Arc<Inspection>,
    /// Computed when another file could be a copy of this one.
    digest: Option<String>,
}

impl Opened {
    fn is_file(&self, key: (u64, u64)) -> bool {
        let identity = self.inspection.identity;
        (identity.dev, identity.inode) == key
    }
}

impl Libraries {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// The library of an inspected file: the one that is open already, or a new one.
    ///
    /// # Errors
    /// `plugin/changing` when the file is not the one that was inspected; what the dynamic linker said; a note and a
    /// root that differ.
    pub(crate) fn get(&mut self, inspection: &Arc<Inspection>) -> Result<Library, Refusal> {
        let (path, identity) = (&inspection.file, inspection.identity);
        let key = (identity.dev, identity.inode);
        match self.by_file.get(&key) {
            Some((known, number)) if *known == identity => {
                return Ok(self.open[*number].library.clone());
            }
            Some((_, number)) if self.open[*number].is_file(key) => {
                return Err(changed_in_place(path));
            }
            // A copy was never mapped itself: its file may become another one.
            _ => {}
        }
        if !is_still(path, identity) {
            return Err(changed_since(path));
        }
        let (copy_of, digest) = self.same_content(inspection)?;
        if let Some(number) = copy_of {
            self.by_file.insert(key, (identity, number));
            return Ok(self.open[number].library.clone());
        }
        let plugin = dynlib::open(path, log::services()).map_err(|e| not_opened(path, &e))?;
        agrees(&plugin, inspection)?;
        let number = self.open.len();
        let library = Library { plugin, number };
        self.open.push(Opened {
            library: library.clone(),
            path: path.clone(),
            inspection: Arc::clone(inspection),
            digest,
        });
        self.by_file.insert(key, (identity, number));
        Ok(library)
    }

    /// The open library with the same content, and this file's digest if it had to be computed: only files of the same
    /// size that say the same of themselves can be copies.
    fn same_content(
        &mut self,
        inspection: &Inspection,
    ) -> Result<(Option<usize>, Option<String>), Refusal> {
        let alike = |o: &Opened| {
            o.inspection.size == inspection.size
                && o.inspection.metadata == inspection.metadata
                && is_still(&o.path, o.inspection.identity)
        };
        let mut digest = None;
        for (number, open) in self.open.iter_mut().enumerate().filter(|(_, o)| alike(o)) {
            if digest.is_none() {
                digest = Some(sha256(&inspection.file)?);
            }
            if open.digest.is_none() {
                open.digest = sha256(&open.path).ok();
            }
            if open.digest == digest {
                return Ok((Some(number), digest));
            }
        }
        Ok((None, digest))
    }
}

fn is_still(path: &Path, identity: FileIdentity) -> bool {
    std::fs::metadata(path).is_ok_and(|m| FileIdentity::of(&m) == identity)
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
