//! Who looks on while a driver is called: may say no before, and is told when it runs and how it ended.
//!
//! The program gives one per driver; without one a driver is simply called. Must not know what becomes of what it is
//! told: that is the program's. Used by `driver_call`, and by the scheduler's `trail` for each of its drivers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use longshore_plugin_api::DriverError;

use crate::driver_call::{CallError, guarded};
use crate::tally::{Tally, is_failure};

/// How a call ended, or what became known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The driver answered, well or with an error of its own.
    Answered,
    /// It panicked.
    Panicked,
    /// It is past its deadline and goes on.
    Stuck,
    /// One that was `Stuck` came back after all.
    CameBack,
    /// It was given up for another driver's fault: it says nothing about this one.
    Unknown,
}

/// Where a watch noted that a call runs; its own affair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note(pub Option<u32>);

/// Looks on while one driver is called.
pub trait CallWatch: Send + Sync {
    /// Whether the driver may be called now. Whoever is let in says how it ended.
    ///
    /// # Errors
    /// Why not, in one line.
    fn admit(&self) -> Result<(), String>;

    /// The driver's method `method` runs from now on, in this thread or below it. Each note is ended once.
    fn begin(&self, method: &str) -> Note;

    /// What was begun does not run any more.
    fn end(&self, note: Note);

    /// How a call that was let in ended. `Stuck` comes in place of the end; `CameBack`, if ever, after it.
    fn ended(&self, how: CallEnd);

    /// Where calls of this driver are counted, if they are.
    fn tally(&self) -> Option<&Tally> {
        None
    }
}

/// A watch, if there is one. Cloning shares it.
#[derive(Clone, Default)]
pub struct Watched(Option<Arc<dyn CallWatch>>);

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({})", self.0.is_some())
    }
}

impl Watched {
    /// With this watch.
    pub fn by(watch: Arc<dyn CallWatch>) -> Self {
        Self(Some(watch))
    }

    /// Whether the driver may be called now.
    ///
    /// # Errors
    /// `CallError::Fenced`.
    pub(crate) fn admit(&self) -> Result<(), CallError> {
        match &self.0 {
            Some(watch) => watch.admit().map_err(CallError::Fenced),
            None => Ok(()),
        }
    }

    /// Notes that a method runs.
    pub(crate) fn begin(&self, method: &str) -> Note {
        self.0.as_ref().map_or(Note(None), |w| w.begin(method))
    }

    /// Ends a note, if it is one.
    pub(crate) fn end(&self, note: Note) {
        if let (Some(watch), Note(Some(_))) = (&self.0, note) {
            watch.end(note);
        }
    }

    /// Runs a driver's method that was admitted; a panic becomes an error. How it ended is not said yet.
    pub(crate) fn run<T>(
        &self,
        method: &str,
        call: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, CallError> {
        let note = self.begin(method);
        let result = guarded(call);
        self.end(note);
        result
    }

    /// Says how a call ended.
    pub(crate) fn ended(&self, how: CallEnd) {
        if let Some(watch) = &self.0 {
            watch.ended(how);
        }
    }

    /// Where calls of the driver are counted, if they are.
    pub(crate) fn tally(&self) -> Option<&Tally> {
        self.0.as_ref()?.tally()
    }

    /// Counts a call that ran this long.
    pub(crate) fn count<T>(&self, method: &str, took: Duration, result: &Result<T, CallError>) {
        if let Some(tally) = self.tally() {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            tally.ended(method, nanos, is_failure(result));
        }
    }

    /// Counts what a filter took out.
    pub(crate) fn filtered(&self, seen: usize, left: usize) {
        if let Some(tally) = self.tally() {
            tally.filtered(seen, left);
        }
    }

    /// All of it, for calls on the caller's own thread.
    pub(crate) fn call<T>(
        &self,
        method: &str,
        call: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, CallError> {
        self.admit()?;
        let result = self.run(method, call);
        self.ended(CallEnd::of(&result));
        result
    }
}

impl CallEnd {
    /// The end that a result stands for.
    pub(crate) fn of<T>(result: &Result<T, CallError>) -> CallEnd {
        match result {
            Err(error) if error.is_panic() => CallEnd::Panicked,
            _ => CallEnd::Answered,
        }
    }
}
