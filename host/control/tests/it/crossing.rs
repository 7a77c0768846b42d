//! Requests side by side that are in each other's way, step by step.
//!
//! A request whose instance is called `slow` stops between its choice and taking it, until the test lets it go on.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use longshore_control::NamedDriver;
use longshore_control::scheduler::{
    SchedulerConfig, SchedulerDrivers, SchedulerManager, SelectError,
};
use longshore_messaging::RequestContext;
use longshore_objects::{Flavor, RequestSpec};
use longshore_plugin_api::{
    CallContext, Destination, DriverError, Filter, HostManager, HostStates, Mask, Random,
    RequestSpec as Request, Scheduler, SelectOptions, Selection,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::fakes::{Hosts, ram};
use crate::records::Records;
use crate::world::calls;

/// All that a host has.
const WHOLE: i64 = 16_384;
const HALF: i64 = 8192;

/// Takes the first host that passes the filters, or, without asking for them, one that has most.
struct Paced {
    filters: bool,
    chosen: UnboundedSender<String>,
    /// Whether to go on.
    go: Mutex<mpsc::Receiver<bool>>,
}

impl Paced {
    fn choose(&self, index: u32, hosts: &dyn HostStates) -> Result<usize, DriverError> {
        let table = hosts.table()?;
        let mut words = hosts.eligible()?;
        let mut mask = Mask::new(&mut words, table.len());
        let row = match self.filters {
            true => {
                hosts.filter(index, &mut mask)?;
                mask.iter().next()
            }
            false => {
                let free = table.free_ram_mb();
                mask.iter().min_by_key(|row| std::cmp::Reverse(free[*row]))
            }
        };
        row.ok_or_else(|| DriverError::no_valid_host("the filters left no host"))
    }
}

impl Scheduler for Paced {
    fn select_destinations(
        &self,
        _: &CallContext<'_>,
        request: &Request,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        let place = |index| {
            let row = self.choose(index, hosts)?;
            let table = hosts.table()?;
            let name = table.host(row).host_name().to_owned();
            if request.instance_uuid() == "slow" {
                self.chosen.send(name.clone()).unwrap();
                if !self.go.lock().unwrap().recv().unwrap() {
                    return Err(DriverError::no_valid_host("told to stop"));
                }
            }
            hosts.consume(row as u32)?;
            Ok(selection(&name))
        };
        (0..options.instances).map(place).collect()
    }
}

fn selection(host: &str) -> Selection {
    let chosen = Destination {
        host: host.to_owned(),
        node: host.to_owned(),
        ..Destination::default()
    };
    Selection {
        chosen,
        alternates: Vec::new(),
    }
}

type Answer = Result<Vec<String>, SelectError>;

/// A scheduler with two workers.
struct Crossing {
    manager: Arc<SchedulerManager>,
    hosts: Arc<Hosts>,
    chosen: UnboundedReceiver<String>,
    go: mpsc::Sender<bool>,
}

impl Crossing {
    fn over(names: &[&str], filters: bool) -> Self {
        let (chosen, chosen_here) = unbounded_channel();
        let (go, go_there) = mpsc::channel();
        let go_there = Mutex::new(go_there);
        let paced = Paced {
            filters,
            chosen,
            go: go_there,
        };
        let hosts = Arc::new(Hosts::named(names));
        let config = SchedulerConfig {
            workers: 2,
            ..SchedulerConfig::default()
        };
        Self {
            manager: manager(paced, hosts.clone(), config),
            hosts,
            chosen: chosen_here,
            go,
        }
    }

    /// Begins a request for instances of so much memory each.
    fn begin(&self, uuid: &str, instances: usize, memory_mb: i64) -> JoinHandle<Answer> {
        let spec = spec(memory_mb);
        tokio::spawn(ask(Arc::clone(&self.manager), spec, uuid, instances))
    }

    /// Runs a request for a whole host, which is not slow; answers the host.
    async fn quick(&self, memory_mb: i64) -> String {
        let answer = self.begin("quick", 1, memory_mb).await.unwrap();
        answer.unwrap().remove(0)
    }

    /// Waits until the slow one has chosen a host.
    async fn slow_chose(&mut self, host: &str) {
        assert_eq!(within(self.chosen.recv()).await.unwrap(), host);
    }

    fn let_go(&self) {
        self.go.send(true).unwrap();
    }

    /// The slow one chooses no more.
    fn slow_is_done(&mut self) {
        assert!(self.chosen.try_recv().is_err());
    }
}

fn manager(
    scheduler: impl Scheduler,
    hosts: Arc<dyn HostManager>,
    config: SchedulerConfig,
) -> Arc<SchedulerManager> {
    let filter: Arc<dyn Filter> = Arc::new(ram());
    let drivers = SchedulerDrivers::new(
        NamedDriver::new("tested", Arc::new(scheduler) as _),
        NamedDriver::new("hosts", hosts),
        vec![NamedDriver::new("ram", filter)],
        vec![],
    );
    let calls = calls(Duration::from_secs(60));
    let records = Arc::new(Records::default());
    Arc::new(SchedulerManager::new(
        config,
        drivers.unwrap(),
        records,
        &calls,
    ))
}

fn spec(memory_mb: i64) -> RequestSpec {
    let mut flavor = Flavor::new();
    flavor
        .set_memory_mb(memory_mb)
        .set_vcpus(1)
        .set_name("tested");
    let mut spec = RequestSpec::new();
    spec.set_flavor(flavor);
    spec
}

fn ask(
    manager: Arc<SchedulerManager>,
    spec: RequestSpec,
    uuid: &str,
    instances: usize,
) -> impl Future<Output = Answer> + use<> {
    let uuids = vec![uuid.to_owned(); instances];
    async move {
        let ctx = RequestContext::admin();
        let chosen = manager.select_destinations(&ctx, spec, uuids).await?;
        let first = |list: &Vec<longshore_objects::Selection>| list[0].host().to_owned();
        Ok(chosen.iter().map(first).collect())
    }
}

/// What must come, within a minute.
async fn within<T>(what: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, what).await.unwrap()
}

