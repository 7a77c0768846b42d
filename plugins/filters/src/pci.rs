//! Pools of free PCI devices and requests for some, as JSON texts describe them. Knows of a device
//! nothing but its properties; two of them have a meaning here: its type and its NUMA cell. Called by
//! `pci_passthrough` and `numa_topology`.

use crate::python;
use longshore_plugin_api::{DriverError, Json, RequestSpec};
use std::collections::BTreeMap;

type Properties = BTreeMap<String, Json>;

const COUNT: &str = "count";
const CELL: &str = "numa_node";
const TYPE: &str = "dev_type";
/// The type of a physical function: given out only to who asks for one.
const PHYSICAL_FUNCTION: &str = "type-PF";

/// A number of equal devices.
#[derive(Clone)]
struct Pool {
    count: i64,
    properties: Properties,
}

/// The free devices of a host.
#[derive(Clone, Default)]
pub(crate) struct Pools(Vec<Pool>);

/// Some devices that an instance wants, all fitting one of the alternatives.
struct Wanted {
    count: i64,
    alternatives: Vec<Properties>,
}

/// The devices that an instance wants.
#[derive(Default)]
pub(crate) struct Requests(Vec<Wanted>);

/// The tables of a JSON list, each with its `count` apart; nothing when it is no such list.
fn counted(text: &str) -> Option<Vec<(i64, Properties)>> {
    let items = match Json::parse(text) {
        Ok(Json::List(items)) => items,
        _ => return None,
    };
    let counted = |item| match item {
        Json::Table(mut properties) => match properties.remove(COUNT) {
            Some(Json::Integer(count)) => Some((count, properties)),
            _ => None,
        },
        _ => None,
    };
    items.into_iter().map(counted).collect()
}

