//! Symbol versions: which ones a file needs of other libraries, and which ones a library defines.
//!
//! The tables are chains of records with offsets of the file's own making: each walk is bounded, and none goes back.

use std::collections::BTreeSet;

use object::LittleEndian as Le;
use object::elf::{self, Verdaux, Verdef, Vernaux, Verneed};
use object::read::ReadRef;

use super::{Dynamic, ElfRefusal, malformed};

/// Most records of one chain.
const RECORDS_MAX: u64 = 4096;

/// Library and version, in the order of the file.
pub(super) fn needed<'d, R: ReadRef<'d>>(
    dynamic: &Dynamic<'d, R>,
) -> Result<Vec<(String, String)>, ElfRefusal> {
    let Some(address) = dynamic.value(elf::DT_VERNEED) else {
        return Ok(Vec::new());
    };
    let wrong = || malformed("DT_VERNEED", address);
    let mut at = dynamic.file_offset(address).ok_or_else(wrong)?;
    let count = dynamic.value(elf::DT_VERNEEDNUM).unwrap_or(0);
    let mut out = Vec::new();
    for _ in 0..count.min(RECORDS_MAX) {
        let need: &Verneed<Le> = dynamic.data.read_at(at).map_err(|()| wrong())?;
        let library = dynamic.text(need.vn_file.get(Le).into());
        let library = library.ok_or_else(wrong)?;
        let mut aux_at = plus(at, need.vn_aux.get(Le)).ok_or_else(wrong)?;
        for _ in 0..need.vn_cnt.get(Le) {
            let aux: &Vernaux<Le> = dynamic.data.read_at(aux_at).map_err(|()| wrong())?;
            let version = dynamic.text(aux.vna_name.get(Le).into());
            out.push((library.clone(), version.ok_or_else(wrong)?));
            if out.len() as u64 > RECORDS_MAX {
                return Err(wrong());
            }
            match aux.vna_next.get(Le) {
                0 => break,
                next => aux_at = plus(aux_at, next).ok_or_else(wrong)?,
            }
        }
        match need.vn_next.get(Le) {
            0 => break,
            next => at = plus(at, next).ok_or_else(wrong)?,
        }
    }
    Ok(out)
}

/// The versions that a library defines. Nothing when they cannot be read.
pub(super) fn defined<'d, R: ReadRef<'d>>(dynamic: &Dynamic<'d, R>) -> Option<BTreeSet<String>> {
    let data = dynamic.data;
    let mut at = dynamic.file_offset(dynamic.value(elf::DT_VERDEF)?)?;
    let mut out = BTreeSet::new();
    for _ in 0..dynamic.value(elf::DT_VERDEFNUM)?.min(RECORDS_MAX) {
        let def: &Verdef<Le> = data.read_at(at).ok()?;
        // The first name is its own, those after it are its parents'.
        let aux: &Verdaux<Le> = data.read_at(plus(at, def.vd_aux.get(Le))?).ok()?;
        out.insert(dynamic.text(aux.vda_name.get(Le).into())?);
        match def.vd_next.get(Le) {
            0 => break,
            next => at = plus(at, next)?,
        }
    }
    Some(out)
}

fn plus(at: u64, offset: u32) -> Option<u64> {
    at.checked_add(offset.into())
}
