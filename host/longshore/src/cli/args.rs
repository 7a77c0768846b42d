//! What was typed: the command line as plain data. It touches nothing outside itself.
//!
//! `clap` makes the parser, the help and the completions from it. What an argument means is the
//! business of the command's own file.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::aggregate::args::changes;
pub use super::aggregate::args::{Aggregate, AvailabilityZone};
pub use super::simulate::args::Scheduler;

/// Most instances that one `server create` may ask for; the API may allow fewer.
pub const COUNT_MAX: i64 = 100_000;

/// What `doctor --help` ends with.
const DOCTOR_HELP: &str = "\
Nothing is written and no code of a plugin runs. `-v` shows what was found, `-q` only what needs
somebody.

Exit code: 0 a start can work, 3 configuration or map, 4 a plugin, 5 state directory, database or
address, 1 the machine.";

const LOCK_HELP: &str = "\
The lock lies beside the map. Where it is, an entry is loaded only from the file content, and as the \
driver, that is locked for it; an entry that is not in it is refused (`plugin/untrusted`). Look at \
what changed before you commit it. Without the file nothing is locked.";

/// What `plugin scan --help` ends with.
const SCAN_HELP: &str = "\
The output is a map: longshore plugin scan /opt/acme > plugins.d/50-acme.toml
Links are followed, hidden files are left out. At most 16 levels and 1000 libraries.";

/// What `plugin quarantine --help` ends with.
const QUARANTINE_HELP: &str = "\
A driver is locked out when the host died twice within ten minutes while in a call of it. Another
build of it is not. What is released is loaded at the next start of the host.";

/// A plugin host with dynamically loaded drivers and a compute control plane.
#[derive(Debug, Parser)]
#[command(name = "longshore", disable_version_flag = true, max_term_width = 100)]
pub struct Cli {
    /// Flags of all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of all commands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of all commands")]
pub struct Global {
    /// Read this configuration instead of `longshore.toml`
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Read this map of entry points instead of `plugins.toml`
    #[arg(long, value_name = "FILE", global = true)]
    pub plugins: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour: `auto`, `always` or `never`
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        global = true
    )]
    pub color: ColorChoice,
    /// Say less
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more; twice for even more
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all services in one process
    Up(Up),
    /// Check everything that a start needs, without starting
    #[command(after_help = DOCTOR_HELP)]
    Doctor,
    /// Create and control servers
    #[command(subcommand)]
    Server(Server),
    /// Servers that are to be placed together or apart
    #[command(subcommand)]
    ServerGroup(ServerGroup),
    /// Sizes of servers
    #[command(subcommand)]
    Flavor(Flavor),
    /// What servers start from
    #[command(subcommand)]
    Image(Image),
    /// Machines that run servers
    #[command(subcommand)]
    Host(Host),
    /// Groups of hosts, with a zone and properties
    #[command(subcommand)]
    Aggregate(Aggregate),
    /// Groups of hosts that servers can ask for
    #[command(subcommand)]
    AvailabilityZone(AvailabilityZone),
    /// The parts of the control plane
    #[command(subcommand)]
    Service(Service),
    /// What a scheduler would do
    #[command(subcommand)]
    Scheduler(Scheduler),
    /// Drivers and the files that hold them
    #[command(subcommand)]
    Plugin(Plugin),
    /// The configuration
    #[command(subcommand)]
    Config(Config),
    /// Explain an error code
    Explain(Explain),
    /// Print a completion script
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the version
    Version,
}

/// `up`
#[derive(Debug, Clone, Args)]
pub struct Up {
    /// How many compute services to run, named host-0001 and so on; without it one, named as this host
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub hosts: Option<u16>,
}

/// How long to wait.
#[derive(Debug, Clone, Args)]
pub struct Wait {
    /// Return when it is done
    #[arg(long)]
    pub wait: bool,
    /// Wait at most this long, in seconds
    #[arg(long, value_name = "S", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub timeout: u64,
}

