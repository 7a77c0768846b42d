//! What each host holds: its report, kept up to date as instances come and go, and what it held when the fleet was fullest.
//!
//! A compute would count its instances and report; here that is arithmetic. Builds end at once: a host's report after a
//! placement has the instance and no build going on. Must not know drivers. Used by `run`, read by `figures`.

use std::collections::HashMap;

use longshore_plugin_api::HostReport;

use super::fleet::Fleet;
use super::requests::Wanted;

/// What figures are made of, in this order everywhere: processors, memory in MB, disk in GB.
pub(super) const RESOURCES: usize = 3;
pub(super) const VCPUS: usize = 0;
pub(super) const MEMORY_MB: usize = 1;
pub(super) const DISK_GB: usize = 2;

/// One amount per resource.
pub(super) type Amounts = [f64; RESOURCES];

/// The hosts' books.
pub(super) struct Books {
    hosts: Vec<Host>,
    rows: HashMap<String, usize>,
    /// Of each host.
    used: Vec<Amounts>,
    /// Over all hosts.
    used_in_all: Amounts,
    promised_in_all: Amounts,
    /// The highest so far, each resource by itself.
    peak: Amounts,
    fullest: Fullest,
}

/// The fleet's fullest moment: when the resource of which most is used was used most.
struct Fullest {
    percent: f64,
    /// What each host held then; what it holds now, as long as the moment lasts.
    used: Vec<Amounts>,
    lasts: bool,
}

/// One host.
pub(super) struct Host {
    report: HostReport,
    disabled: bool,
    was_used: bool,
}

impl Books {
    pub(super) fn open(fleet: &Fleet) -> Self {
        let mut rows = HashMap::with_capacity(fleet.hosts().len());
        let mut hosts = Vec::with_capacity(fleet.hosts().len());
        for (row, host) in fleet.hosts().iter().enumerate() {
            rows.insert(key(&host.report.host, &host.report.node), row);
            hosts.push(Host {
                report: host.report.clone(),
                disabled: host.disabled,
                was_used: false,
            });
        }
        let used: Vec<Amounts> = hosts.iter().map(Host::used).collect();
        let mut books = Books {
            used_in_all: sum(used.iter().copied()),
            promised_in_all: sum(hosts.iter().map(Host::promised)),
            hosts,
            rows,
            used,
            peak: Amounts::default(),
            fullest: Fullest {
                percent: f64::NEG_INFINITY,
                used: Vec::new(),
                lasts: true,
            },
        };
        books.look();
        books
    }

    /// The place of a host in the fleet.
    pub(super) fn row(&self, host: &str, node: &str) -> Option<usize> {
        self.rows.get(&key(host, node)).copied()
    }

    /// An instance came; answers the host's new report.
    pub(super) fn enter(&mut self, row: usize, wanted: &Wanted) -> &HostReport {
        self.change(row, wanted, true);
        self.look();
        &self.hosts[row].report
    }

    /// An instance went; answers the host's new report.
    pub(super) fn leave(&mut self, row: usize, wanted: &Wanted) -> &HostReport {
        // What comes makes the fleet fuller, so that it is enough to look when something goes.
        if self.fullest.lasts {
            self.fullest.lasts = false;
            self.fullest.used.clone_from(&self.used);
        }
        self.change(row, wanted, false);
        &self.hosts[row].report
    }

    fn change(&mut self, row: usize, wanted: &Wanted, comes: bool) {
        let host = &mut self.hosts[row];
        host.count(wanted, comes);
        let (before, after) = (self.used[row], host.used());
        self.used[row] = after;
        for resource in 0..RESOURCES {
            self.used_in_all[resource] += after[resource] - before[resource];
        }
    }

    /// Notes whether the fleet is fuller than ever.
    fn look(&mut self) {
        let percent = percents(&self.used_in_all, &self.promised_in_all);
        for (peak, percent) in self.peak.iter_mut().zip(percent) {
            *peak = peak.max(percent);
        }
        let highest = percent.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if highest > self.fullest.percent {
            self.fullest.percent = highest;
            self.fullest.lasts = true;
        }
    }

    pub(super) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The hosts, and what each held at the fullest moment.
    pub(super) fn fullest(&self) -> impl Iterator<Item = (&Host, &Amounts)> {
        let used = match self.fullest.lasts {
            true => &self.used,
            false => &self.fullest.used,
        };
        self.hosts.iter().zip(used)
    }

    /// What of the fleet as a whole was used at most, in percent of what it may promise.
    pub(super) fn peak(&self) -> &Amounts {
        &self.peak
    }
}

