//! `pci_passthrough`: hosts whose free PCI devices can meet all of the instance's requests at once.
//! How devices are matched is in `pci`.

use crate::verdicts::Verdicts;
use longshore_plugin_api::pci::{Pools, Requests};
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, Host, HostTable, Mask, NoSettings, RequestSpec,
};

/// Passes hosts that have the devices.
pub(crate) struct PciPassthroughFilter;

/// Pools that cannot be read have no devices.
fn has_devices(pools: &str, requests: &Requests) -> bool {
    let pools = Pools::parse(pools).unwrap_or_default();
    pools.support(requests, None)
}

impl Driver for PciPassthroughFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for PciPassthroughFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let requests = Requests::of(request)?;
        Ok(has_devices(host.pci_device_pools(), &requests))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        let requests = Requests::of(request)?;
        if !requests.is_empty() {
            let (mut verdicts, pools) = (Verdicts::new(), hosts.pci_device_pool_ids());
            let judge = |id| has_devices(hosts.text(id), &requests);
            let mut verdict = |id| verdicts.of(id, || judge(id));
            mask.retain_rows(|row| pools.get(row).map_or(false, |&id| verdict(id)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, RequestFields};

    #[test]
    fn hosts_with_enough_fitting_devices_pass() {
        let pools = [
            r#"[{"vendor_id": "8086", "count": 2}]"#,
            r#"[{"vendor_id": "8086", "count": 1}]"#,
            "[]",
            "",
            "damaged",
        ];
        let hosts = testing::hosts(5, |c, row| {
            c.set_text(Column::PciDevicePools, row, pools[row])
        });
        let request = |text: &str| RequestFields {
            pci_requests: Some(text.to_owned()),
            ..RequestFields::default()
        };
        let filter = build::<PciPassthroughFilter>("{}");
        let two = r#"[{"count": 2, "spec": [{"vendor_id": "8086"}]}]"#;
        assert_eq!(left(&*filter, &hosts, request(two)), [0]);
        assert_eq!(left(&*filter, &hosts, request("[]")).len(), 5);
        assert_eq!(left(&*filter, &hosts, RequestFields::default()).len(), 5);
        let damaged = request("7").into();
        let error = filter
            .passes(hosts.snapshot().host(0), &damaged)
            .unwrap_err();
        assert_eq!(error.message(), "the request's PCI devices cannot be read");
    }
}
