//! The scheduler's drivers behind their watches: one that hangs or panics is named and kept away, the others go on.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use longshore_control::call_watch::Note;
use longshore_control::scheduler::{
    FaultPolicy, SchedulerConfig, SchedulerDrivers, SchedulerManager, SelectError,
};
use longshore_control::{CallEnd, CallWatch, NamedDriver, Watched};
use longshore_messaging::RequestContext;
use longshore_objects::{Flavor, RequestSpec};
use longshore_plugin_api::{
    CallContext, DriverError, Filter, HostManager, HostStates, Mask, RequestSpec as Request,
    Scheduler, SelectOptions, Selection, full,
};

use crate::fakes::{Best, Hosts, Judged};
use crate::records::Records;
use crate::world::calls;

/// A gate that closes at the first stuck call or panic, opens when the call comes back, and remembers what it was told.
struct Gate {
    name: &'static str,
    closed: AtomicBool,
    running: AtomicU32,
    ends: Mutex<Vec<CallEnd>>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Gate {
    fn new(name: &'static str, told: &Arc<Mutex<Vec<String>>>) -> Arc<Gate> {
        Arc::new(Gate {
            name,
            closed: AtomicBool::new(false),
            running: AtomicU32::new(0),
            ends: Mutex::default(),
            told: Arc::clone(told),
        })
    }

    /// The ends that are no answers.
    fn odd_ends(&self) -> Vec<CallEnd> {
        let ends = self.ends.lock().unwrap();
        let odd = |end: &&CallEnd| **end != CallEnd::Answered;
        ends.iter().filter(odd).copied().collect()
    }
}

impl CallWatch for Gate {
    fn admit(&self) -> Result<(), String> {
        match self.closed.load(Ordering::Relaxed) {
            true => Err("for a test".to_owned()),
            false => Ok(()),
        }
    }

    fn begin(&self, method: &str) -> Note {
        let number = self.running.fetch_add(1, Ordering::Relaxed);
        let name = self.name;
        self.told.lock().unwrap().push(format!("{name}.{method}"));
        Note(Some(number))
    }

    fn end(&self, note: Note) {
        let before = self.running.fetch_sub(1, Ordering::Relaxed);
        assert_eq!(note, Note(before.checked_sub(1)), "one at a time");
        self.told
            .lock()
            .unwrap()
            .push(format!("{} ends", self.name));
    }

    fn ended(&self, how: CallEnd) {
        match how {
            CallEnd::Stuck | CallEnd::Panicked => self.closed.store(true, Ordering::Relaxed),
            CallEnd::CameBack => self.closed.store(false, Ordering::Relaxed),
            CallEnd::Answered | CallEnd::Unknown => {}
        }
        self.ends.lock().unwrap().push(how);
    }
}

/// A scheduler with its drivers behind gates.
struct Watchers {
    manager: SchedulerManager,
    hosts: Arc<Hosts>,
    scheduler: Arc<Gate>,
    host_manager: Arc<Gate>,
    filter: Arc<Gate>,
    told: Arc<Mutex<Vec<String>>>,
}

/// Longest time of a selection where one hangs: it takes all of it, the others next to nothing.
const SHORT: Duration = Duration::from_secs(1);
/// Where none hangs.
const LONG: Duration = Duration::from_secs(60);

impl Watchers {
    fn new(scheduler: impl Scheduler, filter: Judged, on_fault: FaultPolicy) -> Self {
        let hosts = Arc::new(Hosts::named(&["a", "b"]));
        Self::with_hosts(scheduler, hosts.clone(), hosts, filter, (on_fault, SHORT))
    }

    fn with_hosts(
        scheduler: impl Scheduler,
        managing: Arc<dyn HostManager>,
        hosts: Arc<Hosts>,
        filter: Judged,
        (on_fault, limit): (FaultPolicy, Duration),
    ) -> Self {
        let told = Arc::default();
        let gates = ["scheduler", "hosts", "filter"].map(|name| Gate::new(name, &told));
        let [scheduler_gate, host_manager, filter_gate] = gates;
        let by = |gate: &Arc<Gate>| Watched::by(gate.clone());
        let filter: Arc<dyn Filter> = Arc::new(filter);
        let drivers = SchedulerDrivers::new(
            NamedDriver::new("tested", Arc::new(scheduler) as _).watched(by(&scheduler_gate)),
            NamedDriver::new("hosts", managing).watched(by(&host_manager)),
            vec![NamedDriver::new("odd", filter).watched(by(&filter_gate))],
            vec![],
        );
        let config = SchedulerConfig {
            select_timeout: limit,
            workers: 2,
            ..SchedulerConfig::default()
        };
        let drivers = drivers.unwrap().on_faults(on_fault, on_fault);
        let calls = calls(Duration::from_secs(60));
        told.lock().unwrap().clear();
        Self {
            manager: SchedulerManager::new(config, drivers, Arc::new(Records::default()), &calls),
            hosts,
            scheduler: scheduler_gate,
            host_manager,
            filter: filter_gate,
            told,
        }
    }

