//! Whatever requests run side by side, while hosts report, come and go: no host ever promises more than it has, each
//! request is answered once, and what failed leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use longshore_control::scheduler::{
    SchedulerConfig, SchedulerDrivers, SchedulerManager, SelectError,
};
use longshore_control::{NamedDriver, NamedWeigher};
use longshore_messaging::RequestContext;
use longshore_objects::{ComputeNode, Flavor, RequestSpec};
use longshore_plugin_api::{
    Column, DriverError, Filter, HostColumns, HostManager, HostReport, HostTable, Mask, Random,
    RequestSpec as Request, ServiceState,
};

use crate::fakes::{Best, Judged, Weighed};
use crate::records::Records;
use crate::world::calls;

/// Memory in MB, disk in MB, processors.
type Amounts = [i64; 3];

/// A host manager that keeps books: what each host has, and what each request took of it.
#[derive(Default)]
struct Ledger(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    columns: HostColumns,
    rows: HashMap<String, usize>,
    names: Vec<String>,
    total: HashMap<String, Amounts>,
    /// By host, then by instance; hosts that are gone included.
    taken: BTreeMap<String, Vec<(String, Amounts)>>,
    /// Promises of more than there was.
    broken: Vec<String>,
}

impl Pages {
    fn free(&self, host: &str) -> Amounts {
        let mut free = self.total[host];
        for (_, amounts) in self.taken.get(host).into_iter().flatten() {
            free.iter_mut().zip(amounts).for_each(|(f, a)| *f -= a);
        }
        free
    }

    fn show(&mut self, host: &str) {
        let Some(&row) = self.rows.get(host) else {
            return;
        };
        let number = |n: i64| i32::try_from(n).unwrap();
        let [ram, disk, vcpus] = self.free(host);
        self.columns.set_i32(Column::FreeRamMb, row, number(ram));
        self.columns.set_i32(Column::FreeDiskMb, row, number(disk));
        // What is left of the processors, so that it may be negative.
        let used = u32::try_from(1000 - vcpus).unwrap();
        self.columns.set_u32(Column::VcpusTotal, row, 1000);
        self.columns.set_u32(Column::VcpusUsed, row, used);
    }
}

fn wanted(request: &Request) -> Amounts {
    let whole = |n: u64| i64::try_from(n).unwrap();
    let disk_mb = whole(request.root_gb()) * 1024;
    [
        whole(request.memory_mb()),
        disk_mb,
        i64::from(request.vcpus()),
    ]
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap()
    }

    fn give_back(&self, host: &str, instance: &str) {
        let mut pages = self.pages();
        let taken = pages.taken.get_mut(host).unwrap();
        let place = taken.iter().rposition(|(by, _)| by == instance).unwrap();
        taken.remove(place);
        pages.show(host);
    }
}

impl HostManager for Ledger {
    fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
        let mut pages = self.pages();
        let whole = |n: u64| i64::try_from(n).unwrap();
        let total = [
            whole(report.memory_mb),
            whole(report.local_gb) * 1024,
            i64::from(report.vcpus),
        ];
        pages.total.insert(report.host.clone(), total);
        if !pages.rows.contains_key(&report.host) {
            let row = pages.columns.push(&report.host, &report.node);
            pages.rows.insert(report.host.clone(), row);
            pages.names.push(report.host.clone());
        }
        pages.show(&report.host);
        Ok(true)
    }

    fn remove_host(&self, host: &str, _: &str) -> Result<(), DriverError> {
        let mut pages = self.pages();
        if let Some(row) = pages.rows.remove(host) {
            pages.columns.swap_remove(row);
            pages.names.swap_remove(row);
            if let Some(moved) = pages.names.get(row).cloned() {
                pages.rows.insert(moved, row);
            }
        }
        Ok(())
    }

    fn update_service(&self, _: &ServiceState) -> Result<(), DriverError> {
        Ok(())
    }

    fn host_table(&self) -> Result<HostTable, DriverError> {
        Ok(self.pages().columns.snapshot())
    }

    fn eligible_hosts(
        &self,
        _: &HostTable,
        _: &Request,
        _: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        Ok(true)
    }

    fn consume_from_request(
        &self,
        host: &str,
        _: &str,
        request: &Request,
    ) -> Result<(), DriverError> {
        let mut pages = self.pages();
        let free = pages.free(host);
        let wanted = wanted(request);
        if !pages.rows.contains_key(host) || free.iter().zip(wanted).any(|(f, w)| *f < w) {
            let broken = format!("{wanted:?} of host `{host}`, which has {free:?}");
            pages.broken.push(broken);
        }
        let by = request.instance_uuid().to_owned();
        let taken = pages.taken.entry(host.to_owned()).or_default();
        taken.push((by, wanted));
        pages.show(host);
        Ok(())
    }

    fn release_request(&self, host: &str, _: &str, request: &Request) -> Result<(), DriverError> {
        self.give_back(host, request.instance_uuid());
        Ok(())
    }
}

/// A host says what it has, or that it is gone.
fn report(records: &Records, host: u64, [ram, _, vcpus]: Amounts, disk_gb: i64, gone: bool) {
    let mut nodes = records.nodes.lock().unwrap();
    let generation = nodes.iter().map(ComputeNode::generation).max();
    let name = format!("h{host}");
    let mut node = ComputeNode::new();
    node.set_host(name.as_str())
        .set_hypervisor_hostname(name.as_str())
        .set_uuid(format!("uuid of {name}"))
        .set_memory_mb(ram)
        .set_local_gb(disk_gb)
        .set_vcpus(vcpus)
        .set_deleted(gone)
        .set_generation(generation.unwrap_or(0) + 1);
    nodes.retain(|known| known.host() != name);
    nodes.push(node);
}

