//! Symbols that nobody defines, before the dynamic linker meets them: it would name the first alone, in words that differ
//! from system to system.
//!
//! What a plugin wants may be defined by the libraries it needs, by what those need, by the program, and by what the
//! program has open. If one of them cannot be read, nothing is said. Weak symbols may stay undefined.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use super::{System, known, mapped};
use crate::codes;
use crate::diagnostic::escape;
use crate::elf::{ElfFacts, ElfRefusal};

/// Most libraries that are asked.
const LIBRARIES_MAX: usize = 256;
/// Most symbols that a refusal names.
const NAMED_MAX: usize = 8;

/// Whether every symbol that a file wants is defined; `needed` is where the libraries are that it names itself.
pub(super) fn check(
    system: &System,
    facts: &ElfFacts,
    needed: &[PathBuf],
) -> Result<(), ElfRefusal> {
    let mut wanted: Vec<&str> = facts.wanted.iter().map(String::as_str).collect();
    let looked = needed.iter().try_for_each(|path| take(&mut wanted, path));
    // Nearly always all is found by now.
    if looked.is_none() || wanted.is_empty() || take_below(system, &mut wanted, needed).is_none() {
        return Ok(());
    }
    for path in mapped::files() {
        if take(&mut wanted, &path).is_none() {
            return Ok(());
        }
    }
    match wanted.is_empty() {
        true => Ok(()),
        false => Err(refusal(&wanted)),
    }
}

/// Takes away what is defined by the libraries that these need, and by those below. Nothing when one of them cannot be
/// found or read.
fn take_below(system: &System, wanted: &mut Vec<&str>, needed: &[PathBuf]) -> Option<()> {
    let mut seen: HashSet<PathBuf> = needed.iter().cloned().collect();
    let mut queue = VecDeque::from(needed.to_owned());
    while let Some(path) = queue.pop_front() {
        let library = known::library(&path)?;
        for name in &library.needed {
            let below = system.find(name, library.runpath.as_deref())?;
            if seen.len() < LIBRARIES_MAX && seen.insert(below.clone()) {
                take(wanted, &below)?;
                queue.push_back(below);
            }
        }
    }
    Some(())
}

/// Takes away what one library defines. Nothing when it cannot be read.
fn take(wanted: &mut Vec<&str>, path: &Path) -> Option<()> {
    let library = known::library(path)?;
    let defined = library.symbols.as_ref()?;
    wanted.retain(|name| !defined.contains(*name));
    Some(())
}

fn refusal(absent: &[&str]) -> ElfRefusal {
    let named: Vec<String> = absent.iter().take(NAMED_MAX).map(|s| shown(s)).collect();
    let more = match absent.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let verb = if absent.len() == 1 { "is" } else { "are" };
    ElfRefusal {
        code: codes::PLUGIN_MISSING_SYMBOL,
        why: format!("{}{more} {verb} defined nowhere", named.join(", ")),
        help: "link the library that defines it, or call what this system has".to_owned(),
    }
}

/// A name as the linker has it, and as its author wrote it.
fn shown(symbol: &str) -> String {
    let written = format!("{:#}", rustc_demangle::demangle(symbol));
    match written == symbol {
        true => format!("`{}`", escape(symbol)),
        false => format!("`{}` (`{}`)", escape(symbol), escape(&written)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_were_written() {
        assert_eq!(shown("memmuve"), "`memmuve`");
        let mangled = "_ZN4acme6driver5spawn17h0123456789abcdefE";
        assert_eq!(
            shown(mangled),
            format!("`{mangled}` (`acme::driver::spawn`)")
        );
        assert_eq!(
            shown("_RNvC4acme5spawn"),
            "`_RNvC4acme5spawn` (`acme::spawn`)"
        );
        let many: Vec<String> = (0..20).map(|i| format!("f{i}")).collect();
        let why = refusal(&many.iter().map(String::as_str).collect::<Vec<_>>()).why;
        assert!(
            why.ends_with("`f7` and 12 more are defined nowhere"),
            "{why}"
        );
    }
}
