//! Blocking driver calls from async code: bounded, with a deadline, never losing a late answer.
//!
//! A native thread cannot be killed, so a call past its deadline is abandoned: counted, logged,
//! and its late result handed to a callback. Must not know what the calls do. Used by compute and,
//! for the guard alone, by the scheduler.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use longshore_loader::diagnostic::without_secrets;
use longshore_plugin_api::__abi::services::Services;
use longshore_plugin_api::{CallContext, Category, DriverError};
use tokio::sync::{Semaphore, oneshot};

use crate::call_watch::{CallEnd, Watched};
use crate::codes;

/// Calls that run at the same time, abandoned ones included.
pub const CALLS_MAX: usize = 128;
/// Default deadline of a call.
pub const DEADLINE: Duration = Duration::from_secs(600);
/// Longest driver text that is kept, in bytes.
pub const TEXT_MAX: usize = 1024;

/// A driver call did not give its value.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// The driver answered with an error.
    Driver(DriverError),
    /// The driver claims this ability, and answered that what belongs to it is not supported.
    Contradiction(&'static str, DriverError),
    /// The driver panicked in this process, with this text.
    Panicked(String),
    /// No answer within the deadline; the call goes on, abandoned.
    Timeout(Duration),
    /// No place for the call became free within the deadline; it was not begun.
    Busy,
    /// The driver is kept from being called, for this reason; it was not begun.
    Fenced(String),
}

impl CallError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            _ if self.is_panic() => codes::DRIVER_PANICKED,
            Self::Driver(error) if error.is_bad_value() => codes::DRIVER_BAD_VALUE,
            Self::Driver(_) => codes::DRIVER_REFUSED,
            Self::Contradiction(..) => codes::DRIVER_CONTRADICTION,
            Self::Panicked(_) => codes::DRIVER_PANICKED,
            Self::Timeout(_) => codes::DRIVER_TIMEOUT,
            Self::Busy => codes::DRIVER_BUSY,
            Self::Fenced(_) => codes::DRIVER_FENCED,
        }
    }

    /// Whether the driver panicked, on its side of the bridge or in this process.
    pub fn is_panic(&self) -> bool {
        match self {
            Self::Driver(error) => error.panicked_at().is_some(),
            other => matches!(other, Self::Panicked(_)),
        }
    }

    /// The category of the driver's own error; absent when the call ended otherwise.
    pub fn category(&self) -> Option<Category> {
        match self {
            Self::Driver(error) => Some(error.category()),
            _ => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => {
                f.write_str(&one_line(&error.to_string()))?;
                match error.help() {
                    Some(help) => write!(f, " (do: {})", one_line(help)),
                    None => Ok(()),
                }
            }
            Self::Contradiction(claim, error) => {
                let answer = one_line(error.message());
                write!(f, "the driver claims `{claim}` and answers: {answer}")
            }
            Self::Panicked(text) => write!(f, "the driver panicked: {}", one_line(text)),
            Self::Timeout(deadline) => {
                write!(f, "the driver did not answer within {deadline:?}")
            }
            Self::Busy => write!(f, "all {CALLS_MAX} places for driver calls are taken"),
            Self::Fenced(reason) => write!(f, "the driver is fenced: {}", one_line(reason)),
        }
    }
}

impl std::error::Error for CallError {}

/// Makes calls of one service's drivers; clones share the bound and the counter.
#[derive(Clone)]
pub struct DriverCalls {
    services: Services,
    deadline: Duration,
    places: Arc<Semaphore>,
    abandoned: Arc<AtomicU64>,
    watch: Watched,
}

/// What the two sides of a call tell each other.
#[derive(Default)]
struct Shared {
    /// 1 once nobody waits any more.
    cancel: AtomicU32,
    /// `RUNS`, then `STUCK` or `DONE`, whichever is first.
    state: AtomicU8,
}

const RUNS: u8 = 0;
const STUCK: u8 = 1;
const DONE: u8 = 2;

impl Shared {
    /// Marks the call as stuck, if it still runs.
    fn is_stuck(&self) -> bool {
        let state = &self.state;
        let stuck = state.compare_exchange(RUNS, STUCK, Ordering::AcqRel, Ordering::Acquire);
        stuck.is_ok()
    }

    /// Marks the call as ended, and says how.
    fn done<T>(&self, result: &Result<T, CallError>) -> CallEnd {
        match self.state.swap(DONE, Ordering::AcqRel) {
            STUCK => CallEnd::CameBack,
            _ => CallEnd::of(result),
        }
    }
}

/// Tells a running call that nobody waits any more.
struct CancelOnDrop(Arc<Shared>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel.store(1, Ordering::Relaxed);
    }
}