/// A filter of one resource. It lets other threads run, so that requests cross each other often.
fn enough(free: fn(longshore_plugin_api::Host<'_>) -> i64, of: usize) -> Arc<dyn Filter> {
    Arc::new(Judged::new(move |host, request| {
        std::thread::yield_now();
        Ok(free(host) >= wanted(request)[of])
    }))
}

fn scheduler(ledger: &Arc<Ledger>, records: &Arc<Records>, spreads: bool) -> SchedulerManager {
    let filters = [
        ("ram", enough(|host| host.free_ram_mb().into(), 0)),
        ("disk", enough(|host| host.free_disk_mb().into(), 1)),
        (
            "core",
            enough(
                |host| i64::from(host.vcpus_total()) - i64::from(host.vcpus_used()),
                2,
            ),
        ),
    ];
    let most_ram = Weighed {
        weigh: Box::new(|host| host.free_ram_mb() as f32),
        min: Some(0.0),
    };
    let weighers = match spreads {
        true => vec![NamedWeigher::new("ram", Arc::new(most_ram), 1.0)],
        false => Vec::new(),
    };
    let drivers = SchedulerDrivers::new(
        NamedDriver::new("best", Arc::new(Best) as _),
        NamedDriver::new("ledger", ledger.clone() as _),
        filters
            .map(|(name, filter)| NamedDriver::new(name, filter))
            .into(),
        weighers,
    );
    let config = SchedulerConfig {
        workers: 4,
        ..SchedulerConfig::default()
    };
    let calls = calls(Duration::from_secs(60));
    SchedulerManager::new(config, drivers.unwrap(), records.clone(), &calls)
}

/// What a host may say that it has.
fn size(random: &mut Random) -> (Amounts, i64) {
    let amounts = [
        4096 * (1 + random.below(4) as i64),
        0,
        1 + random.below(16) as i64,
    ];
    (amounts, 20 * (1 + random.below(10) as i64))
}

struct Asked {
    uuid: String,
    instances: usize,
    spec: RequestSpec,
    /// Its instances are deleted as soon as they have their hosts.
    is_short: bool,
}

fn request(number: usize, random: &mut Random) -> Asked {
    let mut flavor = Flavor::new();
    flavor
        .set_memory_mb(512 * (1 + random.below(8) as i64))
        .set_root_gb(10 * random.below(5) as i64)
        .set_vcpus(1 + random.below(4) as i64)
        .set_name("random");
    let mut spec = RequestSpec::new();
    spec.set_flavor(flavor);
    Asked {
        uuid: format!("i{number}"),
        instances: 1 + random.below(10),
        spec,
        is_short: random.below(3) == 0,
    }
}

/// Asks, and answers the hosts that the request keeps.
async fn ask(
    scheduler: Arc<SchedulerManager>,
    ledger: Arc<Ledger>,
    asked: Asked,
) -> Vec<(String, String)> {
    let ctx = RequestContext::admin();
    let uuids = vec![asked.uuid.clone(); asked.instances];
    let answer = scheduler.select_destinations(&ctx, asked.spec, uuids).await;
    let chosen = match answer {
        Ok(chosen) => chosen,
        Err(SelectError::NoValidHost { .. }) => return Vec::new(),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(chosen.len(), asked.instances);
    let host = |list: &Vec<longshore_objects::Selection>| {
        let uuid = format!("uuid of {}", list[0].host());
        assert_eq!(list[0].compute_node_uuid(), uuid);
        (list[0].host().to_owned(), asked.uuid.clone())
    };
    let kept: Vec<_> = chosen.iter().map(host).collect();
    if !asked.is_short {
        return kept;
    }
    for (host, uuid) in kept {
        ledger.give_back(&host, &uuid);
    }
    Vec::new()
}

async fn a_fleet_under_load(seed: u64) {
    let mut random = Random::new(seed);
    let (ledger, records) = (Arc::<Ledger>::default(), Arc::<Records>::default());
    let hosts = 1 + random.below(12) as u64;
    for host in 0..hosts {
        let (amounts, disk_gb) = size(&mut random);
        report(&records, host, amounts, disk_gb, false);
    }
    let scheduler = Arc::new(scheduler(&ledger, &records, random.below(2) == 0));
    let mut under_way = tokio::task::JoinSet::new();
    let mut kept = Vec::new();
    let requests = 40;
    for number in 0..requests {
        let asked = request(number, &mut random);
        under_way.spawn(ask(Arc::clone(&scheduler), Arc::clone(&ledger), asked));
        if random.below(4) == 0 {
            let (amounts, disk_gb) = size(&mut random);
            let host = random.below(hosts as usize + 2) as u64;
            report(&records, host, amounts, disk_gb, random.below(4) == 0);
        }
        while under_way.len() > 8 {
            kept.push(under_way.join_next().await.unwrap().unwrap());
        }
    }
    while let Some(answer) = under_way.join_next().await {
        kept.push(answer.unwrap());
    }
    assert_eq!(kept.len(), requests);
    let pages = ledger.pages();
    assert!(pages.broken.is_empty(), "seed {seed}: {:#?}", pages.broken);
    let mut kept: Vec<_> = kept.into_iter().flatten().collect();
    let mut taken: Vec<_> = pages
        .taken
        .iter()
        .flat_map(|(host, all)| all.iter().map(|(by, _)| (host.clone(), by.clone())))
        .collect();
    kept.sort();
    taken.sort();
    assert_eq!(kept, taken, "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_host_promises_more_than_it_has_and_no_request_is_lost() {
    for seed in 0..40 {
        a_fleet_under_load(seed).await;
    }
}
