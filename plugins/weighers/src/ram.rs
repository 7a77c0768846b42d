//! `ram`: free memory in MB.
//! Reads one column; the range that it is normalised in starts at zero.

use longshore_plugin_api::{
    score, Context, Driver, DriverError, Host, HostTable, Mask, NoSettings, RequestSpec, Weigher,
    WeightRange,
};

/// Weighs free memory.
pub(crate) struct RamWeigher;

impl Driver for RamWeigher {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Weigher for RamWeigher {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(host.free_ram_mb() as f32)
    }

    fn weigh_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        _: &Mask<'_>,
        scores: &mut [f32],
    ) -> Result<(), DriverError> {
        score(scores, hosts.free_ram_mb(), |value| value as f32);
        Ok(())
    }

    fn range(&self) -> Result<WeightRange, DriverError> {
        Ok(crate::FROM_ZERO)
    }
}