/// `server`
#[derive(Debug, Subcommand)]
pub enum Server {
    /// Create servers
    Create(ServerCreate),
    /// List all servers
    List,
    /// Show a server
    Show {
        /// Id or name
        server: String,
    },
    /// Delete servers
    Delete {
        /// Ids or names
        #[arg(required = true, value_name = "SERVER")]
        servers: Vec<String>,
        /// Whether to wait until they are gone.
        #[command(flatten)]
        wait: Wait,
    },
    /// Start a stopped server
    Start(ServerAction),
    /// Stop a server
    Stop(ServerAction),
    /// Reboot a server
    Reboot {
        /// Which server, and whether to wait.
        #[command(flatten)]
        action: ServerAction,
        /// Cut its power instead of asking it
        #[arg(long)]
        hard: bool,
    },
}

/// `server create`
#[derive(Debug, Clone, Args)]
pub struct ServerCreate {
    /// Name; with `--count`, `-1`, `-2` … are appended
    pub name: String,
    /// Flavor, by name or id
    #[arg(long)]
    pub flavor: String,
    /// Image, by name or id; `none` if not given
    #[arg(long)]
    pub image: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(i64).range(1..=COUNT_MAX))]
    pub count: i64,
    /// Availability zone; or a host in it, as `ZONE:HOST`
    #[arg(long, value_name = "ZONE")]
    pub az: Option<String>,
    /// Hint for the scheduler, such as `group=NAME`; may be repeated
    #[arg(long = "hint", value_name = "K=V")]
    pub hints: Vec<String>,
    /// Whether to wait for ACTIVE or ERROR.
    #[command(flatten)]
    pub wait: Wait,
}

/// `server start`, `stop`, `reboot`
#[derive(Debug, Clone, Args)]
pub struct ServerAction {
    /// Id or name
    pub server: String,
    /// Whether to wait until it is done.
    #[command(flatten)]
    pub wait: Wait,
}

/// `server-group`
#[derive(Debug, Subcommand)]
pub enum ServerGroup {
    /// List all server groups
    List,
    /// Show a server group
    Show {
        /// Id or name
        group: String,
    },
    /// Create a server group; servers join it with `server create --hint group=NAME`
    Create(ServerGroupCreate),
    /// Delete server groups; their servers stay
    Delete {
        /// Ids or names
        #[arg(required = true, value_name = "GROUP")]
        groups: Vec<String>,
    },
}

/// `server-group create`
#[derive(Debug, Clone, Args)]
pub struct ServerGroupCreate {
    /// Name
    pub name: String,
    /// How its servers are placed
    #[arg(long, value_enum)]
    pub policy: Policy,
}

/// How servers of a group are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// All on one host
    Affinity,
    /// Each on a host of its own
    AntiAffinity,
    /// On one host, as far as it has room
    SoftAffinity,
    /// On as many hosts as there are
    SoftAntiAffinity,
}

impl Policy {
    /// The word that the API has for it.
    pub fn word(self) -> &'static str {
        use longshore_objects::instance_group as words;
        match self {
            Self::Affinity => words::AFFINITY,
            Self::AntiAffinity => words::ANTI_AFFINITY,
            Self::SoftAffinity => words::SOFT_AFFINITY,
            Self::SoftAntiAffinity => words::SOFT_ANTI_AFFINITY,
        }
    }
}

/// `flavor`
#[derive(Debug, Subcommand)]
pub enum Flavor {
    /// List all flavors
    List,
    /// Show a flavor
    Show {
        /// Id or name
        flavor: String,
    },
    /// Create a flavor
    Create(FlavorCreate),
    /// Change what a flavor asks of hosts
    Set(FlavorSet),
}

/// `flavor create`
#[derive(Debug, Clone, Args)]
pub struct FlavorCreate {
    /// Name
    pub name: String,
    /// Memory in MiB
    #[arg(long, value_name = "MB")]
    pub ram: u32,
    /// Virtual CPUs
    #[arg(long, value_name = "N")]
    pub vcpus: u32,
    /// Disk in GiB
    #[arg(long, value_name = "GB")]
    pub disk: u32,
    /// Id; made up if not given
    #[arg(long)]
    pub id: Option<String>,
    /// An extra spec, which says what it asks of hosts; may be repeated
    #[arg(long = "property", value_name = "K=V")]
    pub properties: Vec<String>,
}

