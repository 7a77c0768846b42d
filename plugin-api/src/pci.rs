//! PCI devices: the pools of free ones that a host has, which are the text of the table's column `pci_device_pools`, and
//! those that a request asks for. Two properties of a device have a meaning here: its type and its NUMA cell.
//!
//! A filter asks whether pools [support](Pools::support) requests; a host manager also [takes](Pools::take) devices and
//! [gives them back](Pools::give_back). Both read the same texts by the same rules, which are those of Nova's Pike release.
//!
//! ```
//! use longshore_plugin_api::{pci, RequestFields, RequestSpec};
//!
//! let mut pools = pci::Pools::parse(r#"[{"vendor_id": "8086", "count": 2}]"#).unwrap();
//! let request = RequestSpec::from(RequestFields {
//!     pci_requests: Some(r#"[{"count": 2, "spec": [{"vendor_id": "8086"}]}]"#.to_owned()),
//!     ..RequestFields::default()
//! });
//! let requests = pci::Requests::of(&request).unwrap();
//! let devices = pools.take(&requests, None).expect("there are two");
//! assert!(!pools.support(&requests, None));
//! pools.give_back(&devices);
//! assert_eq!(pools.to_string(), r#"[{"count":2,"vendor_id":"8086"}]"#);
//! ```

use crate::{DriverError, Json, RequestSpec};
use std::collections::BTreeMap;
use std::fmt;

type Properties = BTreeMap<String, Json>;

const COUNT: &str = "count";
const CELL: &str = "numa_node";
const TYPE: &str = "dev_type";
/// The type of a physical function: given out only to who asks for one.
const PHYSICAL_FUNCTION: &str = "type-PF";

/// A number of equal devices.
#[derive(Clone, Debug, PartialEq)]
struct Pool {
    count: i64,
    properties: Properties,
}

/// The free devices of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pools(Vec<Pool>);

/// Devices that were taken out of the pools of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices(Vec<Pool>);

/// Some devices that an instance wants, all fitting one of the alternatives.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    count: i64,
    alternatives: Vec<Properties>,
}

/// The devices that an instance wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests(Vec<Wanted>);

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
    pub fn of(request: &RequestSpec) -> Result<Self, DriverError> {
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
    pub fn is_empty(&self) -> bool {
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
                wanted.all(|w| found.iter().any(|f| f.says_same(w)))
            }
            (Some(found), wanted) => found.says_same(wanted),
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
    /// Reads what a host reports; nothing when it cannot be read.
    pub fn parse(text: &str) -> Option<Self> {
        let pool = |(count, properties)| Pool { count, properties };
        let mut pools: Vec<Pool> = counted(text)?.into_iter().map(pool).collect();
        // Devices with fewer properties go first, so that special ones are kept.
        pools.sort_by_key(|pool| pool.properties.len());
        Some(Self(pools))
    }

    /// Whether all requests can be met at once; with cells, out of devices in these NUMA cells or in no known one.
    pub fn support(&self, requests: &Requests, cells: Option<&[i64]>) -> bool {
        requests.is_empty() || self.clone().take(requests, cells).is_some()
    }

    /// Takes the devices for all requests, with cells as in [`support`](Pools::support). When some cannot be met, nothing
    /// is taken. A pool that becomes empty goes.
    pub fn take(&mut self, requests: &Requests, cells: Option<&[i64]>) -> Option<Devices> {
        let mut left = self.clone();
        let mut taken = Devices::default();
        for wanted in &requests.0 {
            left.take_some(wanted, cells, &mut taken)?;
        }
        *self = left;
        Some(taken)
    }

    /// The opposite of [`take`](Pools::take).
    pub fn give_back(&mut self, devices: &Devices) {
        for given in &devices.0 {
            let mut pools = self.0.iter_mut();
            match pools.find(|pool| pool.properties == given.properties) {
                Some(pool) => pool.count = pool.count.saturating_add(given.count),
                None => self.0.push(given.clone()),
            }
        }
        self.0.sort_by_key(|pool| pool.properties.len());
    }

    /// NUMA cells that devices are in.
    pub fn cells(&self) -> Vec<i64> {
        let cell = |pool: &Pool| match pool.properties.get(CELL) {
            Some(Json::Integer(cell)) => Some(*cell),
            _ => None,
        };
        self.0.iter().filter_map(cell).collect()
    }

    fn take_some(
        &mut self,
        wanted: &Wanted,
        cells: Option<&[i64]>,
        taken: &mut Devices,
    ) -> Option<()> {
        let fitting = self.0.iter().filter(|pool| wanted.takes(pool, cells));
        let free = fitting.map(|pool| pool.count).fold(0, i64::saturating_add);
        let mut missing = Some(wanted.count).filter(|&count| count <= free)?;
        self.0.retain_mut(|pool| {
            if missing <= 0 || !wanted.takes(pool, cells) {
                return true;
            }
            let count = missing.min(pool.count.max(0));
            missing -= count;
            pool.count -= count;
            let properties = pool.properties.clone();
            taken.0.push(Pool { count, properties });
            pool.count > 0
        });
        Some(())
    }
}

