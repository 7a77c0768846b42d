//! `trusted`: hosts whose level of trust is the one that the flavor asks for with the extra spec
//! `trust:trusted_host`. The level is what the host reports in its stats. Nova asked an attestation
//! server, a kind of service that no longer exists; whoever attests hosts now sets that stat.

use crate::json_path;
use crate::verdicts::Verdicts;
use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask,
    RequestSpec,
};

settings! {
    /// What the operator can set.
    pub(crate) struct TrustedSettings {
        /// The stat in which a host reports its level.
        level_stat: String = "trust_lvl";
    }
}

/// Passes hosts of the wanted level.
pub(crate) struct TrustedFilter {
    level_stat: String,
}

const SPEC: &str = "trust:trusted_host";
/// The level of a host that reports none.
const UNKNOWN: &str = "unknown";

fn wanted(request: &RequestSpec) -> Option<&str> {
    let mut specs = request.extra_specs();
    let (_, level) = specs.find(|(key, _)| *key == SPEC)?;
    (!level.is_empty()).then_some(level)
}

impl TrustedFilter {
    fn is_of_level(&self, stats: &str, wanted: &str) -> bool {
        let level = json_path::find(stats, &[&self.level_stat]);
        level.as_deref().unwrap_or(UNKNOWN) == wanted
    }
}

impl Driver for TrustedFilter {
    type Settings = TrustedSettings;
    fn new(settings: TrustedSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            level_stat: settings.level_stat,
        })
    }
}

impl Filter for TrustedFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let wanted = wanted(request);
        Ok(wanted.map_or(true, |wanted| self.is_of_level(host.stats(), wanted)))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        if let Some(wanted) = wanted(request) {
            let (mut verdicts, stats) = (Verdicts::new(), hosts.stats_ids());
            let mut verdict = |id| verdicts.of(id, || self.is_of_level(hosts.text(id), wanted));
            let unknown = wanted == UNKNOWN;
            mask.retain_rows(|row| stats.get(row).map_or(unknown, |&id| verdict(id)));
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
    use longshore_plugin_api::{testing, Column, RequestFields};

    #[test]
    fn the_level_is_what_the_host_reports() {
        let stats = [
            r#"{"trust_lvl":"trusted","x":"a"}"#,
            r#"{"trust_lvl":"untrusted"}"#,
            "{}",
        ];
        let hosts = testing::hosts(3, |c, row| c.set_text(Column::Stats, row, stats[row]));
        let filter = build::<TrustedFilter>("{}");
        let request = |level| RequestFields {
            extra_specs: pairs(&[(SPEC, level)]),
            ..RequestFields::default()
        };
        assert_eq!(left(&*filter, &hosts, request("trusted")), [0]);
        assert_eq!(left(&*filter, &hosts, request("unknown")), [2]);
        assert_eq!(left(&*filter, &hosts, request("")), [0, 1, 2]);
        let filter = build::<TrustedFilter>(r#"{"level_stat": "x"}"#);
        assert_eq!(left(&*filter, &hosts, request("a")), [0]);
    }
}
