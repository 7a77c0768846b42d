//! What the configuration means: typed values with absolute paths, checked against each other.
//!
//! Everything that a service is told stands here. It must not know files or variables; `raw` has
//! read them. Called by `config::load`.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use longshore_loader::diagnostic::Diagnostic;
use longshore_loader::map::Placed;
use longshore_loader::signature::{self, Key};
use longshore_loader::stage::LoadMode;
use longshore_loader::vet;

use super::address::{self, Database, Listen, Transport, Unusable};
use super::keys::{self, KEYS};
use super::raw::{RawConfig, Setting};
use super::{check, diagnose, log_filter};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `[host]`
    pub host: HostConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[transport]`
    pub transport: TransportConfig,
    /// `[api]`
    pub api: ApiConfig,
    /// `[scheduler]`
    pub scheduler: SchedulerConfig,
    /// `[compute]`
    pub compute: ComputeConfig,
    /// `[quota]`
    pub quota: QuotaConfig,
    /// `[conductor]`
    pub conductor: ConductorConfig,
    /// `[plugins]`
    pub plugins: PluginsConfig,
    /// `[trust]`
    pub trust: TrustConfig,
}

/// `[host]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Name of this host.
    pub name: String,
    /// Directory for everything the host keeps.
    pub state_dir: PathBuf,
    /// The map of entry points; none was found when absent.
    pub plugins: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Level, or levels by module.
    pub filter: String,
    /// How an event is written.
    pub format: LogFormat,
}

/// How a log event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line of text.
    Text,
    /// A line of JSON.
    Json,
}

/// `[database]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// Which database.
    pub url: Database,
}

/// `[transport]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportConfig {
    /// How services reach each other.
    pub url: Transport,
}

/// `[api]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConfig {
    /// Where it listens.
    pub listen: Listen,
    /// Who may ask.
    pub auth: Auth,
    /// Most instances of one request.
    pub max_count: u32,
    /// Zone of hosts that no aggregate puts into one.
    pub default_availability_zone: String,
}

/// Who may ask the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Everybody who can connect.
    None,
    /// Who has a token.
    Token,
}

/// `[scheduler]`
#[derive(Debug, Clone, PartialEq)]
pub struct SchedulerConfig {
    /// The scheduler driver.
    pub driver: String,
    /// The host manager.
    pub host_manager: String,
    /// Filters in order.
    pub enabled_filters: Vec<String>,
    /// Weighers with their multipliers.
    pub weighers: Vec<(String, f64)>,
    /// Choose at random among this many best hosts.
    pub host_subset_size: u32,
    /// Hosts that are tried for one instance.
    pub max_attempts: u32,
    /// Choose at random among equally good hosts.
    pub shuffle_best_same_weighed_hosts: bool,
    /// What a failing filter means for the request.
    pub on_filter_fault: OnFault,
    /// What a failing weigher means for the request.
    pub on_weigher_fault: OnFault,
    /// How long its drivers may take for one request, in seconds.
    pub driver_deadline_s: u64,
    /// Requests that run at the same time; the machine's processors if nobody says.
    pub workers: Option<usize>,
    /// Where chance starts; anywhere if nobody says.
    pub seed: Option<u64>,
    /// Hosts report which instances they have.
    pub track_instance_changes: bool,
}

/// What a failing filter or weigher means for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFault {
    /// The request fails.
    Fail,
    /// The request goes on without it.
    Skip,
}

/// `[compute]`
#[derive(Debug, Clone, PartialEq)]
pub struct ComputeConfig {
    /// The virtualisation driver.
    pub virt: String,
    /// Virtual CPUs per CPU.
    pub cpu_allocation_ratio: f64,
    /// Promised memory per memory.
    pub ram_allocation_ratio: f64,
    /// Promised disk per disk.
    pub disk_allocation_ratio: f64,
    /// Memory that instances never get, in MiB.
    pub reserved_host_memory_mb: u64,
    /// Disk that instances never get, in MiB.
    pub reserved_host_disk_mb: u64,
    /// CPUs that instances never get.
    pub reserved_host_cpus: u32,
    /// Instances that are built at a time.
    pub max_concurrent_builds: u32,
    /// How long one call of the driver may take, in seconds.
    pub driver_deadline_s: u64,
    /// How often resources are counted, in seconds.
    pub update_resources_interval_s: u64,
    /// How often a service reports, in seconds.
    pub report_interval_s: u64,
    /// A service silent for longer is down, in seconds; always more than `report_interval_s`.
    pub service_down_time_s: u64,
    /// How often a host reports all of its instances, in seconds.
    pub scheduler_instance_sync_interval_s: u64,
    /// Address of the host, as filters see it.
    pub my_ip: IpAddr,
}

