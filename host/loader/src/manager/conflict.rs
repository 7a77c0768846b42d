//! What several extensions of one name mean for access by name: who is chosen, and the index that remembers it.
//!
//! The index is made at once, over all extensions wherever they stand, and never changes: what `names` lists and what
//! `get` finds cannot disagree. Must not open files.

use std::path::Path;
use std::sync::Arc;

use crate::codes;
use crate::diagnostic::escape;
use crate::info::ExtensionInfo;
use crate::inspect::Refusal;
use crate::log::{self, Level};
use crate::map::Conflicts;
use crate::map::names::NameMap;
use crate::report::{FailureKind, LoadFailure};

/// Chooses among several extensions of one name by number; `None` means that they conflict.
pub(crate) type Resolver = dyn Fn(&[&ExtensionInfo]) -> Option<usize> + Send + Sync;

/// Who decides.
#[derive(Clone, Default)]
pub(crate) enum Choice {
    /// The map's policy; for extensions without a map, nobody: a conflict is an error.
    #[default]
    Map,
    /// The program, by one of the policies.
    Policy(Conflicts),
    /// The program, by a function.
    Resolver(Arc<Resolver>),
}

impl Choice {
    /// The policy, if the program gave one.
    pub(crate) fn policy(&self) -> Option<Conflicts> {
        match self {
            Choice::Policy(policy) => Some(*policy),
            // Whatever the map's policy says, the function is to see all of them.
            Choice::Resolver(_) => Some(Conflicts::Error),
            Choice::Map => None,
        }
    }

    /// The number of the one that counts.
    pub(crate) fn choose(&self, of_map: Conflicts, several: &[&ExtensionInfo]) -> Option<usize> {
        if let [_] = several {
            return Some(0);
        }
        let rank = |i: usize| (several[i].rank, i);
        let all = 0..several.len();
        let chosen = match self {
            Choice::Resolver(resolve) => {
                return resolve(several).filter(|i| *i < several.len());
            }
            Choice::Policy(policy) => *policy,
            Choice::Map => of_map,
        };
        let first = match chosen {
            Conflicts::Error | Conflicts::All => return None,
            Conflicts::First => all.min_by_key(|i| rank(*i)),
            Conflicts::Last => all.max_by_key(|i| rank(*i)),
            Conflicts::Priority => return least(several),
        };
        if let Some(i) = first {
            warn(several, several[i]);
        }
        first
    }
}

/// The one with the smallest priority; a tie is a conflict.
fn least(several: &[&ExtensionInfo]) -> Option<usize> {
    let least = several.iter().map(|i| i.priority).min()?;
    let mut with = (0..several.len()).filter(|i| several[*i].priority == least);
    let only = with.next()?;
    with.next().is_none().then_some(only)
}

/// Order alone decided: that may be by chance, so it is said.
fn warn(several: &[&ExtensionInfo], chosen: &ExtensionInfo) {
    let (count, list) = (several.len(), list(several));
    let (target, place) = (escape(&chosen.target), &chosen.place);
    let text = format_args!("{count} entries have this name: {list}; `{target}` ({place}) counts");
    log::say(Level::Warn, &chosen.namespace, &chosen.name, text);
}

fn list(several: &[&ExtensionInfo]) -> String {
    let one = |i: &&ExtensionInfo| match i.target.as_str() {
        "" => format!("{}", i.place),
        target => format!("`{}` ({})", escape(target), i.place),
    };
    several.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The failure that nobody chose.
pub(crate) fn conflict(file: &str, name: &str, several: &[&ExtensionInfo]) -> LoadFailure {
    let why = format!("{} provide it: {}", several.len(), list(several));
    let help = "disable one, set `override` on one, or choose a policy: `conflicts = \"first\"`";
    let refusal = Refusal::new(codes::PLUGIN_CONFLICT, Path::new(file), why, help);
    let namespace = several.first().map_or("", |i| i.namespace.as_str());
    LoadFailure::new(
        FailureKind::MultipleMatches,
        refusal.for_entry(namespace, name),
    )
}

/// Names to extensions, made once.
#[derive(Default)]
pub(crate) struct Index {
    names: NameMap<Box<str>, Named>,
}

struct Named {
    all: Vec<usize>,
    chosen: Option<usize>,
}

impl Index {
    /// Over extensions in order.
    pub(crate) fn new(infos: &[&ExtensionInfo], choice: &Choice, of_map: Conflicts) -> Index {
        let mut names: NameMap<Box<str>, Named> = NameMap::default();
        names.reserve(infos.len());
        for (i, info) in infos.iter().enumerate() {
            let chosen = Some(i);
            match names.get_mut(info.name.as_str()) {
                Some(named) => named.all.push(i),
                None => {
                    let all = vec![i];
                    names.insert(info.name.as_str().into(), Named { all, chosen });
                }
            }
        }
        let conflicts = names.values_mut().filter(|named| named.all.len() > 1);
        for named in conflicts {
            let several: Vec<&ExtensionInfo> = named.all.iter().map(|i| infos[*i]).collect();
            let chosen = choice.choose(of_map, &several);
            named.chosen = chosen.map(|i| named.all[i]);
        }
        Index { names }
    }

    /// All of a name, in order.
    pub(crate) fn all(&self, name: &str) -> &[usize] {
        self.names.get(name).map_or(&[], |named| &named.all)
    }

    /// The one that the name means.
    pub(crate) fn chosen(&self, name: &str) -> Option<usize> {
        self.names.get(name)?.chosen
    }

    /// The names that mean several, and nobody chose; in order of first appearance.
    pub(crate) fn conflicts(&self) -> Vec<&str> {
        let open = self.names.iter().filter(|(_, n)| n.chosen.is_none());
        let mut open: Vec<_> = open.map(|(name, n)| (n.all[0], &**name)).collect();
        open.sort_unstable();
        open.into_iter().map(|(_, name)| name).collect()
    }
}
