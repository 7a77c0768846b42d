//! How many threads and descriptors there may be more than before until a driver is said to leak them.
//!
//! Must not know who is suspected. Called by `watch`.

use super::inventory::Inventory;

/// New threads that nobody asks about.
const NEW_THREADS_MAX: usize = 64;
/// New descriptors that nobody asks about.
const NEW_DESCRIPTORS_MAX: usize = 256;

/// Threads that are not the program's, and descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) threads: usize,
    pub(super) descriptors: usize,
}

/// There is more of something than there should be.
#[derive(Debug, Clone)]
pub(super) struct Growth {
    pub(super) what: &'static str,
    pub(super) was: usize,
    pub(super) is: usize,
    /// What most of them are, and how many those are.
    pub(super) commonest: Option<(String, usize)>,
}

/// What grew beyond its bound; names are looked up only then.
pub(super) fn growths(was: Counts, is: Counts) -> Vec<Growth> {
    let mut found = Vec::new();
    if is.threads > was.threads + NEW_THREADS_MAX {
        found.push(Growth {
            what: "threads",
            was: was.threads,
            is: is.threads,
            commonest: Inventory::now().commonest_thread(),
        });
    }
    if is.descriptors > was.descriptors + NEW_DESCRIPTORS_MAX {
        found.push(Growth {
            what: "descriptors",
            was: was.descriptors,
            is: is.descriptors,
            commonest: Inventory::now().commonest_file(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_more_are_nobodys_business() {
        let was = Counts {
            threads: 4,
            descriptors: 10,
        };
        let few = Counts {
            threads: 68,
            descriptors: 266,
        };
        assert!(growths(was, few).is_empty());
        let many = Counts {
            threads: 69,
            descriptors: 267,
        };
        let found = growths(was, many);
        let numbers: Vec<_> = found.iter().map(|g| (g.what, g.was, g.is)).collect();
        assert_eq!(numbers, [("threads", 4, 69), ("descriptors", 10, 267)]);
        assert!(found.iter().all(|g| g.commonest.is_some()));
    }
}
