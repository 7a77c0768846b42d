//! `metrics`: what the monitors measured, each metric times the ratio that the operator gives it. A
//! host that lacks one fails the request, or weighs as much as the operator says; the filter
//! `metrics` takes such hosts out beforehand.

use crate::by_text;
use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Host, HostTable, Json, Mask, RequestSpec, Weigher,
};
use std::collections::BTreeMap;

settings! {
    /// What the operator can set.
    pub(crate) struct MetricsSettings {
        /// Names of metrics and their ratios, such as `{ "cpu.percent" = -1.0 }`.
        weight_setting: BTreeMap<String, f64> = {};
        /// Whether a host without one of the metrics fails the request.
        required: bool = true;
        /// What a host without one of the metrics weighs when they are not required.
        weight_of_unavailable: f64 = -10000.0;
    }
}

/// Weighs metrics.
pub(crate) struct MetricsWeigher(MetricsSettings);

/// Shares are reported as 0 to 1 and weighed as whole percents, as Nova keeps them.
const SHARES: [&str; 5] = [
    "cpu.user.percent",
    "cpu.kernel.percent",
    "cpu.idle.percent",
    "cpu.iowait.percent",
    "cpu.percent",
];

/// The values by name. Nova keeps whole numbers, whatever is reported.
fn measured(metrics: &str) -> BTreeMap<String, f64> {
    let list = match Json::parse(metrics) {
        Ok(Json::List(list)) => list,
        _ => Vec::new(),
    };
    let named = |one| {
        let mut one = match one {
            Json::Table(one) => one,
            _ => return None,
        };
        let name = match one.remove("name") {
            Some(Json::Text(name)) => name,
            _ => return None,
        };
        let value = match one.get("value") {
            Some(Json::Integer(value)) => *value as f64,
            Some(Json::Float(value)) => *value,
            _ => return None,
        };
        let scale = if SHARES.contains(&name.as_str()) {
            100.0
        } else {
            1.0
        };
        Some((name, (value * scale).trunc()))
    };
    list.into_iter().filter_map(named).collect()
}

impl MetricsWeigher {
    /// The weight of these metrics; the name of the one that is missing otherwise.
    fn weight(&self, metrics: &str) -> Result<f32, &str> {
        let (settings, measured) = (&self.0, measured(metrics));
        let mut weight = 0.0;
        for (name, ratio) in &settings.weight_setting {
            match measured.get(name) {
                Some(value) => weight += value * ratio,
                None if settings.required => return Err(name),
                // A ratio of zero asks for nothing.
                None if *ratio != 0.0 => return Ok(settings.weight_of_unavailable as f32),
                None => {}
            }
        }
        Ok(weight.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32)
    }

    fn weigh_text(&self, host: Host<'_>, metrics: &str) -> Result<f32, DriverError> {
        self.weight(metrics).map_err(|missing| {
            let (host, node) = (host.host_name(), host.node_name());
            let text = format!("host `{host}`, node `{node}` has no metric `{missing}`");
            DriverError::invalid(text)
                .hint("enable the filter `metrics`, or set `required = false`")
        })
    }
}

impl Driver for MetricsWeigher {
    type Settings = MetricsSettings;
    fn new(settings: MetricsSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self(settings))
    }
}

impl Weigher for MetricsWeigher {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        self.weigh_text(host, host.metrics())
    }

    fn weigh_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        mask: &Mask<'_>,
        scores: &mut [f32],
    ) -> Result<(), DriverError> {
        if self.0.weight_setting.is_empty() {
            scores.fill(0.0);
            return Ok(());
        }
        by_text::score(hosts, hosts.metrics_ids(), mask, scores, |row, metrics| {
            self.weigh_text(hosts.host(row), metrics)
        })
    }
}
