//! `isolated_hosts`: some images go to some hosts. Isolated images run on isolated hosts only, and,
//! unless the operator says otherwise, isolated hosts take nothing else. Both are lists of names in
//! the settings.

use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask,
    RequestSpec,
};

settings! {
    /// What the operator can set.
    pub(crate) struct IsolatedSettings {
        /// Names of the isolated hosts.
        isolated_hosts: Vec<String> = [];
        /// Ids of the isolated images.
        isolated_images: Vec<String> = [];
        /// Whether isolated hosts take isolated images only.
        restrict_isolated_hosts_to_isolated_images: bool = true;
    }
}

/// Passes hosts that the image may use.
pub(crate) struct IsolatedHostsFilter(IsolatedSettings);

impl IsolatedHostsFilter {
    /// Whether an isolated host, and one that is not, may take the image.
    fn verdicts(&self, request: &RequestSpec) -> (bool, bool) {
        let image = request.image_id();
        let mut images = self.0.isolated_images.iter();
        let isolated = images.any(|isolated| image == Some(isolated));
        let restrict = self.0.restrict_isolated_hosts_to_isolated_images;
        (isolated || !restrict, !isolated)
    }
}

impl Driver for IsolatedHostsFilter {
    type Settings = IsolatedSettings;
    fn new(settings: IsolatedSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self(settings))
    }
}

impl Filter for IsolatedHostsFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let (isolated, other) = self.verdicts(request);
        let mut hosts = self.0.isolated_hosts.iter();
        let is_isolated = hosts.any(|name| name == host.host_name());
        Ok(if is_isolated { isolated } else { other })
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let (isolated, other) = self.verdicts(request);
        let names = self.0.isolated_hosts.iter();
        let mut ids: Vec<u32> = names.filter_map(|name| hosts.find_text(name)).collect();
        ids.sort_unstable();
        mask.retain(hosts.host_ids(), |host| {
            let is_isolated = ids.binary_search(&host).is_ok();
            (is_isolated && isolated) || (!is_isolated && other)
        });
        Ok(())
    }

    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(crate::ONCE_AND_ON_REBUILD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, RequestFields};

    fn left_of(more: &str, image: Option<&str>) -> Vec<usize> {
        let settings = format!(r#"{{"isolated_hosts": ["host-0001", "gone"]{more}}}"#);
        let request = RequestFields {
            image_id: image.map(str::to_owned),
            ..RequestFields::default()
        };
        let filter = build::<IsolatedHostsFilter>(&settings);
        left(&*filter, &testing::hosts(2, |_, _| {}), request)
    }

    #[test]
    fn isolated_images_and_hosts_find_each_other() {
        let images = r#", "isolated_images": ["i"]"#;
        assert_eq!(left_of(images, Some("i")), [0]);
        assert_eq!(left_of(images, Some("j")), [1]);
        assert_eq!(left_of(images, None), [1]);
        assert_eq!(left_of("", Some("i")), [1]);
    }

    #[test]
    fn isolated_hosts_may_be_open_to_all() {
        let open = r#", "restrict_isolated_hosts_to_isolated_images": false"#;
        let images = format!(r#", "isolated_images": ["i"]{open}"#);
        assert_eq!(left_of(&images, Some("i")), [0]);
        assert_eq!(left_of(&images, Some("j")), [0, 1]);
        assert_eq!(left_of(open, Some("j")), [0, 1]);
    }
}
