//! The one table of configuration keys: section, key, type, default, help.
//!
//! It feeds the reader of files, the environment, `config show` and the documents. A key that is
//! not here does not exist. Must not know files or what a key's value does.

/// What values a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A path, relative to the directory of whatever names it.
    Path,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A finite number from the first to the second.
    Float(f64, f64),
    /// `true` or `false`.
    Boolean,
    /// A list of names.
    Names,
    /// A table from name to multiplier.
    Weights,
}

/// What a key is when nobody sets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fallback {
    /// Found out when the program starts: the machine's name, the file beside the program.
    Computed,
    /// A text, word or path.
    Text(&'static str),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A list of names.
    Names(&'static [&'static str]),
    /// Names with multipliers.
    Weights(&'static [(&'static str, f64)]),
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The table it stands in.
    pub section: &'static str,
    /// Its name; a unit comes last.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it is when nobody sets it.
    pub fallback: Fallback,
    /// One line about it.
    pub help: &'static str,
    /// The namespace that the names in it are looked up in, if they are drivers.
    pub namespace: Option<&'static str>,
}

impl Key {
    /// `section.name`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The unit that its name ends in, in words.
    pub fn unit(&self) -> Option<&'static str> {
        let (_, unit) = self.name.rsplit_once('_')?;
        match unit {
            "mb" => Some("MiB"),
            "gb" => Some("GiB"),
            "s" => Some("seconds"),
            _ => None,
        }
    }

    /// The variable that sets it.
    pub fn variable(&self) -> String {
        let path = format!("{}__{}", self.section, self.name).to_uppercase();
        format!("{VARIABLE_PREFIX}{path}")
    }
}

/// What the variables that set keys begin with.
pub const VARIABLE_PREFIX: &str = "LONGSHORE__";

const SCHEDULER: Option<&str> = Some("longshore.scheduler.driver");
const HOST_MANAGER: Option<&str> = Some("longshore.scheduler.host_manager");
const FILTER: Option<&str> = Some("longshore.scheduler.filter");
const WEIGHER: Option<&str> = Some("longshore.scheduler.weigher");
const VIRT: Option<&str> = Some("longshore.virt.driver");

const FILTERS: &[&str] = &[
    "retry",
    "availability_zone",
    "compute",
    "compute_capabilities",
    "image_properties",
    "ram",
    "disk",
    "core",
    "server_group_anti_affinity",
    "server_group_affinity",
];
const WEIGHERS: &[(&str, f64)] = &[("ram", 1.0), ("cpu", 1.0), ("disk", 1.0), ("io_ops", -1.0)];

/// A day: no interval or deadline is longer.
const DAY_S: i64 = 86_400;
/// Half of what the conductor waits for the scheduler: a request may wait as long for the one before it.
const SELECT_S_MAX: i64 = 30;
/// What the scheduler lets wait or run in all.
const WORKERS_MAX: i64 = longshore_control::scheduler::REQUESTS_MAX as i64;
const RATIO_MAX: f64 = 1_000_000.0;
const MB_MAX: i64 = 1 << 40;
const QUOTA_MAX: i64 = 1_000_000_000;

macro_rules! keys {
    ($([$section:ident] $(
        $name:ident: $kind:expr, $fallback:expr, $namespace:expr, $help:literal;
    )*)*) => {
        /// Every key, section by section, in the order in which they are shown.
        pub const KEYS: &[Key] = &[$($(Key {
            section: stringify!($section),
            name: stringify!($name),
            kind: $kind,
            fallback: $fallback,
            help: $help,
            namespace: $namespace,
        },)*)*];
        /// Every section, in the order in which they are shown.
        pub const SECTIONS: &[&str] = &[$(stringify!($section)),*];
    };
}

use Fallback as F;
use Kind as K;

