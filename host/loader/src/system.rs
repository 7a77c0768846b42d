//! What this system has for a plugin to link against: its libraries, by the linker's own cache, and their versions.
//!
//! Says in advance, and completely, what the dynamic linker would say of the first one alone. Where it cannot know, it
//! says nothing: a refusal here is certain. Called by `inspect`; runs no code of a library.

mod known;
mod mapped;
pub(crate) mod shared;
mod symbols;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::codes;
use crate::diagnostic::{escape, quoted_list};
use crate::elf::{ElfFacts, ElfRefusal};
use crate::inspect::FileIdentity;

/// The list of libraries that the dynamic linker itself uses.
const CACHE: &str = "/etc/ld.so.cache";
/// Longest such list that is read, in bytes.
const CACHE_BYTES_MAX: u64 = 32 << 20;
/// What the present form of the list begins with; an older form may stand before it.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER_BYTES: usize = 48;
const ENTRY_BYTES: usize = 24;

/// Whether every library that a file needs is here, in a version that has what it needs.
pub(crate) fn check(facts: &ElfFacts) -> Result<(), ElfRefusal> {
    let Some(system) = System::now() else {
        return Ok(());
    };
    let found: Vec<(&String, Option<PathBuf>)> = facts
        .needed
        .iter()
        .map(|n| (n, system.find(n, facts.runpath.as_deref())))
        .collect();
    let missing: Vec<String> = found
        .iter()
        .filter(|(_, path)| path.is_none())
        .map(|(name, _)| escape(name))
        .collect();
    if !missing.is_empty() {
        let why = format!("it needs {}, which this host lacks", quoted_list(&missing));
        let help = "install what is missing, or link it statically".to_owned();
        let code = codes::PLUGIN_MISSING_LIBRARY;
        return Err(ElfRefusal { code, why, help });
    }
    let found: Vec<PathBuf> = found.into_iter().filter_map(|(_, path)| path).collect();
    for (name, path) in facts.needed.iter().zip(&found) {
        let library = known::library(path);
        if let Some(defined) = library.as_ref().and_then(|l| l.versions.as_ref()) {
            check_versions(facts, name, defined)?;
        }
    }
    symbols::check(&system, facts, &found)
}

fn check_versions(
    facts: &ElfFacts,
    library: &str,
    defined: &BTreeSet<String>,
) -> Result<(), ElfRefusal> {
    let needed = facts.versions.iter().filter(|(l, _)| l == library);
    let lacking: Vec<String> = needed
        .filter(|(_, v)| !defined.contains(v))
        .map(|(_, v)| escape(v))
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let (lacking, library) = (quoted_list(&lacking), escape(library));
    let mut why = format!("it needs {lacking} of `{library}`");
    if let Some(newest) = newest(defined) {
        why.push_str(&format!(", this host has up to `{}`", escape(newest)));
    }
    Err(ElfRefusal {
        code: codes::PLUGIN_LIBC_TOO_OLD,
        why,
        help: "build it on the oldest system that you support".to_owned(),
    })
}

/// The version with the greatest numbers: `GLIBC_2.36` is newer than `GLIBC_2.4`.
fn newest(defined: &BTreeSet<String>) -> Option<&String> {
    let numbers = |v: &String| -> Vec<u32> {
        let (_, numbers) = v.rsplit_once('_').unwrap_or_default();
        numbers.split('.').map_while(|n| n.parse().ok()).collect()
    };
    defined.iter().max_by_key(|v| numbers(v))
}

/// The libraries of this system.
struct System {
    /// Where each library is; of several with one name the first counts.
    libraries: HashMap<String, PathBuf>,
}

impl System {
    /// The cache as it is now. Nothing when there is none of the known form.
    fn now() -> Option<Arc<System>> {
        static KNOWN: Mutex<Option<(FileIdentity, Arc<System>)>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = FileIdentity::of(&std::fs::metadata(CACHE).ok()?);
        if let Some((of, system)) = known.as_ref()
            && *of == identity
        {
            return Some(Arc::clone(system));
        }
        let system = Arc::new(System::read()?);
        *known = Some((identity, Arc::clone(&system)));
        Some(system)
    }

    fn read() -> Option<System> {
        let mut cache = Vec::new();
        let file = File::open(CACHE).ok()?;
        file.take(CACHE_BYTES_MAX).read_to_end(&mut cache).ok()?;
        let at = cache.windows(MAGIC.len()).position(|w| w == MAGIC)?;
        cache.drain(..at);
        let libraries = Cache(&cache).libraries()?;
        Some(System { libraries })
    }

    /// Where the dynamic linker would find a library, as far as can be told.
    fn find(&self, name: &str, runpath: Option<&str>) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|p| p.exists());
        }
        let own = runpath.unwrap_or_default();
        let given = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
        let listed = own.split(':').chain(given.split([':', ';']));
        let standard = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];
        let beside = |dir: &str| Some(Path::new(dir).join(name)).filter(|p| p.exists());
        let mut listed = listed.filter(|d| d.starts_with('/'));
        let cached = || self.libraries.get(name).filter(|p| p.exists()).cloned();
        let usual = || standard.into_iter().find_map(beside);
        listed.find_map(beside).or_else(cached).or_else(usual)
    }
}

/// The list's bytes, from its mark on.
struct Cache<'c>(&'c [u8]);

impl Cache<'_> {
    fn libraries(&self) -> Option<HashMap<String, PathBuf>> {
        let count = self.number(20)?;
        let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let mut libraries = HashMap::new();
        for i in 0..usize::try_from(count).ok()? {
            let entry = HEADER_BYTES + i * ENTRY_BYTES;
            let (Some(key), Some(path)) = (self.number(entry + 4), self.number(entry + 8)) else {
                break;
            };
            if let (Some(name), Some(path)) = (self.text(key), self.text(path)) {
                let path = PathBuf::from(shown(path));
                libraries.entry(shown(name)).or_insert(path);
            }
        }
        Some(libraries)
    }

    fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.0.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn text(&self, at: u32) -> Option<&[u8]> {
        let rest = self.0.get(usize::try_from(at).ok()?..)?;
        Some(&rest[..rest.iter().position(|b| *b == 0)?])
    }
}
