//! What is odd about a plugin file and no reason to refuse it: names that it shows to others, a needed library of which
//! another build is open.
//!
//! Read from the headers. Said once when a library is opened, and by who looks at plugins. Must not know entries.

use longshore_plugin_api::__abi::root::SYMBOL;

use crate::codes;
use crate::diagnostic::{Diagnostic, Place, escape, quoted_list};
use crate::elf::ElfFacts;
use crate::system::shared;

/// Most exports that are named.
const NAMED_MAX: usize = 8;
/// What linkers add to every library.
const OF_THE_LINKER: &[&str] = &["_init", "_fini", "_edata", "_end", "__bss_start"];

/// Warnings about a file, without a place in the map.
pub(crate) fn of(facts: &ElfFacts) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    found.extend(odd_exports(facts));
    let shared = shared::remarks(facts).into_iter().map(|what| {
        warning(codes::PLUGIN_SHARED_LIBRARY, what).with_help(
            "link it statically, or have all plugins built against the one that is installed",
        )
    });
    found.extend(shared);
    found
}

/// A plugin shows one symbol. Others harm nobody, as its names are not taken for those of the host or of other plugins,
/// but they say that somebody meant otherwise.
fn odd_exports(facts: &ElfFacts) -> Option<Diagnostic> {
    let is_odd = |name: &&String| *name != SYMBOL && !OF_THE_LINKER.contains(&name.as_str());
    let odd: Vec<String> = facts
        .exports
        .iter()
        .filter(is_odd)
        .map(|n| escape(n))
        .collect();
    if odd.is_empty() {
        return None;
    }
    let named = quoted_list(&odd[..odd.len().min(NAMED_MAX)]);
    let more = match odd.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = format!("it exports {named}{more} beside its entry; nobody but itself uses them");
    let help = "hide them: no `#[no_mangle]`, or a version script for linked C code";
    Some(warning(codes::PLUGIN_ODD_EXPORTS, what).with_help(help))
}

fn warning(code: &'static str, what: String) -> Diagnostic {
    Diagnostic::warning(code, Place::Program, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exporting(names: &[&str]) -> ElfFacts {
        ElfFacts {
            exports: names.iter().map(|n| (*n).to_owned()).collect(),
            ..ElfFacts::default()
        }
    }

    #[test]
    fn one_entry_is_right_and_every_other_name_is_odd() {
        assert!(of(&exporting(&[SYMBOL])).is_empty());
        assert!(of(&exporting(&[SYMBOL, "_init", "_fini"])).is_empty());
        let found = of(&exporting(&["malloc", SYMBOL, "main"]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, "plugin/odd-exports");
        let start = "it exports `malloc`, `main` beside its entry";
        assert!(found[0].what.starts_with(start), "{}", found[0].what);
    }
}
