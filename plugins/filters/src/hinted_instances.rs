//! `different_host` and `same_host`: hosts that have none, or one at least, of the instances that the
//! user's hint of the same name lists. Without the hint every host passes. Knows instances by their
//! uuids only.

use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, FilterTraits, Host, HostTable, Mask, NoSettings,
    RequestSpec,
};

/// The uuids of the hint; nothing when the user gave none.
fn hinted<'r>(request: &'r RequestSpec, hint: &'r str) -> Option<Vec<&'r str>> {
    let uuids: Vec<&str> = request.scheduler_hint(hint).collect();
    // A hint with one empty value is as good as none.
    (!uuids.is_empty() && uuids != [""]).then_some(uuids)
}

/// Whether any of these instances is on the host.
fn has_any(host: Host<'_>, uuids: &[&str]) -> bool {
    let table = host.table();
    let mut instances = table.instances(host.row()).iter();
    instances.any(|&id| uuids.contains(&table.text(id)))
}

/// Keeps the hosts on which an instance of the list is, or is not.
fn retain(hosts: &HostTable, mask: &mut Mask<'_>, uuids: &[&str], wanted: bool) {
    let ids = uuids.iter().filter_map(|uuid| hosts.find_text(uuid));
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    mask.retain_rows(|row| {
        let mut instances = hosts.instances(row).iter();
        instances.any(|id| ids.binary_search(id).is_ok()) == wanted
    });
}

macro_rules! filter {
    ($(#[$doc:meta])* $Filter:ident, $hint:literal, $wanted:literal) => {
        $(#[$doc])*
        pub(crate) struct $Filter;

        impl Driver for $Filter {
            type Settings = NoSettings;
            fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
                Ok(Self)
            }
        }

        impl Filter for $Filter {
            fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
                let uuids = hinted(request, $hint);
                Ok(uuids.map_or(true, |uuids| has_any(host, &uuids) == $wanted))
            }

            fn filter_all(
                &self,
                hosts: &HostTable,
                request: &RequestSpec,
                mask: &mut Mask<'_>,
            ) -> Result<(), DriverError> {
                if let Some(uuids) = hinted(request, $hint) {
                    retain(hosts, mask, &uuids, $wanted);
                }
                Ok(())
            }

            fn traits(&self) -> Result<FilterTraits, DriverError> {
                Ok(crate::ONCE)
            }
        }
    };
}

filter! {
    /// Passes hosts that have none of the instances.
    DifferentHostFilter, "different_host", false
}
filter! {
    /// Passes hosts that have one of the instances at least.
    SameHostFilter, "same_host", true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, List, RequestFields};

    fn left_of(filter: &dyn Filter, hint: &str, uuids: &[&str]) -> Vec<usize> {
        let hosts = testing::hosts(4, |c, row| {
            let on_host: &[&str] = [&["a"][..], &["b", "c"], &["c"], &[]][row];
            let ids: Vec<u32> = on_host.iter().map(|uuid| c.intern(uuid)).collect();
            c.set_list(List::Instances, row, &ids);
        });
        let hint = |uuid: &&str| (hint.to_owned(), uuid.to_string());
        let request = RequestFields {
            scheduler_hints: uuids.iter().map(hint).collect(),
            ..RequestFields::default()
        };
        left(filter, &hosts, request)
    }

    #[test]
    fn different_is_on_none_and_same_on_one_at_least() {
        let different = build::<DifferentHostFilter>("{}");
        let same = build::<SameHostFilter>("{}");
        for (uuids, with) in [
            (&["a", "c"][..], &[0, 1, 2][..]),
            (&["b"], &[1]),
            (&["gone"], &[]),
        ] {
            let without: Vec<usize> = (0..4).filter(|row| !with.contains(row)).collect();
            assert_eq!(left_of(&*same, "same_host", uuids), with);
            assert_eq!(left_of(&*different, "different_host", uuids), without);
        }
    }

    #[test]
    fn no_hint_or_an_empty_one_asks_for_nothing() {
        let same = build::<SameHostFilter>("{}");
        assert_eq!(left_of(&*same, "same_host", &[]).len(), 4);
        assert_eq!(left_of(&*same, "same_host", &[""]).len(), 4);
        assert_eq!(left_of(&*same, "different_host", &["a"]).len(), 4);
    }
}
