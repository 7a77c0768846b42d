//! `aggregate_image_properties_isolation`: hosts whose aggregates do not reserve them for other
//! images. A key of the metadata that the image has as a property must have the property's value
//! among its own; keys that the image does not have say nothing. Knows no property by name.

use crate::aggregates;
use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask,
    RequestSpec,
};

settings! {
    /// What the operator can set.
    pub(crate) struct IsolationSettings {
        /// Only keys that begin with this and the separator count; all when it is not set.
        namespace: Option<String>;
        /// What stands between the namespace and the rest of a key.
        separator: String = ".";
    }
}

/// Passes hosts that the image may use.
pub(crate) struct AggregateImagePropertiesIsolation {
    /// How a key must begin.
    prefix: String,
}

impl AggregateImagePropertiesIsolation {
    fn allows(&self, host: Host<'_>, request: &RequestSpec) -> bool {
        let mut properties = request.image_properties();
        properties.all(|(key, property)| {
            let counts = !property.is_empty() && key.starts_with(&self.prefix);
            !counts || aggregates::admit(host, key, property)
        })
    }
}

impl Driver for AggregateImagePropertiesIsolation {
    type Settings = IsolationSettings;
    fn new(settings: IsolationSettings, _: &Context) -> Result<Self, DriverError> {
        let namespace = settings.namespace.filter(|namespace| !namespace.is_empty());
        let prefix = namespace.map(|namespace| namespace + &settings.separator);
        Ok(Self {
            prefix: prefix.unwrap_or_default(),
        })
    }
}

impl Filter for AggregateImagePropertiesIsolation {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(self.allows(host, request))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        if request.image_properties().next().is_some() {
            aggregates::retain(hosts, mask, |host| self.allows(host, request));
        }
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE_AND_ON_REBUILD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{aggregates, build, left, pairs};
    use longshore_plugin_api::RequestFields;

    fn left_of(settings: &str, key: &str, properties: &[(&str, &str)]) -> Vec<usize> {
        let hosts = aggregates(key, &[&["debian"], &["fedora, debian"], &["fedora"], &[]]);
        let request = RequestFields {
            image_properties: pairs(properties),
            ..RequestFields::default()
        };
        left(
            &*build::<AggregateImagePropertiesIsolation>(settings),
            &hosts,
            request,
        )
    }

    #[test]
    fn a_property_that_aggregates_name_must_be_among_their_values() {
        assert_eq!(left_of("{}", "os", &[("os", "debian")]), [0, 1, 3]);
        assert_eq!(left_of("{}", "os", &[("os", "arch")]), [3]);
    }

    #[test]
    fn what_the_image_does_not_say_reserves_nothing() {
        assert_eq!(left_of("{}", "os", &[]).len(), 4);
        assert_eq!(left_of("{}", "os", &[("arch", "x"), ("os", "")]).len(), 4);
    }

    #[test]
    fn a_namespace_narrows_the_keys() {
        let arch = |key| [(key, "arch")];
        let settings = r#"{"namespace": "os"}"#;
        assert_eq!(left_of(settings, "os", &arch("os")).len(), 4);
        assert_eq!(left_of(settings, "os.name", &arch("os.name")), [3]);
        let settings = r#"{"namespace": "os", "separator": "_"}"#;
        assert_eq!(left_of(settings, "os_name", &arch("os_name")), [3]);
    }
}