impl DriverCalls {
    /// Calls with what the host lends its drivers, and a deadline for each.
    pub fn new(services: Services, deadline: Duration) -> Self {
        Self {
            services,
            deadline,
            places: Arc::new(Semaphore::new(CALLS_MAX)),
            abandoned: Arc::new(AtomicU64::new(0)),
            watch: Watched::default(),
        }
    }

    /// The same, for calls of one driver that is watched.
    #[must_use]
    pub fn watched(&self, watch: Watched) -> Self {
        Self {
            watch,
            ..self.clone()
        }
    }

    /// The same, with another deadline.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    /// The deadline of a call.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// What the host lends its drivers.
    pub fn services(&self) -> Services {
        self.services
    }

    /// Calls abandoned so far.
    pub fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Runs `call` on a thread that may block. `name` is the method's, for the log and the watch.
    ///
    /// # Errors
    /// The driver's error, its panic, the timeout, that no place became free, or that the driver is fenced.
    pub async fn blocking<T: Send + 'static>(
        &self,
        request_id: &str,
        name: &str,
        call: impl FnOnce(&CallContext<'_>) -> Result<T, DriverError> + Send + 'static,
    ) -> Result<T, CallError> {
        self.blocking_or_late(request_id, name, call, |_| {}).await
    }

    /// The same; the result of a call that was abandoned goes to `late`, on the call's thread.
    /// A call is abandoned at its deadline, or when this future is dropped before.
    ///
    /// # Errors
    /// As for [`blocking`](Self::blocking).
    pub async fn blocking_or_late<T: Send + 'static>(
        &self,
        request_id: &str,
        name: &str,
        call: impl FnOnce(&CallContext<'_>) -> Result<T, DriverError> + Send + 'static,
        late: impl FnOnce(Result<T, CallError>) + Send + 'static,
    ) -> Result<T, CallError> {
        let place = Arc::clone(&self.places).acquire_owned();
        let Ok(Ok(place)) = tokio::time::timeout(self.deadline, place).await else {
            return Err(CallError::Busy);
        };
        self.watch.admit()?;
        let shared = Arc::new(Shared::default());
        let _cancel = CancelOnDrop(Arc::clone(&shared));
        let theirs = Arc::clone(&shared);
        let (services, request_id) = (self.services, request_id.to_owned());
        let (watch, method) = (self.watch.clone(), name.to_owned());
        let nanos = u64::try_from(self.deadline.as_nanos()).unwrap_or(u64::MAX);
        let deadline_ns = services.now_ns().saturating_add(nanos);
        let (answer, mut answered) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let context = CallContext::new(services, &request_id, deadline_ns, &theirs.cancel);
            let began = Instant::now();
            let result = watch.run(&method, || call(&context));
            watch.count(&method, began.elapsed(), &result);
            watch.ended(theirs.done(&result));
            drop(place);
            if let Err(unwanted) = answer.send(result) {
                late(unwanted);
            }
        });
        if let Ok(Ok(result)) = tokio::time::timeout(self.deadline, &mut answered).await {
            return result;
        }
        // An answer that came in the same instant still counts; after this it is late.
        answered.close();
        match answered.try_recv() {
            Ok(result) => result,
            Err(_) => {
                if shared.is_stuck() {
                    self.watch.ended(CallEnd::Stuck);
                }
                Err(self.abandon(name))
            }
        }
    }

    fn abandon(&self, name: &str) -> CallError {
        let total = self.abandoned.fetch_add(1, Ordering::Relaxed) + 1;
        let (code, deadline) = (codes::DRIVER_TIMEOUT, self.deadline);
        tracing::warn!(
            code,
            total,
            "driver call `{name}` is abandoned: no answer within {deadline:?}"
        );
        CallError::Timeout(deadline)
    }
}

/// Runs a driver's method; a panic of a driver in this process becomes an error.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, DriverError>) -> Result<T, CallError> {
    // A driver that panicked may be in a half-changed state; that is its own affair, and the host
    // shares nothing mutable with it.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(CallError::Driver),
        Err(panic) => Err(CallError::Panicked(panic_text(panic.as_ref()))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without text").to_owned()
}

/// Makes a driver's or peer's text fit for one line: control characters become blanks, values of secret settings are
/// hidden, its length is bounded.
pub(crate) fn one_line(text: &str) -> String {
    let text = &*without_secrets(text);
    let end = text.floor_char_boundary(TEXT_MAX);
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text[..end].chars().map(plain).collect();
    if end < text.len() {
        line.push('…');
    }
    line
}
