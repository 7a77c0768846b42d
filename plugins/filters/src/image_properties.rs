//! `image_properties`: hosts that can run the image: its architecture, hypervisor type and machine
//! mode must be among what the host supports, and the hypervisor's version within what the image
//! asks for. Knows nothing of where images are kept.

use crate::version::VersionPredicate;
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Log, Mask, NoSettings,
    RequestSpec,
};

/// Passes hosts that can run the image.
pub(crate) struct ImagePropertiesFilter {
    log: Log,
}

/// What the image asks for.
struct Wanted {
    /// Architecture, hypervisor type, machine mode; only those that are set.
    facts: Vec<String>,
    version: Version,
}

enum Version {
    Any,
    Within(VersionPredicate),
    /// The image asks for something that cannot be read: no known version is right.
    Unreadable,
}

impl Wanted {
    /// Nothing when the image asks for nothing.
    fn of(request: &RequestSpec) -> Option<Self> {
        // Each property has the name that images had before Nova gave them prefixes.
        let property = |name, old_name| {
            let value = request
                .image_property(name)
                .or_else(|| request.image_property(old_name));
            value.filter(|value| !value.is_empty())
        };
        let architecture = property("hw_architecture", "architecture").map(architecture);
        let hypervisor = property("img_hv_type", "hypervisor_type").map(hypervisor_type);
        let mode = property("hw_vm_mode", "vm_mode").map(vm_mode);
        let facts: Vec<String> = [architecture, hypervisor, mode]
            .into_iter()
            .flatten()
            .collect();
        if facts.is_empty() {
            return None;
        }
        let version = match property("img_hv_requested_version", "hypervisor_version_requires") {
            None => Version::Any,
            Some(text) => {
                VersionPredicate::parse(text).map_or(Version::Unreadable, Version::Within)
            }
        };
        Some(Self { facts, version })
    }

    fn met_by(&self, host: Host<'_>) -> bool {
        let within = match (&self.version, host.hypervisor_version()) {
            (Version::Any, _) | (_, 0) => true,
            (Version::Within(predicate), version) => predicate.admits(version),
            (Version::Unreadable, _) => false,
        };
        within && self.supported_by(host)
    }

    /// Whether one of the host's triples has all that is wanted.
    fn supported_by(&self, host: Host<'_>) -> bool {
        let mut triples = host.table().supported_instances(host.row());
        triples.any(|(architecture, hypervisor, mode)| {
            self.facts
                .iter()
                .all(|fact| fact == architecture || fact == hypervisor || fact == mode)
        })
    }
}

fn architecture(name: &str) -> String {
    let name = name.to_lowercase();
    match name.as_str() {
        "i386" | "i486" | "i586" => "i686".to_owned(),
        "amd64" => "x86_64".to_owned(),
        _ => name,
    }
}

fn hypervisor_type(name: &str) -> String {
    let name = name.to_lowercase();
    if name == "xapi" {
        "xen".to_owned()
    } else {
        name
    }
}

fn vm_mode(name: &str) -> String {
    let name = name.to_lowercase();
    match name.as_str() {
        "pv" => "xen".to_owned(),
        "hv" | "baremetal" => "hvm".to_owned(),
        _ => name,
    }
}

impl Driver for ImagePropertiesFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(Self { log: context.log() })
    }
}

impl Filter for ImagePropertiesFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(Wanted::of(request).map_or(true, |wanted| wanted.met_by(host)))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        if let Some(wanted) = Wanted::of(request) {
            if matches!(wanted.version, Version::Unreadable) {
                self.log.warn(format_args!(
                    "image `{}`: the hypervisor version it asks for cannot be read; \
                     write bounds such as `>=6.0, <7`",
                    request.image_id().unwrap_or_default()
                ));
            }
            mask.retain_rows(|row| wanted.met_by(hosts.host(row)));
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
    use crate::tests::support::{build, left, pairs};
    use longshore_plugin_api::{testing, Column, List, RequestFields};

    /// Hosts: kvm 6.2 on x86_64; kvm on two architectures, version unknown; xen; one that supports
    /// nothing.
    fn left_of(properties: &[(&str, &str)]) -> Vec<usize> {
        let kinds: [&[&str]; 4] = [
            &["x86_64", "kvm", "hvm"],
            &["x86_64", "kvm", "hvm", "aarch64", "qemu", "hvm"],
            &["x86_64", "xen", "xen"],
            &[],
        ];
        let hosts = testing::hosts(4, |c, row| {
            let ids: Vec<u32> = kinds[row].iter().map(|text| c.intern(text)).collect();
            c.set_list(List::SupportedInstances, row, &ids);
            c.set_u32(
                Column::HypervisorVersion,
                row,
                [6_002_000, 0, 4_001_000, 6_000_000][row],
            );
        });
        let image_properties = pairs(properties);
        let request = RequestFields {
            image_properties,
            ..RequestFields::default()
        };
        left(&*build::<ImagePropertiesFilter>("{}"), &hosts, request)
    }

    #[test]
    fn an_image_that_asks_for_nothing_runs_anywhere() {
        assert_eq!(left_of(&[]), [0, 1, 2, 3]);
        assert_eq!(
            left_of(&[("os_distro", "debian"), ("hw_vm_mode", "")]),
            [0, 1, 2, 3]
        );
        assert_eq!(
            left_of(&[("img_hv_requested_version", ">=99")]),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn one_triple_must_have_all_that_is_set() {
        assert_eq!(left_of(&[("hw_architecture", "x86_64")]), [0, 1, 2]);
        assert_eq!(
            left_of(&[("img_hv_type", "kvm"), ("hw_vm_mode", "hvm")]),
            [0, 1]
        );
        assert!(left_of(&[("hw_architecture", "aarch64"), ("img_hv_type", "kvm")]).is_empty());
    }

    #[test]
    fn names_are_made_canonical() {
        assert_eq!(left_of(&[("hw_architecture", "AMD64")]), [0, 1, 2]);
        assert_eq!(
            left_of(&[("img_hv_type", "xapi"), ("hw_vm_mode", "pv")]),
            [2]
        );
        assert_eq!(left_of(&[("hw_vm_mode", "hv")]), [0, 1]);
    }

    #[test]
    fn old_names_of_properties_count() {
        assert_eq!(
            left_of(&[("architecture", "arm64"), ("hypervisor_type", "kvm")]),
            []
        );
        assert_eq!(left_of(&[("vm_mode", "xen")]), [2]);
    }

    #[test]
    fn the_version_counts_where_it_is_known() {
        let with =
            |version| left_of(&[("hw_vm_mode", "hvm"), ("img_hv_requested_version", version)]);
        assert_eq!(with(">=6.0"), [0, 1]);
        assert_eq!(with(">6.2"), [1]);
        assert_eq!(with("nonsense"), [1]);
    }

    #[test]
    fn it_runs_on_rebuild() {
        let traits = build::<ImagePropertiesFilter>("{}").traits().unwrap();
        assert_eq!(
            (traits.run_once_per_request, traits.run_on_rebuild),
            (true, true)
        );
    }
}
