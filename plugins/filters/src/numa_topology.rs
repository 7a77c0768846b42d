//! `numa_topology`: hosts whose NUMA cells can hold those of the guest, each guest cell on a host
//! cell of its own, with its processors, memory, page size and devices. How cells are placed is
//! `longshore_plugin_api::numa`.

use longshore_plugin_api::numa::{GuestCells, HostCells, Ratios};
use longshore_plugin_api::pci::{Pools, Requests};
use longshore_plugin_api::{
    decimal, Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};
use std::collections::HashMap;

/// Passes hosts that the guest's cells fit.
pub(crate) struct NumaTopologyFilter;

/// What the request asks for.
struct Wanted {
    guest: Option<GuestCells>,
    requests: Requests,
    /// Threads of one core are required, for processors of its own.
    needs_siblings: bool,
}

/// All that a verdict on a host hangs on: ids of its cells and devices, and its ratios.
type Looks = (Option<u32>, Option<u32>, u32, u32);

impl Wanted {
    fn of(request: &RequestSpec) -> Result<Self, DriverError> {
        let spec = |key: &str| {
            let mut specs = request.extra_specs();
            specs.find(|(k, _)| *k == key).map(|(_, value)| value)
        };
        let says = |key: &str, property: &str, word: &str| {
            spec(key) == Some(word) || request.image_property(property) == Some(word)
        };
        Ok(Self {
            guest: GuestCells::of(request)?,
            requests: Requests::of(request)?,
            needs_siblings: says("hw:cpu_policy", "hw_cpu_policy", "dedicated")
                && says("hw:cpu_thread_policy", "hw_cpu_thread_policy", "require"),
        })
    }

    fn asks_for_nothing(&self) -> bool {
        self.guest.is_none() && !self.needs_siblings
    }

    fn met_by(&self, host: Host<'_>) -> bool {
        let cells = HostCells::parse(host.numa_topology());
        if let (true, Some(cells)) = (self.needs_siblings, &cells) {
            if !cells.has_siblings() {
                return false;
            }
        }
        match (&self.guest, cells) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(guest), Some(cells)) => {
                let ratios = Ratios {
                    cpu: decimal(host.cpu_allocation_ratio()),
                    ram: decimal(host.ram_allocation_ratio()),
                };
                let pools = Pools::parse(host.pci_device_pools()).unwrap_or_default();
                let place = cells.place(guest, Some(ratios), &pools, &self.requests);
                place.is_some()
            }
        }
    }
}

fn looks(host: Host<'_>) -> Looks {
    let (hosts, row) = (host.table(), host.row());
    (
        hosts.numa_topology_ids().get(row).copied(),
        hosts.pci_device_pool_ids().get(row).copied(),
        host.cpu_allocation_ratio().to_bits(),
        host.ram_allocation_ratio().to_bits(),
    )
}

