//! What a shared library of this machine has for others, and needs of them itself. Nothing of a file that cannot be read:
//! the dynamic linker will say it.

use std::collections::{BTreeSet, HashSet};

use foldhash::fast::RandomState;
use object::LittleEndian as Le;
use object::elf;
use object::read::ReadRef;
use object::read::elf::ProgramHeader as _;

use super::symbols::Symbols;
use super::{Dynamic, NEEDED_MAX, header, segments, versions};

/// A library, as far as its headers say.
#[derive(Debug, Default)]
pub(crate) struct Library {
    /// The name under which others need it.
    pub(crate) soname: Option<String>,
    /// What it needs itself.
    pub(crate) needed: Vec<String>,
    /// Where it looks for that.
    pub(crate) runpath: Option<String>,
    /// The symbol versions it defines.
    pub(crate) versions: Option<BTreeSet<String>>,
    /// The symbols it defines, without versions.
    pub(crate) symbols: Option<HashSet<String, RandomState>>,
}

impl Library {
    /// Reads a library.
    pub(crate) fn read<'d, R: ReadRef<'d>>(data: R) -> Option<Library> {
        let length = data.len().ok()?;
        let header = header(data, length).ok()?;
        let segments = segments(header, data, length).ok()?;
        let segment = segments.iter().find(|s| s.p_type(Le) == elf::PT_DYNAMIC)?;
        let dynamic = Dynamic::new(segment, segments, data).ok()?;
        let text = |tag| dynamic.text(dynamic.value(tag)?);
        let symbols = Symbols::of(&dynamic);
        Some(Library {
            soname: text(elf::DT_SONAME),
            needed: dynamic.needed().take(NEEDED_MAX).flatten().collect(),
            runpath: text(elf::DT_RUNPATH).or_else(|| text(elf::DT_RPATH)),
            versions: versions::defined(&dynamic),
            symbols: symbols.map(|s| s.defined.into_iter().collect()),
        })
    }
}
