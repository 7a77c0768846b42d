//! Our drivers, out of their `.so`, asked about a case. Answers have the form of Nova's.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use longshore_loader::{Extension, Factory, Loader, PluginMap};
use longshore_plugin_api::{Filter, Host, HostTable, Mask, RequestSpec, Weigher, full};
use serde_json::{Map, Value, json};

use super::{Kind, facts};
use longshore_tests::files::{plugin, workspace};

const FILTERS: &str = "longshore.scheduler.filter";
const WEIGHERS: &str = "longshore.scheduler.weigher";

/// Every filter and weigher of the sample map, ready to be made with a case's settings.
pub(super) struct Drivers {
    filters: BTreeMap<String, Factory<dyn Filter>>,
    weighers: BTreeMap<String, Factory<dyn Weigher>>,
}

impl Drivers {
    /// Loads what the sample `plugins.toml` names.
    ///
    /// # Panics
    /// If anything does not load.
    pub(super) fn load(state_dir: &Path) -> Self {
        let map = PluginMap::parse(&entries(), "plugins.toml").unwrap_or_else(|e| panic!("{e}"));
        let loader = Loader::new(map, state_dir);
        let filters = loader.namespace::<dyn Filter>(FILTERS).strict(true).all();
        let weighers = loader.namespace::<dyn Weigher>(WEIGHERS).strict(true).all();
        Self {
            filters: factories(filters.expect("all filters load").iter()),
            weighers: factories(weighers.expect("all weighers load").iter()),
        }
    }

    /// The names of all drivers of a kind, in order.
    pub(super) fn names(&self, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Filter => self.filters.keys().map(String::as_str).collect(),
            Kind::Weigher => self.weighers.keys().map(String::as_str).collect(),
        }
    }

    /// When a filter runs, or the range of a weigher, in the form of Nova's facts.
    pub(super) fn facts(&self, kind: Kind, name: &str) -> Value {
        match kind {
            Kind::Filter => {
                let traits = self.filter(name, Map::new()).traits();
                let traits = traits.expect("a filter says when it runs");
                json!({"once": traits.run_once_per_request, "rebuild": traits.run_on_rebuild})
            }
            Kind::Weigher => {
                let range = self.weigher(name, Map::new()).range();
                let range = range.expect("a weigher says its range");
                let whole = |bound: Option<f64>| bound.map(|bound| bound as i64);
                json!({"min": whole(range.min), "max": whole(range.max)})
            }
        }
    }

    fn filter(&self, name: &str, settings: Map<String, Value>) -> Arc<dyn Filter> {
        let made = self.filters[name].create_with(settings);
        Arc::clone(made.unwrap_or_else(|e| panic!("`{name}`: {e:?}")).driver())
    }

    fn weigher(&self, name: &str, settings: Map<String, Value>) -> Arc<dyn Weigher> {
        let made = self.weighers[name].create_with(settings);
        Arc::clone(made.unwrap_or_else(|e| panic!("`{name}`: {e:?}")).driver())
    }

    /// The answer to one case.
    ///
    /// # Panics
    /// If the settings do not fit, or the verdict on all hosts is not the verdict on each.
    pub(super) fn answer(&self, case: &Value) -> Value {
        let name = case["driver"].as_str().unwrap_or_default();
        let settings = case["settings"].as_object().cloned().unwrap_or_default();
        let (table, request) = (facts::table(case), facts::request(case));
        if case["kind"] == Kind::Filter.word() {
            return passes(&*self.filter(name, settings), &table, &request);
        }
        let multiplier = case["multiplier"].as_f64().unwrap_or(1.0);
        weights(&*self.weigher(name, settings), &table, &request, multiplier)
    }
}

/// The sample map's two namespaces, with each file in the place where it was built.
fn entries() -> String {
    let map = std::fs::read_to_string(workspace().join("plugins.toml")).expect("the sample map");
    let mut entries = String::new();
    for part in ["filters", "weighers"] {
        let file = format!("liblongshore_{part}.so");
        let built = plugin("debug", &format!("longshore-{part}"))
            .display()
            .to_string();
        entries += &format!(
            "[\"{}\"]\n",
            if part == "filters" { FILTERS } else { WEIGHERS }
        );
        for line in map.lines().filter(|line| line.contains(&file)) {
            entries += &format!("{}\n", line.replace(&file, &built));
        }
    }
    entries
}

fn factories<'e, K: ?Sized + 'e>(
    extensions: impl Iterator<Item = &'e Extension<K>>,
) -> BTreeMap<String, Factory<K>> {
    let factory = |e: &Extension<K>| e.factory().expect("a loaded driver has one").clone();
    extensions
        .map(|e| (e.name().to_owned(), factory(e)))
        .collect()
}

fn passes(filter: &dyn Filter, table: &HostTable, request: &RequestSpec) -> Value {
    let mut words = full(table.len());
    let mut mask = Mask::new(&mut words, table.len());
    let all = filter.filter_all(table, request, &mut mask);
    let each = table.iter().map(|host| filter.passes(host, request).ok());
    let each: Vec<Option<bool>> = each.collect();
    match all {
        Ok(()) => {
            let all: Vec<Option<bool>> = (0..table.len())
                .map(|row| Some(mask.contains(row)))
                .collect();
            assert_eq!(all, each, "the verdict on all hosts is the verdict on each");
        }
        Err(_) => assert!(each.contains(&None), "an error for all hosts has a host"),
    }
    let limits = |(host, &passes)| match passes {
        Some(true) => limits(filter, host, request),
        _ => json!({}),
    };
    let limits: Vec<Value> = table.iter().zip(&each).map(limits).collect();
    if limits.iter().all(|limits| *limits == json!({})) {
        return json!({ "passes": each });
    }
    json!({ "passes": each, "limits": limits })
}

/// Those that are set, by Nova's names.
fn limits(filter: &dyn Filter, host: Host<'_>, request: &RequestSpec) -> Value {
    let limits = filter
        .limits(host, request)
        .expect("limits of a host that passes");
    let named = [
        ("memory_mb", limits.memory_mb),
        ("disk_gb", limits.disk_gb),
        ("vcpu", limits.vcpu),
    ];
    let set = named
        .into_iter()
        .filter_map(|(key, limit)| Some((key.to_owned(), json!(limit?))));
    Value::Object(set.collect())
}

fn weights(
    weigher: &dyn Weigher,
    table: &HostTable,
    request: &RequestSpec,
    multiplier: f64,
) -> Value {
    use longshore_control::scheduler::{normalise, weight_bounds};
    let mut words = full(table.len());
    let mask = Mask::new(&mut words, table.len());
    let mut scores = vec![0.0; table.len()];
    if weigher
        .weigh_all(table, request, &mask, &mut scores)
        .is_err()
    {
        return Value::Null;
    }
    let each: Vec<f32> = table
        .iter()
        .filter_map(|host| weigher.weigh(host, request).ok())
        .collect();
    assert_eq!(
        each, scores,
        "the weights of all hosts are the weight of each"
    );
    let range = weigher.range().expect("a weigher says its range");
    let bound = |bound: Option<f64>| bound.map(|bound| bound as f32);
    let bounds = weight_bounds(scores.iter().copied(), bound(range.min), bound(range.max));
    let weight = |score: f32| match bounds {
        // A single host is not weighed at all.
        Some(bounds) if table.len() > 1 => multiplier * f64::from(normalise(score, bounds)),
        _ => 0.0,
    };
    let weights: Vec<f64> = scores.iter().map(|&score| weight(score)).collect();
    json!({ "raw": scores, "weights": weights })
}
