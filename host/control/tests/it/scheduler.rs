//! The hosts as a scheduler driver sees them, and the checks of its answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_control::scheduler::{
    FaultPolicy, RequestHosts, SchedulerConfig, SchedulerDrivers, SchedulerManager, SelectError,
};
use longshore_control::{NamedDriver, NamedWeigher};
use longshore_messaging::RequestContext;
use longshore_objects::{Flavor, RequestSpec};
use longshore_plugin_api::{
    CallContext, Column, Destination, DriverError, Filter, HostColumns, HostManager, HostStates,
    HostTable, Mask, RequestFields, RequestSpec as Request, Scheduler, SelectOptions, Selection,
    full,
};

use crate::fakes::{Best, Hosts, Judged, Weighed, ram};
use crate::records::Records;
use crate::world::calls;

pub(crate) fn drivers(
    scheduler: impl Scheduler,
    hosts: Arc<Hosts>,
    filters: Vec<(&str, Judged)>,
    weighers: Vec<NamedWeigher>,
) -> SchedulerDrivers {
    let filters = filters
        .into_iter()
        .map(|(name, filter)| NamedDriver::<dyn Filter>::new(name, Arc::new(filter)))
        .collect();
    SchedulerDrivers::new(
        NamedDriver::new("tested", Arc::new(scheduler)),
        NamedDriver::new("hosts", hosts),
        filters,
        weighers,
    )
    .unwrap()
}

pub(crate) fn lend(drivers: SchedulerDrivers, fields: RequestFields) -> RequestHosts {
    RequestHosts::new(Arc::new(drivers), fields).unwrap()
}

pub(crate) fn filtered(hosts: &RequestHosts, index: u32) -> Result<Vec<usize>, DriverError> {
    let len = hosts.table()?.len();
    let mut words = full(len);
    let mut mask = Mask::new(&mut words, len);
    hosts.filter(index, &mut mask)?;
    Ok(mask.iter().collect())
}

fn not(name: &'static str) -> Judged {
    Judged::new(move |host, _| Ok(host.host_name() != name))
}

#[test]
fn filters_run_in_order_and_stop_when_no_host_is_left() {
    let ran = Arc::new(Mutex::new(Vec::new()));
    let step = |name: &'static str, keep: bool| {
        let ran = Arc::clone(&ran);
        let judge = Judged::new(move |_, _| {
            ran.lock().unwrap().push(name);
            Ok(keep)
        });
        (name, judge)
    };
    let all = vec![step("one", true), step("two", false), step("three", true)];
    let hosts = lend(
        drivers(Best, Arc::new(Hosts::named(&["a"])), all, vec![]),
        fields(),
    );
    assert!(filtered(&hosts, 0).unwrap().is_empty());
    assert_eq!(*ran.lock().unwrap(), ["one", "two"]);
    let counts: Vec<_> = hosts
        .counts()
        .into_iter()
        .map(|c| (c.filter, c.start, c.end))
        .collect();
    assert_eq!(counts, [("one".to_owned(), 1, 1), ("two".to_owned(), 1, 0)]);
}

pub(crate) fn fields() -> RequestFields {
    RequestFields {
        memory_mb: 512,
        num_instances: 1,
        ..RequestFields::default()
    }
}

/// Sets every bit of the words it is given, tail and all.
struct Generous;

impl Filter for Generous {
    fn filter_all(
        &self,
        hosts: &HostTable,
        _: &Request,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        // A mask can only clear; this one at least claims to keep everything.
        mask.retain(&vec![1_u32; hosts.len() + 64], |_| true);
        Ok(())
    }
}

#[test]
fn a_host_that_is_out_stays_out() {
    let hosts = Arc::new(Hosts::named(&["a", "b", "c"]));
    let filters: Vec<NamedDriver<dyn Filter>> = vec![
        NamedDriver::new("not-b", Arc::new(not("b"))),
        NamedDriver::new("generous", Arc::new(Generous)),
    ];
    let scheduler = NamedDriver::<dyn Scheduler>::new("tested", Arc::new(Best));
    let manager = NamedDriver::<dyn HostManager>::new("hosts", hosts);
    let drivers = SchedulerDrivers::new(scheduler, manager, filters, vec![]).unwrap();
    let ignore = RequestFields {
        ignore_hosts: vec!["c".to_owned()],
        ..fields()
    };
    let hosts = lend(drivers, ignore);
    // Row 2 is not eligible, however the driver made its mask.
    assert_eq!(filtered(&hosts, 0).unwrap(), [0]);
    assert_eq!(hosts.sizes(), (3, 2));
}

