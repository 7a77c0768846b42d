//! Keeps calls away from a driver that is alive and harmful: one that panicked too often, or holds too many threads. It
//! is tried again after a while, with one call; each time that fails the wait doubles.
//!
//! While nothing is wrong, asking is one relaxed load. Time is the caller's. Must not know what is called, nor the
//! record. Used around calls by the program.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls past their deadline that a driver may hold before it is fenced, where each has a thread of its own.
pub const STUCK_MAX: u32 = 4;
/// The same for a driver whose calls run inside those of others: one that does not come back holds up all around it.
pub const STUCK_MAX_IN_LINE: u32 = 1;
/// With so many calls that do not come back a driver is not even tried any more: each holds a thread.
pub const HELD_MAX: u32 = 16;
/// First wait before a fenced driver is tried, in milliseconds.
pub const BACK_OFF_MS: u64 = 10_000;
/// Longest wait, in milliseconds.
pub const BACK_OFF_MAX_MS: u64 = 600_000;

/// How a call that was let through ended, or what became known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The driver answered, well or with an error of its own.
    Answered,
    /// It panicked.
    Panicked,
    /// It is past its deadline and still runs.
    Stuck,
    /// A call that was `Stuck` came back after all.
    CameBack,
    /// Nobody waits for it any more, and it is not to blame for that: it says nothing about the driver.
    Unknown,
}

/// Why calls are kept away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// So many panics.
    Panics(u32),
    /// So many calls that do not come back.
    Stuck(u32),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Panics(1) => f.write_str("it panicked"),
            Reason::Panics(n) => write!(f, "it panicked {n} times"),
            Reason::Stuck(1) => f.write_str("one of its calls does not come back"),
            Reason::Stuck(n) => write!(f, "{n} of its calls do not come back"),
        }
    }
}

/// A driver is fenced: it is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fenced {
    /// Why.
    pub reason: Reason,
    /// When it is tried next, on the caller's clock, in milliseconds; [`NEVER_MS`] while it holds [`HELD_MAX`] calls.
    pub until_ms: u64,
}

/// Not before one of the calls comes back.
pub const NEVER_MS: u64 = u64::MAX;

/// The fence of one driver.
#[derive(Debug)]
pub struct Fence {
    /// All that a call looks at when nothing is wrong.
    is_up: AtomicBool,
    panics: AtomicU32,
    stuck: AtomicU32,
    panic_limit: u32,
    stuck_limit: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    fenced: Option<Fenced>,
    back_off_ms: u64,
    /// The one call that is let through has begun.
    on_trial: bool,
}

impl Fence {
    /// A fence that goes up at the `panic_limit`th panic and at `stuck_limit` stuck calls at a time; 0 counts as 1.
    pub fn new(panic_limit: u32, stuck_limit: u32) -> Fence {
        Fence {
            is_up: AtomicBool::new(false),
            panics: AtomicU32::new(0),
            stuck: AtomicU32::new(0),
            panic_limit: panic_limit.max(1),
            stuck_limit: stuck_limit.max(1),
            state: Mutex::new(State {
                fenced: None,
                back_off_ms: BACK_OFF_MS,
                on_trial: false,
            }),
        }
    }

    /// Whether the driver may be called. When it is fenced and its time has come, one caller is let through. `now_ms`
    /// is asked only then. Whoever is let through says how it ended.
    ///
    /// # Errors
    /// Why not, and until when.
    #[inline]
    pub fn admit(&self, now_ms: impl FnOnce() -> u64) -> Result<(), Fenced> {
        match self.is_up.load(Ordering::Relaxed) {
            false => Ok(()),
            true => self.try_again(now_ms()),
        }
    }

