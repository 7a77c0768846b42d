//! Requests over a fleet on paper: who gets a host, who leaves, what is refused and why.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_control::scheduler::simulate::{
    Differences, Fleet, Group, Outcome, Request, SimulatedHost, SimulationError, SimulationOptions,
    Wanted, simulate, synthetic_fleet, synthetic_requests,
};
use longshore_control::scheduler::{FaultPolicy, SchedulerDrivers};
use longshore_control::{NamedDriver, NamedWeigher};
use longshore_plugin_api::{
    CallContext, DriverError, Filter, HostManager, HostReport, HostStates, RequestSpec, Scheduler,
    SelectOptions, Selection,
};

use crate::fakes::{Best, Hosts, Judged, Weighed, ram};
use crate::world::services;

fn options() -> SimulationOptions {
    SimulationOptions {
        host_subset_size: 1,
        shuffle_best_same_weighed_hosts: false,
        alternates: 0,
        seed: 1,
        deadline: Duration::from_secs(30),
        services: services(),
    }
}

/// New drivers: the best host by free memory, after these filters.
fn drivers(filters: Vec<(&str, Judged)>) -> SchedulerDrivers {
    drivers_with(Arc::new(Best), filters)
}

fn drivers_with(scheduler: Arc<dyn Scheduler>, filters: Vec<(&str, Judged)>) -> SchedulerDrivers {
    let filters = filters
        .into_iter()
        .map(|(name, filter)| NamedDriver::<dyn Filter>::new(name, Arc::new(filter)));
    let most_memory = Weighed {
        weigh: Box::new(|host| host.free_ram_mb() as f32),
        min: None,
    };
    SchedulerDrivers::new(
        NamedDriver::new("scheduler", scheduler),
        NamedDriver::new("hosts", Arc::new(Hosts::default())),
        filters.collect(),
        vec![NamedWeigher::new("memory", Arc::new(most_memory), 1.0)],
    )
    .unwrap()
}

/// Hosts with so much memory, called `a`, `b` …
fn fleet(memory_mb: &[u32]) -> Fleet {
    let host = |(memory_mb, name): (&u32, char)| SimulatedHost {
        report: HostReport {
            host: name.to_string(),
            node: name.to_string(),
            vcpus: 8,
            memory_mb: u64::from(*memory_mb),
            free_ram_mb: i64::from(*memory_mb),
            local_gb: 100,
            free_disk_gb: Some(100),
            cpu_allocation_ratio: 1.0,
            ram_allocation_ratio: 1.0,
            disk_allocation_ratio: 1.0,
            ..HostReport::default()
        },
        zone: None,
        disabled: false,
    };
    Fleet::new(memory_mb.iter().zip('a'..).map(host).collect()).unwrap()
}

fn request(id: &str, memory_mb: u32, count: u32, from_to: (u64, Option<u64>)) -> Request {
    let wanted = Wanted {
        vcpus: 1,
        memory_mb,
        ..Wanted::default()
    };
    Request {
        id: id.to_owned(),
        wanted: Arc::new(wanted),
        count,
        arrive_s: from_to.0,
        leave_s: from_to.1,
    }
}

fn played(
    filters: Vec<(&str, Judged)>,
    fleet: &Fleet,
    requests: &[Request],
) -> Result<Outcome, SimulationError> {
    let (mut last, mut tell) = (0, Vec::new());
    let mut progress = |done: usize| tell.push(done);
    let outcome = simulate(drivers(filters), fleet, requests, &options(), &mut progress)?;
    for done in tell {
        assert!(done > last);
        last = done;
    }
    assert_eq!(last, requests.len());
    Ok(outcome)
}

/// The best host, and how often a minute was over.
#[derive(Default)]
struct Minutes(AtomicU32);

impl Scheduler for Minutes {
    fn select_destinations(
        &self,
        context: &CallContext<'_>,
        request: &RequestSpec,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        Best.select_destinations(context, request, options, hosts)
    }

    fn run_periodic_tasks(&self, _: &CallContext<'_>) -> Result<(), DriverError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(DriverError::internal(
            "a failure is said, and is no reason to stop",
        ))
    }
}