impl Host {
    fn count(&mut self, wanted: &Wanted, comes: bool) {
        let report = &mut self.report;
        report.generation += 1;
        let (vcpus, disk) = (wanted.vcpus, wanted.disk_gb());
        let signed = |amount: u64| {
            let amount = i64::try_from(amount).unwrap_or(i64::MAX);
            if comes { amount } else { -amount }
        };
        if comes {
            self.was_used = true;
            report.vcpus_used = report.vcpus_used.saturating_add(vcpus);
            report.local_gb_used = report.local_gb_used.saturating_add(disk);
            report.num_instances = report.num_instances.saturating_add(1);
        } else {
            report.vcpus_used = report.vcpus_used.saturating_sub(vcpus);
            report.local_gb_used = report.local_gb_used.saturating_sub(disk);
            report.num_instances = report.num_instances.saturating_sub(1);
        }
        let memory = signed(u64::from(wanted.memory_mb));
        report.free_ram_mb = report.free_ram_mb.saturating_sub(memory);
        for free in [&mut report.free_disk_gb, &mut report.disk_available_least] {
            *free = free.map(|free| free.saturating_sub(signed(disk)));
        }
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// An instance of the simulation was there, now or before.
    pub(super) fn was_used(&self) -> bool {
        self.was_used
    }

    /// What instances have.
    fn used(&self) -> Amounts {
        let report = &self.report;
        let memory = i64::try_from(report.memory_mb).unwrap_or(i64::MAX);
        let disk = i64::try_from(report.local_gb).unwrap_or(i64::MAX);
        let free_disk = report.free_disk_gb.unwrap_or(0);
        let free_disk = report
            .disk_available_least
            .map_or(free_disk, |least| least.min(free_disk));
        [
            f64::from(report.vcpus_used),
            memory.saturating_sub(report.free_ram_mb) as f64,
            disk.saturating_sub(free_disk) as f64,
        ]
    }

    /// What the host may give out in all, its allocation ratios included.
    fn promised(&self) -> Amounts {
        let report = &self.report;
        [
            f64::from(report.vcpus) * report.cpu_allocation_ratio,
            report.memory_mb as f64 * report.ram_allocation_ratio,
            report.local_gb as f64 * report.disk_allocation_ratio,
        ]
    }

    /// So much, in percent of what the host may promise; more than 100 when filters let that happen.
    pub(super) fn percent(&self, used: &Amounts) -> Amounts {
        percents(used, &self.promised())
    }

    /// What the host may still give out beside so much.
    pub(super) fn free(&self, used: &Amounts) -> Amounts {
        let mut free = self.promised();
        for resource in 0..RESOURCES {
            free[resource] = (free[resource] - used[resource]).max(0.0);
        }
        free
    }
}

/// Nothing of nothing is 0 %.
fn percents(used: &Amounts, promised: &Amounts) -> Amounts {
    let mut percents = Amounts::default();
    for resource in 0..RESOURCES {
        if promised[resource] > 0.0 {
            percents[resource] = 100.0 * used[resource] / promised[resource];
        }
    }
    percents
}

fn sum(amounts: impl Iterator<Item = Amounts>) -> Amounts {
    amounts.fold(Amounts::default(), |mut sum, more| {
        for resource in 0..RESOURCES {
            sum[resource] += more[resource];
        }
        sum
    })
}

/// No name holds a line break: inputs are read line by line or are escaped.
fn key(host: &str, node: &str) -> String {
    format!("{host}\n{node}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::simulate::{SimulatedHost, synthetic_fleet};

    #[test]
    fn what_comes_and_goes_leaves_the_books_as_they_were() {
        let fleet = synthetic_fleet(3, 1);
        let mut books = Books::open(&fleet);
        let (before, used) = (books.hosts()[1].report.clone(), books.used.clone());
        let wanted = Wanted {
            vcpus: 4,
            memory_mb: 8192,
            root_gb: 30,
            ephemeral_gb: 10,
            ..Wanted::default()
        };
        let report = books.enter(1, &wanted);
        assert_eq!(report.vcpus_used, before.vcpus_used + 4);
        assert_eq!(report.free_ram_mb, before.free_ram_mb - 8192);
        assert_eq!(report.free_disk_gb, before.free_disk_gb.map(|gb| gb - 40));
        assert_eq!(report.num_instances, before.num_instances + 1);
        assert!(report.generation > before.generation);
        books.leave(1, &wanted);
        assert_eq!(books.used, used);
        assert!(books.hosts()[1].was_used() && !books.hosts()[0].was_used());
    }

    #[test]
    fn a_host_without_anything_is_not_a_division_by_zero() {
        let host = SimulatedHost {
            report: HostReport {
                host: "empty".to_owned(),
                ..HostReport::default()
            },
            zone: None,
            disabled: false,
        };
        let books = Books::open(&Fleet::new(vec![host]).unwrap());
        assert_eq!(books.peak(), &[0.0; RESOURCES]);
        let (host, used) = books.fullest().next().unwrap();
        assert_eq!(host.free(used), [0.0; RESOURCES]);
    }

    #[test]
    fn the_fullest_moment_is_kept_when_instances_leave() {
        let mut books = Books::open(&synthetic_fleet(2, 1));
        let wanted = |memory_mb| Wanted {
            memory_mb,
            ..Wanted::default()
        };
        let memory = |books: &Books| -> Vec<f64> {
            let all = books.fullest();
            all.map(|(_, used)| used[MEMORY_MB]).collect()
        };
        books.enter(0, &wanted(3000));
        books.enter(1, &wanted(1000));
        assert_eq!(memory(&books), [3000.0, 1000.0]);
        books.leave(0, &wanted(3000));
        books.enter(1, &wanted(500));
        assert_eq!(memory(&books), [3000.0, 1000.0]);
        books.enter(0, &wanted(4000));
        assert_eq!(memory(&books), [4000.0, 1500.0]);
        books.leave(0, &wanted(4000));
        assert_eq!(memory(&books), [4000.0, 1500.0]);
        assert!(books.peak()[MEMORY_MB] > 0.0 && books.peak()[VCPUS] == 0.0);
    }
}
