//! `metrics`: hosts on which the monitors measured everything that the weigher `metrics` wants to
//! weigh. Give both the same `weight_setting`. Looks at names of metrics, not at values.

use crate::verdicts::Verdicts;
use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Filter, Host, HostTable, Json, Mask, RequestSpec,
};
use std::collections::BTreeMap;

settings! {
    /// What the operator can set.
    pub(crate) struct MetricsSettings {
        /// Names of metrics and their ratios, as for the weigher `metrics`.
        weight_setting: BTreeMap<String, f64> = {};
    }
}

/// Passes hosts that have all metrics.
pub(crate) struct MetricsFilter {
    names: Vec<String>,
}

impl MetricsFilter {
    fn all_in(&self, metrics: &str) -> bool {
        let measured = match Json::parse(metrics) {
            Ok(Json::List(measured)) => measured,
            _ => Vec::new(),
        };
        let is_named = |one: &Json, name: &str| match one {
            Json::Table(one) => matches!(one.get("name"), Some(Json::Text(n)) if n == name),
            _ => false,
        };
        let mut names = self.names.iter();
        names.all(|name| measured.iter().any(|one| is_named(one, name)))
    }
}

impl Driver for MetricsFilter {
    type Settings = MetricsSettings;
    fn new(settings: MetricsSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            names: settings.weight_setting.into_keys().collect(),
        })
    }
}

impl Filter for MetricsFilter {
    fn passes(&self, host: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        Ok(self.all_in(host.metrics()))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let (mut verdicts, metrics) = (Verdicts::new(), hosts.metrics_ids());
        let mut verdict = |id| verdicts.of(id, || self.all_in(hosts.text(id)));
        let none_wanted = self.names.is_empty();
        mask.retain_rows(|row| metrics.get(row).map_or(none_wanted, |&id| verdict(id)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, RequestFields};

    #[test]
    fn every_metric_must_have_been_measured() {
        let metrics = [
            r#"[{"name": "cpu", "value": 0}, {"name": "net", "value": 1}]"#,
            r#"[{"name": "cpu", "value": 1}]"#,
            "",
            "damaged",
        ];
        let hosts = testing::hosts(4, |c, row| c.set_text(Column::Metrics, row, metrics[row]));
        let filter = build::<MetricsFilter>(r#"{"weight_setting": {"cpu": 1.0, "net": -2}}"#);
        assert_eq!(left(&*filter, &hosts, RequestFields::default()), [0]);
        let filter = build::<MetricsFilter>("{}");
        assert_eq!(left(&*filter, &hosts, RequestFields::default()).len(), 4);
    }
}
