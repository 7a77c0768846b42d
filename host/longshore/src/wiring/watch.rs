//! What the program does around each call of a driver: notes it in the in-flight record where that is on, keeps calls
//! away from a driver that is fenced, and says so once.
//!
//! One per driver and host. Made by `drivers`, read by `plugin_view` for `/readyz`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use longshore_control::{CallEnd, CallWatch, Watched};
use longshore_loader::fence::{Ended, Fence, Fenced};
use longshore_loader::record::{CallName, Recorded};
use longshore_loader::{Extension, Factory};

use super::drivers::VIRT;
use crate::config::resolved::{PluginsConfig, RecordedCalls};

/// All watches of this process.
pub(super) struct Watches {
    panic_limit: u32,
    recorded: RecordedCalls,
    all: Mutex<Vec<Arc<DriverWatch>>>,
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
}

impl Watches {
    pub(super) fn new(plugins: &PluginsConfig) -> Watches {
        Watches {
            panic_limit: plugins.panic_limit,
            recorded: plugins.record,
            all: Mutex::default(),
        }
    }

    /// A watch for a driver that was loaded.
    pub(super) fn of<K: ?Sized>(&self, extension: &Extension<K>, host: &str) -> Watched {
        let info = extension.info();
        let record = match self.recorded {
            RecordedCalls::Virt => info.namespace == VIRT,
            RecordedCalls::All => true,
            RecordedCalls::None => false,
        };
        let factory = extension.factory().filter(|_| record);
        let watch = Arc::new(DriverWatch {
            namespace: info.namespace.clone(),
            name: info.name.clone(),
            host: host.to_owned(),
            fence: Fence::new(self.panic_limit),
            recorded: factory.and_then(Factory::recorded),
            started: Instant::now(),
        });
        let all = self.all.lock();
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&watch));
        Watched::by(watch)
    }

    /// The drivers that are fenced now, each with the reason.
    pub(super) fn fenced(&self) -> Vec<(Arc<DriverWatch>, String)> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let fenced = |w: &Arc<DriverWatch>| Some((Arc::clone(w), w.words(w.fence.fenced()?)));
        all.iter().filter_map(fenced).collect()
    }
}

impl DriverWatch {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn words(&self, fenced: Fenced) -> String {
        let left_ms = fenced.until_ms.saturating_sub(self.now_ms());
        let left = left_ms.div_ceil(1000);
        format!("{}; it is tried again in {left} s", fenced.reason)
    }
}

impl CallWatch for DriverWatch {
    fn admit(&self) -> Result<(), String> {
        let admitted = self.fence.admit(|| self.now_ms());
        admitted.map_err(|fenced| self.words(fenced))
    }

    fn during(&self, method: &str, call: &mut dyn FnMut()) {
        let recorded = self.recorded.as_ref();
        let _in_call = recorded.map(|r| r.begin(CallName::new(method)));
        call();
    }

    fn ended(&self, how: CallEnd) {
        let how = match how {
            CallEnd::Answered => Ended::Answered,
            CallEnd::Panicked => Ended::Panicked,
            CallEnd::Stuck => Ended::Stuck,
            CallEnd::CameBack => Ended::CameBack,
        };
        let Some(fenced) = self.fence.ended(how, || self.now_ms()) else {
            return;
        };
        let (namespace, host) = (&self.namespace, &self.host);
        let (name, words) = (&self.name, self.words(fenced));
        tracing::error!(namespace, host, "driver `{name}` is fenced: {words}");
    }
}
