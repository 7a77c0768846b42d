//! `Process`: the kind `Virt`, verb by verb. Each verb holds its instance, looks at what is really
//! there, and does one thing. What there is stands in the state directory and in `/proc`; this
//! object keeps nothing that could be lost.

use crate::arguments;
use crate::cgroup;
use crate::children;
use crate::errors::not_found;
use crate::held::{self, Held};
use crate::home::{Home, Homes, STOPPED};
use crate::image;
use crate::launch;
use crate::machine::Machine;
use crate::output;
use crate::settings::ProcessSettings;
use crate::spec::Spec;
use crate::stop;
use longshore_plugin_api::file_name::ID_BYTES_MAX;
use longshore_plugin_api::{
    CallContext, Capabilities, Context, Driver, DriverError, Image, Instance, InstanceInfo,
    PowerState, RebootType, Resources, SupportedInstance, Virt,
};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The part of an instance's name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// 0.1.0: this driver stands in the place of a hypervisor.
const HYPERVISOR_VERSION: u32 = 1000;

/// What an instance that ended well by itself has in its `exit`.
const ENDED_WELL: &str = "exit status: 0";

/// The driver.
pub(crate) struct Process {
    context: Context,
    settings: ProcessSettings,
    homes: Homes,
    /// Read at the first call.
    machine: Mutex<Option<Machine>>,
}

impl Driver for Process {
    type Settings = ProcessSettings;

    fn new(settings: ProcessSettings, context: &Context) -> Result<Self, DriverError> {
        settings.check()?;
        let homes = Homes::new(context.state_dir());
        Ok(Self {
            context: context.clone(),
            settings,
            homes,
            machine: Mutex::default(),
        })
    }

    fn ready(&self) -> Result<(), DriverError> {
        launch::tools()?;
        cgroup::ready(&self.settings.cgroup)?;
        self.homes.root().map(drop)
    }
}

impl Process {
    /// The home of an instance that is there.
    fn home(&self, id: &str) -> Result<Home, DriverError> {
        let home = self.homes.of(id)?.filter(Home::exists);
        home.ok_or_else(|| not_found(id))
    }

    /// The same, and nobody else is at work on it until the second is dropped.
    fn hold(&self, id: &str, context: &CallContext<'_>) -> Result<(Home, Held), DriverError> {
        let home = self.home(id)?;
        let held = held::hold(&home.directory, context)?;
        // It may have been destroyed while this call waited.
        Ok((self.home(id)?, held))
    }