/// `[quota]`; a negative number is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Most server groups of a project.
    pub server_groups: i64,
    /// Most servers of a server group.
    pub server_group_members: i64,
}

/// `[conductor]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConductorConfig {
    /// Compute writes by itself.
    pub use_local: bool,
}

/// `[plugins]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginsConfig {
    /// What a refused plugin means for the start.
    pub policy: PluginPolicy,
    /// What is opened in place of a plugin's file.
    pub load: LoadMode,
    /// Where private copies of plugins are kept; below the state directory if it is not given.
    pub stage_dir: Option<PathBuf>,
    /// Which plugins are tried in a process of their own first.
    pub vet: vet::Policy,
    /// Panics after which a driver is not called for a while.
    pub panic_limit: u32,
    /// Whose calls are noted in the in-flight record.
    pub record: RecordedCalls,
    /// What becomes of what drivers print.
    pub output: DriverOutput,
    /// How often the state of the process is looked at, in seconds.
    pub watch_interval_s: u64,
}

/// What becomes of what drivers print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverOutput {
    /// Lines become records of the log.
    Logged,
    /// It goes where the host's own output goes.
    Direct,
}

/// Whose calls are noted in the in-flight record. Building a driver always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedCalls {
    /// Those of the drivers that services cannot do without: virt, scheduler, host manager.
    Needed,
    /// The virt driver's.
    Virt,
    /// Those of filters and weighers too.
    All,
    /// Nobody's.
    None,
}

/// What a refused plugin means for the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginPolicy {
    /// The host goes on without it.
    Permissive,
    /// The host does not start.
    Strict,
}

/// `[trust]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustConfig {
    /// Users beside root and the service's own that may own plugin files, by name or number.
    pub owners: Vec<String>,
    /// The public keys whose signatures count.
    pub keys: Vec<Key>,
    /// Whether plugin files must be signed.
    pub signatures: Signatures,
}

/// Whether plugin files must be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// Nobody looks at signatures.
    Off,
    /// A signature that is there must hold.
    Optional,
    /// There must be one that holds.
    Required,
}

/// Gives the values their types. What is wrong is reported; the result is then not to be used.
pub(super) fn resolve(raw: &RawConfig, found: &mut Vec<Diagnostic>) -> Config {
    let values = Values {
        raw,
        found: RefCell::new(Vec::new()),
        asked: RefCell::new(vec![false; KEYS.len()]),
    };
    let config = Config {
        host: HostConfig {
            name: values.text("host", "name"),
            state_dir: PathBuf::from(values.text("host", "state_dir")),
            plugins: values.path("host", "plugins"),
        },
        log: LogConfig {
            filter: values.address("log", "filter", log_filter::parse, String::new),
            format: match values.text("log", "format").as_str() {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
        },
        database: DatabaseConfig {
            url: values.address("database", "url", address::database, || {
                Database::Sqlite(PathBuf::new())
            }),
        },
        transport: TransportConfig {
            url: values.address("transport", "url", address::transport, || Transport::Memory),
        },
        api: values.api(),
        scheduler: values.scheduler(),
        compute: values.compute(),
        quota: values.quota(),
        conductor: ConductorConfig {
            use_local: values.boolean("conductor", "use_local"),
        },
        plugins: PluginsConfig {
            policy: match values.text("plugins", "policy").as_str() {
                "strict" => PluginPolicy::Strict,
                _ => PluginPolicy::Permissive,
            },
            load: match values.text("plugins", "load").as_str() {
                "copy" => LoadMode::Copy,
                "direct" => LoadMode::Direct,
                _ => LoadMode::Sealed,
            },
            stage_dir: values.path("plugins", "stage_dir"),
            vet: values.text("plugins", "vet").parse().unwrap_or_default(),
            panic_limit: values.count("plugins", "panic_limit"),
            record: match values.text("plugins", "record").as_str() {
                "all" => RecordedCalls::All,
                "none" => RecordedCalls::None,
                "virt" => RecordedCalls::Virt,
                _ => RecordedCalls::Needed,
            },
            output: match values.text("plugins", "output").as_str() {
                "direct" => DriverOutput::Direct,
                _ => DriverOutput::Logged,
            },
            watch_interval_s: values.integer("plugins", "watch_interval_s"),
        },
        trust: values.trust(),
    };
    debug_assert!(
        values.asked.borrow().iter().all(|asked| *asked),
        "each key of the table has a field"
    );
    found.append(&mut values.found.borrow_mut());
    check::check(raw, &config, found);
    config
}

/// Access to the values by type. The reader has checked types and ranges.
struct Values<'a> {
    raw: &'a RawConfig,
    found: RefCell<Vec<Diagnostic>>,
    asked: RefCell<Vec<bool>>,
}

