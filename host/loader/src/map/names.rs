//! From a name to the positions of its entries, fast and without allocating on the way.
//!
//! The hash is a simple multiplication per eight bytes: names come from files of the operator,
//! whose number of keys is bounded, so that nobody gains by making them collide. Used while files
//! are merged and for look-ups afterwards.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash table of names.
pub(super) type NameMap<K, V> = HashMap<K, V, BuildHasherDefault<NameHasher>>;

/// See the module.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct NameHasher(u64);

const FACTOR: u64 = 0xf135_7aea_2e62_a9c5;

impl NameHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.add(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.add(u64::from(byte));
    }

    /// The upper bits are the mixed ones, and hash tables look at both ends.
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

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