    async fn ask(&self) -> Result<String, SelectError> {
        let (ctx, mut spec) = (RequestContext::admin(), RequestSpec::new());
        let mut flavor = Flavor::new();
        flavor.set_memory_mb(6000).set_vcpus(1).set_name("big");
        spec.set_flavor(flavor);
        let uuids = vec!["u".to_owned()];
        let chosen = self.manager.select_destinations(&ctx, spec, uuids).await?;
        Ok(chosen[0][0].host().to_owned())
    }
}

/// Lets a driver's first call go only when the test says so.
struct Hang {
    armed: AtomicBool,
    gate: Mutex<mpsc::Receiver<()>>,
}

fn hang() -> (mpsc::Sender<()>, Arc<Hang>) {
    let (go, gate) = mpsc::channel();
    let (armed, gate) = (AtomicBool::new(true), Mutex::new(gate));
    (go, Arc::new(Hang { armed, gate }))
}

impl Hang {
    fn here(&self) {
        if self.armed.swap(false, Ordering::Relaxed) {
            self.gate.lock().unwrap().recv().unwrap();
        }
    }
}

fn hanging_filter(hang: &Arc<Hang>) -> Judged {
    let hang = Arc::clone(hang);
    Judged::new(move |_, _| {
        hang.here();
        Ok(true)
    })
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_filter_that_does_not_return_is_named_and_the_others_go_on() {
    let (go, hang) = hang();
    let filter = hanging_filter(&hang);
    let watchers = Watchers::new(Best, filter, FaultPolicy::Skip);
    let error = watchers.ask().await.unwrap_err();
    assert_eq!(error.code(), "driver/timeout");
    let text = error.to_string();
    let named = "filter `odd` in `filter_all` failed: the driver did not answer within";
    assert!(text.starts_with(named), "{text}");
    assert_eq!(watchers.filter.odd_ends(), [CallEnd::Stuck]);
    assert_eq!(watchers.scheduler.odd_ends(), [CallEnd::Unknown]);
    // Another thread, without the filter.
    assert_eq!(watchers.ask().await.unwrap(), "a");
    go.send(()).unwrap();
    until(|| watchers.filter.odd_ends().contains(&CallEnd::CameBack)).await;
    // The request that was given up went no further: nothing is consumed for it.
    assert_eq!(watchers.hosts.free_ram(), [10_384, 16_384]);
    assert_eq!(watchers.ask().await.unwrap(), "a");
}

#[tokio::test]
async fn a_filter_that_hangs_holds_up_its_own_request_and_no_other() {
    let (go, hang) = hang();
    let filter = hanging_filter(&hang);
    let hosts = Arc::new(Hosts::named(&["a", "b"]));
    let policy = (FaultPolicy::Fail, LONG);
    let watchers = Watchers::with_hosts(Best, hosts.clone(), hosts, filter, policy);
    let other = async {
        until(|| !hang.armed.load(Ordering::Relaxed)).await;
        let other = watchers.ask().await;
        go.send(()).unwrap();
        other
    };
    let (held, other) = tokio::join!(watchers.ask(), other);
    assert_eq!((held.unwrap(), other.unwrap()), ("a".into(), "a".into()));
}

#[tokio::test]
async fn a_fenced_filter_fails_requests_where_faults_do() {
    let (go, hang) = hang();
    let watchers = Watchers::new(Best, hanging_filter(&hang), FaultPolicy::Fail);
    watchers.ask().await.unwrap_err();
    let error = watchers.ask().await.unwrap_err();
    assert_eq!(error.code(), "driver/fenced");
    let text = "filter `odd` failed: the driver is fenced: for a test";
    assert_eq!(error.to_string(), text);
    go.send(()).unwrap();
}

/// Consumes, then waits.
struct Holds(Arc<Hang>);

impl Scheduler for Holds {
    fn select_destinations(
        &self,
        context: &CallContext<'_>,
        request: &Request,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        let selections = Best.select_destinations(context, request, options, hosts);
        self.0.here();
        selections
    }
}

#[tokio::test]
async fn a_scheduler_that_does_not_return_is_fenced_and_what_it_consumed_comes_back() {
    let (go, hang) = hang();
    let filter = Judged::new(|_, _| Ok(true));
    let watchers = Watchers::new(Holds(hang), filter, FaultPolicy::Fail);
    let error = watchers.ask().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("scheduler `tested` in `select_destinations` failed: "),
        "{text}"
    );
    let error = watchers.ask().await.unwrap_err();
    assert_eq!(error.code(), "driver/fenced");
    assert_eq!(watchers.hosts.free_ram(), [10_384, 16_384]);
    go.send(()).unwrap();
    until(|| watchers.scheduler.odd_ends().contains(&CallEnd::CameBack)).await;
    until(|| watchers.hosts.free_ram() == [16_384, 16_384]).await;
    assert_eq!(watchers.ask().await.unwrap(), "a");
}

/// Asks for filters for ever.
struct Restless;

impl Scheduler for Restless {
    fn select_destinations(
        &self,
        _: &CallContext<'_>,
        _: &Request,
        _: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        loop {
            let len = hosts.table()?.len();
            let mut words = full(len);
            hosts.filter(0, &mut Mask::new(&mut words, len))?;
        }
    }
}

#[tokio::test]
async fn a_scheduler_that_goes_on_and_on_is_to_blame_and_not_what_it_asks() {
    let filter = Judged::new(|_, _| Ok(true));
    let watchers = Watchers::new(Restless, filter, FaultPolicy::Fail);
    let error = watchers.ask().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("scheduler `tested` in "), "{text}");
    assert!(!watchers.filter.odd_ends().contains(&CallEnd::Stuck));
    // Nobody answers it any more, so it ends.
    until(|| watchers.scheduler.odd_ends().contains(&CallEnd::CameBack)).await;
}