#[test]
fn once_per_request_filters_run_for_the_first_instance_only() {
    let filters = vec![("once", not("a").once()), ("each", not("b"))];
    let hosts = Arc::new(Hosts::named(&["a", "b", "c"]));
    let hosts = lend(drivers(Best, hosts, filters, vec![]), fields());
    assert_eq!(filtered(&hosts, 0).unwrap(), [2]);
    assert_eq!(filtered(&hosts, 1).unwrap(), [0, 2]);
}

#[test]
fn faults_of_filters_follow_the_policy() {
    for (policy, panics) in [
        (FaultPolicy::Fail, false),
        (FaultPolicy::Fail, true),
        (FaultPolicy::Skip, false),
        (FaultPolicy::Skip, true),
    ] {
        let bad = Judged::new(move |_, _| {
            assert!(!panics, "the filter was told to panic");
            Err(DriverError::internal("broken"))
        });
        let filters = vec![("bad", bad), ("not-a", not("a"))];
        let hosts = Arc::new(Hosts::named(&["a", "b"]));
        let drivers = drivers(Best, hosts, filters, vec![]).on_faults(policy, policy);
        let hosts = lend(drivers, fields());
        let rows = filtered(&hosts, 0);
        match policy {
            FaultPolicy::Skip => assert_eq!(rows.unwrap(), [1]),
            FaultPolicy::Fail => {
                let text = rows.unwrap_err().to_string();
                assert!(text.starts_with("filter `bad` failed: "), "{text}");
                assert!(matches!(hosts.take_fault(), Some(SelectError::Driver(..))));
            }
        }
    }
}

/// The four hosts of the reference: free RAM, free disk, I/O operations, failed builds.
const FLEET: [(i32, i32, u32, u32); 4] = [
    (1024, 10_240, 0, 0),
    (2048, 20_480, 2, 0),
    (4096, 5120, 1, 0),
    (3072, 20_480, 0, 3),
];

struct Fleet(HostColumns);

impl Fleet {
    fn new() -> Self {
        let mut columns = HostColumns::new();
        for (index, (ram, disk, io, failed)) in FLEET.into_iter().enumerate() {
            let name = format!("h{index}");
            let row = columns.push(&name, &name);
            columns.set_i32(Column::FreeRamMb, row, ram);
            columns.set_i32(Column::FreeDiskMb, row, disk);
            columns.set_u32(Column::NumIoOps, row, io);
            columns.set_u32(Column::FailedBuilds, row, failed);
        }
        Self(columns)
    }
}

impl HostManager for Fleet {
    fn update_host(&self, _: &longshore_plugin_api::HostReport) -> Result<bool, DriverError> {
        Ok(false)
    }
    fn remove_host(&self, _: &str, _: &str) -> Result<(), DriverError> {
        Ok(())
    }
    fn update_service(&self, _: &longshore_plugin_api::ServiceState) -> Result<(), DriverError> {
        Ok(())
    }
    fn host_table(&self) -> Result<HostTable, DriverError> {
        Ok(self.0.snapshot())
    }
    fn eligible_hosts(
        &self,
        _: &HostTable,
        _: &Request,
        _: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        Ok(true)
    }
    fn consume_from_request(&self, _: &str, _: &str, _: &Request) -> Result<(), DriverError> {
        Ok(())
    }
}

fn weigher(
    name: &str,
    multiplier: f64,
    weigh: impl Fn(longshore_plugin_api::Host<'_>) -> f32 + Send + Sync + 'static,
    min: Option<f64>,
) -> NamedWeigher {
    let weigh = Box::new(weigh);
    NamedWeigher::new(name, Arc::new(Weighed { weigh, min }), multiplier)
}

fn weighed(weighers: Vec<NamedWeigher>, policy: FaultPolicy) -> Result<Vec<f32>, DriverError> {
    let drivers = SchedulerDrivers::new(
        NamedDriver::new("tested", Arc::new(Best)),
        NamedDriver::new("fleet", Arc::new(Fleet::new())),
        vec![],
        weighers,
    );
    let drivers = drivers.unwrap().on_faults(FaultPolicy::Fail, policy);
    let hosts = lend(drivers, fields());
    let mut words = full(4);
    let mut weights = vec![9.0; 4];
    hosts.weigh(&Mask::new(&mut words, 4), &mut weights)?;
    Ok(weights)
}

fn reference() -> Vec<NamedWeigher> {
    vec![
        weigher("ram", 1.0, |h| h.free_ram_mb() as f32, Some(0.0)),
        weigher("disk", 1.0, |h| h.free_disk_mb() as f32, Some(0.0)),
        weigher("io", -1.0, |h| h.num_io_ops() as f32, Some(0.0)),
        weigher("failures", -1e6, |h| h.failed_builds() as f32, None),
    ]
}

#[test]
fn weights_are_those_of_nova() {
    let weights = weighed(reference(), FaultPolicy::Fail).unwrap();
    assert_eq!(weights, [0.75, 0.5, 0.75, -999_998.25]);
}

#[test]
fn a_weight_that_is_no_number_fails_or_is_left_out() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut weighers = reference();
        weighers.insert(
            1,
            weigher(
                "bad",
                1.0,
                move |h| if h.row() == 2 { bad } else { 1.0 },
                None,
            ),
        );
        let skipped = weighed(weighers.clone(), FaultPolicy::Skip).unwrap();
        assert_eq!(skipped, [0.75, 0.5, 0.75, -999_998.25]);
        let text = weighed(weighers, FaultPolicy::Fail)
            .unwrap_err()
            .to_string();
        assert!(text.starts_with("weigher `bad` gave the weight "), "{text}");
        assert!(text.ends_with("for host `h2`"), "{text}");
    }
}