/// Lets others do what they can do by now.
async fn others_go_on() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_host_that_others_took_of_is_looked_at_again_and_taken_if_it_still_passes() {
    let mut crossing = Crossing::over(&["a"], true);
    let slow = crossing.begin("slow", 1, HALF);
    crossing.slow_chose("a").await;
    assert_eq!(crossing.quick(HALF).await, "a");
    crossing.let_go();
    assert_eq!(slow.await.unwrap().unwrap(), ["a"]);
    crossing.slow_is_done();
    assert_eq!(crossing.hosts.free_ram(), [0]);
}

#[tokio::test]
async fn a_request_whose_host_others_filled_gives_all_back_and_takes_another() {
    let mut crossing = Crossing::over(&["a", "b", "c"], true);
    let slow = crossing.begin("slow", 2, WHOLE);
    crossing.slow_chose("a").await;
    crossing.let_go();
    crossing.slow_chose("b").await;
    assert_eq!(crossing.quick(WHOLE).await, "b");
    crossing.let_go();
    crossing.slow_chose("a").await;
    crossing.let_go();
    crossing.slow_chose("c").await;
    crossing.let_go();
    assert_eq!(slow.await.unwrap().unwrap(), ["a", "c"]);
    assert_eq!(crossing.hosts.free_ram(), [0; 3]);
}

#[tokio::test]
async fn a_request_that_is_crossed_each_time_runs_alone_in_the_end() {
    let mut crossing = Crossing::over(&["a", "b", "c", "d", "e"], true);
    let slow = crossing.begin("slow", 1, WHOLE);
    for host in ["a", "b", "c"] {
        crossing.slow_chose(host).await;
        assert_eq!(crossing.quick(WHOLE).await, host);
        crossing.let_go();
    }
    crossing.slow_chose("d").await;
    let late = crossing.begin("late", 1, WHOLE);
    others_go_on().await;
    assert!(!late.is_finished());
    let full = [0, 0, 0];
    assert_eq!(
        crossing.hosts.free_ram(),
        [&full[..], &[16_384; 2]].concat()
    );
    crossing.let_go();
    assert_eq!(slow.await.unwrap().unwrap(), ["d"]);
    assert_eq!(late.await.unwrap().unwrap(), ["e"]);
}

