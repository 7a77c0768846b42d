//! The kind `Weigher`: says how good each host is.

use crate::{driver_kind, record, DriverError, Host, HostTable, Mask, RequestSpec};

record! {
    /// The range that raw weights are normalised in (Nova's `minval` and `maxval`).
    pub struct WeightRange {
        /// The smallest raw weight counts as at most this.
        pub min: Option<f64>,
        /// The largest raw weight counts as at least this.
        pub max: Option<f64>,
    }
}

driver_kind! {
    id: "longshore.weigher", revision: 1;

    /// Says how good each host is: higher is better. Namespace `longshore.scheduler.weigher`.
    ///
    /// The host normalises the raw weights of the hosts that are left to 0…1, `(w - min) / (max - min)`, multiplies them
    /// by the operator's factor and adds up all weighers.
    ///
    /// # Contract
    /// - Implement [`weigh`](Weigher::weigh) or [`weigh_all`](Weigher::weigh_all).
    /// - Weights MUST be finite. Equal hosts MUST get equal weights, and a host's weight MUST NOT depend on its row.
    /// - As a filter, a weigher MUST be pure and MUST NOT wait.
    ///
    /// ```
    /// use longshore_plugin_api::{score, DriverError, HostTable, Mask, RequestSpec, Weigher};
    ///
    /// struct FreeRam;
    ///
    /// impl Weigher for FreeRam {
    ///     fn weigh_all(&self, hosts: &HostTable, _: &RequestSpec, _: &Mask<'_>, scores: &mut [f32]) -> Result<(), DriverError> {
    ///         score(scores, hosts.free_ram_mb(), |free| free as f32);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub trait Weigher: Send + Sync + 'static {
        /// The raw weight of one host.
        fn weigh(&self, host: Host<'_>, request: &RequestSpec) -> Result<f32, DriverError> {
            let _ = (host, request);
            Err(DriverError::not_supported("the weigher implements neither `weigh` nor `weigh_all`"))
        }

        /// Puts the raw weight of every host in `mask` into `scores`, one per row; other rows are not looked at. The
        /// provided body asks [`weigh`](Weigher::weigh) for each host that is left.
        fn weigh_all(&self, hosts: &HostTable, request: &RequestSpec, mask: &Mask<'_>, scores: &mut [f32]) -> Result<(), DriverError> {
            for row in mask.iter() {
                if let Some(score) = scores.get_mut(row) {
                    *score = self.weigh(hosts.host(row), request)?;
                }
            }
            Ok(())
        }

        /// The range for normalising. Asked once, when it is loaded.
        fn range(&self) -> Result<WeightRange, DriverError> {
            Ok(WeightRange::default())
        }
    }
}
