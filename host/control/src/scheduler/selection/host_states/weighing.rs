//! Runs the weighers for a request, and adds up what they say: normalised, times the operator's multipliers.
//!
//! Weights are finite whatever a weigher says; one that fails is left out or fails the request. The loops over hosts are
//! `blend`'s. Used by `host_states`.

use longshore_plugin_api::{DriverError, HostTable, Mask, RequestSpec};

use super::{RequestHosts, say_failed};
use crate::scheduler::drivers::FaultPolicy;
use crate::scheduler::errors::SelectError;
use crate::scheduler::selection::blend;
use crate::scheduler::watch::trail::{Method, Who, nobody_waits};

impl RequestHosts {
    /// Adds the parts of all weighers to `weights`, for the hosts in `mask`.
    pub(super) fn run_weighers(
        &self,
        table: &HostTable,
        mask: &Mask<'_>,
        weights: &mut [f32],
    ) -> Result<(), DriverError> {
        let request = self.request();
        let mut raw = self.drivers.scratch.take();
        raw.resize(table.len(), 0.0);
        let mut is_blank = false;
        for (at, (weigher, _)) in self.drivers.weighers.iter().enumerate() {
            if !std::mem::take(&mut is_blank) {
                raw.fill(0.0);
            }
            let into = (&mut *weights, &mut **raw);
            let fault = match self.add_weight(at, (table, &request), mask, into) {
                Ok(blank) => {
                    is_blank = blank;
                    continue;
                }
                Err(fault) => fault,
            };
            if self.trail.is_given_up() {
                return Err(nobody_waits());
            }
            say_failed(&weigher.name, "weigher", fault.code(), &fault);
            if self.drivers.on_weigher_fault == FaultPolicy::Fail {
                return Err(self.fail(fault));
            }
        }
        Ok(())
    }

    /// Adds one weigher's part to the weights of the hosts in `mask`. Answers whether `raw` is all zeros for them, as it
    /// was before.
    fn add_weight(
        &self,
        at: usize,
        (table, request): (&HostTable, &RequestSpec),
        mask: &Mask<'_>,
        (weights, raw): (&mut [f32], &mut [f32]),
    ) -> Result<bool, SelectError> {
        let (weigher, range) = &self.drivers.weighers[at];
        let weigh = || weigher.driver.weigh_all(table, request, mask, raw);
        let weighed = self.trail.call(Who::Weigher(at), Method::WeighAll, weigh);
        weighed.map_err(|e| self.drivers.failed(Who::Weigher(at), e))?;
        let range = (range.min.map(|v| v as f32), range.max.map(|v| v as f32));
        let seen = blend::seen(raw, mask).map_err(|row| {
            let host = table.host(row).host_name();
            let what = format!("the weight {} for host `{host}`", raw[row]);
            SelectError::BadValue(format!("weigher `{}`", weigher.name), what)
        })?;
        if let Some(bounds) = blend::bounds(seen, range) {
            blend::add(weights, raw, mask, bounds, weigher.multiplier as f32);
        }
        Ok(seen == [0.0; 2])
    }
}
