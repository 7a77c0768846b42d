//! `Fake`: the kind `Virt` over the store. Every verb is: ask the faults (spawn), change the guest,
//! done. Knows no files and no `/proc`. The host calls it through the contract.

use crate::faults::Faults;
use crate::guest::Guest;
use crate::machine::Machine;
use crate::settings::FakeSettings;
use crate::store::{not_found, Store};
use longshore_plugin_api::{
    CallContext, Capabilities, Context, Driver, DriverError, Image, Instance, InstanceInfo,
    PowerState, RebootType, Resources, SupportedInstance, Virt,
};
use std::sync::{Mutex, PoisonError};

/// What every fake guest has printed.
const CONSOLE: &str = "fake guest booted\nnothing runs here\nlast line\n";

/// Nova's number for its own fake hypervisor.
const HYPERVISOR_VERSION: u32 = 1000;

/// The driver.
pub(crate) struct Fake {
    context: Context,
    settings: FakeSettings,
    faults: Faults,
    store: Store,
    /// Read at the first call, with `real`.
    machine: Mutex<Option<Machine>>,
}

impl Driver for Fake {
    type Settings = FakeSettings;

    fn new(settings: FakeSettings, context: &Context) -> Result<Self, DriverError> {
        let directory = settings
            .persist
            .then(|| context.state_dir().join("instances"));
        Ok(Self {
            faults: Faults::new(settings.clone(), context.host()),
            store: Store::new(directory),
            context: context.clone(),
            settings,
            machine: Mutex::default(),
        })
    }

    fn ready(&self) -> Result<(), DriverError> {
        self.store.open()
    }
}

impl Fake {
    fn machine(&self, context: &CallContext<'_>) -> Result<Machine, DriverError> {
        let FakeSettings {
            vcpus,
            memory_mb,
            local_gb,
            real,
            ..
        } = self.settings;
        if !real {
            return Ok(Machine {
                vcpus,
                memory_mb,
                local_gb,
            });
        }
        if let Some(machine) = &*self.machine.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(machine.clone());
        }
        // Read without the lock: it may take a while. Two readers find the same.
        let existing = self
            .context
            .state_dir()
            .ancestors()
            .find(|path| path.exists());
        let machine = Machine::read(context, existing.unwrap_or_else(|| "/".as_ref()))?;
        *self.machine.lock().unwrap_or_else(PoisonError::into_inner) = Some(machine.clone());
        Ok(machine)
    }

    /// Refuses what is larger than the whole node. Overcommitment among guests is the scheduler's
    /// business.
    fn check_fits(&self, context: &CallContext<'_>, guest: &Guest) -> Result<(), DriverError> {
        let machine = self.machine(context)?;
        for (what, asked, has) in [
            (
                "processors",
                u64::from(guest.vcpus),
                u64::from(machine.vcpus),
            ),
            ("MB of memory", guest.memory_mb, machine.memory_mb),
            ("GB of disk", guest.disk_gb, machine.local_gb),
        ] {
            if asked > has {
                let host = self.context.host();
                return Err(DriverError::no_capacity(format!(
                    "host `{host}` has {has} {what}, {asked} were asked for"
                )));
            }
        }
        Ok(())
    }

    fn set_state(&self, id: &str, state: PowerState) -> Result<(), DriverError> {
        self.store.change(id, |guest| {
            if guest.state == PowerState::NoState {
                let message = format!("the file of instance `{id}` cannot be understood");
                return Err(DriverError::internal(message).hint("delete the instance"));
            }
            guest.state = state;
            Ok(())
        })
    }

    /// Like [`Fake::set_state`], for verbs that need a guest which is on.
    fn set_state_if_on(&self, id: &str, state: PowerState) -> Result<(), DriverError> {
        self.store.change(id, |guest| match guest.state {
            PowerState::Running | PowerState::Paused => {
                guest.state = state;
                Ok(())
            }
            _ => {
                Err(DriverError::invalid(format!("instance `{id}` is off")).hint("start it first"))
            }
        })
    }
}

impl Virt for Fake {
    fn capabilities(&self) -> Result<Capabilities, DriverError> {
        let survives_restart = self.settings.persist;
        Ok(Capabilities {
            power: true,
            pause: true,
            console_output: true,
            survives_restart,
        })
    }