#[test]
fn the_schedulers_periodic_tasks_run_once_a_minute_of_the_requests_time() {
    let minutes = Arc::new(Minutes::default());
    let of = |arrivals: &[u64]| {
        let drivers = drivers_with(minutes.clone(), Vec::new());
        let arrive = |at: &u64| request("r", 1, 1, (*at, None));
        let requests: Vec<Request> = arrivals.iter().map(arrive).collect();
        let played = simulate(drivers, &fleet(&[1000]), &requests, &options(), &mut |_| {});
        assert_eq!(
            played.unwrap().figures.placed_requests,
            arrivals.len() as u64
        );
        minutes.0.swap(0, Ordering::Relaxed)
    };
    assert_eq!(of(&[0, 30, 59]), 0);
    assert_eq!(of(&[0, 60, 61, 119, 120, 1000, 1001]), 3);
}

#[test]
fn instances_take_room_and_give_it_back_when_they_leave() {
    let requests = [
        request("one", 1000, 1, (0, Some(10))),
        request("too-much", 600, 1, (9, None)),
        request("in-time", 600, 1, (10, None)),
        request("many", 200, 2, (10, None)),
        request("too-many", 200, 2, (11, None)),
    ];
    let outcome = played(vec![("ram", ram())], &fleet(&[1000]), &requests).unwrap();
    let hosts: Vec<&[u32]> = (0..5).map(|r| outcome.hosts_of(r)).collect();
    assert_eq!(hosts, [&[0][..], &[], &[0], &[0, 0], &[]]);
    assert_eq!(outcome.reason_of(1), Some("filter `ram` left no host"));
    assert_eq!(outcome.reason_of(2), None);
    let figures = &outcome.figures;
    assert_eq!((figures.placed_requests, figures.placed_instances), (3, 4));
    assert_eq!(
        (figures.refused_requests, figures.refused_instances),
        (2, 3)
    );
    assert_eq!((figures.hosts_used, figures.memory.hosts.max), (1, 100.0));
    let [ram] = outcome.refusals.filters.as_slice() else {
        panic!("{:?}", outcome.refusals);
    };
    assert_eq!((ram.requests, ram.emptied), (5, 2));
}

#[test]
fn the_best_host_is_the_one_that_has_most_left() {
    let requests: Vec<Request> = (0..4)
        .map(|i| request(&i.to_string(), 100, 1, (i, None)))
        .collect();
    let outcome = played(vec![], &fleet(&[300, 250]), &requests).unwrap();
    let rows: Vec<u32> = (0..4).flat_map(|r| outcome.hosts_of(r).to_vec()).collect();
    assert_eq!(rows, [0, 1, 0, 1]);
}

#[test]
fn a_filter_that_panics_or_fails_refuses_requests_and_ends_nothing() {
    let requests: Vec<Request> = (0..8)
        .map(|i| request(&i.to_string(), 100, 1, (i, None)))
        .collect();
    let bad = |panics: bool| {
        Judged::new(move |_, request| match request.instance_uuid() {
            "0" => Ok(true),
            _ if panics => panic!("out of luck"),
            _ => Err(DriverError::internal("broken")),
        })
    };
    for (panics, code, reason) in [
        (true, "driver/panicked", "filter `bad` panicked"),
        (false, "driver/refused", "filter `bad` failed"),
    ] {
        let outcome = played(vec![("bad", bad(panics))], &fleet(&[1000]), &requests).unwrap();
        assert_eq!(outcome.figures.placed_requests, 1);
        let [refusal] = outcome.refusals.reasons.as_slice() else {
            panic!("{:?}", outcome.refusals);
        };
        assert_eq!(
            (refusal.code.as_str(), refusal.reason.as_str()),
            (code, reason)
        );
        assert_eq!((refusal.requests, refusal.example.0.as_str()), (7, "1"));
        let skips = drivers(vec![("bad", bad(panics))]);
        let skips = skips.on_faults(FaultPolicy::Skip, FaultPolicy::Skip);
        let outcome = simulate(skips, &fleet(&[1000]), &requests, &options(), &mut |_| {});
        assert_eq!(outcome.unwrap().figures.placed_requests, 8);
    }
}

