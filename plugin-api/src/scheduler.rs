//! The kind `Scheduler`: picks hosts. And what is lent to it for one request: `HostStates`.

use crate::{driver_kind, record, CallContext, DriverError, HostTable, Limits, Mask, RequestSpec};

record! {
    /// What the operator chose for the scheduler, and what the request needs beside its spec.
    pub struct SelectOptions {
        /// How many hosts to choose: one per instance.
        pub instances: u32,
        /// Choose at random among this many best hosts (Nova's `host_subset_size`).
        pub host_subset_size: u32,
        /// Shuffle hosts that are as good as the best one (Nova's `shuffle_best_same_weighed_hosts`).
        pub shuffle_best_same_weighed_hosts: bool,
        /// How many further hosts to name per instance, for a retry without asking again.
        pub alternates: u32,
        /// Where random choices start: the same seed and the same hosts give the same answer.
        pub seed: u64,
    }
}

record! {
    /// A host that was chosen, or an alternate.
    pub struct Destination {
        /// The host.
        pub host: String,
        /// The node.
        pub node: String,
        /// What compute checks its claim against.
        pub limits: Limits,
    }
}

record! {
    /// The chosen host of one instance, and alternates in falling order.
    pub struct Selection {
        /// The host.
        pub chosen: Destination,
        /// Where to go if the build fails there.
        pub alternates: Vec<Destination>,
    }
}

driver_kind! {
    id: "longshore.host_states", revision: 1;

    /// The hosts of one request, lent to a scheduler for one call: the table, the enabled filters and weighers, and
    /// consumption. The host implements it; a scheduler only calls it.
    pub trait HostStates: Send + Sync + 'static {
        /// The hosts as they are now, consumption of this request included. Rows keep their place during a request.
        fn table(&self) -> Result<HostTable, DriverError>;

        /// One bit per row, as [`Mask::words`]: the hosts that the request allows at all (destination, forced and
        /// ignored hosts). Whether filters still run after that is the host manager's business.
        fn eligible(&self) -> Result<Vec<u64>, DriverError>;

        /// Runs the enabled filters over `mask`, for instance number `index` of the request.
        fn filter(&self, index: u32, mask: &mut Mask<'_>) -> Result<(), DriverError>;

        /// Total weight of every host in `mask`: each enabled weigher's, normalised, times its multiplier.
        fn weigh(&self, mask: &Mask<'_>, weights: &mut [f32]) -> Result<(), DriverError>;

        /// What the filters allow the host of `row` to hold.
        fn limits(&self, row: u32) -> Result<Limits, DriverError>;

        /// Counts one instance of the request on the host of `row`. An error of category `busy` says that other requests
        /// took of that host since the filters ran, so that it does not pass any more: a scheduler hands it on, and the
        /// request is put to it again.
        fn consume(&self, row: u32) -> Result<(), DriverError>;
    }
}

driver_kind! {
    id: "longshore.scheduler", revision: 1;

    /// Picks hosts for instances. Namespace `longshore.scheduler.driver`.
    ///
    /// # Contract
    /// - [`select_destinations`](Scheduler::select_destinations) MUST answer exactly `options.instances` selections, or
    ///   an error; `no_valid_host` says that the hosts do not suffice, with the reason. Never fewer in silence.
    /// - It MUST choose only hosts of the lent table that are eligible, and MUST count each choice with
    ///   [`HostStates::consume`] before it makes the next one.
    /// - Alternates MUST differ from the chosen host and from each other.
    /// - It MUST NOT wait for anything, and MAY be called from several threads at once.
    ///
    /// ```
    /// use longshore_plugin_api::{
    ///     CallContext, Destination, DriverError, HostStates, Mask, RequestSpec, Scheduler, SelectOptions, Selection,
    /// };
    ///
    /// /// The first host that passes the filters.
    /// struct FirstFit;
    ///
    /// impl Scheduler for FirstFit {
    ///     fn select_destinations(
    ///         &self,
    ///         _context: &CallContext<'_>,
    ///         _request: &RequestSpec,
    ///         options: &SelectOptions,
    ///         hosts: &dyn HostStates,
    ///     ) -> Result<Vec<Selection>, DriverError> {
    ///         (0..options.instances).map(|index| {
    ///             let table = hosts.table()?;
    ///             let mut words = hosts.eligible()?;
    ///             let mut mask = Mask::new(&mut words, table.len());
    ///             hosts.filter(index, &mut mask)?;
    ///             let row = mask.iter().next();
    ///             let row = row.ok_or_else(|| DriverError::no_valid_host("the filters left no host"))?;
    ///             let limits = hosts.limits(row as u32)?;
    ///             hosts.consume(row as u32)?;
    ///             let host = table.host(row);
    ///             let (name, node) = (host.host_name().to_owned(), host.node_name().to_owned());
    ///             let chosen = Destination { host: name, node, limits };
    ///             Ok(Selection { chosen, alternates: Vec::new() })
    ///         }).collect()
    ///     }
    /// }
    /// ```
    pub trait Scheduler: Send + Sync + 'static {
        /// Picks one host per instance.
        fn select_destinations(
            &self,
            context: &CallContext<'_>,
            request: &RequestSpec,
            options: &SelectOptions,
            hosts: &dyn HostStates,
        ) -> Result<Vec<Selection>, DriverError>;

        /// Called about once a minute.
        fn run_periodic_tasks(&self, context: &CallContext<'_>) -> Result<(), DriverError> {
            let _ = context;
            Ok(())
        }
    }
}