    #[cold]
    fn try_again(&self, now_ms: u64) -> Result<(), Fenced> {
        let mut state = self.lock();
        match state.fenced {
            Some(fenced) if state.on_trial || now_ms < fenced.until_ms => Err(fenced),
            Some(_) => {
                state.on_trial = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Says how a call ended. Answers the fence that this put up, so that it is said once.
    #[inline]
    pub fn ended(&self, how: Ended, now_ms: impl FnOnce() -> u64) -> Option<Fenced> {
        let says_nothing = matches!(how, Ended::Answered | Ended::Unknown);
        if says_nothing && !self.is_up.load(Ordering::Relaxed) {
            return None;
        }
        self.count(how, now_ms())
    }

    #[cold]
    fn count(&self, how: Ended, now_ms: u64) -> Option<Fenced> {
        let mut state = self.lock();
        match how {
            Ended::Answered => {
                if state.on_trial {
                    self.take_down(&mut state);
                }
                None
            }
            Ended::Unknown => {
                state.on_trial = false;
                None
            }
            Ended::CameBack => {
                self.came_back(&mut state, now_ms);
                None
            }
            Ended::Panicked => {
                let panics = self.panics.load(Ordering::Relaxed).saturating_add(1);
                self.panics.store(panics, Ordering::Relaxed);
                let over = panics >= self.panic_limit || state.on_trial;
                over.then(|| self.put_up(&mut state, Reason::Panics(panics), now_ms))
                    .flatten()
            }
            Ended::Stuck => {
                let stuck = self.stuck.load(Ordering::Relaxed).saturating_add(1);
                self.stuck.store(stuck, Ordering::Relaxed);
                let over = stuck >= self.stuck_limit || state.on_trial;
                over.then(|| self.put_up(&mut state, Reason::Stuck(stuck), now_ms))
                    .flatten()
            }
        }
    }

    /// Few enough are left: the driver is free. One of very many: it is tried again.
    fn came_back(&self, state: &mut State, now_ms: u64) {
        let stuck = self.stuck.load(Ordering::Relaxed).saturating_sub(1);
        self.stuck.store(stuck, Ordering::Relaxed);
        let Some(Fenced {
            reason: Reason::Stuck(_),
            until_ms,
        }) = state.fenced
        else {
            return;
        };
        if stuck < self.stuck_limit {
            self.take_down(state);
        } else if until_ms == NEVER_MS {
            let reason = Reason::Stuck(stuck);
            let until_ms = now_ms.saturating_add(BACK_OFF_MAX_MS);
            state.fenced = Some(Fenced { reason, until_ms });
        }
    }

    /// New when the fence was down, or when the trial failed; other calls that were under way change nothing.
    fn put_up(&self, state: &mut State, reason: Reason, now_ms: u64) -> Option<Fenced> {
        if state.fenced.is_some() && !state.on_trial {
            return None;
        }
        let until_ms = match reason {
            Reason::Stuck(HELD_MAX..) => NEVER_MS,
            _ => now_ms.saturating_add(state.back_off_ms),
        };
        let fenced = Fenced { reason, until_ms };
        state.fenced = Some(fenced);
        state.back_off_ms = (state.back_off_ms * 2).min(BACK_OFF_MAX_MS);
        state.on_trial = false;
        self.is_up.store(true, Ordering::Relaxed);
        Some(fenced)
    }

    fn take_down(&self, state: &mut State) {
        *state = State {
            fenced: None,
            back_off_ms: BACK_OFF_MS,
            on_trial: false,
        };
        self.panics.store(0, Ordering::Relaxed);
        self.is_up.store(false, Ordering::Relaxed);
    }

    /// Why calls are kept away now, if they are.
    pub fn fenced(&self) -> Option<Fenced> {
        match self.is_up.load(Ordering::Relaxed) {
            false => None,
            true => self.lock().fenced,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_fences_and_one_call_after_the_wait_decides() {
        let fence = Fence::new(3, STUCK_MAX);
        for _ in 0..2 {
            assert_eq!(fence.admit(|| 0), Ok(()));
            assert_eq!(fence.ended(Ended::Panicked, || 0), None);
            assert_eq!(fence.ended(Ended::Answered, || 0), None);
        }
        let fenced = Fenced {
            reason: Reason::Panics(3),
            until_ms: BACK_OFF_MS,
        };
        assert_eq!(fence.ended(Ended::Panicked, || 0), Some(fenced));
        // One that was under way is not said again, and does not prolong it.
        assert_eq!(fence.ended(Ended::Panicked, || 5), None);
        assert_eq!(fence.admit(|| BACK_OFF_MS - 1), Err(fenced));
        assert_eq!(fence.admit(|| BACK_OFF_MS), Ok(()), "the trial");
        assert_eq!(fence.admit(|| BACK_OFF_MS), Err(fenced), "only one");
        let again = fence.ended(Ended::Panicked, || BACK_OFF_MS).unwrap();
        assert_eq!(again.until_ms, 3 * BACK_OFF_MS, "the wait doubles");
        assert_eq!(fence.admit(|| again.until_ms), Ok(()));
        assert_eq!(fence.ended(Ended::Answered, || 0), None);
        assert_eq!((fence.fenced(), fence.admit(|| 0)), (None, Ok(())));
        // All is forgotten.
        assert_eq!(fence.ended(Ended::Panicked, || 0), None);
    }

    #[test]
    fn waits_are_bounded() {
        let fence = Fence::new(1, STUCK_MAX);
        let mut now = 0;
        for _ in 0..50 {
            assert_eq!(fence.admit(|| now), Ok(()));
            let fenced = fence.ended(Ended::Panicked, || now).unwrap();
            assert!(fenced.until_ms - now <= BACK_OFF_MAX_MS);
            now = fenced.until_ms;
        }
    }

    #[test]
    fn stuck_calls_fence_until_enough_of_them_come_back() {
        let fence = Fence::new(3, STUCK_MAX);
        for _ in 1..STUCK_MAX {
            assert_eq!(fence.ended(Ended::Stuck, || 0), None);
        }
        let fenced = fence.ended(Ended::Stuck, || 0).unwrap();
        assert_eq!(fenced.reason.to_string(), "4 of its calls do not come back");
        assert_eq!(fence.admit(|| 0), Err(fenced));
        fence.ended(Ended::CameBack, || 0);
        assert_eq!(fence.admit(|| 0), Ok(()));
        assert!(fence.ended(Ended::Stuck, || 0).is_some());
    }

    #[test]
    fn a_trial_is_one_call_among_threads() {
        let fence = Fence::new(1, STUCK_MAX);
        let until = fence.ended(Ended::Panicked, || 0).unwrap().until_ms;
        let let_through = std::thread::scope(|scope| {
            let fence = &fence;
            let tries: Vec<_> = (0..8)
                .map(|_| scope.spawn(move || fence.admit(|| until).is_ok()))
                .collect();
            tries
                .into_iter()
                .map(|t| t.join().unwrap())
                .filter(|ok| *ok)
                .count()
        });
        assert_eq!(let_through, 1);
    }

    #[test]
    fn one_stuck_call_fences_where_calls_are_in_line() {
        let fence = Fence::new(3, STUCK_MAX_IN_LINE);
        let fenced = fence.ended(Ended::Stuck, || 0).unwrap();
        assert_eq!(fence.admit(|| 0), Err(fenced));
        fence.ended(Ended::CameBack, || 0);
        assert_eq!(fence.admit(|| 0), Ok(()));
    }

    #[test]
    fn with_too_many_stuck_calls_it_is_not_tried_until_one_comes_back() {
        let fence = Fence::new(3, STUCK_MAX_IN_LINE);
        let mut now = 0;
        for _ in 0..HELD_MAX {
            assert_eq!(fence.admit(|| now), Ok(()));
            now = fence.ended(Ended::Stuck, || now).unwrap().until_ms;
        }
        assert_eq!(now, NEVER_MS);
        assert!(fence.admit(|| NEVER_MS - 1).is_err());
        fence.ended(Ended::CameBack, || 0);
        assert_eq!(fence.admit(|| BACK_OFF_MAX_MS), Ok(()));
    }

    #[test]
    fn a_trial_that_nobody_waits_for_is_had_again() {
        let fence = Fence::new(1, STUCK_MAX);
        let until = fence.ended(Ended::Panicked, || 0).unwrap().until_ms;
        assert_eq!(fence.admit(|| until), Ok(()));
        assert_eq!(fence.ended(Ended::Unknown, || until), None);
        assert_eq!(fence.admit(|| until), Ok(()), "the next one decides");
        assert_eq!(fence.ended(Ended::Answered, || until), None);
        assert_eq!(fence.fenced(), None);
    }
}