impl Driver for NumaTopologyFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for NumaTopologyFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(Wanted::of(request)?.met_by(host))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let wanted = Wanted::of(request)?;
        if !wanted.asks_for_nothing() {
            // New hosts of one make look the same, and placing costs.
            let mut verdicts: HashMap<Looks, bool> = HashMap::new();
            mask.retain_rows(|row| {
                let host = hosts.host(row);
                let verdict = verdicts.entry(looks(host));
                *verdict.or_insert_with(|| wanted.met_by(host))
            });
        }
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(FilterTraits {
            run_once_per_request: false,
            run_on_rebuild: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left, pairs};
    use longshore_plugin_api::{testing, Column, RequestFields};

    /// Hosts: two cells of two cores of two threads; the same without threads, half used; none.
    fn left_of(cell: &str, cells: usize, more: RequestFields) -> Vec<usize> {
        let host = |id: usize, siblings: &str, used: usize| {
            let cpus: Vec<String> = (4 * id..4 * id + 4).map(|cpu| cpu.to_string()).collect();
            format!(
                r#"{{"id": {id}, "cpuset": [{}], "memory": 2048, "memory_usage": {used}, "cpu_usage": 0,
                "pinned_cpus": [{}], "siblings": {siblings}, "mempages":
                [{{"size_kb": 4, "total": 524288}}, {{"size_kb": 2048, "total": 512, "used": 0}}]}}"#,
                cpus.join(","),
                if used > 0 { cpus[0].as_str() } else { "" },
            )
        };
        let topologies = [
            format!(
                r#"{{"cells": [{},{}]}}"#,
                host(0, "[[0,1],[2,3]]", 0),
                host(1, "[[4,5],[6,7]]", 0)
            ),
            format!(
                r#"{{"cells": [{},{}]}}"#,
                host(0, "[]", 1024),
                host(1, "[]", 0)
            ),
            String::new(),
        ];
        let hosts = testing::hosts(3, |c, row| {
            c.set_text(Column::NumaTopology, row, &topologies[row]);
            c.set_f32(Column::RamAllocationRatio, row, 1.0);
        });
        let guest = vec![cell; cells].join(",");
        let request = RequestFields {
            numa_topology: (cells > 0).then(|| format!(r#"{{"cells": [{guest}]}}"#)),
            ..more
        };
        left(&*build::<NumaTopologyFilter>("{}"), &hosts, request)
    }

    fn plain(cell: &str, cells: usize) -> Vec<usize> {
        left_of(cell, cells, RequestFields::default())
    }

    #[test]
    fn each_guest_cell_needs_a_cell_of_its_own() {
        let cell = r#"{"cpuset": [0, 1], "memory": 1024}"#;
        assert_eq!((plain(cell, 0).len(), plain(cell, 1)), (3, vec![0, 1]));
        assert_eq!(plain(cell, 2), [0, 1]);
        assert!(plain(cell, 3).is_empty());
        let large = r#"{"cpuset": [0, 1], "memory": 1025}"#;
        assert_eq!((plain(large, 1), plain(large, 2)), (vec![0, 1], vec![0]));
    }

    #[test]
    fn processors_of_its_own_are_not_over_committed() {
        let pinned = |threads: &str| {
            format!(
                r#"{{"cpuset": [0, 1, 2], "memory": 512, "cpu_policy": "dedicated", "cpu_thread_policy": "{threads}"}}"#
            )
        };
        assert_eq!(plain(&pinned("prefer"), 2), [0, 1]);
        assert_eq!(plain(&pinned("require"), 2), [0]);
        assert_eq!(plain(&pinned("isolate"), 2), [1]);
        let four = pinned("prefer").replace("2]", "2, 3]");
        assert_eq!(plain(&four, 2), [0]);
    }

    #[test]
    fn pages_must_be_there_in_the_size_that_is_asked_for() {
        let pages = |size: i64| format!(r#"{{"cpuset": [0], "memory": 1024, "pagesize": {size}}}"#);
        for (size, expected) in [(4, 2), (2048, 2), (1_048_576, 0), (-1, 2), (-2, 2), (-3, 2)] {
            assert_eq!(plain(&pages(size), 1).len(), expected, "{size}");
        }
        let odd = r#"{"cpuset": [0], "memory": 1023, "pagesize": 2048}"#;
        assert!(plain(odd, 1).is_empty());
    }

    #[test]
    fn cells_that_cannot_be_read_are_an_error_and_none_are_nothing() {
        let table = testing::hosts(1, |_, _| {}).snapshot();
        let filter = build::<NumaTopologyFilter>("{}");
        let passes = |cells: &str| {
            let request = RequestFields {
                numa_topology: Some(cells.to_owned()),
                ..RequestFields::default()
            };
            filter.passes(table.host(0), &request.into())
        };
        assert!(passes("").unwrap() && passes(r#"{"cells": []}"#).unwrap());
        assert!(!passes(r#"{"cells": [{"cpuset": [0], "memory": 1}]}"#).unwrap());
        for text in ["damaged", "[]", r#"{"cells": 1}"#, r#"{"cells": [1]}"#] {
            assert!(passes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn threads_that_are_required_need_a_host_with_threads_or_without_cells() {
        let more = RequestFields {
            extra_specs: pairs(&[("hw:cpu_policy", "dedicated")]),
            image_properties: pairs(&[("hw_cpu_thread_policy", "require")]),
            ..RequestFields::default()
        };
        assert_eq!(left_of("", 0, more), [0, 2]);
    }
}
