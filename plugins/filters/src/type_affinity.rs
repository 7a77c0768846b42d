//! `type_affinity`: hosts that have instances of the wanted flavor alone, or none. Goes by the
//! flavor's id; instances whose flavor is not known count as none.

use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, Host, HostTable, Mask, NoSettings, RequestSpec,
};

/// Passes hosts without another flavor.
pub(crate) struct TypeAffinityFilter;

impl Driver for TypeAffinityFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for TypeAffinityFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let table = host.table();
        let flavors = table.instance_flavors(host.row()).iter();
        let mut flavors = flavors.map(|&id| table.text(id));
        let wanted = request.flavor_id();
        Ok(flavors.all(|flavor| flavor == wanted || flavor.is_empty()))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let (wanted, unknown) = (hosts.find_text(request.flavor_id()), hosts.find_text(""));
        mask.retain_rows(|row| {
            let mut flavors = hosts.instance_flavors(row).iter();
            flavors.all(|&flavor| Some(flavor) == wanted || Some(flavor) == unknown)
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, List, RequestFields};

    #[test]
    fn one_other_flavor_is_enough_to_be_out() {
        let hosts = testing::hosts(4, |c, row| {
            let flavors: &[&str] = [&["1", "1"][..], &["1", "2"], &[], &["", "1"]][row];
            let ids: Vec<u32> = flavors.iter().map(|flavor| c.intern(flavor)).collect();
            c.set_list(List::InstanceFlavors, row, &ids);
        });
        let filter = build::<TypeAffinityFilter>("{}");
        let request = |id: &str| RequestFields {
            flavor_id: id.to_owned(),
            ..RequestFields::default()
        };
        assert_eq!(left(&*filter, &hosts, request("1")), [0, 2, 3]);
        assert_eq!(left(&*filter, &hosts, request("unheard of")), [2]);
    }
}
