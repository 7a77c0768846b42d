//! Runs the filters for a request: which take hosts out, which fail, and how much of a host each allows.
//!
//! Whatever a filter sets, a host that is out stays out. Must not choose hosts. Used by `host_states` for the scheduler, and by
//! `claiming` for one host.

use longshore_plugin_api::{DriverError, FilterTraits, Host, HostTable, Limits, Mask, RequestSpec};

use super::{RequestHosts, count, intersect, say_failed};
use crate::scheduler::drivers::FaultPolicy;
use crate::scheduler::selection::story::{FirstRows, Step};
use crate::scheduler::watch::trail::{Method, Who, nobody_waits};

impl RequestHosts {
    /// Runs the filters over `words`, for instance number `index`, and notes in `steps` what each did.
    pub(super) fn run_filters(
        &self,
        index: u32,
        table: &HostTable,
        words: &mut [u64],
        steps: &mut Vec<Step>,
    ) -> Result<(), DriverError> {
        let request = self.request();
        let (mut left, mut before) = (count(words), words.to_vec());
        for (at, (filter, traits)) in self.drivers.filters.iter().enumerate() {
            if left == 0 || !runs(traits, index, &request) {
                continue;
            }
            let first = FirstRows::of(words);
            before.copy_from_slice(words);
            self.run_filter(at, (table, &request), words, &before)?;
            let start = std::mem::replace(&mut left, count(words));
            filter.watch.filtered(start, left);
            steps.push(Step {
                at,
                start,
                end: left,
                first,
            });
        }
        Ok(())
    }

    /// Runs one filter over `words`; on a fault that is skipped they are as `before`.
    fn run_filter(
        &self,
        at: usize,
        (table, request): (&HostTable, &RequestSpec),
        words: &mut [u64],
        before: &[u64],
    ) -> Result<(), DriverError> {
        let (filter, _) = &self.drivers.filters[at];
        let ran = self.trail.call(Who::Filter(at), Method::FilterAll, || {
            let mut mask = Mask::new(words, table.len());
            filter.driver.filter_all(table, request, &mut mask)
        });
        match ran {
            // A filter may only take out; whatever else it set is cleared here.
            Ok(()) => intersect(words, before),
            Err(_) if self.trail.is_given_up() => return Err(nobody_waits()),
            Err(error) => {
                say_failed(&filter.name, "filter", error.code(), &error);
                if self.drivers.on_filter_fault == FaultPolicy::Fail {
                    return Err(self.fail(self.drivers.failed(Who::Filter(at), error)));
                }
                words.copy_from_slice(before);
            }
        }
        Ok(())
    }

    /// The least of what the filters allow a host to hold.
    pub(super) fn limits_of(&self, host: Host<'_>) -> Result<Limits, DriverError> {
        let mut limits = Limits::default();
        let request = self.request();
        for (place, (filter, _)) in self.drivers.filters.iter().enumerate() {
            let who = Who::Filter(place);
            let limits_of = || filter.driver.limits(host, &request);
            match self.trail.call(who, Method::FilterLimits, limits_of) {
                Ok(more) => tighten(&mut limits, &more),
                Err(error) if self.drivers.on_filter_fault == FaultPolicy::Fail => {
                    return Err(self.fail(self.drivers.failed(who, error)));
                }
                Err(_) => {}
            }
        }
        Ok(limits)
    }
}

fn runs(traits: &FilterTraits, index: u32, request: &RequestSpec) -> bool {
    (index == 0 || !traits.run_once_per_request) && (traits.run_on_rebuild || !request.is_rebuild())
}

fn tighten(limits: &mut Limits, more: &Limits) {
    let least = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    };
    limits.memory_mb = least(limits.memory_mb, more.memory_mb);
    limits.disk_gb = least(limits.disk_gb, more.disk_gb);
    limits.vcpu = least(limits.vcpu, more.vcpu);
}
