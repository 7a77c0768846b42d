//! Input that cannot be, at the scheduler: numbers that no host has, hosts that go away meanwhile, requests for none and for
//! too many, drivers that answer anything. Each fails by its name or does no harm, and nothing stays consumed.
//!
//! What drivers do that hangs, panics or kills is in `fences` and in the tests of the whole program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use longshore_control::scheduler::{
    FaultPolicy, INSTANCES_MAX, SchedulerConfig, SchedulerDrivers, SchedulerManager, SelectError,
};
use longshore_control::{NamedDriver, NamedWeigher};
use longshore_messaging::RequestContext;
use longshore_objects::{ComputeNode, Flavor, ObjectApi, RequestSpec, SchedulerRetries, VmState};
use longshore_plugin_api::{
    DriverError, Filter, HostManager, HostReport, HostStates, HostTable, Mask, RequestFields,
    RequestSpec as Request, Scheduler, ServiceState,
};

use crate::fakes::{Best, Hosts, Judged, Weighed, ram};
use crate::records::Records;
use crate::scheduler::{drivers, fields, filtered, lend};
use crate::world::{World, calls};

fn manager(drivers: SchedulerDrivers, records: impl ObjectApi + 'static) -> SchedulerManager {
    let config = SchedulerConfig::default();
    let calls = calls(Duration::from_secs(60));
    SchedulerManager::new(config, drivers, Arc::new(records), &calls)
}

/// The hosts chosen for instances of this request.
async fn chosen(
    manager: &SchedulerManager,
    spec: RequestSpec,
    instances: usize,
) -> Result<Vec<String>, SelectError> {
    let uuids = (0..instances).map(|i| format!("u{i}")).collect();
    let ctx = RequestContext::admin();
    let selections = manager.select_destinations(&ctx, spec, uuids).await?;
    Ok(selections
        .iter()
        .map(|of| of[0].host().to_owned())
        .collect())
}

fn wants(change: impl FnOnce(&mut Flavor) -> &mut Flavor) -> RequestSpec {
    let mut flavor = Flavor::new();
    flavor.set_memory_mb(512).set_vcpus(1).set_name("any");
    change(&mut flavor);
    let mut spec = RequestSpec::new();
    spec.set_flavor(flavor);
    spec
}

fn one_that_fits_all() -> RequestSpec {
    wants(|flavor| flavor.set_memory_mb(0))
}

fn of_hosts(hosts: &Arc<Hosts>) -> SchedulerManager {
    let drivers = drivers(Best, Arc::clone(hosts), vec![("ram", ram())], vec![]);
    manager(drivers, Records::default())
}

type Change = fn(&mut Flavor) -> &mut Flavor;

#[tokio::test]
async fn a_request_with_an_amount_that_cannot_be_names_it() {
    let hosts = Arc::new(Hosts::named(&["a"]));
    let manager = of_hosts(&hosts);
    let changes: [(&str, i64, Change); 7] = [
        ("vcpus", -1, |f| f.set_vcpus(-1)),
        ("vcpus", 1 << 32, |f| f.set_vcpus(1_i64 << 32)),
        ("memory_mb", -1, |f| f.set_memory_mb(-1)),
        ("root_gb", -1, |f| f.set_root_gb(-1)),
        ("ephemeral_gb", i64::MIN, |f| f.set_ephemeral_gb(i64::MIN)),
        ("swap", -7, |f| f.set_swap(-7)),
        ("memory_mb", i64::MIN, |f| f.set_memory_mb(i64::MIN)),
    ];
    for (field, value, change) in changes {
        let error = chosen(&manager, wants(change), 1).await.unwrap_err();
        let text = format!("the request of instance `u0`: `{field}` cannot be {value}");
        assert_eq!(
            (error.code(), error.to_string()),
            ("schedule/bad-spec", text)
        );
    }
    let mut spec = one_that_fits_all();
    let mut retry = SchedulerRetries::new();
    retry.set_num_attempts(-1).set_hosts(Vec::new());
    spec.set_retry(retry);
    let error = chosen(&manager, spec, 1).await.unwrap_err();
    assert!(
        error.to_string().ends_with("`num_attempts` cannot be -1"),
        "{error}"
    );
    assert_eq!(hosts.free_ram(), [16_384]);
}

#[tokio::test]
async fn the_largest_amounts_are_judged_and_add_up_to_nothing_odd() {
    let hosts = Arc::new(Hosts::named(&["a"]));
    let manager = of_hosts(&hosts);
    let huge = wants(|flavor| {
        flavor
            .set_memory_mb(i64::MAX)
            .set_root_gb(i64::MAX)
            .set_ephemeral_gb(i64::MAX)
            .set_swap(i64::MAX)
    });
    let error = chosen(&manager, huge, 2).await.unwrap_err();
    assert_eq!(error.code(), "schedule/no-valid-host");
    let text = "no valid host was found for instance 1 of 2: filter `ram` left 0 of 1 hosts";
    assert_eq!(error.to_string(), text);
    assert_eq!(hosts.free_ram(), [16_384]);
}