keys! {
    [host]
    name: K::Text, F::Computed, None,
        "name of this host, unique among all; the machine's name";
    state_dir: K::Path, F::Text("state"), None,
        "directory for everything this host keeps";
    plugins: K::Path, F::Computed, None,
        "the map of entry points";
    [log]
    filter: K::Text, F::Text("info"), None,
        "level, or levels by module: `info,longshore=debug`";
    format: K::Word(&["text",
        "json"]), F::Text("text"), None, "one line of text or of JSON per event";
    [database]
    url: K::Text, F::Computed, None,
        "`sqlite://PATH`; `longshore.db` in the state directory";
    [transport]
    url: K::Text, F::Text("memory://"), None,
        "`memory://`, or `rabbit://USER:PASSWORD@HOST:PORT/VHOST`";
    [api]
    listen: K::Text, F::Text("127.0.0.1:8774"), None,
        "`ADDRESS:PORT` or `unix:PATH`";
    auth: K::Word(&["none",
        "token"]), F::Text("none"), None, "`none` only on loopback or a unix socket";
    max_count: K::Integer(1, 100_000), F::Integer(1000), None,
        "most instances of one request";
    default_availability_zone: K::Text, F::Text("nova"), None,
        "zone of hosts that no aggregate puts into one; as the filter `availability_zone` has it";
    [scheduler]
    driver: K::Text, F::Text("filter_scheduler"), SCHEDULER,
        "the scheduler";
    host_manager: K::Text, F::Text("host_manager"), HOST_MANAGER,
        "the source of the scheduler's view of hosts";
    enabled_filters: K::Names, F::Names(FILTERS), FILTER,
        "filters that a host must pass, in order";
    weighers: K::Weights, F::Weights(WEIGHERS), WEIGHER,
        "weighers and their multipliers";
    host_subset_size: K::Integer(1, 1_000_000), F::Integer(1), None,
        "choose at random among this many best hosts";
    max_attempts: K::Integer(1, 1000), F::Integer(3), None,
        "hosts that are tried for one instance";
    shuffle_best_same_weighed_hosts: K::Boolean, F::Boolean(false), None,
        "choose at random among equally good hosts";
    on_filter_fault: K::Word(&["fail",
        "skip"]), F::Text("fail"), None, "what a failing filter means for the request";
    on_weigher_fault: K::Word(&["skip",
        "fail"]), F::Text("skip"), None, "what a failing weigher means for the request";
    driver_deadline_s: K::Integer(1, SELECT_S_MAX), F::Integer(30), None,
        "how long its drivers may take for one request";
    workers: K::Integer(1, WORKERS_MAX), F::Computed, None,
        "requests that run at the same time; the machine's processors unless set";
    seed: K::Integer(0, i64::MAX), F::Computed, None,
        "where chance starts, so that a run can be repeated: one request at a time";
    track_instance_changes: K::Boolean, F::Boolean(true), None,
        "hosts report which instances they have";
    [compute]
    virt: K::Text, F::Text("fake"), VIRT,
        "the virtualisation driver";
    cpu_allocation_ratio: K::Float(0.01, RATIO_MAX), F::Float(16.0), None,
        "virtual CPUs per CPU";
    ram_allocation_ratio: K::Float(0.01, RATIO_MAX), F::Float(1.5), None,
        "promised memory per memory";
    disk_allocation_ratio: K::Float(0.01, RATIO_MAX), F::Float(1.0), None,
        "promised disk per disk";
    reserved_host_memory_mb: K::Integer(0, MB_MAX), F::Integer(512), None,
        "memory that instances never get";
    reserved_host_disk_mb: K::Integer(0, MB_MAX), F::Integer(0), None,
        "disk that instances never get";
    reserved_host_cpus: K::Integer(0, 1_000_000), F::Integer(0), None,
        "CPUs that instances never get";
    max_concurrent_builds: K::Integer(1, 10_000), F::Integer(10), None,
        "instances that are built at a time";
    driver_deadline_s: K::Integer(1, DAY_S), F::Integer(600), None,
        "how long one call of the driver may take";
    update_resources_interval_s: K::Integer(1, DAY_S), F::Integer(60), None,
        "how often resources are counted";
    report_interval_s: K::Integer(1, DAY_S), F::Integer(10), None,
        "how often a service says that it lives";
    service_down_time_s: K::Integer(1, DAY_S), F::Integer(60), None,
        "a service silent for longer is down";
    scheduler_instance_sync_interval_s: K::Integer(1, DAY_S), F::Integer(120), None,
        "how often a host reports all of its instances";
    my_ip: K::Text, F::Text("127.0.0.1"), None,
        "address of this host, as filters see it";
    [quota]
    server_groups: K::Integer(-1, QUOTA_MAX), F::Integer(10), None,
        "most server groups of a project; -1 is no limit";
    server_group_members: K::Integer(-1, QUOTA_MAX), F::Integer(10), None,
        "most servers of a server group; -1 is no limit";
    [conductor]
    use_local: K::Boolean, F::Boolean(false), None,
        "compute writes by itself; needs the database in its process";
    [plugins]
    policy: K::Word(&["permissive",
        "strict"]), F::Text("permissive"), None, "refuse a bad plugin and go on, or do not start";
    load: K::Word(&["sealed", "copy",
        "direct"]), F::Text("sealed"), None, "what is opened in place of a plugin's file";
    stage_dir: K::Path, F::Computed, None,
        "where private copies of plugins are kept";
    vet: K::Word(&["new", "always",
        "never"]), F::Text("new"), None, "which plugins are tried in a process of their own first";
    panic_limit: K::Integer(1, 1_000_000), F::Integer(3), None,
        "panics after which a driver is not called for a while";
    record: K::Word(&["needed", "virt",
        "all",
        "none"]), F::Text("needed"), None, "whose calls are noted, to name the guilty after a crash";
    output: K::Word(&["logged",
        "direct"]), F::Text("logged"), None, "what becomes of what drivers print";
    watch_interval_s: K::Integer(1, DAY_S), F::Integer(60), None,
        "how often the state of the process is looked at";
    [trust]
    owners: K::Names, F::Names(&[]), None,
        "users beside root and the service's own that may own plugin files";
    keys: K::Names, F::Names(&[]), None,
        "minisign public keys whose signatures count";
    signatures: K::Word(&["off",
        "optional", "required"]), F::Text("off"), None, "whether plugin files must be signed";
}

/// Keys as Nova or an older release spelled them: section, old name, new name. Their value is
/// used, with a warning, until the next major release.
pub const RENAMED: &[(&str, &str, &str)] = &[
    ("host", "host", "name"),
    ("host", "state_path", "state_dir"),
    ("database", "connection", "url"),
    ("transport", "transport_url", "url"),
    ("scheduler", "scheduler_driver", "driver"),
    ("scheduler", "scheduler_host_manager", "host_manager"),
    ("scheduler", "scheduler_default_filters", "enabled_filters"),
    ("scheduler", "scheduler_max_attempts", "max_attempts"),
    (
        "scheduler",
        "scheduler_host_subset_size",
        "host_subset_size",
    ),
    ("compute", "compute_driver", "virt"),
];

/// The place of a key in `KEYS`.
pub fn position(section: &str, name: &str) -> Option<usize> {
    KEYS.iter()
        .position(|k| k.section == section && k.name == name)
}

/// The names of the keys of a section.
pub fn names_in(section: &str) -> Vec<&'static str> {
    KEYS.iter()
        .filter(|k| k.section == section)
        .map(|k| k.name)
        .collect()
}
