//! The kind `Filter`: says which hosts may take an instance.

use crate::{driver_kind, record, DriverError, Host, HostTable, Mask, RequestSpec};

record! {
    /// When a filter runs (Nova's class attributes of the same names).
    pub struct FilterTraits {
        /// Runs only for the first instance of a request for several: its verdict cannot depend on what was consumed.
        pub run_once_per_request: bool,
        /// Runs also when it is only checked that an instance may be rebuilt where it is.
        pub run_on_rebuild: bool,
    }
}

record! {
    /// What a host may hold at most once a filter with over-commit has passed it; compute checks its claim against it.
    pub struct Limits {
        /// Memory, MB.
        pub memory_mb: Option<f64>,
        /// Disk, GB.
        pub disk_gb: Option<f64>,
        /// Processors.
        pub vcpu: Option<f64>,
    }
}

driver_kind! {
    id: "longshore.filter", revision: 1;

    /// Says which hosts may take an instance. Namespace `longshore.scheduler.filter`.
    ///
    /// # Contract
    /// - Implement [`passes`](Filter::passes) or [`filter_all`](Filter::filter_all); the second is one call for all hosts
    ///   and what makes a filter fast. Both MUST agree.
    /// - A filter MUST be pure: the same hosts and request give the same verdict, on any thread, in any order. It MUST
    ///   NOT wait for anything: it runs on the scheduler's own thread.
    /// - It can only take hosts out. Bits that are set again are ignored.
    /// - Odd hosts (zero capacity, missing facts) get a verdict. A panic or an error fails the request, or skips the
    ///   filter, as the operator chose.
    ///
    /// ```
    /// use longshore_plugin_api::{DriverError, Filter, HostTable, Mask, RequestSpec};
    ///
    /// struct Roomy;
    ///
    /// impl Filter for Roomy {
    ///     fn filter_all(&self, hosts: &HostTable, request: &RequestSpec, mask: &mut Mask<'_>) -> Result<(), DriverError> {
    ///         let wanted = request.memory_mb();
    ///         mask.retain(hosts.free_ram_mb(), |free| free >= 0 && free as u64 >= wanted);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub trait Filter: Send + Sync + 'static {
        /// Whether one host may take the instance.
        fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
            let _ = (host, request);
            Err(DriverError::not_supported("the filter implements neither `passes` nor `filter_all`"))
        }

        /// Takes out of `mask` every host that may not take the instance. The provided body asks
        /// [`passes`](Filter::passes) for each host that is left.
        fn filter_all(&self, hosts: &HostTable, request: &RequestSpec, mask: &mut Mask<'_>) -> Result<(), DriverError> {
            mask.try_retain_rows(|row| self.passes(hosts.host(row), request))
        }

        /// When the filter runs. Asked once, when it is loaded.
        fn traits(&self) -> Result<FilterTraits, DriverError> {
            Ok(FilterTraits::default())
        }

        /// What this filter allows `host` to hold, for a host that was chosen.
        fn limits(&self, host: Host<'_>, request: &RequestSpec) -> Result<Limits, DriverError> {
            let _ = (host, request);
            Ok(Limits::default())
        }
    }
}