fn node(host: &str, change: fn(&mut ComputeNode) -> &mut ComputeNode) -> ComputeNode {
    let mut node = ComputeNode::new();
    node.set_host(host)
        .set_hypervisor_hostname(host)
        .set_generation(1)
        .set_memory_mb(4096)
        .set_free_ram_mb(4096);
    change(&mut node);
    node
}

#[tokio::test]
async fn a_record_with_an_amount_that_cannot_be_hides_no_other_host() {
    let nodes = vec![
        node("negative", |n| n.set_memory_mb(-1)),
        node("overflow", |n| n.set_vcpus(1_i64 << 40)),
        node("used", |n| n.set_vcpus_used(-1)),
        node("disk", |n| n.set_local_gb(i64::MIN)),
        node("version", |n| n.set_hypervisor_version(-1)),
        node("first", |n| n.set_generation(-1)),
        node("good", |any| any),
    ];
    let hosts = Arc::new(Hosts::default());
    let drivers = drivers(Best, Arc::clone(&hosts), vec![("ram", ram())], vec![]);
    let manager = manager(drivers, Records::of_hosts_that_are_up(nodes));
    let hosts_chosen = chosen(&manager, wants(|any| any), 2).await.unwrap();
    assert_eq!(hosts_chosen, ["good", "good"]);
    assert_eq!(hosts.free_ram(), [4096 - 2 * 512]);
}

/// Hosts of which one is not known any more when an instance is counted on it the second time.
struct Vanishing {
    hosts: Arc<Hosts>,
    consumed: AtomicU32,
    /// Its row goes too, and does not only answer that it is gone.
    with_its_row: bool,
}

impl HostManager for Vanishing {
    fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
        self.hosts.update_host(report)
    }

    fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
        self.hosts.remove_host(host, node)
    }

    fn update_service(&self, state: &ServiceState) -> Result<(), DriverError> {
        self.hosts.update_service(state)
    }

    fn host_table(&self) -> Result<HostTable, DriverError> {
        self.hosts.host_table()
    }

    fn eligible_hosts(
        &self,
        hosts: &HostTable,
        request: &Request,
        mask: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        self.hosts.eligible_hosts(hosts, request, mask)
    }

    fn consume_from_request(
        &self,
        host: &str,
        node: &str,
        request: &Request,
    ) -> Result<(), DriverError> {
        if self.consumed.fetch_add(1, Ordering::Relaxed) != 1 {
            return self.hosts.consume_from_request(host, node, request);
        }
        match self.with_its_row {
            true => self.hosts.remove_host("b", "b"),
            false => Err(DriverError::not_found(format!("host `{host}` is gone"))),
        }
    }

    fn release_request(
        &self,
        host: &str,
        node: &str,
        request: &Request,
    ) -> Result<(), DriverError> {
        self.hosts.release_request(host, node, request)
    }
}

#[tokio::test]
async fn a_host_that_vanishes_before_it_is_claimed_fails_that_request_alone() {
    for (with_its_row, left) in [(false, vec![16_384; 2]), (true, vec![16_384])] {
        let hosts = Arc::new(Hosts::named(&["a", "b"]));
        let vanishing = Vanishing {
            hosts: Arc::clone(&hosts),
            consumed: AtomicU32::new(0),
            with_its_row,
        };
        let drivers = SchedulerDrivers::new(
            NamedDriver::<dyn Scheduler>::new("best", Arc::new(Best)),
            NamedDriver::<dyn HostManager>::new("vanishing", Arc::new(vanishing)),
            vec![],
            vec![],
        );
        let manager = manager(drivers.unwrap(), Records::default());
        let error = chosen(&manager, wants(|any| any), 3).await.unwrap_err();
        assert!(!error.code().is_empty(), "{error}");
        let free = hosts.free_ram();
        // The row that went took its own consumption along.
        assert!(free.iter().all(|mb| *mb >= left[0]), "{free:?}");
        assert_eq!(free.len(), left.len());
        assert_eq!(chosen(&manager, wants(|any| any), 1).await.unwrap(), ["a"]);
    }
}

/// The scheduler still knows a node that its host does not have any more: the claim says so, and the next host is tried.
#[tokio::test]
async fn a_node_that_vanished_before_the_claim_is_left_for_the_next_host() {
    let ghost_first = Judged::new(|host, request| {
        Ok(host.node_name() == "ghost" || request.retry_hosts().next().is_some())
    });
    let mut world = World::with_filter(ghost_first).await;
    world.host("a").await;
    world.host("b").await;
    let mut ghost = ComputeNode::new();
    ghost
        .set_host("a")
        .set_hypervisor_hostname("ghost")
        .set_memory_mb(4096)
        .set_free_ram_mb(4096);
    world.store.create_compute_node(ghost).await.unwrap();
    let uuid = world.create(&["web"]).await.remove(0);
    let row = world.until_state(&uuid, VmState::Active).await;
    // Whatever of the two has it now, it is a node that is there.
    assert_eq!(row.host(), row.node());
}

