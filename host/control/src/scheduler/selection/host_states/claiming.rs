//! Claims a host for a request: it is still what the scheduler decided on, or still passes the filters as it is now.
//!
//! Must not hold anything while filters run: what others take meanwhile is noticed at the next look. Used by
//! `host_states` before each consumption.

use longshore_plugin_api::{DriverError, Host, HostTable};

use super::{RequestHosts, has};
use crate::scheduler::selection::claims::Claimant;

/// Looks at one host before it counts as taken by others: each is for claims that came after the one before.
const LOOKS_MAX: usize = 4;

/// A table, and the last claim that it shows for certain.
#[derive(Clone)]
pub(super) struct Taken {
    pub(super) table: HostTable,
    pub(super) last_claim: u64,
}

/// The table that the scheduler decides on.
#[derive(Clone, Copy, Default)]
pub(super) struct Judged {
    pub(super) last_claim: u64,
    /// The instance for which filters ran over it; none if the scheduler asked for none so far.
    pub(super) filtered_for: Option<u32>,
}

impl RequestHosts {
    /// Keeps other requests from taking of a host, if it is still what the scheduler decided on.
    ///
    /// # Errors
    /// Others took of it meanwhile, so that it does not pass any more.
    pub(super) fn claim(&self, claimant: &Claimant, host: Host<'_>) -> Result<(), DriverError> {
        let (row, judged) = (host.row() as u32, self.state().judged);
        let mut since = judged.last_claim;
        for _ in 0..LOOKS_MAX {
            if claimant.reserve(row, since) {
                return Ok(());
            }
            match self.look_again(row, judged.filtered_for)? {
                Some(last_claim) => since = last_claim,
                None => break,
            }
        }
        claimant.cross();
        let name = host.host_name();
        Err(DriverError::busy(format!(
            "other requests took of host `{name}` since it was looked at"
        )))
    }

    /// Whether the host of `row` passes the filters that the scheduler asked for as it is now; if so, the last claim
    /// that it was looked at with. Without filters nobody but the scheduler can say.
    fn look_again(&self, row: u32, filtered_for: Option<u32>) -> Result<Option<u64>, DriverError> {
        // Where no filter runs, no claim changes what passes.
        if !self.run_filters {
            return Ok(Some(u64::MAX));
        }
        let Some(index) = filtered_for else {
            return Ok(None);
        };
        let Taken { table, last_claim } = self.take_table()?;
        let mut words = vec![0; self.eligible.len()];
        words[row as usize / 64] = 1 << (row % 64);
        self.run_filters(index, &table, &mut words, &mut Vec::new())?;
        Ok(has(&words, row as usize).then_some(last_claim))
    }
}
