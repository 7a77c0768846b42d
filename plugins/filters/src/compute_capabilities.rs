//! `compute_capabilities`: hosts with the capabilities that the flavor's extra specs ask for.
//!
//! A key `capabilities:a:b` names a fact `a` of the host (a column, else an entry of its stats) and
//! a member `b` of it. A key without a scope counts only where the host has such a fact; other
//! scopes are other filters' business. The operators are in `extra_specs`.

use crate::attributes::{self, Attribute};
use crate::verdicts::Verdicts;
use crate::{extra_specs, json_path, python};
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts with the wanted capabilities.
pub(crate) struct ComputeCapabilitiesFilter;

const SCOPE: &str = "capabilities";

/// One extra spec that this filter has to judge.
struct Requirement<'r> {
    /// Nothing for what may be among the stats alone.
    attribute: Option<Attribute>,
    scoped: bool,
    /// The fact's name, then the members that lead to the value.
    path: Vec<&'r str>,
    wanted: &'r str,
}

impl<'r> Requirement<'r> {
    fn of(key: &'r str, wanted: &'r str) -> Option<Self> {
        let mut path: Vec<&str> = key.split(':').collect();
        let scoped = path.len() > 1;
        if scoped && path.remove(0) != SCOPE {
            return None;
        }
        Some(Self {
            attribute: attributes::named(path[0]),
            scoped,
            path,
            wanted,
        })
    }

    fn met_by(&self, host: Host<'_>, texts: &mut Verdicts, stats: &mut Verdicts) -> bool {
        let (table, row) = (host.table(), host.row());
        let id = |ids: fn(&HostTable) -> &[u32]| ids(table).get(row).copied().unwrap_or(u32::MAX);
        match self.attribute {
            Some(Attribute::Value(value)) => {
                self.path.len() == 1 && self.matches(&python::print(&value(host)))
            }
            Some(Attribute::Text(ids)) if !table.text(id(ids)).is_empty() => {
                texts.of(id(ids), || self.met_by_text(table.text(id(ids))))
            }
            // A fact that the host leaves empty may be among its stats.
            Some(Attribute::Text(_)) | None => {
                let of_stats = id(HostTable::stats_ids);
                stats.of(of_stats, || self.met_by_stats(table.text(of_stats)))
            }
        }
    }

    fn met_by_text(&self, text: &str) -> bool {
        let value = json_path::find(text, &self.path[1..]);
        value.map_or(false, |value| self.matches(&value))
    }

    fn met_by_stats(&self, stats: &str) -> bool {
        let only_stats = self.attribute.is_none();
        if only_stats && !self.scoped && !json_path::has(stats, self.path[0]) {
            return true;
        }
        let value = json_path::find(stats, &self.path);
        value.map_or(false, |value| self.matches(&value))
    }

    fn matches(&self, value: &str) -> bool {
        extra_specs::matches(value, self.wanted)
    }
}

fn requirements(request: &RequestSpec) -> Vec<Requirement<'_>> {
    request
        .extra_specs()
        .filter_map(|(key, wanted)| Requirement::of(key, wanted))
        .collect()
}

