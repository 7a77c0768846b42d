//! What the program does around each call of a driver: notes it in the in-flight record where that is on, keeps calls
//! away from a driver that is fenced, and says so once.
//!
//! One per driver and host. Made by `drivers`, read by `plugin_view` for the API, ended by `endings`.

use std::any::Any;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use longshore_control::call_watch::Note;
use longshore_control::{CallEnd, CallWatch, Tally, Watched};
use longshore_loader::fence::{Ended, Fence, Fenced, NEVER_MS, STUCK_MAX, STUCK_MAX_IN_LINE};
use longshore_loader::record::{CallName, Recorded, Slot};
use longshore_loader::{Extension, Factory};

use super::drivers::{HOST_MANAGER, SCHEDULER, VIRT};
use crate::config::resolved::{PluginsConfig, RecordedCalls};

/// All watches of this process.
pub(super) struct Watches {
    panic_limit: u32,
    recorded: RecordedCalls,
    all: Mutex<Vec<Arc<DriverWatch>>>,
    kept: Mutex<Vec<Kept>>,
}

/// Looks on while one driver is called.
pub(super) struct DriverWatch {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Empty when the driver serves the whole process.
    pub(super) host: String,
    fence: Fence,
    recorded: Option<Recorded>,
    started: Instant,
    /// What its calls cost.
    pub(super) tally: Tally,
    /// `cost` said that it is slow.
    pub(super) was_said_slow: AtomicBool,
}

/// A driver that the program holds to the end, so that it is dropped where the program says.
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) recorded: Option<Recorded>,
    pub(super) extension: Box<dyn Any + Send>,
}

/// Why a driver is fenced, as of now.
pub(super) struct WhyFenced {
    pub(super) reason: String,
    /// Seconds until it is tried; none before one of its calls comes back.
    pub(super) tried_in_s: Option<u64>,
}

impl fmt::Display for WhyFenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = &self.reason;
        match self.tried_in_s {
            Some(left) => write!(f, "{reason}; it is tried again in {left} s"),
            None => write!(f, "{reason}; it is not tried before one of them does"),
        }
    }
}

impl Watches {
    pub(super) fn new(plugins: &PluginsConfig) -> Watches {
        Watches {
            panic_limit: plugins.panic_limit,
            recorded: plugins.record,
            all: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// A watch for a driver that was loaded. Holds on to the driver.
    pub(super) fn of<K>(&self, extension: &Extension<K>, host: &str) -> Watched
    where
        K: ?Sized + Send + Sync + 'static,
    {
        let info = extension.info();
        let recorded = extension.factory().and_then(Factory::recorded);
        lock(&self.kept).push(Kept {
            name: info.name.clone(),
            recorded: recorded.clone(),
            extension: Box::new(extension.clone()),
        });
        // The virt driver's calls have a thread each, the others' run one inside the other and hold up requests.
        let stuck_limit = match info.namespace == VIRT {
            true => STUCK_MAX,
            false => STUCK_MAX_IN_LINE,
        };
        let watch = Arc::new(DriverWatch {
            namespace: info.namespace.clone(),
            name: info.name.clone(),
            host: host.to_owned(),
            fence: Fence::new(self.panic_limit, stuck_limit),
            recorded: recorded.filter(|_| self.is_recorded(&info.namespace)),
            started: Instant::now(),
            tally: Tally::default(),
            was_said_slow: AtomicBool::new(false),
        });
        lock(&self.all).push(Arc::clone(&watch));
        Watched::by(watch)
    }

    fn is_recorded(&self, namespace: &str) -> bool {
        match self.recorded {
            RecordedCalls::Needed => [VIRT, SCHEDULER, HOST_MANAGER].contains(&namespace),
            RecordedCalls::Virt => namespace == VIRT,
            RecordedCalls::All => true,
            RecordedCalls::None => false,
        }
    }

    /// Every watch.
    pub(super) fn all(&self) -> Vec<Arc<DriverWatch>> {
        lock(&self.all).clone()
    }

    /// The drivers that are fenced now.
    pub(super) fn fenced(&self) -> Vec<(Arc<DriverWatch>, WhyFenced)> {
        let all = lock(&self.all);
        let fenced = |w: &Arc<DriverWatch>| Some((Arc::clone(w), w.why(w.fence.fenced()?)));
        all.iter().filter_map(fenced).collect()
    }

    /// Gives up what it holds: the drivers, in the order in which they were loaded.
    pub(super) fn take_drivers(&self) -> Vec<Kept> {
        std::mem::take(&mut *lock(&self.kept))
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DriverWatch {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// ` on HOST`, for one that is a host's own.
    pub(super) fn place(&self) -> String {
        match self.host.as_str() {
            "" => String::new(),
            host => format!(" on {host}"),
        }
    }

    fn why(&self, fenced: Fenced) -> WhyFenced {
        let left_ms = fenced.until_ms.saturating_sub(self.now_ms());
        WhyFenced {
            reason: fenced.reason.to_string(),
            tried_in_s: (fenced.until_ms != NEVER_MS).then(|| left_ms.div_ceil(1000)),
        }
    }
}

impl CallWatch for DriverWatch {
    fn admit(&self) -> Result<(), String> {
        let admitted = self.fence.admit(|| self.now_ms());
        admitted.map_err(|fenced| self.why(fenced).to_string())
    }

    fn begin(&self, method: &str) -> Note {
        let recorded = self.recorded.as_ref();
        let slot = recorded.and_then(|r| r.note(CallName::new(method)));
        Note(slot.map(|Slot(at)| at))
    }

    fn end(&self, Note(at): Note) {
        if let (Some(recorded), Some(at)) = (&self.recorded, at) {
            recorded.end(Slot(at));
        }
    }

    fn tally(&self) -> Option<&Tally> {
        Some(&self.tally)
    }

    fn ended(&self, how: CallEnd) {
        let how = match how {
            CallEnd::Answered => Ended::Answered,
            CallEnd::Panicked => Ended::Panicked,
            CallEnd::Stuck => Ended::Stuck,
            CallEnd::CameBack => Ended::CameBack,
            CallEnd::Unknown => Ended::Unknown,
        };
        let Some(fenced) = self.fence.ended(how, || self.now_ms()) else {
            return;
        };
        let (namespace, host) = (&self.namespace, &self.host);
        let (name, why) = (&self.name, self.why(fenced));
        tracing::error!(namespace, host, "driver `{name}` is fenced: {why}");
    }
}