#[test]
fn requests_that_cannot_be_right_are_refused_with_their_reason() {
    let mut nobody = request("nobody", 1, 1, (0, None));
    nobody.count = 0;
    let mut elsewhere = request("elsewhere", 1, 1, (0, None));
    let forced = Wanted {
        force_hosts: vec!["moon".to_owned()],
        ..Wanted::default()
    };
    elsewhere.wanted = Arc::new(forced);
    let outcome = played(vec![], &fleet(&[1000]), &[nobody, elsewhere]).unwrap();
    let reasons: Vec<_> = (0..2).map(|r| outcome.reason_of(r).unwrap()).collect();
    assert_eq!(
        reasons,
        ["the request cannot be right", "the request allows no host"]
    );
}

#[test]
fn members_of_a_group_know_where_the_others_are() {
    let apart = Judged::new(|host, request| {
        let name = host.host_name();
        Ok(!request.group_hosts().any(|member| member == name))
    });
    let member = |id: &str, from_to| {
        let mut request = request(id, 10, 1, from_to);
        let group = Group {
            name: "db".to_owned(),
            policy: "anti-affinity".to_owned(),
        };
        request.wanted = Arc::new(Wanted {
            group: Some(group),
            ..(*request.wanted).clone()
        });
        request
    };
    let requests = [
        member("one", (0, Some(5))),
        member("two", (0, None)),
        member("three", (4, None)),
        member("four", (5, None)),
    ];
    let outcome = played(vec![("apart", apart)], &fleet(&[100, 90]), &requests).unwrap();
    let rows: Vec<_> = (0..4)
        .map(|r| outcome.hosts_of(r).first().copied())
        .collect();
    assert_eq!(rows, [Some(0), Some(1), None, Some(0)]);
}

#[test]
fn a_seed_decides_the_run() {
    let (fleet, requests) = (synthetic_fleet(20, 3), synthetic_requests(200, 3));
    let run = || {
        let some = Judged::new(|host, _| Ok(host.host_name() != "host-000003"));
        let mut outcome = played(vec![("some", some), ("ram", ram())], &fleet, &requests).unwrap();
        // Times differ; nothing else does.
        outcome.figures.times = Default::default();
        outcome
    };
    let (one, other) = (run(), run());
    assert_eq!(one, other);
    let same = Differences::between(&one, &other);
    assert_eq!(
        (same.other_hosts, same.only_first, same.only_second),
        (0, 0, 0)
    );
    assert!(same.shown.is_empty());
}

#[test]
fn runs_that_differ_are_compared_request_by_request() {
    let fleet = fleet(&[300, 200]);
    let requests: Vec<Request> = (0..3)
        .map(|i| request(&i.to_string(), 150, 1, (i, None)))
        .collect();
    let not = |name: &'static str| Judged::new(move |host, _| Ok(host.host_name() != name));
    let first = played(vec![("ram", ram())], &fleet, &requests).unwrap();
    let second = played(vec![("not-a", not("a")), ("ram", ram())], &fleet, &requests).unwrap();
    let found = Differences::between(&first, &second);
    // a, b, a against b, none, none.
    assert_eq!((found.same, found.other_hosts, found.only_first), (0, 1, 2));
    assert_eq!((found.only_second, found.neither), (0, 0));
    assert_eq!(
        (&found.shown[0].first[..], &found.shown[0].second[..]),
        (&[0][..], &[1][..])
    );
    assert!(found.shown[2].second.is_empty());
}

/// Forgets every host but the first, which may not be too full, and hears what instances there are.
#[derive(Default)]
struct Forgetful(Hosts, Mutex<Vec<(String, Vec<String>)>>);

mod forgetful {
    //! Only what a simulation asks of a host manager.
    use longshore_plugin_api::{
        DriverError, HostManager, HostReport, HostTable, Mask, RequestSpec, ServiceState,
    };

    use super::Forgetful;

