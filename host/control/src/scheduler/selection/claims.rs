//! Who took something of which host, so that requests that run side by side do not promise it twice.
//!
//! Claims are numbered. A request remembers how many there were when it took its table; a host that somebody else has
//! claimed since is not what that table says, and is looked at again before it is claimed (`host_states`). No lock is
//! held while a driver runs: a row is reserved, counted by the host manager, and then numbered. Must not know hosts or
//! what is claimed of them. Rows mean the same hosts for the length of a phase, which the manager begins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The claims of all requests of a scheduler.
#[derive(Default)]
pub(in crate::scheduler) struct Claims(Mutex<Ledger>);

#[derive(Default)]
struct Ledger {
    /// Phases so far.
    phase: u64,
    /// Claimants so far.
    claimants: u64,
    /// Claims so far: the number of the last one.
    last: u64,
    /// Rows that were claimed in this phase.
    rows: HashMap<u32, Row>,
    /// Claims of requests that are not answered yet: they may be given back.
    open: u64,
    /// Claims that were given back.
    given_back: u64,
}

#[derive(Default)]
struct Row {
    /// The last claim.
    number: u64,
    /// Whose it is.
    by: u64,
    /// The last claim of anybody else.
    before: u64,
    /// Somebody is about to claim it.
    is_reserved: bool,
}

impl Row {
    /// The last claim that `claimant` knows nothing of.
    fn last_of_others(&self, claimant: u64) -> u64 {
        match self.by == claimant {
            true => self.before,
            false => self.number,
        }
    }
}

impl Claims {
    /// From now on rows may be other hosts. Nobody who claims may be under way; one that was given up and is under way
    /// even so claims nothing any more.
    pub(in crate::scheduler) fn begin_phase(&self) {
        let mut ledger = self.ledger();
        ledger.phase += 1;
        ledger.rows.clear();
    }

    /// A try at a request that begins now, before its table is taken.
    pub(in crate::scheduler) fn enter(self: &Arc<Self>) -> Claimant {
        let mut ledger = self.ledger();
        ledger.claimants += 1;
        Claimant {
            claims: Arc::clone(self),
            id: ledger.claimants,
            phase: ledger.phase,
            given_back: AtomicU64::new(ledger.given_back),
            open: AtomicU64::new(0),
            was_crossed: AtomicBool::new(false),
        }
    }

    /// Nothing in it is half done when somebody panics.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One try at one request.
pub(in crate::scheduler) struct Claimant {
    claims: Arc<Claims>,
    id: u64,
    phase: u64,
    /// What had been given back when it began, and what it gave back itself since.
    given_back: AtomicU64,
    /// Its own claims, while it is not answered.
    open: AtomicU64,
    was_crossed: AtomicBool,
}

impl Claimant {
    /// The number of the last claim: a table that is taken after this shows all claims up to it.
    pub(in crate::scheduler) fn last(&self) -> u64 {
        self.claims.ledger().last
    }

    /// Keeps others from claiming `row`, unless somebody else has claimed it after number `since` or is about to.
    /// [`claimed`](Self::claimed) ends it.
    pub(in crate::scheduler) fn reserve(&self, row: u32, since: u64) -> bool {
        let mut ledger = self.claims.ledger();
        if ledger.phase != self.phase {
            return false;
        }
        let row = ledger.rows.entry(row).or_default();
        if row.is_reserved || row.last_of_others(self.id) > since {
            return false;
        }
        row.is_reserved = true;
        true
    }

    /// What was reserved is counted by the host manager, or was refused by it.
    pub(in crate::scheduler) fn claimed(&self, row: u32, is_counted: bool) {
        let mut ledger = self.claims.ledger();
        if is_counted {
            ledger.last += 1;
            ledger.open += 1;
            self.open.fetch_add(1, Ordering::Relaxed);
        }
        let last = ledger.last;
        if ledger.phase != self.phase {
            return;
        }
        let Some(row) = ledger.rows.get_mut(&row) else {
            return;
        };
        row.is_reserved = false;
        if is_counted {
            row.before = row.last_of_others(self.id);
            (row.number, row.by) = (last, self.id);
        }
    }

