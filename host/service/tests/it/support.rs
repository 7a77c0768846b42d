//! A journal that fakes write into, a manager that records its hooks, and records that can fail.
//!
//! Used by every module of this binary; it must not assert anything itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use longshore_messaging::{
    Dispatched, Endpoint, EndpointTarget, MemoryTransport, RequestContext, RpcClient, Target,
    Transport,
};
use longshore_service::{
    Manager, PeriodicTask, RecordsGroup, Service, ServiceConfig, ServiceError, ServiceRecords,
};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

/// What happened, in order; can be awaited.
#[derive(Clone)]
pub(crate) struct Journal(mpsc::Sender<String>);

pub(crate) struct Events(pub(crate) mpsc::Receiver<String>);

pub(crate) fn journal() -> (Journal, Events) {
    let (sender, receiver) = mpsc::channel(10_000);
    (Journal(sender), Events(receiver))
}

impl Journal {
    pub(crate) fn note(&self, event: impl Into<String>) {
        self.0.try_send(event.into()).unwrap();
    }
}

impl Events {
    pub(crate) async fn next(&mut self) -> String {
        self.0.recv().await.unwrap()
    }

    pub(crate) fn so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

pub(crate) fn failed(what: &str) -> ServiceError {
    ServiceError::new("store/test", format!("`{what}` was told to fail"))
}

/// Notes each hook; fails in the one it is told to.
pub(crate) struct Recorder {
    pub(crate) journal: Journal,
    pub(crate) fail_in: Mutex<Option<&'static str>>,
    pub(crate) gate: Arc<Semaphore>,
}

impl Recorder {
    fn hook(&self, name: &'static str) -> Result<(), ServiceError> {
        self.journal.note(name);
        match *self.fail_in.lock().unwrap() {
            Some(failing) if failing == name => Err(failed(name)),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Manager for Recorder {
    fn service_name(&self) -> &str {
        "demo"
    }

    async fn init_host(&self) -> Result<(), ServiceError> {
        self.hook("init_host")
    }

    async fn pre_start_hook(&self) -> Result<(), ServiceError> {
        self.hook("pre_start_hook")
    }

    async fn post_start_hook(&self) -> Result<(), ServiceError> {
        self.hook("post_start_hook")
    }

    async fn cleanup_host(&self) -> Result<(), ServiceError> {
        self.hook("cleanup_host")
    }

    async fn reset(&self) -> Result<(), ServiceError> {
        self.hook("reset")
    }

    fn endpoints(self: Arc<Self>) -> Vec<Arc<dyn Endpoint>> {
        self.journal.note("endpoints");
        vec![self]
    }

    fn periodic_tasks(self: Arc<Self>) -> Vec<PeriodicTask> {
        self.journal.note("periodic_tasks");
        let journal = self.journal.clone();
        let tick = move || {
            journal.note("tick");
            async { Ok(()) }
        };
        vec![PeriodicTask::new("demo.tick", Duration::from_secs(10), tick).immediately()]
    }
}

#[async_trait]
impl Endpoint for Recorder {
    fn target(&self) -> EndpointTarget {
        EndpointTarget::new(1, 0)
    }

    async fn dispatch(&self, _ctx: RequestContext, method: &str, _args: Value) -> Dispatched {
        if method != "hold" {
            return Dispatched::NoSuchMethod;
        }
        self.journal.note("method begins");
        self.gate.acquire().await.unwrap().forget();
        self.journal.note("method ends");
        Dispatched::Result(Ok(json!("done")))
    }
}

/// Notes each access; can be out of order.
pub(crate) struct Records {
    pub(crate) journal: Journal,
    pub(crate) broken: AtomicBool,
}

#[async_trait]
impl ServiceRecords for Records {
    async fn register(&self, host: &str, binary: &str, topic: &str) -> Result<(), ServiceError> {
        self.journal
            .note(format!("register {host} {binary} {topic}"));
        Ok(())
    }

    async fn report_state(&self, _host: &str, _binary: &str) -> Result<(), ServiceError> {
        self.journal.note("beat");
        if self.broken.load(Ordering::SeqCst) {
            Err(failed("beat"))
        } else {
            Ok(())
        }
    }
}

/// A service over fakes, and all a test needs to look at it.
pub(crate) struct Rig {
    pub(crate) service: Arc<Service>,
    pub(crate) manager: Arc<Recorder>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) events: Events,
}

pub(crate) fn rig() -> Rig {
    let (journal, events) = journal();
    let gate = Arc::new(Semaphore::new(0));
    let fail_in = Mutex::new(None);
    let manager = Arc::new(Recorder {
        journal: journal.clone(),
        fail_in,
        gate,
    });
    let records: Arc<dyn ServiceRecords> = Arc::new(Records {
        journal,
        broken: AtomicBool::new(false),
    });
    let transport: Arc<dyn Transport> = Arc::new(MemoryTransport::new());
    let config = ServiceConfig {
        periodic_fuzzy_delay: Duration::ZERO,
        ..ServiceConfig::new("host1", "longshore-demo", "demo")
    };
    let group = Arc::new(RecordsGroup::new(
        Arc::clone(&records) as Arc<dyn ServiceRecords>
    ));
    let dyn_manager = Arc::clone(&manager) as Arc<dyn Manager>;
    let service = Service::new(config, dyn_manager, Arc::clone(&transport), group);
    Rig {
        service: Arc::new(service),
        manager,
        transport,
        events,
    }
}

impl Rig {
    pub(crate) fn client(&self) -> RpcClient {
        RpcClient::new(Arc::clone(&self.transport), Target::new("demo"))
    }
}
