//! What was typed behind `aggregate` and `availability-zone`, as plain data.
//!
//! Apart from `cli::args` because it is long enough for itself. What it means is the commands' business.

use clap::{ArgGroup, Args, Subcommand};

/// What `aggregate set --help` ends with.
const SET_HELP: &str = "\
A zone can be changed and not taken away. A host is in one zone at most: where two aggregates name a
zone, none of their hosts may be in both.";

/// Of what a `set` can change, one thing at least.
pub fn changes(args: &'static [&'static str]) -> ArgGroup {
    ArgGroup::new("changes")
        .args(args)
        .required(true)
        .multiple(true)
}

/// `aggregate`
#[derive(Debug, Subcommand)]
pub enum Aggregate {
    /// List all aggregates
    List,
    /// Show an aggregate
    Show {
        /// Id or name
        aggregate: String,
    },
    /// Create an aggregate; hosts are added one by one
    Create(AggregateCreate),
    /// Give an aggregate another name, zone or properties
    #[command(after_help = SET_HELP)]
    Set(AggregateSet),
    /// Take hosts into an aggregate
    AddHost(AggregateHosts),
    /// Take hosts out of an aggregate
    RemoveHost(AggregateHosts),
    /// Delete aggregates that have no hosts
    Delete {
        /// Ids or names
        #[arg(required = true, value_name = "AGGREGATE")]
        aggregates: Vec<String>,
    },
}

/// `aggregate create`
#[derive(Debug, Clone, Args)]
pub struct AggregateCreate {
    /// Name
    pub name: String,
    /// Availability zone of its hosts
    #[arg(long)]
    pub zone: Option<String>,
    /// A property, for filters and weighers; may be repeated
    #[arg(long = "property", value_name = "K=V")]
    pub properties: Vec<String>,
}

/// `aggregate set`
#[derive(Debug, Clone, Args)]
#[command(group = changes(&["new_name", "zone", "properties", "unset"]))]
pub struct AggregateSet {
    /// Id or name
    pub aggregate: String,
    /// Another name
    #[arg(long = "name", value_name = "NAME")]
    pub new_name: Option<String>,
    /// Another availability zone of its hosts
    #[arg(long)]
    pub zone: Option<String>,
    /// A property to set; may be repeated
    #[arg(long = "property", value_name = "K=V")]
    pub properties: Vec<String>,
    /// A property to remove; may be repeated
    #[arg(long, value_name = "K")]
    pub unset: Vec<String>,
}

/// `aggregate add-host` and `remove-host`
#[derive(Debug, Clone, Args)]
pub struct AggregateHosts {
    /// Id or name
    pub aggregate: String,
    /// Names of hosts
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<String>,
}

/// `availability-zone`
#[derive(Debug, Subcommand)]
pub enum AvailabilityZone {
    /// List all availability zones
    List,
}