impl Values<'_> {
    fn get(&self, section: &str, name: &str) -> &Setting {
        if let Some(at) = keys::position(section, name) {
            self.asked.borrow_mut()[at] = true;
        }
        &self.raw.get(section, name).setting
    }

    fn text(&self, section: &str, name: &str) -> String {
        match self.get(section, name) {
            Setting::Text(text) => text.clone(),
            _ => String::new(),
        }
    }

    fn path(&self, section: &str, name: &str) -> Option<PathBuf> {
        match self.get(section, name) {
            Setting::Text(text) => Some(PathBuf::from(text)),
            _ => None,
        }
    }

    fn integer(&self, section: &str, name: &str) -> u64 {
        self.optional(section, name).unwrap_or_default()
    }

    /// A whole number that may be absent.
    fn optional<T: TryFrom<i64>>(&self, section: &str, name: &str) -> Option<T> {
        match self.get(section, name) {
            Setting::Integer(number) => T::try_from(*number).ok(),
            _ => None,
        }
    }

    fn count(&self, section: &str, name: &str) -> u32 {
        u32::try_from(self.integer(section, name)).unwrap_or(u32::MAX)
    }

    fn float(&self, section: &str, name: &str) -> f64 {
        match self.get(section, name) {
            Setting::Float(number) => *number,
            _ => 0.0,
        }
    }

    fn names(&self, section: &str, name: &str) -> &[Placed<String>] {
        match self.get(section, name) {
            Setting::Names(names) => names,
            _ => &[],
        }
    }

    fn trust(&self) -> TrustConfig {
        let owners = self.names("trust", "owners");
        let mut keys = Vec::new();
        for (i, key) in self.names("trust", "keys").iter().enumerate() {
            let parsed = match i {
                signature::KEYS_MAX.. => Err("too many keys: the limit is 64"),
                _ => Key::parse(&key.value),
            };
            match parsed {
                Ok(key) => keys.push(key),
                Err(why) => {
                    let help = "write the second line of a `.pub` file of minisign";
                    let place = key.place.clone();
                    let d = diagnose::bad_value("trust.keys", &key.value, why, help, place);
                    self.found.borrow_mut().push(d);
                }
            }
        }
        TrustConfig {
            owners: owners.iter().map(|n| n.value.clone()).collect(),
            keys,
            signatures: match self.text("trust", "signatures").as_str() {
                "required" => Signatures::Required,
                "optional" => Signatures::Optional,
                _ => Signatures::Off,
            },
        }
    }

    fn boolean(&self, section: &str, name: &str) -> bool {
        matches!(self.get(section, name), Setting::Boolean(true))
    }

    fn address<T>(
        &self,
        section: &str,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Unusable>,
        otherwise: impl Fn() -> T,
    ) -> T {
        let text = self.text(section, name);
        parse(&text).unwrap_or_else(|e| {
            let place = self.raw.get(section, name).place.clone();
            let path = format!("{section}.{name}");
            let d = diagnose::bad_value(&path, &text, &e.why, &e.help, place);
            self.found.borrow_mut().push(d);
            otherwise()
        })
    }

    fn api(&self) -> ApiConfig {
        ApiConfig {
            listen: self.address("api", "listen", address::listen, || {
                Listen::Unix(PathBuf::new())
            }),
            auth: match self.text("api", "auth").as_str() {
                "token" => Auth::Token,
                _ => Auth::None,
            },
            max_count: self.count("api", "max_count"),
            default_availability_zone: self.text("api", "default_availability_zone"),
        }
    }

    fn scheduler(&self) -> SchedulerConfig {
        let on_fault = |name| match self.text("scheduler", name).as_str() {
            "skip" => OnFault::Skip,
            _ => OnFault::Fail,
        };
        let enabled_filters = self.names("scheduler", "enabled_filters");
        let enabled_filters = enabled_filters.iter().map(|n| n.value.clone()).collect();
        let weighers = match self.get("scheduler", "weighers") {
            Setting::Weights(weights) => weights
                .iter()
                .map(|w| (w.name.value.clone(), w.multiplier.value))
                .collect(),
            _ => Vec::new(),
        };
        SchedulerConfig {
            driver: self.text("scheduler", "driver"),
            host_manager: self.text("scheduler", "host_manager"),
            enabled_filters,
            weighers,
            host_subset_size: self.count("scheduler", "host_subset_size"),
            max_attempts: self.count("scheduler", "max_attempts"),
            shuffle_best_same_weighed_hosts: self
                .boolean("scheduler", "shuffle_best_same_weighed_hosts"),
            on_filter_fault: on_fault("on_filter_fault"),
            on_weigher_fault: on_fault("on_weigher_fault"),
            driver_deadline_s: self.integer("scheduler", "driver_deadline_s"),
            workers: self.optional("scheduler", "workers"),
            seed: self.optional("scheduler", "seed"),
            track_instance_changes: self.boolean("scheduler", "track_instance_changes"),
        }
    }

    fn compute(&self) -> ComputeConfig {
        let report_interval_s = self.integer("compute", "report_interval_s");
        let down_time_s = self.integer("compute", "service_down_time_s");
        ComputeConfig {
            virt: self.text("compute", "virt"),
            cpu_allocation_ratio: self.float("compute", "cpu_allocation_ratio"),
            ram_allocation_ratio: self.float("compute", "ram_allocation_ratio"),
            disk_allocation_ratio: self.float("compute", "disk_allocation_ratio"),
            reserved_host_memory_mb: self.integer("compute", "reserved_host_memory_mb"),
            reserved_host_disk_mb: self.integer("compute", "reserved_host_disk_mb"),
            reserved_host_cpus: self.count("compute", "reserved_host_cpus"),
            max_concurrent_builds: self.count("compute", "max_concurrent_builds"),
            driver_deadline_s: self.integer("compute", "driver_deadline_s"),
            update_resources_interval_s: self.integer("compute", "update_resources_interval_s"),
            report_interval_s,
            service_down_time_s: longer_than(report_interval_s, down_time_s),
            scheduler_instance_sync_interval_s: self
                .integer("compute", "scheduler_instance_sync_interval_s"),
            my_ip: self.address("compute", "my_ip", address::ip, || {
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            }),
        }
    }

    fn quota(&self) -> QuotaConfig {
        let limit = |name| match self.get("quota", name) {
            Setting::Integer(limit) => *limit,
            _ => 0,
        };
        QuotaConfig {
            server_groups: limit("server_groups"),
            server_group_members: limit("server_group_members"),
        }
    }
}

/// A service must miss a report before it is called down: else every service would be, always.
fn longer_than(report_interval_s: u64, down_time_s: u64) -> u64 {
    if down_time_s > report_interval_s {
        down_time_s
    } else {
        report_interval_s * 5 / 2
    }
}
