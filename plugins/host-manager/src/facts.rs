//! One node's facts: a report that was checked, in the table's units.
//!
//! A number that cannot be right is an error that names host and field, and changes nothing: the
//! caller keeps the facts of the report before. Called by `fleet`.

use crate::machines;
use crate::stats;
use longshore_plugin_api::{
    decimal, numa, Column, DriverError, HostColumns, HostReport, List, SupportedInstance,
    STATS_METRICS, STATS_NUMA_TOPOLOGY, STATS_PCI_DEVICE_POOLS, STATS_UUID,
};
use std::convert::TryFrom;

/// The longest text of one fact that is taken, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 256 * 1024;
/// How many kinds of guests one node may name.
pub(crate) const SUPPORTED_MAX: usize = 1024;

const MB_PER_GB: i128 = 1024;
/// How many texts a report fills.
pub(crate) const TEXTS: usize = 8;

/// What travels among the stats of a report and is a column here.
const FACTS_IN_STATS: [(&str, Column); 4] = [
    (STATS_UUID, Column::Uuid),
    (STATS_METRICS, Column::Metrics),
    (STATS_PCI_DEVICE_POOLS, Column::PciDevicePools),
    (STATS_NUMA_TOPOLOGY, Column::NumaTopology),
];

/// The texts that a consumed request changes.
const CONSUMED_TEXTS: [Column; 2] = [Column::PciDevicePools, Column::NumaTopology];

/// What Nova takes for a ratio of zero, which stands for "not set".
const RATIO_DEFAULTS: [f32; 3] = [1.5, 16.0, 1.0];

/// What a node has, and has left.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) amounts: Amounts,
    fixed: [(Column, u32); 6],
    ratios: [(Column, f32); 3],
    texts: [(Column, String); TEXTS],
    supported: Vec<SupportedInstance>,
    /// Requests take it as a whole.
    pub(crate) is_whole_machine: bool,
}

/// The numbers that a consumed request changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) free_ram_mb: i32,
    pub(crate) free_disk_mb: i32,
    pub(crate) vcpus_used: u32,
    pub(crate) num_instances: u32,
    pub(crate) num_io_ops: u32,
}

impl Facts {
    /// Checks a report of a whole machine.
    pub(crate) fn of_machine(report: &HostReport) -> Result<Self, DriverError> {
        let facts = Self::of(&machines::read(report))?;
        Ok(Self {
            is_whole_machine: true,
            ..facts
        })
    }

    /// Checks a report.
    pub(crate) fn of(report: &HostReport) -> Result<Self, DriverError> {
        let check = Check(report);
        if report.host.is_empty() {
            return Err(check.failed("host", "is empty"));
        }
        let (amounts, fixed) = (check.amounts()?, check.fixed()?);
        // Before its first own report a node is known by name, but what it has is not.
        let known = report.free_disk_gb.is_some();
        Ok(Self {
            amounts: if known { amounts } else { Amounts::default() },
            fixed: if known {
                fixed
            } else {
                fixed.map(|(column, _)| (column, 0))
            },
            ratios: check.ratios()?,
            texts: check.texts()?,
            supported: check.supported()?,
            is_whole_machine: false,
        })
    }

    /// All its processors.
    pub(crate) fn vcpus_total(&self) -> u32 {
        let total =
            |(column, value): &(Column, u32)| (*column == Column::VcpusTotal).then_some(*value);
        self.fixed.iter().find_map(total).unwrap_or_default()
    }

    /// How much of a NUMA cell may be promised.
    pub(crate) fn numa_ratios(&self) -> numa::Ratios {
        let ratio = |column| self.ratios.iter().find(|(of, _)| *of == column);
        let ratio = |column| ratio(column).map_or(1.0, |(_, ratio)| decimal(*ratio));
        numa::Ratios {
            cpu: ratio(Column::CpuAllocationRatio),
            ram: ratio(Column::RamAllocationRatio),
        }
    }