    fn machine(&self, context: &CallContext<'_>) -> Result<Machine, DriverError> {
        if let Some(machine) = &*self.machine.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(machine.clone());
        }
        // Read without the lock: it may take a while. Two readers find the same.
        let machine = Machine::read(&self.settings, context, &self.homes.root()?)?;
        *self.machine.lock().unwrap_or_else(PoisonError::into_inner) = Some(machine.clone());
        Ok(machine)
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.stop_timeout_s))
    }

    /// What is asked for, checked as far as it can be without starting it.
    fn spec(&self, instance: &Instance, image: &Image) -> Result<Spec, DriverError> {
        let file = image.file.clone().ok_or_else(|| {
            DriverError::invalid(format!("image `{}` has no file to run", image.name))
                .hint("make one with `--file /path/of/program`")
        })?;
        image::program(&file, &self.settings.image_dirs)?;
        let arguments = image.properties.get("args").map_or("", String::as_str);
        Ok(Spec {
            id: instance.id.clone(),
            name: short_name(&instance.name),
            vcpus: instance.vcpus,
            memory_mb: instance.memory_mb,
            root_gb: instance.root_gb,
            disk_gb: instance.root_gb.saturating_add(instance.ephemeral_gb),
            file,
            arguments: arguments::split(arguments)?,
        })
    }

    /// Refuses what is larger than the whole node. Overcommitment is the scheduler's business.
    fn check_fits(&self, context: &CallContext<'_>, spec: &Spec) -> Result<(), DriverError> {
        let machine = self.machine(context)?;
        for (what, asked, has) in [
            (
                "processors",
                u64::from(spec.vcpus),
                u64::from(machine.vcpus),
            ),
            ("MB of memory", spec.memory_mb, machine.memory_mb),
            ("GB of disk", spec.disk_gb, machine.local_gb),
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

    /// Notes the end of an instance that ended by itself. The caller holds it.
    fn settle(&self, home: &Home) {
        if let Some(status) = children::ended(&home.directory) {
            if let Err(error) = home.set_exit(&status.to_string()) {
                // Without the note it is off for a reason that nobody knows, which is a valid
                // state.
                self.context.log().warn(format_args!(
                    "the end of `{}` is not noted: {error}",
                    home.id
                ));
            }
        }
    }

    /// Starts an instance that is off. The caller holds it.
    fn start(&self, home: &Home, context: &CallContext<'_>) -> Result<(), DriverError> {
        let spec = self.kept_spec(home)?;
        let program = image::program(&spec.file, &self.settings.image_dirs)?;
        stop::kill(home, &[])?;
        launch::start(home, &spec, &program, &self.settings, context)
    }

    fn kept_spec(&self, home: &Home) -> Result<Spec, DriverError> {
        home.spec().ok_or_else(|| {
            let message = format!(
                "the file `spec` of instance `{}` cannot be understood",
                home.id
            );
            DriverError::internal(message).hint("delete the instance")
        })
    }

    /// Removes all of an instance whose processes have ended.
    fn discard(&self, home: &Home) -> Result<(), DriverError> {
        if let Some(group) = cgroup::of(&self.settings.cgroup, home) {
            cgroup::remove(&group)?;
        }
        home.discard()
    }

    /// Settles and shortens, unless a verb is at work on the instance. Trouble is for the log: what
    /// was asked can be answered all the same.
    fn look_after(&self, home: &Home) {
        if let Some(_held) = held::try_hold(&home.directory) {
            self.settle(home);
            let bytes_max = u64::from(self.settings.output_max_kb) * 1024;
            if let Err(error) = output::trim(home, bytes_max) {
                self.context
                    .log()
                    .warn(format_args!("the output of `{}` grows: {error}", home.id));
            }
        }
    }
}

impl Virt for Process {
    fn capabilities(&self) -> Result<Capabilities, DriverError> {
        let (power, console_output, survives_restart) = (true, true, true);
        Ok(Capabilities {
            power,
            pause: false,
            console_output,
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
        let (mut vcpus_asked, mut memory_asked, mut disk_asked) = (0u32, 0u64, 0u64);
        let homes = self.homes.all()?;
        for home in &homes {
            context.check()?;
            self.look_after(home);
            if let Some(spec) = home.spec() {
                vcpus_asked = vcpus_asked.saturating_add(spec.vcpus);
                memory_asked = memory_asked.saturating_add(spec.memory_mb);
                disk_asked = disk_asked.saturating_add(spec.disk_gb);
            }
        }
        Ok(Resources {
            vcpus,
            memory_mb,
            local_gb,
            // More may be asked for than there is (overcommitment), but no more can be in use.
            vcpus_used: vcpus_asked.min(vcpus),
            memory_mb_used: memory_asked.min(memory_mb),
            local_gb_used: disk_asked.min(local_gb),
            disk_available_least: None,
            hypervisor_type: String::from("process"),
            hypervisor_version: HYPERVISOR_VERSION,
            hypervisor_hostname: node.to_owned(),
            cpu_info: format!("{{\"arch\":\"{}\"}}", std::env::consts::ARCH),
            supported_instances: vec![SupportedInstance {
                architecture: std::env::consts::ARCH.to_owned(),
                hypervisor_type: String::from("process"),
                vm_mode: String::from("exe"),
            }],
            stats: [(String::from("num_instances"), homes.len().to_string())].into(),
        })
    }

    fn list_instances(&self, context: &CallContext<'_>) -> Result<Vec<String>, DriverError> {
        context.check()?;
        Ok(self.homes.all()?.into_iter().map(|home| home.id).collect())
    }

    fn instance_info(
        &self,
        context: &CallContext<'_>,
        id: &str,
    ) -> Result<InstanceInfo, DriverError> {
        context.check()?;
        let home = self.home(id)?;
        self.look_after(&home);
        let spec = home.spec();
        let running = home.running();
        let state = match (running, home.exit()) {
            (Some(_), _) => PowerState::Running,
            (None, _) if spec.is_none() => PowerState::NoState,
            (None, Some(how)) if how != STOPPED && how != ENDED_WELL => PowerState::Crashed,
            (None, _) => PowerState::Shutdown,
        };
        if !home.exists() {
            return Err(not_found(id));
        }
        let stat = running.and_then(|process| process.stat());
        Ok(InstanceInfo {
            state,
            memory_mb: spec.as_ref().map_or(0, |spec| spec.memory_mb),
            vcpus: spec.as_ref().map_or(0, |spec| spec.vcpus),
            cpu_time_ns: stat.map_or(0, |stat| stat.cpu_time_ns),
            internal_id: running.map_or_else(String::new, |process| process.pid.to_string()),
        })
    }

    fn spawn(
        &self,
        context: &CallContext<'_>,
        instance: &Instance,
        image: &Image,
    ) -> Result<(), DriverError> {
        let home = self.homes.of(&instance.id)?.ok_or_else(|| {
            let size = instance.id.len();
            DriverError::invalid(format!(
                "an instance's id must have 1 to {ID_BYTES_MAX} bytes, this one has {size}"
            ))
        })?;
        let _held = held::hold(&home.directory, context)?;
        if home.exists() {
            let message = format!("instance `{}` is there already", home.id);
            return Err(DriverError::already_exists(message));
        }
        let spec = self.spec(instance, image)?;
        self.check_fits(context, &spec)?;
        home.create(&spec)?;
        self.start(&home, context).map_err(|error| {
            if let Err(left) = self.discard(&home) {
                let log = self.context.log();
                log.warn(format_args!(
                    "after the failed spawn of `{}`: {left}",
                    home.id
                ));
            }
            error
        })
    }

    fn destroy(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        let home = match self.homes.of(id)? {
            Some(home) => home,
            None => return Ok(()),
        };
        let _held = held::hold(&home.directory, context)?;
        stop::stop(&home, self.grace(), context)?;
        self.discard(&home)
    }

    fn power_on(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        let (home, _held) = self.hold(id, context)?;
        self.settle(&home);
        match home.running() {
            Some(_) => Ok(()),
            None => self.start(&home, context),
        }
    }

    fn power_off(&self, context: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        let (home, _held) = self.hold(id, context)?;
        stop::stop(&home, self.grace(), context)?;
        home.set_exit(STOPPED)
    }

    fn reboot(
        &self,
        context: &CallContext<'_>,
        id: &str,
        how: RebootType,
    ) -> Result<(), DriverError> {
        let (home, _held) = self.hold(id, context)?;
        // What could not be started again is not stopped.
        image::program(&self.kept_spec(&home)?.file, &self.settings.image_dirs)?;
        let grace = match how {
            RebootType::Hard => Duration::from_secs(0),
            _ => self.grace(),
        };
        stop::stop(&home, grace, context)?;
        home.set_exit(STOPPED)?;
        self.start(&home, context)
    }

    fn console_output(
        &self,
        context: &CallContext<'_>,
        id: &str,
        bytes: u64,
    ) -> Result<String, DriverError> {
        context.check()?;
        let home = self.home(id)?;
        self.look_after(&home);
        output::tail(&home, bytes)
    }
}

fn short_name(name: &str) -> String {
    let mut short = String::new();
    for c in name.chars().filter(|&c| c != '\0') {
        if short.len() + c.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        short.push(c);
    }
    short
}
