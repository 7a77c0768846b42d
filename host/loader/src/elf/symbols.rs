//! The dynamic symbols of a file: which it wants of others, and which it has for them.
//!
//! The table has no length of its own: it follows from the hash table that stands for it. All of it is bounded, and what
//! cannot be read gives nothing: then the dynamic linker has the word.

use object::LittleEndian as Le;
use object::elf::{self, Sym64};
use object::read::ReadRef;

use super::Dynamic;

/// Most symbols of one file that are looked at.
const SYMBOLS_MAX: u32 = 1 << 17;
/// Most bytes of their names, in the file and read out of it: many symbols may share the end of one name.
const NAMES_BYTES_MAX: u64 = 16 << 20;
/// Most bytes of one name.
const NAME_BYTES_MAX: usize = 1 << 16;
/// Most symbols of one chain of a hash table.
const CHAIN_MAX: u32 = 4096;
/// Most words of a hash table's buckets.
const BUCKETS_MAX: u32 = 1 << 17;

/// The names of a file's dynamic symbols, without versions.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    /// What somebody else must define, or the file cannot be opened.
    pub(super) wanted: Vec<String>,
    /// What it defines for others.
    pub(super) defined: Vec<String>,
}

impl Symbols {
    /// Reads them; nothing when that cannot be done.
    pub(super) fn of<'d, R: ReadRef<'d>>(dynamic: &Dynamic<'d, R>) -> Option<Symbols> {
        let at = dynamic.file_offset(dynamic.value(elf::DT_SYMTAB)?)?;
        let count = count(dynamic)?;
        let table: &[Sym64<Le>] = dynamic.data.read_slice_at(at, count as usize).ok()?;
        let (start, end) = dynamic.strings?;
        let length = dynamic.data.len().ok()?;
        let size = end.checked_sub(start)?;
        if size > NAMES_BYTES_MAX || end > length {
            return None;
        }
        let names = dynamic.data.read_bytes_at(start, size).ok()?;
        let mut symbols = Symbols::default();
        let mut left = NAMES_BYTES_MAX as usize;
        for symbol in table {
            let Some(name) = name(names, symbol.st_name.get(Le)) else {
                continue;
            };
            left = left.checked_sub(name.len())?;
            let is_local = symbol.st_bind() == elf::STB_LOCAL;
            let is_defined = symbol.st_shndx.get(Le) != elf::SHN_UNDEF;
            match (is_local, is_defined) {
                (true, _) => {}
                (false, true) => symbols.defined.push(name),
                (false, false) if symbol.st_bind() == elf::STB_WEAK => {}
                (false, false) => symbols.wanted.push(name),
            }
        }
        Some(symbols)
    }
}

/// The name at an offset; nothing for one that is empty, too long or has no end.
fn name(names: &[u8], offset: u32) -> Option<String> {
    let rest = names.get(usize::try_from(offset).ok()?..)?;
    let end = rest.iter().take(NAME_BYTES_MAX).position(|b| *b == 0)?;
    (end > 0).then(|| String::from_utf8_lossy(&rest[..end]).into_owned())
}

/// How many symbols there are.
fn count<'d, R: ReadRef<'d>>(dynamic: &Dynamic<'d, R>) -> Option<u32> {
    let count = match dynamic.value(elf::DT_GNU_HASH) {
        Some(address) => gnu_count(dynamic, dynamic.file_offset(address)?)?,
        // The older table says it: buckets, then as many chains as symbols.
        None => {
            let at = dynamic.file_offset(dynamic.value(elf::DT_HASH)?)?;
            word(dynamic, at.checked_add(4)?)?
        }
    };
    (count <= SYMBOLS_MAX).then_some(count)
}

/// The GNU hash table: only symbols from `first` on are in it, in chains whose last word is odd. The one that begins last
/// ends with the last symbol.
fn gnu_count<'d, R: ReadRef<'d>>(dynamic: &Dynamic<'d, R>, at: u64) -> Option<u32> {
    let head: &[object::U32<Le>] = dynamic.data.read_slice_at(at, 3).ok()?;
    let [buckets, first, bloom] = [0, 1, 2].map(|i| head[i].get(Le));
    if buckets > BUCKETS_MAX {
        return None;
    }
    let buckets_at = at.checked_add(16 + u64::from(bloom) * 8)?;
    let chains_at = buckets_at.checked_add(u64::from(buckets) * 4)?;
    let table: &[object::U32<Le>] = dynamic
        .data
        .read_slice_at(buckets_at, buckets as usize)
        .ok()?;
    let last = table.iter().map(|b| b.get(Le)).max().unwrap_or(0);
    if last < first {
        return Some(first);
    }
    if last > SYMBOLS_MAX {
        return None;
    }
    (last..=last + CHAIN_MAX)
        .find_map(|number| {
            let chain = chains_at.checked_add(u64::from(number - first) * 4);
            match chain.and_then(|at| word(dynamic, at)) {
                None => Some(None),
                Some(hash) if hash & 1 == 1 => Some(Some(number + 1)),
                Some(_) => None,
            }
        })
        .flatten()
}

fn word<'d, R: ReadRef<'d>>(dynamic: &Dynamic<'d, R>, at: u64) -> Option<u32> {
    let word: &object::U32<Le> = dynamic.data.read_at(at).ok()?;
    Some(word.get(Le))
}