    /// One of its texts.
    pub(crate) fn text(&self, column: Column) -> &str {
        let mut texts = self.texts.iter();
        texts
            .find(|(of, _)| *of == column)
            .map_or("", |(_, text)| text)
    }

    /// Changes one of its texts.
    pub(crate) fn set_text(&mut self, column: Column, text: String) {
        let mut texts = self.texts.iter_mut();
        if let Some((_, old)) = texts.find(|(of, _)| *of == column) {
            *old = text;
        }
    }

    /// Writes everything into a row.
    pub(crate) fn write(&self, columns: &mut HostColumns, row: usize) {
        self.write_numbers(columns, row);
        for (column, text) in &self.texts {
            columns.set_text(*column, row, text);
        }
        self.write_supported(columns, row);
    }

    /// The same for a row that shows the facts of an earlier report: most texts are those of then.
    pub(crate) fn write_after(&self, before: &Facts, columns: &mut HostColumns, row: usize) {
        self.write_numbers(columns, row);
        for (old, new) in before.texts.iter().zip(&self.texts) {
            if old != new {
                columns.set_text(new.0, row, &new.1);
            }
        }
        if before.supported != self.supported {
            self.write_supported(columns, row);
        }
    }

    fn write_numbers(&self, columns: &mut HostColumns, row: usize) {
        for (column, value) in self.fixed {
            columns.set_u32(column, row, value);
        }
        for (column, value) in self.ratios {
            columns.set_f32(column, row, value);
        }
        self.amounts.write(columns, row);
    }

    fn write_supported(&self, columns: &mut HostColumns, row: usize) {
        let mut ids = Vec::with_capacity(3 * self.supported.len());
        for kind in &self.supported {
            let triple = [&kind.architecture, &kind.hypervisor_type, &kind.vm_mode];
            ids.extend(triple.map(|text| columns.intern(text)));
        }
        columns.set_list(List::SupportedInstances, row, &ids);
    }

    /// Writes what a consumed request changes; answers how many texts that were, at most.
    pub(crate) fn write_consumed(
        &self,
        columns: &mut HostColumns,
        row: usize,
        texts: bool,
    ) -> usize {
        self.amounts.write(columns, row);
        if !texts {
            return 0;
        }
        for column in CONSUMED_TEXTS {
            columns.set_text(column, row, self.text(column));
        }
        CONSUMED_TEXTS.len()
    }

    /// How many texts of these facts another report's do not have.
    pub(crate) fn texts_gone(&self, newer: &Facts) -> usize {
        self.texts
            .iter()
            .zip(&newer.texts)
            .filter(|(old, new)| old != new)
            .count()
    }
}

impl Amounts {
    /// Writes the amounts into a row.
    pub(crate) fn write(&self, columns: &mut HostColumns, row: usize) {
        columns.set_i32(Column::FreeRamMb, row, self.free_ram_mb);
        columns.set_i32(Column::FreeDiskMb, row, self.free_disk_mb);
        columns.set_u32(Column::VcpusUsed, row, self.vcpus_used);
        columns.set_u32(Column::NumInstances, row, self.num_instances);
        columns.set_u32(Column::NumIoOps, row, self.num_io_ops);
    }
}

/// A report under inspection.
struct Check<'r>(&'r HostReport);