    impl HostManager for Forgetful {
        fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
            match report.host.as_str() {
                "a" if report.free_ram_mb < -1_000_000 => Err(DriverError::invalid("too little")),
                "a" => self.0.update_host(report),
                "b" => Ok(false),
                _ => Err(DriverError::invalid("it has no room")),
            }
        }
        fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
            self.0.remove_host(host, node)
        }
        fn update_service(&self, state: &ServiceState) -> Result<(), DriverError> {
            self.0.update_service(state)
        }
        fn host_table(&self) -> Result<HostTable, DriverError> {
            self.0.host_table()
        }
        fn eligible_hosts(
            &self,
            hosts: &HostTable,
            request: &RequestSpec,
            mask: &mut Mask<'_>,
        ) -> Result<bool, DriverError> {
            self.0.eligible_hosts(hosts, request, mask)
        }
        fn consume_from_request(
            &self,
            host: &str,
            node: &str,
            request: &RequestSpec,
        ) -> Result<(), DriverError> {
            self.0.consume_from_request(host, node, request)
        }
        fn sync_instance_info(
            &self,
            host: &str,
            instances: Vec<String>,
        ) -> Result<(), DriverError> {
            self.1.lock().unwrap().push((host.to_owned(), instances));
            Ok(())
        }
    }
}

#[test]
fn a_host_manager_that_loses_or_refuses_hosts_ends_the_run() {
    let run = |memory_mb: &[u32]| {
        let manager = Arc::new(Forgetful::default());
        let scheduler = NamedDriver::<dyn Scheduler>::new("best", Arc::new(Best));
        let manager = NamedDriver::<dyn HostManager>::new("forgetful", manager);
        let drivers = SchedulerDrivers::new(scheduler, manager, vec![], vec![]).unwrap();
        simulate(drivers, &fleet(memory_mb), &[], &options(), &mut |_| {}).unwrap_err()
    };
    let lost = run(&[1, 1]);
    assert_eq!(lost.code(), "driver/bad-value");
    let expected = "host manager `forgetful` knows 1 hosts and was told of 2";
    assert_eq!(lost.to_string(), expected);
    let refused = run(&[1, 1, 1]);
    assert_eq!(refused.code(), "driver/refused");
    assert!(refused.to_string().contains("it has no room"), "{refused}");
}

#[test]
fn hosts_tell_of_their_instances_when_a_request_has_hints() {
    let heard = |hints: &[(&str, &str)]| {
        let manager = Arc::new(Forgetful::default());
        let scheduler = NamedDriver::<dyn Scheduler>::new("best", Arc::new(Best));
        let named = NamedDriver::<dyn HostManager>::new("hears", manager.clone());
        let drivers = SchedulerDrivers::new(scheduler, named, vec![], vec![]).unwrap();
        let mut last = request("last", 1, 1, (5, None));
        let hints = hints
            .iter()
            .map(|(k, v)| ((*k).to_owned(), vec![(*v).to_owned()]));
        last.wanted = Arc::new(Wanted {
            hints: hints.collect(),
            ..Wanted::default()
        });
        let requests = [request("two", 1, 2, (0, Some(5))), last];
        simulate(drivers, &fleet(&[100]), &requests, &options(), &mut |_| {}).unwrap();
        let heard = manager.1.lock().unwrap();
        let names = heard.iter().map(|(_, names)| names.join(" "));
        names.collect::<Vec<_>>()
    };
    assert!(heard(&[]).is_empty());
    let all = ["two-1", "two-1 two-2", "two-2", "", "last"];
    assert_eq!(heard(&[("different_host", "two-1")]), all);
}

#[test]
fn a_report_that_the_host_manager_does_not_take_is_left_out_and_counted() {
    let large = |id, at| request(id, 600_000, 1, (at, None));
    let requests = [large("one", 0), large("two", 1), large("three", 2)];
    let scheduler = NamedDriver::<dyn Scheduler>::new("best", Arc::new(Best));
    let hosts = NamedDriver::<dyn HostManager>::new("hosts", Arc::new(Forgetful::default()));
    let drivers = SchedulerDrivers::new(scheduler, hosts, vec![], vec![]).unwrap();
    let outcome = simulate(drivers, &fleet(&[1000]), &requests, &options(), &mut |_| {}).unwrap();
    assert_eq!(outcome.figures.placed_requests, 3);
    let (count, why) = outcome.left_out.unwrap();
    assert_eq!(count, 2);
    assert_eq!(why, "host manager `hosts` failed: too little");
}
