//! Keeps calls away from a driver that is alive and harmful: one that panicked too often, or holds too many threads. It
//! is tried again after a while, with one call; each time that fails the wait doubles.
//!
//! While nothing is wrong, asking is one relaxed load. Time is the caller's. Must not know what is called, nor the
//! record. Used around calls by the program.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls past their deadline that a driver may hold before it is fenced.
pub const STUCK_MAX: u32 = 4;
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
            Reason::Stuck(n) => write!(f, "{n} of its calls do not come back"),
        }
    }
}

/// A driver is fenced: it is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fenced {
    /// Why.
    pub reason: Reason,
    /// When it is tried next, on the caller's clock, in milliseconds.
    pub until_ms: u64,
}

/// The fence of one driver.
#[derive(Debug)]
pub struct Fence {
    /// All that a call looks at when nothing is wrong.
    is_up: AtomicBool,
    panics: AtomicU32,
    stuck: AtomicU32,
    panic_limit: u32,
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
    /// A fence that goes up at the `panic_limit`th panic (0 counts as 1), and at [`STUCK_MAX`] stuck calls.
    pub fn new(panic_limit: u32) -> Fence {
        Fence {
            is_up: AtomicBool::new(false),
            panics: AtomicU32::new(0),
            stuck: AtomicU32::new(0),
            panic_limit: panic_limit.max(1),
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
        if how == Ended::Answered && !self.is_up.load(Ordering::Relaxed) {
            return None;
        }
        self.count(how, now_ms())
    }

    #[cold]
    fn count(&self, how: Ended, now_ms: u64) -> Option<Fenced> {
        let mut state = self.lock();
        let panics = self.panics.load(Ordering::Relaxed);
        let stuck = self.stuck.load(Ordering::Relaxed);
        match how {
            Ended::Answered | Ended::CameBack => {
                let stuck = stuck.saturating_sub(u32::from(how == Ended::CameBack));
                self.stuck.store(stuck, Ordering::Relaxed);
                let trial = how == Ended::Answered && std::mem::take(&mut state.on_trial);
                let free = matches!(
                    state.fenced,
                    Some(Fenced {
                        reason: Reason::Stuck(_),
                        ..
                    })
                ) && stuck < STUCK_MAX;
                if trial || free {
                    self.take_down(&mut state);
                }
                None
            }
            Ended::Panicked => {
                self.panics
                    .store(panics.saturating_add(1), Ordering::Relaxed);
                let reason = Reason::Panics(panics.saturating_add(1));
                let over = panics.saturating_add(1) >= self.panic_limit || state.on_trial;
                over.then(|| self.put_up(&mut state, reason, now_ms))
                    .flatten()
            }
            Ended::Stuck => {
                self.stuck.store(stuck.saturating_add(1), Ordering::Relaxed);
                let reason = Reason::Stuck(stuck.saturating_add(1));
                let over = stuck.saturating_add(1) >= STUCK_MAX || state.on_trial;
                over.then(|| self.put_up(&mut state, reason, now_ms))
                    .flatten()
            }
        }
    }

    /// New when the fence was down, or when the trial failed; other calls that were under way change nothing.
    fn put_up(&self, state: &mut State, reason: Reason, now_ms: u64) -> Option<Fenced> {
        if state.fenced.is_some() && !state.on_trial {
            return None;
        }
        let until_ms = now_ms.saturating_add(state.back_off_ms);
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
        let fence = Fence::new(3);
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
        let fence = Fence::new(1);
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
        let fence = Fence::new(3);
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
        let fence = Fence::new(1);
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
}
