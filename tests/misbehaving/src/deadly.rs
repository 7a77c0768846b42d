//! Drivers that end the process, each in its own way, and a virt driver that works until it meets a guest of a certain
//! name. No `unsafe`: what a wild pointer does is done by a signal.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use longshore_plugin_api::{
    settings, CallContext, Context, Driver, DriverError, Filter, Host, Image, Instance,
    InstanceInfo, NoSettings, PowerState, RequestSpec, Resources, Virt,
};

/// What `slow` takes: far more than anything else that is done for a request.
const SLOW: Duration = Duration::from_millis(20);

/// Ends the process: `abort`, `exit`, `stack`, `segfault` or `memory`. Or only the call: `panic`, `hang`. Takes its time for
/// `slow`, and returns at once for any other word.
pub(crate) fn end(how: &str) {
    match how {
        "panic" => panic!("I was told to"),
        "hang" => loop {
            std::thread::park();
        },
        "slow" => std::thread::sleep(SLOW),
        "memory" => take_all_memory(),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "stack" => drop(deep(1)),
        // The runtime takes the first one as a stray signal, so it comes until it counts.
        "segfault" => {
            let script = "while kill -SEGV $PPID; do :; done";
            let mut sh = Command::new("sh");
            // Whoever reads the host's output must see its end.
            let _ = sh.args(["-c", script]).stdout(Stdio::null()).status();
        }
        _ => {}
    }
}

/// Asks for more and more, and keeps it. What is not written to costs address space only.
fn take_all_memory() {
    let mut all = Vec::new();
    loop {
        all.push(Vec::<u8>::with_capacity(64 << 20));
    }
}

fn deep(n: u64) -> u64 {
    let frame = [n; 512];
    if frame.contains(&0) {
        return 0;
    }
    deep(n + 1) + frame[511]
}

settings! {
    /// Settings of the drivers that end the process.
    pub(crate) struct DeadlySettings {
        /// How: `abort`, `exit`, `stack`, `segfault` or `memory`; empty: not at all.
        dies: String = "";
        /// The same, or `hang`, when it is dropped.
        drops: String = "";
        /// The same, when it is built.
        builds: String = "";
    }
}

/// Ends the process when it is to make a guest with `deadly` in its name. Its other guests are files.
pub(crate) struct DeadlyVirt {
    dies: String,
    drops: String,
    guests: PathBuf,
    node: String,
}

impl Drop for DeadlyVirt {
    fn drop(&mut self) {
        end(&self.drops);
    }
}

impl Driver for DeadlyVirt {
    type Settings = DeadlySettings;
    fn new(settings: DeadlySettings, context: &Context) -> Result<Self, DriverError> {
        end(&settings.builds);
        Ok(DeadlyVirt {
            dies: settings.dies,
            drops: settings.drops,
            guests: context.state_dir().join("instances"),
            node: context.host().to_owned(),
        })
    }

    fn ready(&self) -> Result<(), DriverError> {
        std::fs::create_dir_all(&self.guests).map_err(broken)
    }
}

fn broken(error: std::io::Error) -> DriverError {
    DriverError::internal(error.to_string())
}

impl Virt for DeadlyVirt {
    fn available_nodes(&self) -> Result<Vec<String>, DriverError> {
        Ok(vec![self.node.clone()])
    }

    fn available_resources(
        &self,
        _: &CallContext<'_>,
        node: &str,
    ) -> Result<Resources, DriverError> {
        Ok(Resources {
            vcpus: 64,
            memory_mb: 262_144,
            local_gb: 2_000,
            hypervisor_type: "deadly".to_owned(),
            hypervisor_hostname: node.to_owned(),
            ..Resources::default()
        })
    }

    fn list_instances(&self, _: &CallContext<'_>) -> Result<Vec<String>, DriverError> {
        let files = std::fs::read_dir(&self.guests).map_err(broken)?;
        let names = files.filter_map(|f| f.ok()?.file_name().into_string().ok());
        Ok(names.collect())
    }

    fn instance_info(&self, _: &CallContext<'_>, id: &str) -> Result<InstanceInfo, DriverError> {
        if !self.guests.join(id).exists() {
            return Err(DriverError::not_found("there is no such guest"));
        }
        Ok(InstanceInfo {
            state: PowerState::Running,
            ..InstanceInfo::default()
        })
    }

    fn spawn(&self, _: &CallContext<'_>, guest: &Instance, _: &Image) -> Result<(), DriverError> {
        if guest.name.contains("deadly") {
            end(&self.dies);
        }
        std::fs::write(self.guests.join(&guest.id), &guest.name).map_err(broken)
    }

    fn destroy(&self, _: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        match std::fs::remove_file(self.guests.join(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(error)),
            _ => Ok(()),
        }
    }
}

/// A filter that ends the process at its first host.
pub(crate) struct DeadlyFilter;

impl Driver for DeadlyFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(DeadlyFilter)
    }
}

impl Filter for DeadlyFilter {
    fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        end("abort");
        Ok(true)
    }
}

/// A filter whose constructor ends the process.
pub(crate) struct DeadlyWhenBuilt;

impl Driver for DeadlyWhenBuilt {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        end("exit");
        Ok(DeadlyWhenBuilt)
    }
}

impl Filter for DeadlyWhenBuilt {
    fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        Ok(true)
    }
}
