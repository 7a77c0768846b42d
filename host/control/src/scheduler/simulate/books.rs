//! What each host holds: its report, kept up to date as instances come and go.
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
    /// Over all hosts.
    used: Amounts,
    promised: Amounts,
}

/// One host.
pub(super) struct Host {
    report: HostReport,
    disabled: bool,
    was_used: bool,
}

impl Books {
    pub(super) fn open(fleet: &Fleet) -> Self {
        let mut hosts = Vec::with_capacity(fleet.hosts().len());
        let mut rows = HashMap::with_capacity(fleet.hosts().len());
        let (mut used, mut promised) = (Amounts::default(), Amounts::default());
        for (row, host) in fleet.hosts().iter().enumerate() {
            rows.insert(key(&host.report.host, &host.report.node), row);
            let host = Host {
                report: host.report.clone(),
                disabled: host.disabled,
                was_used: false,
            };
            add(&mut used, &host.used());
            add(&mut promised, &host.promised());
            hosts.push(host);
        }
        Books {
            hosts,
            rows,
            used,
            promised,
        }
    }

    /// The place of a host in the fleet.
    pub(super) fn row(&self, host: &str, node: &str) -> Option<usize> {
        self.rows.get(&key(host, node)).copied()
    }

    /// An instance came; answers the host's new report.
    pub(super) fn enter(&mut self, row: usize, wanted: &Wanted) -> &HostReport {
        self.change(row, wanted, true)
    }

    /// An instance went; answers the host's new report.
    pub(super) fn leave(&mut self, row: usize, wanted: &Wanted) -> &HostReport {
        self.change(row, wanted, false)
    }

    fn change(&mut self, row: usize, wanted: &Wanted, comes: bool) -> &HostReport {
        let host = &mut self.hosts[row];
        let before = host.used();
        host.count(wanted, comes);
        let after = host.used();
        for resource in 0..RESOURCES {
            self.used[resource] += after[resource] - before[resource];
        }
        &host.report
    }

    pub(super) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// What of the whole fleet is used, in percent of what it may promise.
    pub(super) fn fleet_percent(&self) -> Amounts {
        percents(&self.used, &self.promised)
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
    pub(super) fn used(&self) -> Amounts {
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
    pub(super) fn promised(&self) -> Amounts {
        let report = &self.report;
        [
            f64::from(report.vcpus) * report.cpu_allocation_ratio,
            report.memory_mb as f64 * report.ram_allocation_ratio,
            report.local_gb as f64 * report.disk_allocation_ratio,
        ]
    }

    /// What of the host is used, in percent of what it may promise; more than 100 when filters let that happen.
    pub(super) fn percent(&self) -> Amounts {
        percents(&self.used(), &self.promised())
    }

    /// What the host may still give out.
    pub(super) fn free(&self) -> Amounts {
        let (used, mut free) = (self.used(), self.promised());
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

fn add(to: &mut Amounts, more: &Amounts) {
    for resource in 0..RESOURCES {
        to[resource] += more[resource];
    }
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
        let before = (books.fleet_percent(), books.hosts()[1].report.clone());
        let wanted = Wanted {
            vcpus: 4,
            memory_mb: 8192,
            root_gb: 30,
            ephemeral_gb: 10,
            ..Wanted::default()
        };
        let report = books.enter(1, &wanted);
        let old = &before.1;
        assert_eq!(report.vcpus_used, old.vcpus_used + 4);
        assert_eq!(report.free_ram_mb, old.free_ram_mb - 8192);
        assert_eq!(report.free_disk_gb, old.free_disk_gb.map(|gb| gb - 40));
        assert_eq!(report.num_instances, old.num_instances + 1);
        assert!(report.generation > old.generation);
        assert!(books.fleet_percent()[MEMORY_MB] > before.0[MEMORY_MB]);
        books.leave(1, &wanted);
        assert_eq!(books.fleet_percent(), before.0);
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
        assert_eq!(books.fleet_percent(), [0.0; RESOURCES]);
        assert_eq!(books.hosts()[0].free(), [0.0; RESOURCES]);
    }
}
