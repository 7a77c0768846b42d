//! The time in which code of drivers is under way: how the process was, and whose code ran since.
//!
//! Must not know what differs. Called by `watch`.

use std::sync::Arc;

use super::leaks::Counts;
use super::state::ProcessState;
use super::words::Doer;

/// From the beginning of the first of several drivers to the end of the last.
pub(super) struct Window {
    pub(super) known: Arc<ProcessState>,
    pub(super) counts: Counts,
    /// Who is under way, by the number of the look.
    under_way: Vec<(usize, Doer)>,
    /// Who ended since `known` was taken.
    ended: Vec<Doer>,
    looks: usize,
}

impl Window {
    pub(super) fn new(known: Arc<ProcessState>, counts: Counts) -> Window {
        Window {
            known,
            counts,
            under_way: Vec::new(),
            ended: Vec::new(),
            looks: 0,
        }
    }

    /// Another one begins; its number.
    pub(super) fn begin(&mut self, doer: Doer) -> usize {
        self.looks += 1;
        self.under_way.push((self.looks, doer));
        self.looks
    }

    /// Whether nobody is under way any more.
    pub(super) fn is_over(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Who ended now, from here on among those that did.
    pub(super) fn end(&mut self, number: usize) -> Vec<Doer> {
        let place = self.under_way.iter().position(|(n, _)| *n == number);
        let own = place.map(|place| self.under_way.swap_remove(place).1);
        self.ended.extend(own.clone());
        own.into_iter().collect()
    }

    /// All whose code may have run since the known state was taken.
    pub(super) fn suspects(&self) -> Vec<Doer> {
        let others = self.under_way.iter().map(|(_, doer)| doer);
        self.ended.iter().chain(others).cloned().collect()
    }

    pub(super) fn renew(&mut self, known: Arc<ProcessState>, counts: Counts) {
        self.known = known;
        self.counts = counts;
        self.ended.clear();
    }
}
