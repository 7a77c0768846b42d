//! The columns of a host table: their numbers and accessors.
//!
//! One list below gives every column its number, type and doc; numbers are only ever appended. Who fills them is in
//! `host_columns`.

use crate::abi::columns::ColumnData;
use crate::abi::hosts::RawTable;
use crate::types::host_table::{Host, HostTable};
use std::sync::Arc;

/// The lists of a table, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Aggregate numbers.
    Aggregates = 0,
    /// Text ids of instance uuids.
    Instances = 1,
    /// Text ids, three per supported guest kind.
    SupportedInstances = 2,
    /// Three per pair of an aggregate's metadata: the aggregate's number, text ids of key and value.
    AggregateMetadata = 3,
    /// Text ids of the flavors' ids, one per item of [`Instances`](List::Instances).
    InstanceFlavors = 4,
    /// Text ids of the projects, one per item of [`Instances`](List::Instances).
    InstanceProjects = 5,
}
pub(super) const LISTS: usize = 6;

macro_rules! columns {
    (
        texts { $($(#[$tdoc:meta])* $text:ident, $ids:ident = $Text:ident $tnum:literal;)* }
        numbers { $($(#[$doc:meta])* $name:ident: $ty:ident = $Name:ident $num:literal;)* }
        later_texts { $($(#[$ldoc:meta])* $ltext:ident, $lids:ident = $LText:ident $lnum:literal;)* }
    ) => {
        /// The columns of a table, by number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Column {
            $($(#[$tdoc])* $Text = $tnum,)*
            $($(#[$doc])* $Name = $num,)*
            $($(#[$ldoc])* $LText = $lnum,)*
        }

        impl Column {
            /// Every column, in order of their numbers.
            pub const ALL: &'static [Column] =
                &[$(Column::$Text,)* $(Column::$Name,)* $(Column::$LText,)*];

            /// Those that hold text ids.
            pub(super) const TEXTS: &'static [Column] = &[$(Column::$Text,)* $(Column::$LText,)*];

            pub(super) fn empty(self) -> ColumnData {
                match self {
                    $(Column::$Text => columns!(@new u32),)*
                    $(Column::$Name => columns!(@new $ty),)*
                    $(Column::$LText => columns!(@new u32),)*
                }
            }
        }

        impl HostTable {
            $($(#[$tdoc])* /// (text ids; see [`HostTable::text`])
            pub fn $ids(&self) -> &[u32] { self.u32s(Column::$Text) })*
            $($(#[$doc])*
            pub fn $name(&self) -> &[$ty] { columns!(@read self $ty)(Column::$Name) })*
            $($(#[$ldoc])* /// (text ids; see [`HostTable::text`])
            pub fn $lids(&self) -> &[u32] { self.u32s(Column::$LText) })*
        }

        impl<'a> Host<'a> {
            $($(#[$tdoc])*
            pub fn $text(&self) -> &'a str { self.text_of(self.table().$ids()) })*
            $($(#[$ldoc])*
            pub fn $ltext(&self) -> &'a str { self.text_of(self.table().$lids()) })*
            $($(#[$doc])*
            pub fn $name(&self) -> $ty {
                self.table().$name().get(self.row()).copied().unwrap_or_default()
            })*
        }
    };
    (@new u32) => { ColumnData::U32(Arc::default()) };
    (@new i32) => { ColumnData::I32(Arc::default()) };
    (@new f32) => { ColumnData::F32(Arc::default()) };
    (@read $table:ident u32) => { |column| $table.u32s(column) };
    (@read $table:ident i32) => { |column| $table.i32s(column) };
    (@read $table:ident f32) => { |column| $table.f32s(column) };
}

columns! {
    texts {
        /// The host's name.
        host_name, host_ids = HostName 0;
        /// The node's name: one host may have several.
        node_name, node_ids = NodeName 1;
        /// The host's address.
        host_ip, host_ip_ids = HostIp 2;
        /// The availability zones of the host's aggregates, comma separated; empty when none names one.
        availability_zone, availability_zone_ids = AvailabilityZone 3;
        /// The hypervisor's type, such as `fake` or `QEMU`.
        hypervisor_type, hypervisor_type_ids = HypervisorType 4;
        /// The processor, as a JSON text.
        cpu_info, cpu_info_ids = CpuInfo 5;
        /// Everything else that the host reports of itself, as a JSON object.
        stats, stats_ids = Stats 6;
        /// Why the host is disabled, if it is.
        disabled_reason, disabled_reason_ids = DisabledReason 7;
    }
    numbers {
        /// Memory of the host, MB.
        total_usable_ram_mb: u32 = TotalUsableRamMb 8;
        /// Memory that no instance has, MB; may be negative.
        free_ram_mb: i32 = FreeRamMb 9;
        /// Disk of the host, GB.
        total_usable_disk_gb: u32 = TotalUsableDiskGb 10;
        /// Disk that no instance has, MB; may be negative.
        free_disk_mb: i32 = FreeDiskMb 11;
        /// Disk that instances have, MB.
        disk_mb_used: u32 = DiskMbUsed 12;
        /// Processors of the host.
        vcpus_total: u32 = VcpusTotal 13;
        /// Processors that instances have.
        vcpus_used: u32 = VcpusUsed 14;
        /// Instances on the host.
        num_instances: u32 = NumInstances 15;
        /// Instances that are being built, moved or saved.
        num_io_ops: u32 = NumIoOps 16;
        /// Builds that failed in a row.
        failed_builds: u32 = FailedBuilds 17;
        /// The hypervisor's version, as major × 10⁶ + minor × 10³ + patch.
        hypervisor_version: u32 = HypervisorVersion 18;
        /// How much memory may be promised per MB that exists.
        ram_allocation_ratio: f32 = RamAllocationRatio 19;
        /// How many processors may be promised per processor that exists.
        cpu_allocation_ratio: f32 = CpuAllocationRatio 20;
        /// How much disk may be promised per GB that exists.
        disk_allocation_ratio: f32 = DiskAllocationRatio 21;
        /// Bits of the service's state: [`STATE_UP`](crate::STATE_UP), [`STATE_DISABLED`](crate::STATE_DISABLED).
        state: u32 = State 22;
    }
    later_texts {
        /// The node's uuid.
        uuid, uuid_ids = Uuid 23;
        /// What monitors measured, as a JSON list of `{"name": …, "value": …}`; empty when there is none.
        metrics, metrics_ids = Metrics 24;
        /// Free PCI devices, as a JSON list of pools `{"vendor_id": …, "product_id": …, "count": …, …}`;
        /// [`pci`](crate::pci) reads and writes it.
        pci_device_pools, pci_device_pool_ids = PciDevicePools 25;
        /// The NUMA cells and what is used of them, as a JSON object `{"cells": […]}`; empty when the node has none.
        /// [`numa`](crate::numa) reads and writes it.
        numa_topology, numa_topology_ids = NumaTopology 26;
    }
}

pub(crate) fn read_u32(table: &RawTable, column: Column) -> &[u32] {
    debug_assert!(matches!(column.empty(), ColumnData::U32(_)));
    crate::abi::columns::read(table, column as usize)
}

pub(crate) fn read_i32(table: &RawTable, column: Column) -> &[i32] {
    debug_assert!(matches!(column.empty(), ColumnData::I32(_)));
    crate::abi::columns::read(table, column as usize)
}

pub(crate) fn read_f32(table: &RawTable, column: Column) -> &[f32] {
    debug_assert!(matches!(column.empty(), ColumnData::F32(_)));
    crate::abi::columns::read(table, column as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_numbered_in_order_without_gaps() {
        let numbers = Column::ALL.iter().map(|&column| column as usize);
        assert!(numbers.eq(0..Column::ALL.len()));
    }
}
