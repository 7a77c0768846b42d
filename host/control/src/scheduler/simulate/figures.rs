//! The numbers of a run: how full the hosts are, what is left that nobody can use, and how long requests took.
//!
//! Pure arithmetic over the books and the times. Percentiles are by nearest rank, so that each is a value that was seen.
//! Must not know drivers. Called by `run`.

use super::books::{Amounts, Books, DISK_GB, MEMORY_MB, RESOURCES, VCPUS};
use super::requests::Request;

/// The figures of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Requests of which all instances have a host.
    pub placed_requests: u64,
    /// Their instances.
    pub placed_instances: u64,
    /// Requests that found no host.
    pub refused_requests: u64,
    /// The instances they were for.
    pub refused_instances: u64,
    /// Hosts that had an instance of the simulation at any time.
    pub hosts_used: u64,
    /// How full hosts are when the fleet is fullest: processors.
    pub vcpus: Utilisation,
    /// The same for memory.
    pub memory: Utilisation,
    /// The same for disk.
    pub disk: Utilisation,
    /// What is free and of no use.
    pub fragmentation: Fragmentation,
    /// Time in the scheduler per request.
    pub times: Times,
}

/// How full hosts are of one resource, in percent of what each may promise, allocation ratio included.
#[derive(Clone, Debug, PartialEq)]
pub struct Utilisation {
    /// Over the hosts, at the fleet's fullest moment: when the resource of which most is used was used most.
    pub hosts: Percentiles,
    /// Of the fleet as a whole, when most of this resource was used.
    pub fleet_peak: f64,
    /// Of each host at the fullest moment, rising.
    pub sorted: Vec<f64>,
}

/// Where values lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles {
    /// The mean.
    pub mean: f64,
    /// Half are not above.
    pub p50: f64,
    /// 95 of 100 are not above.
    pub p95: f64,
    /// 99 of 100 are not above.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// Capacity that is free and cannot be used, at the fullest moment: the free share, in percent, that lies on hosts which cannot take the
/// median request any more. Disabled hosts are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fragmentation {
    /// Processors of the median request.
    pub median_vcpus: f64,
    /// Its memory, MB.
    pub median_memory_mb: f64,
    /// Its disk, GB.
    pub median_disk_gb: f64,
    /// Hosts that cannot take it.
    pub hosts: u64,
    /// Of all free processors, those on such hosts.
    pub vcpus: f64,
    /// Of all free memory.
    pub memory: f64,
    /// Of all free disk.
    pub disk: f64,
}

/// How long the scheduler took for one request, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// Where the times lie.
    pub request_us: Percentiles,
    /// Instances placed in one second of the scheduler's time.
    pub placements_per_s: f64,
}

impl Percentiles {
    /// Of values in rising order; zero of none.
    pub fn of_sorted(values: &[f64]) -> Percentiles {
        let (Some(max), n) = (values.last(), values.len()) else {
            return Percentiles::default();
        };
        let rank = |percent: usize| values[(n * percent).div_ceil(100).max(1) - 1];
        Percentiles {
            mean: values.iter().sum::<f64>() / n as f64,
            p50: rank(50),
            p95: rank(95),
            p99: rank(99),
            max: *max,
        }
    }
}

/// How full the hosts are, one per resource.
pub(super) fn utilisation(books: &Books) -> [Utilisation; RESOURCES] {
    let fullest = books.fullest().map(|(host, used)| host.percent(used));
    let percents: Vec<Amounts> = fullest.collect();
    [VCPUS, MEMORY_MB, DISK_GB].map(|resource| {
        let sorted = sorted(percents.iter().map(|percent| percent[resource]));
        Utilisation {
            hosts: Percentiles::of_sorted(&sorted),
            fleet_peak: books.peak()[resource],
            sorted,
        }
    })
}

/// What is free on hosts that cannot take the median of the requests any more.
pub(super) fn fragmentation(books: &Books, requests: &[Request]) -> Fragmentation {
    let median = median(requests);
    let (mut all, mut lost, mut hosts) = (Amounts::default(), Amounts::default(), 0);
    for (host, used) in books.fullest().filter(|(host, _)| !host.is_disabled()) {
        let free = host.free(used);
        let takes = (0..RESOURCES).all(|resource| median[resource] <= free[resource]);
        hosts += u64::from(!takes);
        for resource in 0..RESOURCES {
            all[resource] += free[resource];
            lost[resource] += if takes { 0.0 } else { free[resource] };
        }
    }
    let share = |resource: usize| match all[resource] {
        0.0 => 0.0,
        all => 100.0 * lost[resource] / all,
    };
    Fragmentation {
        median_vcpus: median[VCPUS],
        median_memory_mb: median[MEMORY_MB],
        median_disk_gb: median[DISK_GB],
        hosts,
        vcpus: share(VCPUS),
        memory: share(MEMORY_MB),
        disk: share(DISK_GB),
    }
}

