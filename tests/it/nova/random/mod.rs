//! Random cases from a seed: for each driver, the facts that it looks at, from pools of values that
//! meet at their edges.
//! Must not know what the verdicts are. Called by the tests beside it.

mod aggregates;
mod amounts;
mod attributes;
mod devices;
mod texts;
mod weights;

use longshore_plugin_api::Random;
use serde_json::{Map, Value, json};

use super::Kind;

/// The most hosts of one case.
const HOSTS_MAX: usize = 5;

/// A case under construction.
struct Draft {
    settings: Map<String, Value>,
    hosts: Vec<Value>,
    request: Value,
}

/// How the facts of one driver are made up.
type Recipe = fn(&mut Pick, &mut Draft);

fn recipe(kind: Kind, driver: &str) -> Option<Recipe> {
    match kind {
        Kind::Filter => amounts::recipe(driver)
            .or_else(|| aggregates::recipe(driver))
            .or_else(|| attributes::recipe(driver))
            .or_else(|| texts::recipe(driver))
            .or_else(|| devices::recipe(driver)),
        Kind::Weigher => weights::recipe(driver),
    }
}

/// The case of a driver that a seed stands for.
///
/// # Panics
/// If nobody has said how to make cases for this driver.
pub(super) fn case(kind: Kind, driver: &str, seed: u64) -> Value {
    let recipe = recipe(kind, driver)
        .unwrap_or_else(|| panic!("no recipe for cases of the {} `{driver}`", kind.word()));
    let name: u64 = driver
        .bytes()
        .fold(0, |sum, b| sum * 31 % 65_521 + u64::from(b));
    let mut pick = Pick(Random::new(seed ^ (name << 32)));
    let hosts = 1 + pick.0.below(HOSTS_MAX);
    let host = |i: usize| json!({"host": format!("h{i}")});
    let mut draft = Draft {
        settings: Map::new(),
        hosts: (1..=hosts).map(host).collect(),
        request: json!({"flavor": {}}),
    };
    recipe(&mut pick, &mut draft);
    let mut case = json!({
        "kind": kind.word(), "driver": driver, "settings": draft.settings,
        "hosts": draft.hosts, "request": draft.request,
    });
    if kind == Kind::Weigher {
        case["multiplier"] = json!(pick.of(&[1.0, 1.0, 2.5, -1.0, 0.0, 1_000_000.0]));
    }
    case
}

/// A case of a host manager: hosts by what their nodes record, and a request that is counted on each some times.
pub(super) fn consumption(driver: &str, seed: u64) -> Value {
    let mut pick = Pick(Random::new(seed));
    let mut draft = Draft {
        settings: Map::new(),
        hosts: vec![json!({"host": "h1"}), json!({"host": "h2"})],
        request: json!({"flavor": {}}),
    };
    devices::consumption(&mut pick, &mut draft);
    amounts::consumption(&mut pick, &mut draft);
    json!({
        "kind": "consumption", "driver": driver, "hosts": draft.hosts, "request": draft.request,
        "times": pick.of(&[1, 2, 3]),
    })
}

/// Choices from pools.
struct Pick(Random);

impl Pick {
    fn of<T: Clone>(&mut self, pool: &[T]) -> T {
        pool[self.0.below(pool.len())].clone()
    }

    /// Whether something that happens once in `n` times happens.
    fn once_in(&mut self, n: usize) -> bool {
        self.0.below(n) == 0
    }

    /// Up to `n` of the pool, each at most once, in the pool's order.
    fn some<T: Clone>(&mut self, pool: &[T], n: usize) -> Vec<T> {
        let mut left = self.0.below(n + 1);
        let mut found = Vec::new();
        for (i, item) in pool.iter().enumerate() {
            if left > 0 && self.0.below(pool.len() - i) < left {
                found.push(item.clone());
                left -= 1;
            }
        }
        found
    }

    /// Pairs with keys and values of the pools, each key at most once.
    fn pairs(&mut self, keys: &[&str], values: &[&str], n: usize) -> Value {
        let keys = self.some(keys, n);
        let pairs = keys
            .into_iter()
            .map(|key| (key.to_owned(), json!(self.of(values))));
        Value::Object(pairs.collect())
    }
}

impl Draft {
    /// Sets a fact of each host.
    fn each(&mut self, key: &str, mut fact: impl FnMut() -> Value) {
        for host in &mut self.hosts {
            host[key] = fact();
        }
    }

    /// Sets a fact of each host from a pool.
    fn hosts_of<T: Clone>(&mut self, pick: &mut Pick, key: &str, pool: &[T])
    where
        Value: From<T>,
    {
        self.each(key, || Value::from(pick.of(pool)));
    }

    /// Sets a fact of the flavor from a pool.
    fn flavor_of<T: Clone>(&mut self, pick: &mut Pick, key: &str, pool: &[T])
    where
        Value: From<T>,
    {
        self.request["flavor"][key] = Value::from(pick.of(pool));
    }

    /// Sets a driver's setting.
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.settings.insert(key.to_owned(), value.into());
    }
}
