//! `availability_zone`: hosts in the zone that was asked for.
//!
//! The table names the zones of a host's aggregates, comma separated; a host in none of them counts
//! as being in the default zone. Aggregates themselves are the host manager's.

use crate::verdicts::Verdicts;
use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask,
    RequestSpec,
};

settings! {
    /// What the operator can set.
    pub(crate) struct ZoneSettings {
        /// The zone of hosts that no aggregate puts into a zone.
        default_availability_zone: String = "nova";
    }
}

/// Passes hosts in the wanted zone.
pub(crate) struct AvailabilityZoneFilter {
    default_zone: String,
}

impl AvailabilityZoneFilter {
    fn admits(&self, zones: &str, wanted: &str) -> bool {
        if zones.is_empty() {
            return self.default_zone == wanted;
        }
        zones.split(',').any(|zone| zone.trim() == wanted)
    }
}

impl Driver for AvailabilityZoneFilter {
    type Settings = ZoneSettings;
    fn new(settings: ZoneSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            default_zone: settings.default_availability_zone,
        })
    }
}

impl Filter for AvailabilityZoneFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let wanted = request.availability_zone();
        Ok(wanted.map_or(true, |wanted| self.admits(host.availability_zone(), wanted)))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        if let Some(wanted) = request.availability_zone() {
            let mut verdicts = Verdicts::new();
            let mut verdict = |id| verdicts.of(id, || self.admits(hosts.text(id), wanted));
            let ids = hosts.availability_zone_ids();
            mask.retain_rows(|row| ids.get(row).map_or(false, |&id| verdict(id)));
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
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, RequestFields};

    fn left_of(settings: &str, zones: &[&str], wanted: &str) -> Vec<usize> {
        let hosts = testing::hosts(zones.len(), |c, row| {
            c.set_text(Column::AvailabilityZone, row, zones[row]);
        });
        let availability_zone = Some(wanted.to_owned());
        let request = RequestFields {
            availability_zone,
            ..RequestFields::default()
        };
        left(&*build::<AvailabilityZoneFilter>(settings), &hosts, request)
    }

    #[test]
    fn no_zone_or_an_empty_one_means_any() {
        assert_eq!(left_of("{}", &["a", ""], ""), [0, 1]);
        let hosts = testing::hosts(2, |_, _| {});
        let filter = build::<AvailabilityZoneFilter>("{}");
        assert_eq!(left(&*filter, &hosts, RequestFields::default()), [0, 1]);
    }

    #[test]
    fn one_of_several_zones_is_enough() {
        assert_eq!(
            left_of("{}", &["a", "a,b", "b, a ", "b", "ab"], "a"),
            [0, 1, 2]
        );
    }

    #[test]
    fn a_host_in_no_zone_is_in_the_default_one() {
        assert_eq!(left_of("{}", &["", "a", "nova"], "nova"), [0, 2]);
        assert_eq!(left_of("{}", &["", "a"], "a"), [1]);
    }

    #[test]
    fn the_default_zone_can_be_set() {
        let settings = r#"{"default_availability_zone": "north"}"#;
        assert_eq!(left_of(settings, &["", "nova", "north"], "north"), [0, 2]);
    }

    #[test]
    fn a_list_is_not_a_zone_and_no_host_has_an_unknown_one() {
        assert!(left_of("{}", &["a", "a,b"], "a,b").is_empty());
        assert!(left_of("{}", &["a", "b"], "c").is_empty());
        assert!(
            left_of("{}", &["A"], "a").is_empty(),
            "names of zones keep their case"
        );
    }

    #[test]
    fn more_zones_than_are_remembered_are_told_apart() {
        let names: Vec<String> = (0..300)
            .map(|i| format!("z{},y{}", i % 150, i % 7))
            .collect();
        let zones: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(left_of("{}", &zones, "z149"), [149, 299]);
    }
}
