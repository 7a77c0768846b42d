//! `cpu`: free processors, over-commit included.
//! Always finite, whatever the table says; the range that it is normalised in starts at zero.

use longshore_plugin_api::{
    Context, Driver, DriverError, Host, HostTable, Mask, NoSettings, RequestSpec, Weigher,
    WeightRange,
};

/// Weighs free processors.
pub(crate) struct CpuWeigher;

fn free(total: u32, used: u32, ratio: f32) -> f32 {
    let free = f64::from(total) * f64::from(ratio) - f64::from(used);
    if free.is_nan() {
        return 0.0;
    }
    free.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

impl Driver for CpuWeigher {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Weigher for CpuWeigher {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(free(
            host.vcpus_total(),
            host.vcpus_used(),
            host.cpu_allocation_ratio(),
        ))
    }

    fn weigh_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        _: &Mask<'_>,
        scores: &mut [f32],
    ) -> Result<(), DriverError> {
        let used = hosts.vcpus_used().iter().zip(hosts.cpu_allocation_ratio());
        let columns = hosts.vcpus_total().iter().zip(used);
        for (score, (&total, (&used, &ratio))) in scores.iter_mut().zip(columns) {
            *score = free(total, used, ratio);
        }
        Ok(())
    }

    fn range(&self) -> Result<WeightRange, DriverError> {
        Ok(crate::FROM_ZERO)
    }
}