#[tokio::test]
async fn only_the_innermost_driver_is_noted_as_running() {
    let filter = Judged::new(|_, _| Ok(true));
    let hosts = Arc::new(Hosts::named(&["a", "b"]));
    let watchers = Watchers::with_hosts(
        Best,
        hosts.clone(),
        hosts,
        filter,
        (FaultPolicy::Fail, LONG),
    );
    watchers.ask().await.unwrap();
    let told = watchers.told.lock().unwrap().clone();
    let mut running: Option<String> = None;
    for line in &told {
        match line.split_once(' ') {
            Some((name, _)) => {
                let ends = running.take().unwrap();
                assert!(ends.starts_with(name), "{told:?}");
            }
            None => assert_eq!(running.replace(line.clone()), None, "{told:?}"),
        }
    }
    assert_eq!(running, None);
    for call in [
        "scheduler.select_destinations",
        "filter.filter_all",
        "filter.limits",
        "hosts.host_table",
        "hosts.eligible_hosts",
        "hosts.consume_from_request",
    ] {
        assert!(told.iter().any(|line| line == call), "{call}: {told:?}");
    }
}

/// A host manager that panics when something is consumed.
struct Greedy(Arc<Hosts>);

impl HostManager for Greedy {
    fn update_host(&self, report: &longshore_plugin_api::HostReport) -> Result<bool, DriverError> {
        self.0.update_host(report)
    }
    fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
        self.0.remove_host(host, node)
    }
    fn update_service(
        &self,
        state: &longshore_plugin_api::ServiceState,
    ) -> Result<(), DriverError> {
        self.0.update_service(state)
    }
    fn host_table(&self) -> Result<longshore_plugin_api::HostTable, DriverError> {
        self.0.host_table()
    }
    fn eligible_hosts(
        &self,
        hosts: &longshore_plugin_api::HostTable,
        request: &Request,
        mask: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        self.0.eligible_hosts(hosts, request, mask)
    }
    fn consume_from_request(&self, _: &str, _: &str, _: &Request) -> Result<(), DriverError> {
        panic!("mine")
    }
}

#[tokio::test]
async fn a_panic_of_the_host_manager_is_its_own_and_not_the_schedulers() {
    let hosts = Arc::new(Hosts::named(&["a"]));
    let filter = Judged::new(|_, _| Ok(true));
    let greedy = Arc::new(Greedy(hosts.clone()));
    let watchers = Watchers::with_hosts(Best, greedy, hosts, filter, (FaultPolicy::Fail, LONG));
    let error = watchers.ask().await.unwrap_err();
    assert_eq!(error.code(), "driver/panicked");
    let text = error.to_string();
    assert!(text.starts_with("host manager `hosts` failed: "), "{text}");
    assert_eq!(watchers.host_manager.odd_ends(), [CallEnd::Panicked]);
    assert_eq!(watchers.scheduler.odd_ends(), []);
    let error = watchers.ask().await.unwrap_err();
    let text = "host manager `hosts` failed: the driver is fenced: for a test";
    assert_eq!(error.to_string(), text);
}