#[tokio::test]
async fn no_valid_host_is_said_only_when_nobody_may_give_one_back() {
    for slow_goes_on in [true, false] {
        let mut crossing = Crossing::over(&["a", "b"], true);
        let slow = crossing.begin("slow", 2, WHOLE);
        crossing.slow_chose("a").await;
        crossing.let_go();
        // It has taken `a`, and may fail yet.
        crossing.slow_chose("b").await;
        let mut only_a = spec(WHOLE);
        only_a.set_ignore_hosts(vec!["b".to_owned()]);
        let other = ask(Arc::clone(&crossing.manager), only_a, "other", 1);
        let other = tokio::spawn(other);
        others_go_on().await;
        assert!(!other.is_finished());
        crossing.go.send(slow_goes_on).unwrap();
        let (slow, other) = (slow.await.unwrap(), other.await.unwrap());
        let (given, refused, free) = match slow_goes_on {
            true => (slow, other, [0, 0]),
            false => (other, slow, [0, 16_384]),
        };
        assert_eq!(given.unwrap()[0], "a");
        assert_eq!(refused.unwrap_err().code(), "schedule/no-valid-host");
        assert_eq!(crossing.hosts.free_ram(), free);
    }
}

#[tokio::test]
async fn a_scheduler_that_asks_for_no_filters_chooses_anew() {
    let mut crossing = Crossing::over(&["a", "b"], false);
    let slow = crossing.begin("slow", 1, HALF);
    crossing.slow_chose("a").await;
    assert_eq!(crossing.quick(HALF).await, "a");
    crossing.let_go();
    crossing.slow_chose("b").await;
    crossing.let_go();
    assert_eq!(slow.await.unwrap().unwrap(), ["b"]);
    assert_eq!(crossing.hosts.free_ram(), [8192, 8192]);
}

#[tokio::test]
async fn a_forced_host_is_taken_whatever_others_took_of_it() {
    let mut crossing = Crossing::over(&["a"], true);
    let mut forced = spec(WHOLE);
    forced.set_force_hosts(vec!["a".to_owned()]);
    let slow = tokio::spawn(ask(Arc::clone(&crossing.manager), forced, "slow", 1));
    crossing.slow_chose("a").await;
    assert_eq!(crossing.quick(WHOLE).await, "a");
    crossing.let_go();
    assert_eq!(slow.await.unwrap().unwrap(), ["a"]);
    crossing.slow_is_done();
    assert_eq!(crossing.hosts.free_ram(), [-16_384]);
}

/// Takes any host, by chance.
struct Chance;

impl Scheduler for Chance {
    fn select_destinations(
        &self,
        _: &CallContext<'_>,
        _: &Request,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        let table = hosts.table()?;
        let row = Random::new(options.seed).below(table.len());
        hosts.consume(row as u32)?;
        Ok(vec![selection(table.host(row).host_name())])
    }
}

/// The hosts of 16 requests that come at once.
async fn by_chance(seed: Option<u64>) -> Vec<String> {
    let names: Vec<String> = (0..100).map(|number| format!("h{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let config = SchedulerConfig {
        seed,
        ..SchedulerConfig::default()
    };
    let manager = manager(Chance, Arc::new(Hosts::named(&names)), config);
    let begin = |number| {
        let uuid = format!("u{number}");
        tokio::spawn(ask(Arc::clone(&manager), spec(1), &uuid, 1))
    };
    let all: Vec<_> = (0..16).map(begin).collect();
    let mut chosen = Vec::new();
    for one in all {
        chosen.extend(one.await.unwrap().unwrap());
    }
    chosen
}

#[tokio::test]
async fn a_seed_decides_what_chance_does() {
    let one = by_chance(Some(1)).await;
    assert_eq!(one, by_chance(Some(1)).await);
    assert_ne!(one, by_chance(Some(2)).await);
    assert_ne!(by_chance(None).await, by_chance(None).await);
    assert!(one.iter().any(|host| *host != one[0]), "each has its own");
}