impl Devices {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The text that the column `pci_device_pools` has for these pools.
impl fmt::Display for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pool = |pool: &Pool| {
            let mut members = pool.properties.clone();
            members.insert(COUNT.to_owned(), Json::Integer(pool.count));
            Json::Table(members)
        };
        Json::List(self.0.iter().map(pool).collect()).fmt(f)
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
        Pools::parse(POOLS)
            .unwrap()
            .support(&Requests::parse(requests).unwrap(), cells)
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
            assert!(
                Pools::parse(text).map_or(true, |pools| !pools.support(&one, None)),
                "{text}"
            );
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
        assert_eq!(Pools::parse(POOLS).unwrap().cells(), [0, 1]);
    }

    #[test]
    fn of_a_list_all_items_must_be_there() {
        assert!(fits(r#"[{"count": 4, "spec": [{"tags": ["b"]}]}]"#, None));
        assert!(!fits(
            r#"[{"count": 1, "spec": [{"tags": ["b", "c"]}]}]"#,
            None
        ));
    }

    #[test]
    fn what_is_taken_is_gone_until_it_is_given_back() {
        let wanted = |text| Requests::parse(text).unwrap();
        let mut pools = Pools::parse(POOLS).unwrap();
        let all = pools.clone();
        let five =
            wanted(r#"[{"count": 5, "spec": [{"product_id": "1520"}, {"product_id": "1db4"}]}]"#);
        let devices = pools.take(&five, None).unwrap();
        assert!(pools.cells() == [1], "the empty pool goes: {pools}");
        assert!(
            !devices.is_empty() && !pools.support(&wanted(r#"[{"count": 2, "spec": [{}]}]"#), None)
        );
        let both = wanted(
            r#"[{"count": 1, "spec": [{"product_id": "1db4"}]}, {"count": 1, "spec": [{"product_id": "1520"}]}]"#,
        );
        let before = pools.clone();
        assert!(pools.take(&both, None).is_none());
        assert_eq!(pools, before, "the first of both is not kept");
        pools.give_back(&devices);
        assert_eq!(pools.0.len(), all.0.len());
        assert!(all.0.iter().all(|pool| pools.0.contains(pool)), "{pools}");
        assert_eq!(Pools::parse(&pools.to_string()), Some(pools));
    }

    #[test]
    fn any_counts_are_borne() {
        let counts = [i64::MIN, -1, 0, i64::MAX];
        for (has, wants) in counts
            .iter()
            .flat_map(|has| counts.map(|wants| (has, wants)))
        {
            let pool = format!(r#"{{"count": {has}, "vendor_id": "8086"}}"#);
            let mut pools = Pools::parse(&format!("[{pool}, {pool}]")).unwrap();
            let wanted = format!(r#"[{{"count": {wants}, "spec": [{{}}]}}]"#);
            if let Some(devices) = pools.take(&Requests::parse(&wanted).unwrap(), None) {
                pools.give_back(&devices);
                pools.give_back(&devices);
            }
        }
    }
}
