//! The threads and descriptors of a process, by name: what a driver may leave behind.
//!
//! Takes a microsecond or more for each, so it is made where nobody waits. Called by vetting's child, and by `watch` when
//! there are more than there should be.

use std::collections::BTreeMap;
use std::fs;

use crate::diagnostic::escape;

/// Most threads or descriptors that are looked at.
const ITEMS_MAX: usize = 4_096;
/// What a link of `/proc/self/fd` to a connection begins with.
const SOCKET: &str = "socket:";

/// What there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory {
    /// Name by number of each thread.
    threads: BTreeMap<u64, String>,
    /// Number and what it leads to.
    descriptors: BTreeMap<u64, String>,
}

impl Inventory {
    /// What there is now.
    pub(crate) fn now() -> Inventory {
        Inventory {
            threads: threads(),
            descriptors: descriptors(),
        }
    }

    /// Threads that were not there before, by name.
    pub(crate) fn new_threads(&self, now: &Inventory) -> Vec<String> {
        let new = now
            .threads
            .iter()
            .filter(|(id, _)| !self.threads.contains_key(id));
        new.map(|(_, name)| format!("`{}`", escape(name))).collect()
    }

    /// Descriptors that were not there before, and where they lead.
    pub(crate) fn new_descriptors(&self, now: &Inventory) -> Vec<String> {
        let new = now
            .descriptors
            .iter()
            .filter(|(n, _)| !self.descriptors.contains_key(n));
        new.map(|(n, to)| format!("descriptor {n} (`{}`)", escape(to)))
            .collect()
    }

    /// Descriptors that were there before and are closed, or lead elsewhere. The standard streams are part of the state.
    pub(crate) fn changed_descriptors(&self, now: &Inventory) -> Vec<String> {
        let mut found = Vec::new();
        for (number, was) in self.descriptors.iter().filter(|(n, _)| **n > 2) {
            match now.descriptors.get(number) {
                Some(is) if is == was => {}
                Some(is) => found.push(format!("descriptor {number} to `{}`", escape(is))),
                None => found.push(format!("descriptor {number}, closed")),
            }
        }
        found
    }

    /// How many descriptors there are that are no connections: those come and go with whoever asks the program.
    pub(super) fn files(&self) -> usize {
        let files = self.descriptors.values();
        files.filter(|to| !to.starts_with(SOCKET)).count()
    }

    /// What most threads are called, and how many those are.
    pub(super) fn commonest_thread(&self) -> Option<(String, usize)> {
        commonest(self.threads.values().map(String::as_str))
    }

    /// Where most descriptors lead that are no connections, and how many those are. Numbers of pipes and the like are left
    /// out.
    pub(super) fn commonest_file(&self) -> Option<(String, usize)> {
        let all = self.descriptors.values();
        let files = all.filter(|to| !to.starts_with(SOCKET));
        commonest(files.map(|to| to.split_once(":[").map_or(to.as_str(), |(kind, _)| kind)))
    }
}

fn commonest<'n>(names: impl Iterator<Item = &'n str>) -> Option<(String, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let (name, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Some((escape(name), count))
}

fn threads() -> BTreeMap<u64, String> {
    let numbers = numbers("/proc/self/task").into_iter();
    let named = numbers.map(|id| {
        let name = fs::read_to_string(format!("/proc/self/task/{id}/comm"));
        (id, name.unwrap_or_default().trim_end().to_owned())
    });
    named.collect()
}

fn descriptors() -> BTreeMap<u64, String> {
    let open = numbers("/proc/self/fd").into_iter().filter_map(|n| {
        let to = fs::read_link(format!("/proc/self/fd/{n}")).ok()?;
        Some((n, to.to_string_lossy().into_owned()))
    });
    open.collect()
}

/// The entries of a directory that are numbers. All are collected first: the descriptor that lists them is closed by then.
fn numbers(dir: &str) -> Vec<u64> {
    let Ok(all) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let numbers = all
        .take(ITEMS_MAX)
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn having(threads: &[(u64, &str)], descriptors: &[(u64, &str)]) -> Inventory {
        let owned = |all: &[(u64, &str)]| all.iter().map(|(n, t)| (*n, (*t).to_owned())).collect();
        Inventory {
            threads: owned(threads),
            descriptors: owned(descriptors),
        }
    }

    #[test]
    fn what_came_and_what_changed_is_named() {
        let was = having(&[(1, "main")], &[(0, "/dev/null"), (3, "/a"), (4, "/b")]);
        let now = having(
            &[(1, "main"), (2, "w"), (3, "w")],
            &[
                (3, "/c"),
                (5, "pipe:[7]"),
                (6, "pipe:[8]"),
                (7, "socket:[9]"),
            ],
        );
        assert_eq!(was.new_threads(&now), ["`w`", "`w`"]);
        let new = [
            "descriptor 5 (`pipe:[7]`)",
            "descriptor 6 (`pipe:[8]`)",
            "descriptor 7 (`socket:[9]`)",
        ];
        assert_eq!(was.new_descriptors(&now), new);
        let changed = ["descriptor 3 to `/c`", "descriptor 4, closed"];
        assert_eq!(was.changed_descriptors(&now), changed);
        assert_eq!(now.commonest_thread(), Some(("w".to_owned(), 2)));
        assert_eq!(
            (now.files(), now.commonest_file()),
            (3, Some(("pipe".to_owned(), 2)))
        );
    }

    #[test]
    fn this_process_has_threads_and_descriptors() {
        let now = Inventory::now();
        assert!(!now.threads.is_empty() && now.files() >= 3);
    }
}