impl Requests {
    /// Reads what a request says; no text wants nothing.
    ///
    /// # Errors
    /// When it cannot be read: an instance must not be placed without what it wants.
    pub(crate) fn of(request: &RequestSpec) -> Result<Self, DriverError> {
        let text = match request.pci_requests() {
            None | Some("") => return Ok(Self::default()),
            Some(text) => text,
        };
        Self::parse(text).ok_or_else(|| {
            let hint = r#"write it as `[{"count": 1, "spec": [{"vendor_id": "8086"}]}]`"#;
            DriverError::invalid("the request's PCI devices cannot be read").hint(hint)
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let wanted = |(count, mut properties): (i64, Properties)| {
            let alternatives = match properties.remove("spec") {
                Some(Json::List(alternatives)) => alternatives,
                _ => return None,
            };
            let table = |alternative| match alternative {
                Json::Table(properties) => Some(properties),
                _ => None,
            };
            let alternatives: Option<_> = alternatives.into_iter().map(table).collect();
            Some(Wanted {
                count,
                alternatives: alternatives?,
            })
        };
        counted(text)?
            .into_iter()
            .map(wanted)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Whether no device is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Wanted {
    fn takes(&self, pool: &Pool, cells: Option<&[i64]>) -> bool {
        let mut alternatives = self.alternatives.iter();
        alternatives.any(|alternative| has_all(&pool.properties, alternative))
            && cells.map_or(true, |cells| pool.is_in(cells))
            && (!pool.is_physical_function() || self.asks_for_physical_functions())
    }

    fn asks_for_physical_functions(&self) -> bool {
        let mut alternatives = self.alternatives.iter();
        alternatives.any(is_physical_function)
    }
}

fn is_physical_function(properties: &Properties) -> bool {
    matches!(properties.get(TYPE), Some(Json::Text(kind)) if kind == PHYSICAL_FUNCTION)
}

/// Whether a device has all wanted properties. Of a list all items must be among the device's.
fn has_all(device: &Properties, wanted: &Properties) -> bool {
    wanted
        .iter()
        .all(|(key, wanted)| match (device.get(key), wanted) {
            (Some(Json::List(found)), Json::List(wanted)) => {
                let mut wanted = wanted.iter();
                wanted.all(|w| found.iter().any(|f| python::equal(f, w)))
            }
            (Some(found), wanted) => python::equal(found, wanted),
            (None, wanted) => *wanted == Json::Null,
        })
}

impl Pool {
    /// Whether its devices are in one of these NUMA cells, or in no known one.
    fn is_in(&self, cells: &[i64]) -> bool {
        match self.properties.get(CELL) {
            None | Some(Json::Null) => true,
            Some(Json::Integer(cell)) => cells.contains(cell),
            Some(_) => false,
        }
    }

    fn is_physical_function(&self) -> bool {
        is_physical_function(&self.properties)
    }
}

impl Pools {
    /// Reads what a host reports; a text that cannot be read means no devices.
    pub(crate) fn parse(text: &str) -> Self {
        let pool = |(count, properties)| Pool { count, properties };
        let mut pools: Vec<Pool> = counted(text)
            .unwrap_or_default()
            .into_iter()
            .map(pool)
            .collect();
        // Devices with fewer properties go first, so that special ones are kept.
        pools.sort_by_key(|pool| pool.properties.len());
        Self(pools)
    }

    /// Whether all requests can be met at once; with cells, out of devices in these cells.
    pub(crate) fn support(&self, requests: &Requests, cells: Option<&[i64]>) -> bool {
        let mut left = self.clone();
        requests.0.iter().all(|wanted| left.take(wanted, cells))
    }

    /// NUMA cells that devices are in.
    pub(crate) fn cells(&self) -> Vec<i64> {
        let cell = |pool: &Pool| match pool.properties.get(CELL) {
            Some(Json::Integer(cell)) => Some(*cell),
            _ => None,
        };
        self.0.iter().filter_map(cell).collect()
    }

    fn take(&mut self, wanted: &Wanted, cells: Option<&[i64]>) -> bool {
        let fitting = |pool: &&mut Pool| wanted.takes(pool, cells);
        let free: i64 = self
            .0
            .iter_mut()
            .filter(fitting)
            .map(|pool| pool.count)
            .sum();
        if free < wanted.count {
            return false;
        }
        let mut missing = wanted.count;
        for pool in self.0.iter_mut().filter(fitting) {
            let taken = missing.min(pool.count);
            pool.count -= taken;
            missing -= taken;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOLS: &str = r#"[
        {"vendor_id": "8086", "product_id": "1520", "count": 2, "numa_node": 0, "dev_type": "type-VF"},
        {"vendor_id": "8086", "product_id": "1521", "count": 1, "numa_node": null, "dev_type": "type-PF"},
        {"vendor_id": "10de", "product_id": "1db4", "count": 4, "numa_node": 1, "tags": ["a", "b"]}
    ]"#;

    fn fits(requests: &str, cells: Option<&[i64]>) -> bool {
        Pools::parse(POOLS).support(&Requests::parse(requests).unwrap(), cells)
    }

    #[test]
    fn devices_of_any_alternative_will_do_and_are_taken_once() {
        let three = r#"[{"count": 3, "spec": [{"product_id": "1520"}, {"product_id": "1db4"}]}]"#;
        assert!(fits(three, None));
        let twice = r#"[{"count": 2, "spec": [{"product_id": "1520"}]},
            {"count": 1, "spec": [{"vendor_id": "8086"}]}]"#;
        assert!(
            !fits(twice, None),
            "the other device is a physical function"
        );
        assert!(fits("[]", None));
        assert!(!fits(r#"[{"count": 1, "spec": []}]"#, None));
    }

    #[test]
    fn a_request_that_cannot_be_read_is_an_error_and_such_pools_are_none() {
        for text in [
            "damaged",
            "{}",
            "[7]",
            r#"[{"count": 1}]"#,
            r#"[{"spec": []}]"#,
        ] {
            assert!(Requests::parse(text).is_none(), "{text}");
            let one = r#"[{"count": 1, "spec": [{"vendor_id": "8086"}]}]"#;
            let one = Requests::parse(one).unwrap();
            assert!(!Pools::parse(text).support(&one, None), "{text}");
        }
    }

    #[test]
    fn physical_functions_go_to_who_asks_for_them() {
        assert!(!fits(
            r#"[{"count": 1, "spec": [{"product_id": "1521"}]}]"#,
            None
        ));
        assert!(fits(
            r#"[{"count": 1, "spec": [{"dev_type": "type-PF"}]}]"#,
            None
        ));
    }

    #[test]
    fn cells_narrow_the_choice_and_an_unknown_one_is_everywhere() {
        let vf = r#"[{"count": 1, "spec": [{"product_id": "1520"}]}]"#;
        assert!(fits(vf, Some(&[0])) && !fits(vf, Some(&[1])));
        assert!(fits(
            r#"[{"count": 1, "spec": [{"dev_type": "type-PF"}]}]"#,
            Some(&[7])
        ));
        assert_eq!(Pools::parse(POOLS).cells(), [0, 1]);
    }

    #[test]
    fn of_a_list_all_items_must_be_there() {
        assert!(fits(r#"[{"count": 4, "spec": [{"tags": ["b"]}]}]"#, None));
        assert!(!fits(
            r#"[{"count": 1, "spec": [{"tags": ["b", "c"]}]}]"#,
            None
        ));
    }
}
