//! What a host had against what was wanted, for the filters that most often take out the last host.
//!
//! Facts from the host's row, not a verdict: a filter of another author under the same name may have had other reasons, so
//! a fact is only told if it speaks against the host. Must not call drivers. Used by `story`.

use longshore_plugin_api::{Host, RequestSpec};

const MB_PER_GB: f64 = 1024.0;

/// Why the filter of this name may have taken the host out; nothing for other filters.
pub(in crate::scheduler) fn why_out(
    filter: &str,
    host: Host<'_>,
    request: &RequestSpec,
) -> Option<String> {
    match filter {
        "ram" => ram(host).against(request.memory_mb() as f64),
        "disk" => disk(host).against(request.disk_mb() as f64 / MB_PER_GB),
        "core" => cores(host).against(f64::from(request.vcpus())),
        "availability_zone" => zone(host, request.availability_zone()?),
        "compute" => service(host),
        "server_group_anti_affinity" => holds_group(host, request)
            .then(|| "an instance of the server group is there".to_owned()),
        "server_group_affinity" => (!holds_group(host, request))
            .then(|| "no instance of the server group is there".to_owned()),
        "retry" => request
            .retry_hosts()
            .any(|(name, node)| (name, node) == (host.host_name(), host.node_name()))
            .then(|| "it was tried before".to_owned()),
        _ => None,
    }
}

/// An amount of something that a host has.
struct Amount {
    unit: &'static str,
    of: &'static str,
    total: f64,
    used: f64,
    ratio: f64,
}

fn ram(host: Host<'_>) -> Amount {
    let total = f64::from(host.total_usable_ram_mb());
    Amount {
        unit: " MB",
        of: " of memory",
        total,
        used: total - f64::from(host.free_ram_mb()),
        ratio: f64::from(host.ram_allocation_ratio()),
    }
}

fn disk(host: Host<'_>) -> Amount {
    let total = f64::from(host.total_usable_disk_gb());
    Amount {
        unit: " GB",
        of: " of disk",
        total,
        used: total - f64::from(host.free_disk_mb()) / MB_PER_GB,
        ratio: f64::from(host.disk_allocation_ratio()),
    }
}

fn cores(host: Host<'_>) -> Amount {
    Amount {
        unit: " VCPUs",
        of: "",
        total: f64::from(host.vcpus_total()),
        used: f64::from(host.vcpus_used()),
        ratio: f64::from(host.cpu_allocation_ratio()),
    }
}

impl Amount {
    /// What is too little for `wanted`: all there is, or what is left of it.
    fn against(&self, wanted: f64) -> Option<String> {
        let Amount {
            unit, of, total, ..
        } = self;
        let left = total * self.ratio - self.used;
        let wants = format!("{}{unit} are wanted", hundredths(wanted));
        if *total < wanted {
            return Some(format!("it has {total}{unit}{of} altogether, {wants}"));
        }
        (left < wanted).then(|| format!("{}{unit}{of} are left, {wants}", hundredths(left)))
    }
}

