//! The kind `Virt`: makes, moves and ends the guests of one host.

use crate::{driver_kind, record, wire_enum, CallContext, DriverError, Image, Instance, Resources};

wire_enum! {
    /// What a guest is doing (Nova's power states).
    pub enum PowerState {
        /// The driver cannot tell.
        NoState = 0,
        /// It runs.
        Running = 1,
        /// It is held.
        Paused = 3,
        /// It is off.
        Shutdown = 4,
        /// It ended by itself, with an error.
        Crashed = 6,
        /// It is saved to disk.
        Suspended = 7,
    }
}

wire_enum! {
    /// How to restart a guest.
    pub enum RebootType {
        /// Ask it.
        Soft = 0,
        /// Cut its power.
        Hard = 1,
    }
}

record! {
    /// What a driver says of one guest.
    pub struct InstanceInfo {
        /// What it is doing.
        pub state: PowerState,
        /// Memory it may use, MB.
        pub memory_mb: u64,
        /// Processors it may use.
        pub vcpus: u32,
        /// Processor time it has used, ns.
        pub cpu_time_ns: u64,
        /// The driver's own name for it, such as a process number.
        pub internal_id: String,
    }
}

record! {
    /// What a driver can do beyond the required methods. A claim MUST be true.
    pub struct Capabilities {
        /// `power_on`, `power_off` and `reboot`.
        pub power: bool,
        /// `pause` and `unpause`.
        pub pause: bool,
        /// `console_output`.
        pub console_output: bool,
        /// Guests go on when the host's process ends, and are found again.
        pub survives_restart: bool,
    }
}

driver_kind! {
    id: "longshore.virt", revision: 1;

    /// Makes and ends the guests of one host. Namespace `longshore.virt.driver`.
    ///
    /// # Contract
    /// - Methods MAY block; they run on a pool of threads, with a deadline in `context`. Look at
    ///   [`CallContext::check`] between steps. A call that comes back too late is not lost: the guest it made is taken
    ///   down again.
    /// - Methods for different guests MAY be called at the same time; for one guest they are called one after the other.
    /// - Everything can be found half-done after a crash of the host: [`list_instances`](Virt::list_instances) MUST list
    ///   whatever part of a guest is left, so that [`destroy`](Virt::destroy) can remove it.
    /// - Unknown ids: `destroy` succeeds, everything else answers `not-found`.
    ///
    /// ```
    /// use longshore_plugin_api::{CallContext, DriverError, Image, Instance, InstanceInfo, PowerState, Resources, Virt};
    /// use std::collections::BTreeMap;
    /// use std::sync::Mutex;
    ///
    /// /// Guests that exist in memory only.
    /// struct Dream {
    ///     guests: Mutex<BTreeMap<String, u64>>,
    /// }
    ///
    /// impl Virt for Dream {
    ///     fn available_nodes(&self) -> Result<Vec<String>, DriverError> {
    ///         Ok(vec!["dream".to_owned()])
    ///     }
    ///     fn available_resources(&self, _: &CallContext<'_>, node: &str) -> Result<Resources, DriverError> {
    ///         let hypervisor_hostname = node.to_owned();
    ///         Ok(Resources { vcpus: 8, memory_mb: 16_384, local_gb: 100, hypervisor_hostname, ..Resources::default() })
    ///     }
    ///     fn list_instances(&self, _: &CallContext<'_>) -> Result<Vec<String>, DriverError> {
    ///         Ok(self.guests.lock().unwrap().keys().cloned().collect())
    ///     }
    ///     fn instance_info(&self, _: &CallContext<'_>, id: &str) -> Result<InstanceInfo, DriverError> {
    ///         match self.guests.lock().unwrap().get(id) {
    ///             Some(&memory_mb) => Ok(InstanceInfo { state: PowerState::Running, memory_mb, ..InstanceInfo::default() }),
    ///             None => Err(DriverError::not_found(format!("no guest `{id}`"))),
    ///         }
    ///     }
    ///     fn spawn(&self, context: &CallContext<'_>, instance: &Instance, _: &Image) -> Result<(), DriverError> {
    ///         context.check()?;
    ///         let mut guests = self.guests.lock().unwrap();
    ///         if guests.contains_key(&instance.id) {
    ///             return Err(DriverError::already_exists(format!("guest `{}` is there", instance.id)));
    ///         }
    ///         guests.insert(instance.id.clone(), instance.memory_mb);
    ///         Ok(())
    ///     }
    ///     fn destroy(&self, _: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
    ///         self.guests.lock().unwrap().remove(id);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub trait Virt: Send + Sync + 'static {
        /// What the driver can do.
        fn capabilities(&self) -> Result<Capabilities, DriverError> {
            Ok(Capabilities::default())
        }

        /// The names of this host's nodes; most drivers have one, called like the host.
        fn available_nodes(&self) -> Result<Vec<String>, DriverError>;

        /// What a node has. MUST be quick: it is asked every minute.
        fn available_resources(&self, context: &CallContext<'_>, node: &str) -> Result<Resources, DriverError>;

        /// The ids of all guests that exist here, running or not.
        fn list_instances(&self, context: &CallContext<'_>) -> Result<Vec<String>, DriverError>;

        /// What one guest is doing.
        fn instance_info(&self, context: &CallContext<'_>, id: &str) -> Result<InstanceInfo, DriverError>;

        /// Makes a guest and starts it. `already-exists` if the id is there. On failure nothing MUST be left behind.
        fn spawn(&self, context: &CallContext<'_>, instance: &Instance, image: &Image) -> Result<(), DriverError>;

        /// Ends a guest and removes all of it. Succeeds when there is none.
        fn destroy(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError>;

        /// Starts a guest that is off. Succeeds when it runs.
        fn power_on(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
            let _ = (context, id);
            Err(DriverError::not_supported("`power_on` is not supported by this driver"))
        }

        /// Stops a guest and keeps it. Succeeds when it is off.
        fn power_off(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
            let _ = (context, id);
            Err(DriverError::not_supported("`power_off` is not supported by this driver"))
        }

        /// Restarts a guest.
        fn reboot(&self, context: &CallContext<'_>, id: &str, how: RebootType) -> Result<(), DriverError> {
            let _ = (context, id, how);
            Err(DriverError::not_supported("`reboot` is not supported by this driver"))
        }

        /// Holds a guest.
        fn pause(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
            let _ = (context, id);
            Err(DriverError::not_supported("`pause` is not supported by this driver"))
        }

        /// Lets a guest go on.
        fn unpause(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
            let _ = (context, id);
            Err(DriverError::not_supported("`unpause` is not supported by this driver"))
        }

        /// The last `bytes` bytes that a guest printed.
        fn console_output(&self, context: &CallContext<'_>, id: &str, bytes: u64) -> Result<String, DriverError> {
            let _ = (context, id, bytes);
            Err(DriverError::not_supported("`console_output` is not supported by this driver"))
        }
    }
}