impl Driver for ComputeCapabilitiesFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for ComputeCapabilitiesFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let met = |requirement: &Requirement<'_>| {
            requirement.met_by(host, &mut Verdicts::new(), &mut Verdicts::new())
        };
        Ok(requirements(request).iter().all(met))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        for requirement in requirements(request) {
            let (mut texts, mut stats) = (Verdicts::new(), Verdicts::new());
            mask.retain_rows(|row| requirement.met_by(hosts.host(row), &mut texts, &mut stats));
        }
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left, pairs};
    use longshore_plugin_api::{testing, Column, List, RequestFields};

    const STATS: [&str; 3] = [
        r#"{"gpu": "2", "ssd": true, "nested": {"a": "{\"b\": \"deep\"}"}, "nothing": null}"#,
        r#"{"gpu": "0", "ssd": "False", "host_ip": "10.0.0.7"}"#,
        "",
    ];

    fn left_of(specs: &[(&str, &str)]) -> Vec<usize> {
        let hosts = testing::hosts(3, |c, row| {
            c.set_text(Column::Stats, row, STATS[row]);
            c.set_text(Column::HypervisorType, row, ["QEMU", "QEMU", "xen"][row]);
            c.set_u32(
                Column::HypervisorVersion,
                row,
                [6_002_000, 4_000_000, 0][row],
            );
            c.set_text(
                Column::CpuInfo,
                row,
                r#"{"vendor": "Intel", "features": ["aes", "mmx"]}"#,
            );
            let triple = ["x86_64", "kvm", "hvm"].map(|text| c.intern(text));
            c.set_list(List::SupportedInstances, row, &triple);
        });
        let request = RequestFields {
            extra_specs: pairs(specs),
            ..RequestFields::default()
        };
        left(&*build::<ComputeCapabilitiesFilter>("{}"), &hosts, request)
    }

    #[test]
    fn other_scopes_and_unknown_plain_keys_are_ignored() {
        assert_eq!(left_of(&[]), [0, 1, 2]);
        assert_eq!(
            left_of(&[("hw:cpu_policy", "dedicated"), ("unheard_of", "1")]),
            [0, 1, 2]
        );
        assert_eq!(
            left_of(&[(":gpu", "9"), ("quota:capabilities:gpu", "9")]),
            [0, 1, 2]
        );
    }

    #[test]
    fn columns_are_facts_with_and_without_a_scope() {
        assert_eq!(left_of(&[("capabilities:hypervisor_type", "QEMU")]), [0, 1]);
        assert_eq!(left_of(&[("hypervisor_type", "s== xen")]), [2]);
        assert_eq!(
            left_of(&[("capabilities:hypervisor_version", ">= 5000000")]),
            [0]
        );
        assert_eq!(left_of(&[("vcpus_total", "<or> 4 <or> 8")]), [0, 1, 2]);
        assert_eq!(
            left_of(&[("capabilities:cpu_allocation_ratio", "16.0")]),
            [0, 1, 2]
        );
        assert_eq!(
            left_of(&[("capabilities:supported_instances", "<in> 'kvm'")]),
            [0, 1, 2]
        );
    }

    #[test]
    fn stats_are_facts_too() {
        assert_eq!(left_of(&[("capabilities:gpu", ">= 1")]), [0]);
        assert_eq!(left_of(&[("capabilities:ssd", "<in> True")]), [0]);
        assert_eq!(left_of(&[("capabilities:stats:gpu", "0")]), [1]);
    }

    #[test]
    fn a_plain_key_fails_only_where_the_host_has_the_fact() {
        assert_eq!(left_of(&[("gpu", ">= 1")]), [0, 2]);
        assert_eq!(
            left_of(&[("nothing", "x")]),
            [1, 2],
            "a fact without a value does not match"
        );
    }

    #[test]
    fn a_scoped_key_fails_where_the_fact_is_missing() {
        assert!(left_of(&[("capabilities:unheard_of", "s!= x")]).is_empty());
        assert!(left_of(&[("capabilities:", "s!= x")]).is_empty());
    }

    #[test]
    fn members_are_found_through_texts_that_are_json() {
        assert_eq!(
            left_of(&[("capabilities:cpu_info:vendor", "Intel")]),
            [0, 1, 2]
        );
        assert_eq!(
            left_of(&[("capabilities:cpu_info:features", "<all-in> aes mmx")]),
            [0, 1, 2]
        );
        assert!(left_of(&[("capabilities:cpu_info:features", "<in> avx")]).is_empty());
        assert_eq!(left_of(&[("capabilities:nested:a:b", "deep")]), [0]);
        assert!(left_of(&[("capabilities:vcpus_total:x", "8")]).is_empty());
        assert!(left_of(&[("capabilities:hypervisor_type:x", "QEMU")]).is_empty());
    }

    #[test]
    fn an_empty_column_falls_back_to_the_stats() {
        assert_eq!(left_of(&[("capabilities:host_ip", "10.0.0.7")]), [1]);
    }

    #[test]
    fn all_extra_specs_must_hold() {
        assert_eq!(
            left_of(&[("capabilities:gpu", ">= 0"), ("hypervisor_type", "QEMU")]),
            [0, 1]
        );
        assert!(left_of(&[("capabilities:gpu", ">= 1"), ("hypervisor_type", "xen")]).is_empty());
    }
}