    fn available_nodes(&self) -> Result<Vec<String>, DriverError> {
        Ok(vec![self.context.host().to_owned()])
    }

    fn available_resources(
        &self,
        context: &CallContext<'_>,
        node: &str,
    ) -> Result<Resources, DriverError> {
        if node != self.context.host() {
            return Err(DriverError::not_found(format!(
                "this host has no node `{node}`"
            )));
        }
        let Machine {
            vcpus,
            memory_mb,
            local_gb,
        } = self.machine(context)?;
        let guests = self.store.all()?;
        let sum = |of: fn(&Guest) -> u64| guests.values().map(of).fold(0, u64::saturating_add);
        let asked_vcpus = sum(|guest| u64::from(guest.vcpus));
        let hypervisor_type = &self.settings.hypervisor_type;
        Ok(Resources {
            vcpus,
            memory_mb,
            local_gb,
            // More may be asked for than there is (overcommitment), but no more can be in use.
            vcpus_used: u32::try_from(asked_vcpus).map_or(vcpus, |used| used.min(vcpus)),
            memory_mb_used: sum(|guest| guest.memory_mb).min(memory_mb),
            local_gb_used: sum(|guest| guest.disk_gb).min(local_gb),
            disk_available_least: None,
            hypervisor_type: hypervisor_type.clone(),
            hypervisor_version: HYPERVISOR_VERSION,
            hypervisor_hostname: node.to_owned(),
            cpu_info: cpu_info(vcpus),
            supported_instances: vec![SupportedInstance {
                architecture: std::env::consts::ARCH.to_owned(),
                hypervisor_type: hypervisor_type.clone(),
                vm_mode: String::from("hvm"),
            }],
            stats: [(String::from("num_instances"), guests.len().to_string())].into(),
        })
    }

    fn list_instances(&self, _context: &CallContext<'_>) -> Result<Vec<String>, DriverError> {
        Ok(self.store.all()?.into_keys().collect())
    }

    fn instance_info(&self, _: &CallContext<'_>, id: &str) -> Result<InstanceInfo, DriverError> {
        let guest = self.store.get(id)?.ok_or_else(|| not_found(id))?;
        let Guest {
            state,
            memory_mb,
            vcpus,
            ..
        } = guest;
        let internal_id = format!("fake-{id}");
        Ok(InstanceInfo {
            state,
            memory_mb,
            vcpus,
            cpu_time_ns: 0,
            internal_id,
        })
    }

    fn spawn(
        &self,
        context: &CallContext<'_>,
        instance: &Instance,
        _image: &Image,
    ) -> Result<(), DriverError> {
        if self.store.get(&instance.id)?.is_some() {
            let id = &instance.id;
            return Err(DriverError::already_exists(format!(
                "instance `{id}` is there already"
            )));
        }
        self.faults
            .before_spawn(context, instance, self.context.host())?;
        let guest = Guest::of(instance);
        self.check_fits(context, &guest)?;
        self.store.add(&instance.id, guest)
    }

    fn destroy(&self, _context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.store.remove(id)
    }

    fn power_on(&self, _context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.set_state(id, PowerState::Running)
    }

    fn power_off(&self, _context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.set_state(id, PowerState::Shutdown)
    }

    fn reboot(&self, _: &CallContext<'_>, id: &str, _how: RebootType) -> Result<(), DriverError> {
        self.set_state(id, PowerState::Running)
    }

    fn pause(&self, _context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.set_state_if_on(id, PowerState::Paused)
    }

    fn unpause(&self, _context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.set_state_if_on(id, PowerState::Running)
    }

    fn console_output(
        &self,
        _context: &CallContext<'_>,
        id: &str,
        bytes: u64,
    ) -> Result<String, DriverError> {
        self.store.get(id)?.ok_or_else(|| not_found(id))?;
        let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(CONSOLE[CONSOLE.len().saturating_sub(wanted)..].to_owned())
    }
}

fn cpu_info(cores: u32) -> String {
    let architecture = std::env::consts::ARCH;
    format!(
        "{{\"arch\":\"{architecture}\",\"model\":\"fake\",\"vendor\":\"longshore\",\"features\":[],\
         \"topology\":{{\"sockets\":1,\"cores\":{cores},\"threads\":1}}}}"
    )
}