/// `flavor set`
#[derive(Debug, Clone, Args)]
#[command(group = changes(&["properties", "unset"]))]
pub struct FlavorSet {
    /// Id or name
    pub flavor: String,
    /// An extra spec to set; may be repeated
    #[arg(long = "property", value_name = "K=V")]
    pub properties: Vec<String>,
    /// An extra spec to remove; may be repeated
    #[arg(long, value_name = "K")]
    pub unset: Vec<String>,
}

/// `image`
#[derive(Debug, Subcommand)]
pub enum Image {
    /// List all images
    List,
    /// Show an image
    Show {
        /// Id or name
        image: String,
    },
    /// Register a file as an image
    Create(ImageCreate),
    /// Forget images; their files stay
    Delete {
        /// Ids or names
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<String>,
    },
}

/// `image create`
#[derive(Debug, Clone, Args)]
pub struct ImageCreate {
    /// Name
    pub name: String,
    /// The file, as the hosts see it
    #[arg(long)]
    pub file: PathBuf,
    /// A property; may be repeated
    #[arg(long = "property", value_name = "K=V")]
    pub properties: Vec<String>,
}

/// `host`
#[derive(Debug, Subcommand)]
pub enum Host {
    /// List all hosts
    List,
    /// Show a host
    Show {
        /// Its name
        host: String,
    },
}

/// `service`
#[derive(Debug, Subcommand)]
pub enum Service {
    /// List all services
    List,
}

/// `plugin`
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// List the entry points of the map
    List(PluginList),
    /// Show all about one entry point
    Show {
        /// Its namespace
        namespace: String,
        /// Its name
        name: String,
        /// Print lines for `plugins.toml` with every setting
        #[arg(long)]
        sample: bool,
    },
    /// Say what a file holds, without running any of its code
    Inspect {
        /// The `.so` file
        file: PathBuf,
    },
    /// What was locked out because the host died in it
    #[command(subcommand, after_help = QUARANTINE_HELP)]
    Quarantine(QuarantineCommand),
    /// Write `plugins.lock`: which content each entry of the map has now
    #[command(after_help = LOCK_HELP)]
    Lock {
        /// Write nothing; exit with 4 when the lock is not what the map gives
        #[arg(long)]
        check: bool,
    },
    /// Print lines for `plugins.toml` for every plugin below a directory
    #[command(after_help = SCAN_HELP)]
    Scan {
        /// The directory
        dir: PathBuf,
    },
}

/// `plugin quarantine`
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List the entry points that are locked out
    List,
    /// Show why an entry point is locked out
    Show {
        /// Its namespace
        namespace: String,
        /// Its name
        name: String,
    },
    /// Let an entry point be loaded again
    Release {
        /// Its namespace
        #[arg(required_unless_present = "all", requires = "name")]
        namespace: Option<String>,
        /// Its name
        name: Option<String>,
        /// Release all
        #[arg(long, conflicts_with = "namespace")]
        all: bool,
    },
}

/// `plugin list`
#[derive(Debug, Clone, Args)]
pub struct PluginList {
    /// Only this namespace
    #[arg(long)]
    pub namespace: Option<String>,
    /// Say why an entry point cannot be used
    #[arg(long)]
    pub why: bool,
    /// Print one bullet per entry with the first line of its description
    #[arg(long, conflicts_with_all = ["why", "detailed"])]
    pub simple: bool,
    /// Print each entry as a heading with its whole description
    #[arg(long, conflicts_with = "why")]
    pub detailed: bool,
    /// Draw a line of this character above each heading
    #[arg(
        long,
        value_name = "C",
        requires = "detailed",
        allow_hyphen_values = true
    )]
    pub overline: Option<char>,
    /// Draw the line below each heading with this character instead of `-`
    #[arg(
        long,
        value_name = "C",
        requires = "detailed",
        allow_hyphen_values = true
    )]
    pub underline: Option<char>,
}

/// `config`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Check both files without starting anything
    Check,
    /// Print the effective configuration
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
        /// Print the plugin map instead: all files and variables merged into one
        #[arg(long, conflicts_with = "origin")]
        map: bool,
    },
}

/// `explain`
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// The code, for example `plugin/not-elf`
    #[arg(required_unless_present = "list")]
    pub code: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with = "code")]
    pub list: bool,
}