/// Without digits that nobody reads.
fn hundredths(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

fn zone(host: Host<'_>, wanted: &str) -> Option<String> {
    match host.availability_zone() {
        "" => Some(format!(
            "it is in no zone of an aggregate, not in `{wanted}`"
        )),
        zones if zones.split(',').any(|zone| zone.trim() == wanted) => None,
        zones => Some(format!("it is in zone `{zones}`, not in `{wanted}`")),
    }
}

fn service(host: Host<'_>) -> Option<String> {
    let reason = host.disabled_reason();
    match (host.is_disabled(), host.is_up()) {
        (true, _) if reason.is_empty() => Some("it is disabled".to_owned()),
        (true, _) => Some(format!("it is disabled: {reason}")),
        (false, false) => Some("its service does not answer".to_owned()),
        (false, true) => None,
    }
}

/// Whether a member of the instance's server group is on the host.
fn holds_group(host: Host<'_>, request: &RequestSpec) -> bool {
    request.group_hosts().any(|name| name == host.host_name())
}

#[cfg(test)]
mod tests {
    use longshore_plugin_api::{Column, HostColumns, RequestFields, STATE_DISABLED, STATE_UP};

    use super::*;

    /// What is said of a host with 4 of 8 processors, 512 of 1024 MB and 10.5 of 20 GB free, in zones `a` and `b`.
    fn said(filter: &str, change: impl FnOnce(&mut HostColumns), fields: RequestFields) -> String {
        let mut columns = HostColumns::new();
        columns.push("one", "node");
        for (column, value) in [
            (Column::TotalUsableRamMb, 1024),
            (Column::TotalUsableDiskGb, 20),
            (Column::VcpusTotal, 8),
            (Column::VcpusUsed, 4),
            (Column::State, STATE_UP),
        ] {
            columns.set_u32(column, 0, value);
        }
        columns.set_i32(Column::FreeRamMb, 0, 512);
        columns.set_i32(Column::FreeDiskMb, 0, 10 * 1024 + 512);
        for column in [
            Column::RamAllocationRatio,
            Column::DiskAllocationRatio,
            Column::CpuAllocationRatio,
        ] {
            columns.set_f32(column, 0, 1.0);
        }
        columns.set_text(Column::AvailabilityZone, 0, "a,b");
        change(&mut columns);
        let table = columns.snapshot();
        why_out(filter, table.host(0), &fields.into()).unwrap_or_default()
    }

    fn none(_: &mut HostColumns) {}

    fn wants(memory_mb: u64, root_gb: u64, vcpus: u32) -> RequestFields {
        RequestFields {
            memory_mb,
            root_gb,
            vcpus,
            ..RequestFields::default()
        }
    }

    #[test]
    fn amounts_are_told_with_over_commit_and_in_their_unit() {
        assert_eq!(
            said("ram", none, wants(513, 0, 0)),
            "512 MB of memory are left, 513 MB are wanted"
        );
        let ratio = |c: &mut HostColumns| c.set_f32(Column::RamAllocationRatio, 0, 1.25);
        assert_eq!(
            said("ram", ratio, wants(800, 0, 0)),
            "768 MB of memory are left, 800 MB are wanted"
        );
        assert_eq!(
            said("ram", ratio, wants(2048, 0, 0)),
            "it has 1024 MB of memory altogether, 2048 MB are wanted"
        );
        assert_eq!(
            said("disk", none, wants(0, 11, 0)),
            "10.5 GB of disk are left, 11 GB are wanted"
        );
        assert_eq!(
            said("core", none, wants(0, 0, 5)),
            "4 VCPUs are left, 5 VCPUs are wanted"
        );
        let full = |c: &mut HostColumns| c.set_i32(Column::FreeRamMb, 0, -100);
        assert_eq!(
            said("ram", full, wants(1, 0, 0)),
            "-100 MB of memory are left, 1 MB are wanted"
        );
    }

    #[test]
    fn zones_and_services_are_told() {
        let zone = |zone: &str| RequestFields {
            availability_zone: Some(zone.to_owned()),
            ..RequestFields::default()
        };
        assert_eq!(
            said("availability_zone", none, zone("c")),
            "it is in zone `a,b`, not in `c`"
        );
        let nowhere = |c: &mut HostColumns| c.set_text(Column::AvailabilityZone, 0, "");
        let text = "it is in no zone of an aggregate, not in `c`";
        assert_eq!(said("availability_zone", nowhere, zone("c")), text);
        let down = |c: &mut HostColumns| c.set_u32(Column::State, 0, 0);
        assert_eq!(
            said("compute", down, wants(0, 0, 0)),
            "its service does not answer"
        );
        let disabled = |c: &mut HostColumns| {
            c.set_u32(Column::State, 0, STATE_UP | STATE_DISABLED);
            c.set_text(Column::DisabledReason, 0, "new disks");
        };
        assert_eq!(
            said("compute", disabled, wants(0, 0, 0)),
            "it is disabled: new disks"
        );
    }

    #[test]
    fn groups_and_earlier_attempts_are_told() {
        let with = |host: &str| RequestFields {
            group_hosts: vec![host.to_owned()],
            retry_hosts: vec![(host.to_owned(), "node".to_owned())],
            ..RequestFields::default()
        };
        let text = "an instance of the server group is there";
        assert_eq!(said("server_group_anti_affinity", none, with("one")), text);
        let text = "no instance of the server group is there";
        assert_eq!(said("server_group_affinity", none, with("two")), text);
        assert_eq!(said("retry", none, with("one")), "it was tried before");
    }

    #[test]
    fn what_does_not_speak_against_a_host_is_not_told() {
        for filter in ["ram", "disk", "core", "compute", "retry", "json"] {
            assert_eq!(said(filter, none, wants(1, 1, 1)), "", "{filter}");
        }
        for filter in ["availability_zone", "server_group_anti_affinity"] {
            let fields = RequestFields {
                availability_zone: Some("b".to_owned()),
                ..RequestFields::default()
            };
            assert_eq!(said(filter, none, fields), "", "{filter}");
        }
    }
}
