//! `io_ops`: instances that are being built, moved or saved.
//! Reads one column; the range that it is normalised in starts at zero.

use crate::counts::score_counts;
use longshore_plugin_api::{
    Context, Driver, DriverError, Host, HostTable, Mask, NoSettings, RequestSpec, Weigher,
    WeightRange,
};

/// Weighs pending I/O operations.
pub(crate) struct IoOpsWeigher;

impl Driver for IoOpsWeigher {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Weigher for IoOpsWeigher {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(host.num_io_ops() as f32)
    }

    fn weigh_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        _: &Mask<'_>,
        scores: &mut [f32],
    ) -> Result<(), DriverError> {
        score_counts(scores, hosts.num_io_ops());
        Ok(())
    }

    fn range(&self) -> Result<WeightRange, DriverError> {
        Ok(crate::FROM_ZERO)
    }
}
