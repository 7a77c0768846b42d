//! From a name to the positions of its entries, fast and without allocating on the way.
//!
//! Used while files are merged, for look-ups afterwards, and by the managers' own index.

use std::collections::HashMap;

/// A hash table of names. Its hash is fast on short texts, seeded by chance, and not meant to withstand an attacker: names
/// come from files of the operator, whose number of keys is bounded.
pub(crate) type NameMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Where the entries of one name are; mostly there is one.
#[derive(Debug, Clone)]
enum Positions {
    One(usize),
    Several(Vec<usize>),
}

/// Names of one namespace and the positions of their entries, ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    by_name: NameMap<String, Positions>,
}

impl Names {
    /// Makes room.
    pub(super) fn reserve(&mut self, names: usize) {
        self.by_name.reserve(names);
    }

    /// The positions of a name.
    pub(super) fn get(&self, name: &str) -> &[usize] {
        match self.by_name.get(name) {
            None => &[],
            Some(Positions::One(at)) => std::slice::from_ref(at),
            Some(Positions::Several(all)) => all,
        }
    }

    /// Whether there is an entry of that name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// All names, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Adds a position, which must be above all known ones.
    pub(super) fn add(&mut self, name: &str, at: usize) {
        match self.by_name.get_mut(name) {
            None => {
                self.by_name.insert(name.to_owned(), Positions::One(at));
            }
            Some(Positions::Several(all)) => all.push(at),
            Some(one) => {
                let first = match *one {
                    Positions::One(first) => first,
                    Positions::Several(_) => return,
                };
                *one = Positions::Several(vec![first, at]);
            }
        }
    }

    /// Puts new positions in place of the old ones. `new[old]` is `None` for an entry that is
    /// gone; a name without entries goes too.
    pub(super) fn move_to(&mut self, new: &[Option<usize>]) {
        self.by_name.retain(|_, positions| {
            let old = match positions {
                Positions::One(at) => {
                    return new[*at].inspect(|n| *at = *n).is_some();
                }
                Positions::Several(all) => all,
            };
            let mut moved: Vec<usize> = old.iter().filter_map(|at| new[*at]).collect();
            moved.sort_unstable();
            match moved.as_slice() {
                [] => return false,
                [only] => *positions = Positions::One(*only),
                _ => *positions = Positions::Several(moved),
            }
            true
        });
    }
}