#[test]
fn a_single_host_weighs_nothing_and_nobody_is_asked() {
    let asked = weigher("asked", 1.0, |_| panic!("one host needs no weights"), None);
    let drivers = SchedulerDrivers::new(
        NamedDriver::new("tested", Arc::new(Best)),
        NamedDriver::new("fleet", Arc::new(Fleet::new())),
        vec![],
        vec![asked],
    );
    let drivers = drivers
        .unwrap()
        .on_faults(FaultPolicy::Fail, FaultPolicy::Fail);
    let hosts = lend(drivers, fields());
    let mut weights = vec![9.0; 4];
    hosts
        .weigh(&Mask::new(&mut [0b0100], 4), &mut weights)
        .unwrap();
    assert_eq!(weights, [0.0; 4]);
}

async fn selected(
    scheduler: impl Scheduler,
    hosts: &Arc<Hosts>,
    instances: usize,
) -> Result<Vec<Vec<String>>, SelectError> {
    let filters = vec![("ram", ram())];
    let drivers = drivers(scheduler, Arc::clone(hosts), filters, vec![]);
    let config = SchedulerConfig {
        select_timeout: Duration::from_secs(30),
        ..SchedulerConfig::default()
    };
    let calls = calls(Duration::from_secs(60));
    let manager = SchedulerManager::new(config, drivers, Arc::new(Records::default()), &calls);
    let mut flavor = Flavor::new();
    flavor.set_memory_mb(6000).set_vcpus(1).set_name("big");
    let mut spec = RequestSpec::new();
    spec.set_flavor(flavor)
        .set_ignore_hosts(vec!["z".to_owned()]);
    let uuids = (0..instances).map(|i| format!("u{i}")).collect();
    let ctx = RequestContext::admin();
    let selections = manager.select_destinations(&ctx, spec, uuids).await?;
    let names = |list: Vec<longshore_objects::Selection>| {
        list.iter().map(|one| one.host().to_owned()).collect()
    };
    Ok(selections.into_iter().map(names).collect())
}

#[tokio::test]
async fn a_request_consumes_and_a_failed_one_leaves_nothing_consumed() {
    let hosts = Arc::new(Hosts::named(&["a", "b"]));
    let chosen = selected(Best, &hosts, 3).await.unwrap();
    assert_eq!(chosen, [vec!["a", "b"], vec!["a", "b"], vec!["b"]]);
    assert_eq!(hosts.free_ram(), [4384, 10_384]);
    let error = selected(Best, &hosts, 2).await.unwrap_err();
    assert_eq!(error.code(), "schedule/no-valid-host");
    assert_eq!(hosts.free_ram(), [4384, 10_384]);
}

/// Answers what it is told, after it has consumed the first host.
struct Answers(Vec<Selection>);

impl Scheduler for Answers {
    fn select_destinations(
        &self,
        _: &CallContext<'_>,
        _: &Request,
        _: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        hosts.consume(0)?;
        Ok(self.0.clone())
    }
}

fn to(host: &str) -> Destination {
    Destination {
        host: host.to_owned(),
        node: host.to_owned(),
        ..Destination::default()
    }
}

fn chose(host: &str, alternates: &[&str]) -> Selection {
    Selection {
        chosen: to(host),
        alternates: alternates.iter().map(|h| to(h)).collect(),
    }
}

