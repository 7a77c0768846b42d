//! `build_failure`: builds that failed in a row. Reads one column; give it a large negative
//! multiplier, so that hosts on which builds fail come last.

use crate::counts::score_counts;
use longshore_plugin_api::{
    Context, Driver, DriverError, Host, HostTable, Mask, NoSettings, RequestSpec, Weigher,
};

/// Weighs failed builds.
pub(crate) struct BuildFailureWeigher;

impl Driver for BuildFailureWeigher {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Weigher for BuildFailureWeigher {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(host.failed_builds() as f32)
    }

    fn weigh_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        _: &Mask<'_>,
        scores: &mut [f32],
    ) -> Result<(), DriverError> {
        score_counts(scores, hosts.failed_builds());
        Ok(())
    }
}