impl Check<'_> {
    fn amounts(&self) -> Result<Amounts, DriverError> {
        let report = self.0;
        let free_disk_gb = report.free_disk_gb.unwrap_or_default();
        // What the disk really has left counts when it is less than what the books say.
        let free_disk_gb = report
            .disk_available_least
            .map_or(free_disk_gb, |l| l.min(free_disk_gb));
        let free_disk_mb = i128::from(free_disk_gb) * MB_PER_GB;
        Ok(Amounts {
            free_ram_mb: self.number("free_ram_mb", report.free_ram_mb.into())?,
            free_disk_mb: self.number("free_disk_gb", free_disk_mb)?,
            vcpus_used: report.vcpus_used,
            num_instances: report.num_instances,
            num_io_ops: report.num_io_ops,
        })
    }

    fn fixed(&self) -> Result<[(Column, u32); 6], DriverError> {
        let report = self.0;
        let disk_mb_used = i128::from(report.local_gb_used) * MB_PER_GB;
        Ok([
            (
                Column::TotalUsableRamMb,
                self.number("memory_mb", report.memory_mb.into())?,
            ),
            (
                Column::TotalUsableDiskGb,
                self.number("local_gb", report.local_gb.into())?,
            ),
            (
                Column::DiskMbUsed,
                self.number("local_gb_used", disk_mb_used)?,
            ),
            (Column::VcpusTotal, report.vcpus),
            (Column::FailedBuilds, report.failed_builds),
            (Column::HypervisorVersion, report.hypervisor_version),
        ])
    }

    fn number<T: TryFrom<i128>>(&self, field: &str, value: i128) -> Result<T, DriverError> {
        T::try_from(value).map_err(|_| self.failed(field, "is beyond what the table holds"))
    }

    fn ratios(&self) -> Result<[(Column, f32); 3], DriverError> {
        let report = self.0;
        let [ram, cpu, disk] = RATIO_DEFAULTS;
        let ratio = |field, value: f64, default| match value as f32 {
            ratio if !ratio.is_finite() || ratio < 0.0 => Err(self.failed(
                field,
                &format!("is {value}, and must be a number from 0 on"),
            )),
            0.0 => Ok(default),
            ratio => Ok(ratio),
        };
        Ok([
            (
                Column::RamAllocationRatio,
                ratio("ram_allocation_ratio", report.ram_allocation_ratio, ram)?,
            ),
            (
                Column::CpuAllocationRatio,
                ratio("cpu_allocation_ratio", report.cpu_allocation_ratio, cpu)?,
            ),
            (
                Column::DiskAllocationRatio,
                ratio("disk_allocation_ratio", report.disk_allocation_ratio, disk)?,
            ),
        ])
    }

    fn texts(&self) -> Result<[(Column, String); TEXTS], DriverError> {
        let report = self.0;
        let text = |field, text: String| match text.len() {
            0..=TEXT_BYTES_MAX => Ok(text),
            n => Err(self.failed(
                field,
                &format!("has {n} bytes, and may have {TEXT_BYTES_MAX}"),
            )),
        };
        let mut stats = report.stats.clone();
        let mut fact = |(key, column)| {
            let value = stats.remove(key).unwrap_or_default();
            Ok::<_, DriverError>((column, text(key, value)?))
        };
        let [uuid, metrics, pools, numa] = FACTS_IN_STATS;
        let (uuid, metrics, pools, numa) = (fact(uuid)?, fact(metrics)?, fact(pools)?, fact(numa)?);
        Ok([
            (Column::HostIp, text("host_ip", report.host_ip.clone())?),
            (
                Column::HypervisorType,
                text("hypervisor_type", report.hypervisor_type.clone())?,
            ),
            (Column::CpuInfo, text("cpu_info", report.cpu_info.clone())?),
            (Column::Stats, text("stats", stats::to_json(&stats))?),
            uuid,
            metrics,
            pools,
            numa,
        ])
    }

    fn supported(&self) -> Result<Vec<SupportedInstance>, DriverError> {
        match self.0.supported_instances.len() {
            0..=SUPPORTED_MAX => Ok(self.0.supported_instances.clone()),
            n => {
                let why = format!("has {n} entries, and may have {SUPPORTED_MAX}");
                Err(self.failed("supported_instances", &why))
            }
        }
    }

    fn failed(&self, field: &str, why: &str) -> DriverError {
        let (host, node) = (&self.0.host, &self.0.node);
        let message = format!("report of host `{host}`, node `{node}`: `{field}` {why}");
        DriverError::invalid(message)
            .hint("the report before stays in force; look at the host's compute service")
    }
}