#[tokio::test]
async fn answers_that_cannot_be_are_refused_and_nothing_stays_consumed() {
    let mut odd = chose("a", &[]);
    odd.chosen.limits.memory_mb = Some(f64::NAN);
    let answers = [
        (vec![], "0 selections where 1 were asked for"),
        (
            vec![chose("a", &[]), chose("b", &[])],
            "2 selections where 1 were asked for",
        ),
        (
            vec![chose("nowhere", &[])],
            "the unknown node `nowhere` of host `nowhere`",
        ),
        (
            vec![chose("a", &["nowhere"])],
            "the unknown node `nowhere` of host `nowhere`",
        ),
        (
            vec![chose("a", &["b", "a"])],
            "host `a` twice for one instance",
        ),
        (
            vec![chose("z", &[])],
            "host `z`, which the request does not allow",
        ),
        (vec![odd], "the limit NaN for memory"),
    ];
    for (answer, what) in answers {
        let hosts = Arc::new(Hosts::named(&["a", "b", "z"]));
        let error = selected(Answers(answer), &hosts, 1).await.unwrap_err();
        assert_eq!(error.code(), "driver/bad-value");
        assert_eq!(error.to_string(), format!("scheduler `tested` gave {what}"));
        assert_eq!(hosts.free_ram(), [16_384; 3]);
    }
}

/// Panics, or answers an error of its own.
struct Breaks(bool);

impl Scheduler for Breaks {
    fn select_destinations(
        &self,
        _: &CallContext<'_>,
        _: &Request,
        _: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        hosts.consume(1)?;
        assert!(!self.0, "the scheduler was told to panic");
        Err(DriverError::internal("out of ideas"))
    }
}

#[tokio::test]
async fn a_scheduler_that_breaks_fails_its_request_only() {
    for (panics, code) in [(true, "driver/panicked"), (false, "driver/refused")] {
        let hosts = Arc::new(Hosts::named(&["a", "b"]));
        let error = selected(Breaks(panics), &hosts, 1).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(
            error.to_string().starts_with("scheduler `tested` failed: "),
            "{error}"
        );
        assert_eq!(hosts.free_ram(), [16_384; 2]);
    }
}

/// Waits until it is let go.
struct Waits(Arc<tokio::sync::Semaphore>);

impl Scheduler for Waits {
    fn select_destinations(
        &self,
        context: &CallContext<'_>,
        request: &Request,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        while self.0.try_acquire().map(|permit| permit.forget()).is_err() {
            context.check()?;
            std::thread::yield_now();
        }
        Best.select_destinations(context, request, options, hosts)
    }
}

#[tokio::test]
async fn more_requests_than_allowed_are_turned_away_at_once() {
    let go = Arc::new(tokio::sync::Semaphore::new(0));
    let hosts = Arc::new(Hosts::named(&["a"]));
    let drivers = drivers(Waits(Arc::clone(&go)), hosts, vec![], vec![]);
    let calls = calls(Duration::from_secs(60));
    let config = SchedulerConfig::default();
    let manager = Arc::new(SchedulerManager::new(
        config,
        drivers,
        Arc::new(Records::default()),
        &calls,
    ));
    let ask = |manager: Arc<SchedulerManager>| async move {
        let (ctx, spec) = (RequestContext::admin(), RequestSpec::new());
        manager
            .select_destinations(&ctx, spec, vec!["u".to_owned()])
            .await
    };
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..longshore_control::scheduler::REQUESTS_MAX {
        waiting.spawn(ask(Arc::clone(&manager)));
    }
    // The runtime runs some tasks and then this one: each of them gets its turn in a few rounds.
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let error = ask(manager).await.unwrap_err();
    assert_eq!(error.code(), "schedule/busy");
    // One that others cross is asked again, four times in all at most.
    go.add_permits(4 * longshore_control::scheduler::REQUESTS_MAX);
    while let Some(answer) = waiting.join_next().await {
        assert!(answer.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_names_the_field() {
    let drivers = drivers(Best, Arc::new(Hosts::named(&["a"])), vec![], vec![]);
    let calls = calls(Duration::from_secs(60));
    let config = SchedulerConfig::default();
    let manager = SchedulerManager::new(config, drivers, Arc::new(Records::default()), &calls);
    let mut spec = RequestSpec::new();
    let mut flavor = Flavor::new();
    flavor.set_vcpus(-1);
    spec.set_flavor(flavor);
    let ctx = RequestContext::admin();
    let error = manager
        .select_destinations(&ctx, spec, vec!["u".to_owned()])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "schedule/bad-spec");
    assert_eq!(
        error.to_string(),
        "the request of instance `u`: `vcpus` cannot be -1"
    );
}
