//! What was typed after `scheduler simulate`, as plain data.
//!
//! What it means is decided by the other files of this folder. Part of `cli::args`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `scheduler simulate --help` ends with.
const SIMULATE_HELP: &str = "\
Nothing is started and no host is asked; the plugins run in this process.

Files are TOML, JSON or CSV, told apart by their suffix. `docs/simulate.md` has
their fields, and says how the figures are defined.

The one trace format, `azure-vmtable`, is `vmtable.csv` of AzurePublicDataset.

Examples:
  longshore scheduler simulate --hosts 100 --instances 5000
  longshore scheduler simulate --fleet fleet.toml --requests week.csv \\
      --driver filter_scheduler --driver chance_scheduler --svg chart.svg

Exit code: 0 the requests were played, whether or not all found a host;
3 a file or the configuration; 4 a plugin.";

/// Which choices exclude each other reads better than what `clap` makes of it.
const SIMULATE_USAGE: &str = "\
longshore scheduler simulate (--fleet FILE | --hosts N)
           (--requests FILE | --instances N | --trace FORMAT FILE) [OPTIONS]";

/// `scheduler`
#[derive(Debug, Subcommand)]
pub enum Scheduler {
    /// Play requests over a fleet on paper, and show where instances go
    #[command(after_help = SIMULATE_HELP, override_usage = SIMULATE_USAGE)]
    Simulate(Box<Simulate>),
}

/// `scheduler simulate`
#[derive(Debug, Clone, Args)]
pub struct Simulate {
    /// The hosts.
    #[command(flatten)]
    pub hosts: Hosts,
    /// The requests.
    #[command(flatten)]
    pub requests: Requests,
    /// A scheduler driver instead of `scheduler.driver`; repeat it to compare
    #[arg(long = "driver", value_name = "NAME")]
    pub drivers: Vec<String>,
    /// Filters instead of `scheduler.enabled_filters`, in order; an empty text for none
    #[arg(long, value_name = "A,B")]
    pub filters: Option<String>,
    /// Weighers instead of `scheduler.weighers`, with multipliers
    #[arg(long, value_name = "A=1.0,B")]
    pub weighers: Option<String>,
    /// Decides everything that is left to chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Play the first requests only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Write how full each host is as a chart
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write where each instance went as CSV
    #[arg(long, value_name = "FILE")]
    pub placements: Option<PathBuf>,
}

/// Where the hosts come from.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Hosts {
    /// Read the hosts from a file
    #[arg(long, value_name = "FILE")]
    pub fleet: Option<PathBuf>,
    /// Make up this many empty hosts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub hosts: Option<u32>,
}

/// Where the requests come from.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Requests {
    /// Read the requests from a file
    #[arg(long, value_name = "FILE")]
    pub requests: Option<PathBuf>,
    /// Make up this many requests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub instances: Option<u32>,
    /// Read the requests from a public trace
    #[arg(long, value_names = ["FORMAT", "FILE"], num_args = 2)]
    pub trace: Option<Vec<String>>,
}