    /// Another request was in the way.
    pub(in crate::scheduler) fn cross(&self) {
        self.was_crossed.store(true, Ordering::Relaxed);
    }

    /// Whether another request was in the way.
    pub(in crate::scheduler) fn was_crossed(&self) -> bool {
        self.was_crossed.load(Ordering::Relaxed)
    }

    /// Whether a host that seemed to be taken may be free: since this one began others gave claims back, or may yet.
    pub(in crate::scheduler) fn may_be_misled(&self) -> bool {
        let ledger = self.claims.ledger();
        let own = self.open.load(Ordering::Relaxed);
        ledger.open > own || ledger.given_back > self.given_back.load(Ordering::Relaxed)
    }

    /// The request is answered with what was claimed: it stays.
    pub(in crate::scheduler) fn keep(&self) {
        self.claims.ledger().open -= self.open.swap(0, Ordering::Relaxed);
    }

    /// The host manager has taken back what was claimed.
    pub(in crate::scheduler) fn give_back(&self) {
        let mut ledger = self.claims.ledger();
        let own = self.open.swap(0, Ordering::Relaxed);
        ledger.open -= own;
        ledger.given_back += own;
        self.given_back.fetch_add(own, Ordering::Relaxed);
    }
}

impl Drop for Claimant {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(claimant: &Claimant, row: u32, since: u64) -> bool {
        let reserved = claimant.reserve(row, since);
        if reserved {
            claimant.claimed(row, true);
        }
        reserved
    }

    #[test]
    fn a_row_that_others_claimed_since_is_not_claimed() {
        let claims = Arc::<Claims>::default();
        let (one, two) = (claims.enter(), claims.enter());
        let since = two.last();
        assert!(claim(&one, 7, since) && claim(&one, 7, since));
        assert!(claim(&two, 8, since), "another row");
        assert!(!claim(&two, 7, since));
        assert!(claim(&two, 7, two.last()), "after another look");
        // Its own claim does not hide that of the other one.
        assert!(!claim(&two, 7, since));
        assert!(!claim(&one, 7, since));
    }

    #[test]
    fn a_reserved_row_is_nobody_elses_until_it_is_claimed_or_refused() {
        let claims = Arc::<Claims>::default();
        let (one, two) = (claims.enter(), claims.enter());
        assert!(one.reserve(7, 0));
        assert!(!two.reserve(7, u64::MAX));
        one.claimed(7, false);
        assert!(two.reserve(7, 0), "a refused claim is none");
    }

    #[test]
    fn who_is_left_over_from_a_phase_before_claims_nothing() {
        let claims = Arc::<Claims>::default();
        let (slow, other) = (claims.enter(), claims.enter());
        assert!(slow.reserve(7, 0));
        claims.begin_phase();
        slow.claimed(7, true);
        assert!(!slow.reserve(8, u64::MAX));
        assert!(!other.reserve(8, u64::MAX));
        assert!(claim(&claims.enter(), 7, 0));
    }

    #[test]
    fn what_may_be_given_back_misleads_those_beside_it_and_nobody_later() {
        let claims = Arc::<Claims>::default();
        let (one, two) = (claims.enter(), claims.enter());
        assert!(!two.may_be_misled());
        assert!(claim(&one, 7, 0));
        assert!(two.may_be_misled() && !one.may_be_misled());
        one.keep();
        assert!(!two.may_be_misled());
        assert!(claim(&one, 7, 1));
        drop(one);
        assert!(two.may_be_misled());
        assert!(!claims.enter().may_be_misled());
        let third = claims.enter();
        assert!(claim(&third, 9, 9));
        third.give_back();
        assert!(!third.may_be_misled(), "its own claims mislead nobody");
    }
}
