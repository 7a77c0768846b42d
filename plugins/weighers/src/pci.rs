//! `pci`: how few free PCI devices a host has, so that hosts with devices are kept for instances that
//! want some. Counts all devices alike, up to a bound from which on a host has simply many.

use crate::by_text;
use longshore_plugin_api::{
    Context, Driver, DriverError, Host, HostTable, Json, Mask, NoSettings, RequestSpec, Weigher,
};

/// Weighs the lack of PCI devices.
pub(crate) struct PciWeigher;

/// The weight of a host without devices. One more device than this makes no difference.
const DEVICES_MAX: i64 = 100;

fn weight(pools: &str) -> f32 {
    let pools = match Json::parse(pools) {
        Ok(Json::List(pools)) => pools,
        _ => Vec::new(),
    };
    let count = |pool: &Json| match pool {
        Json::Table(pool) => match pool.get("count") {
            Some(Json::Integer(count)) => *count,
            _ => 0,
        },
        _ => 0,
    };
    let free = pools.iter().map(count).fold(0, i64::saturating_add);
    (DEVICES_MAX - free.clamp(0, DEVICES_MAX - 1)) as f32
}

impl Driver for PciWeigher {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Weigher for PciWeigher {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(weight(host.pci_device_pools()))
    }

    fn weigh_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        mask: &Mask<'_>,
        scores: &mut [f32],
    ) -> Result<(), DriverError> {
        let ids = hosts.pci_device_pool_ids();
        by_text::score(hosts, ids, mask, scores, |_, pools| Ok(weight(pools)))
    }
}