#[tokio::test]
async fn requests_for_none_and_for_too_many_are_refused_and_the_most_is_answered() {
    let hosts = Arc::new(Hosts::named(&["a", "b"]));
    let manager = of_hosts(&hosts);
    let error = chosen(&manager, one_that_fits_all(), 0).await.unwrap_err();
    assert_eq!(error.code(), "schedule/bad-spec");
    assert_eq!(error.to_string(), "the request names no instance");
    let too_many = chosen(&manager, one_that_fits_all(), INSTANCES_MAX + 1).await;
    let error = too_many.unwrap_err();
    assert_eq!(error.code(), "schedule/bad-spec");
    assert_eq!(
        error.to_string(),
        "a request may name 10000 instances at most"
    );
    let most = chosen(&manager, one_that_fits_all(), INSTANCES_MAX).await;
    assert_eq!(most.unwrap().len(), INSTANCES_MAX);
    let error = chosen(&manager, wants(|any| any), INSTANCES_MAX)
        .await
        .unwrap_err();
    let text = "no valid host was found for instance 65 of 10000: filter `ram` left 0 of 2 hosts";
    assert_eq!(error.to_string(), text);
    assert_eq!(hosts.free_ram(), [16_384; 2], "nothing stays consumed");
}

#[tokio::test]
async fn an_empty_fleet_says_that_no_host_is_known() {
    let manager = of_hosts(&Arc::new(Hosts::named(&[])));
    let error = chosen(&manager, wants(|any| any), 3).await.unwrap_err();
    assert_eq!(error.code(), "schedule/no-valid-host");
    let text = "no valid host was found for instance 1 of 3: no host is known";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_filter_may_clear_nothing_or_everything() {
    let hosts = || Arc::new(Hosts::named(&["a", "b", "c"]));
    let all = vec![("all", Judged::new(|_, _| Ok(true)))];
    let lent = lend(drivers(Best, hosts(), all, vec![]), fields());
    assert_eq!(filtered(&lent, 0).unwrap(), [0, 1, 2]);
    let none = vec![("none", Judged::new(|_, _| Ok(false)))];
    let lent = lend(drivers(Best, hosts(), none, vec![]), fields());
    assert!(filtered(&lent, 0).unwrap().is_empty());
}

/// Passes hosts that are out and some that do not exist, then puts a mask of its own in place of the one it was given.
struct BeyondTheTable;

impl Filter for BeyondTheTable {
    fn filter_all(
        &self,
        hosts: &HostTable,
        _: &Request,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        mask.intersect(&[u64::MAX; 4]);
        mask.retain_rows(|row| row < hosts.len() + 1_000);
        let own = Box::leak(Box::new([u64::MAX; 4]));
        *mask = Mask::new(own, 4 * 64);
        Ok(())
    }
}

#[test]
fn bits_beyond_the_table_are_nobodys() {
    for hosts in [1, 63, 64, 65] {
        let names: Vec<String> = (0..hosts).map(|at| format!("h{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let drivers = SchedulerDrivers::new(
            NamedDriver::<dyn Scheduler>::new("best", Arc::new(Best)),
            NamedDriver::<dyn HostManager>::new("hosts", Arc::new(Hosts::named(&names))),
            vec![NamedDriver::new("beyond", Arc::new(BeyondTheTable))],
            vec![],
        );
        let ignored = RequestFields {
            ignore_hosts: vec!["h0".to_owned()],
            ..fields()
        };
        let lent = lend(drivers.unwrap(), ignored);
        let left = filtered(&lent, 0).unwrap();
        assert_eq!(left, (1..hosts).collect::<Vec<usize>>());
    }
}

#[test]
fn weights_stay_numbers_whatever_range_and_factor_say() {
    let weigher = |min: Option<f64>, multiplier: f64| {
        let weighed = Weighed {
            weigh: Box::new(|host| host.row() as f32),
            min,
        };
        NamedWeigher::new("odd", Arc::new(weighed), multiplier)
    };
    let minimums = [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, -1e300, 1e300];
    let factors = [1.0, -1.0, 0.0, 1e300, -1e300, f64::MAX];
    for min in minimums {
        for factor in factors {
            let weighers = vec![weigher(Some(min), factor), weigher(None, factor)];
            let hosts = Arc::new(Hosts::named(&["a", "b", "c"]));
            let drivers = drivers(Best, hosts, vec![], weighers)
                .on_faults(FaultPolicy::Fail, FaultPolicy::Fail);
            let lent = lend(drivers, fields());
            let mut weights = vec![0.0; 3];
            let mut left = [0b111];
            lent.weigh(&Mask::new(&mut left, 3), &mut weights).unwrap();
            let finite = weights.iter().all(|weight: &f32| weight.is_finite());
            assert!(finite, "{min} × {factor}: {weights:?}");
        }
    }
}