/// The middle of what the instances want, each resource by itself.
fn median(requests: &[Request]) -> Amounts {
    let wanted = |resource: usize, request: &Request| match resource {
        VCPUS => u64::from(request.wanted.vcpus),
        MEMORY_MB => u64::from(request.wanted.memory_mb),
        _ => request.wanted.disk_gb(),
    };
    [VCPUS, MEMORY_MB, DISK_GB].map(|resource| {
        let mut all: Vec<(u64, u64)> = requests
            .iter()
            .map(|request| (wanted(resource, request), u64::from(request.count)))
            .collect();
        all.sort_unstable();
        let half = all.iter().map(|(_, count)| count).sum::<u64>().div_ceil(2);
        let mut seen = 0;
        let middle = all.iter().find(|(_, count)| {
            seen += count;
            seen >= half
        });
        middle.map_or(0.0, |(amount, _)| *amount as f64)
    })
}

/// Times in nanoseconds, for so many instances placed.
pub(super) fn times(nanoseconds: &[u64], placed: u64) -> Times {
    let us = sorted(nanoseconds.iter().map(|&ns| ns as f64 / 1_000.0));
    let total_s = us.iter().sum::<f64>() / 1e6;
    Times {
        request_us: Percentiles::of_sorted(&us),
        placements_per_s: if total_s > 0.0 {
            placed as f64 / total_s
        } else {
            0.0
        },
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use longshore_plugin_api::HostReport;

    use super::*;
    use crate::scheduler::simulate::{Fleet, SimulatedHost, Wanted};

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        let found = Percentiles::of_sorted(&values);
        assert_eq!((found.p50, found.p95, found.p99), (100.0, 190.0, 198.0));
        assert_eq!((found.mean, found.max), (100.5, 200.0));
        assert_eq!(Percentiles::of_sorted(&[7.0]).p50, 7.0);
        assert_eq!(Percentiles::of_sorted(&[]), Percentiles::default());
    }

    fn host(name: &str, vcpus_used: u32, free_ram_mb: i64, disabled: bool) -> SimulatedHost {
        SimulatedHost {
            report: HostReport {
                host: name.to_owned(),
                vcpus: 8,
                vcpus_used,
                memory_mb: 16_384,
                free_ram_mb,
                local_gb: 100,
                free_disk_gb: Some(100),
                cpu_allocation_ratio: 2.0,
                ram_allocation_ratio: 1.0,
                disk_allocation_ratio: 1.0,
                ..HostReport::default()
            },
            zone: None,
            disabled,
        }
    }

    fn request(vcpus: u32, memory_mb: u32, count: u32) -> Request {
        let wanted = Wanted {
            vcpus,
            memory_mb,
            ..Wanted::default()
        };
        Request {
            id: "r".to_owned(),
            wanted: Arc::new(wanted),
            count,
            arrive_s: 0,
            leave_s: None,
        }
    }

    #[test]
    fn what_is_free_beside_a_full_resource_is_lost() {
        // 16 processors may be promised: 4 are free on `a`, 12 on `b`. `b` has no memory for 2 GB.
        let hosts = vec![
            host("a", 12, 8192, false),
            host("b", 4, 1024, false),
            host("off", 0, 0, true),
        ];
        let books = Books::open(&Fleet::new(hosts).unwrap());
        let requests = [
            request(1, 512, 1),
            request(2, 2048, 3),
            request(16, 9000, 1),
        ];
        let found = fragmentation(&books, &requests);
        assert_eq!((found.median_vcpus, found.median_memory_mb), (2.0, 2048.0));
        assert_eq!((found.hosts, found.vcpus), (1, 75.0));
        assert_eq!(found.memory, 100.0 * 1024.0 / 9216.0);
        let [vcpus, memory, _] = utilisation(&books);
        assert_eq!(vcpus.sorted, [0.0, 25.0, 75.0]);
        assert_eq!((vcpus.hosts.p50, vcpus.fleet_peak), (25.0, 100.0 / 3.0));
        assert_eq!(memory.hosts.max, 100.0);
    }

    #[test]
    fn no_requests_and_no_time_are_zero() {
        let books = Books::open(&Fleet::new(vec![host("a", 0, 16_384, false)]).unwrap());
        assert_eq!(fragmentation(&books, &[]).vcpus, 0.0);
        assert_eq!(times(&[], 0), Times::default());
        assert_eq!(times(&[0], 1).placements_per_s, 0.0);
        assert_eq!(times(&[2_000_000], 3).placements_per_s, 1500.0);
    }
}
