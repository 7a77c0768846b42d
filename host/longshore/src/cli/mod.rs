//! The command line: from what was typed to an exit code.
//!
//! `run` is the whole program but for its surroundings, which are passed in: tests run it without
//! a process. One file per command; only `render` prints.

pub mod aggregate;
pub mod args;
pub mod client;
mod clock;
mod completions;
mod config;
mod doctor;
pub mod exit;
mod explain;
pub mod failure;
mod flavor;
mod host;
mod image;
mod layout;
mod map_print;
mod names;
pub(crate) mod plugin;
mod plugin_docs;
pub(crate) mod plugin_files;
mod plugin_inspect;
mod plugin_kinds;
mod plugin_list;
mod plugin_lock;
mod plugin_quarantine;
mod plugin_sample;
mod plugin_scan;
mod plugin_settings;
mod plugin_show;
pub(crate) mod plugin_state;
mod plugin_stats;
mod plugin_walk;
mod progress;
pub mod render;
mod server;
mod server_group;
mod service;
pub mod simulate;
pub mod up;
mod version;
mod wait;
mod zone;

use std::ffi::OsString;

use clap::Parser as _;

use crate::config::raw::Override;
use crate::config::resolved::Config;
use crate::config::{self as configuration, Loaded, Surroundings};
use args::{Cli, Command, Global, Scheduler};
use client::Client;
use exit::Exit;
use failure::Failure;
use render::{Screen, Streams};
use up::Starter;

/// Everything outside of the program that a run touches.
pub struct World<'a> {
    /// Where text goes.
    pub streams: Streams<'a>,
    /// Variables, directories and the machine's name.
    pub around: Surroundings,
    /// Starts the services for `up`.
    pub starter: Starter<'a>,
}

/// What every command gets.
pub(crate) struct Context<'a> {
    pub(crate) screen: Screen<'a>,
    pub(crate) around: Surroundings,
    pub(crate) starter: Starter<'a>,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
}

impl Context<'_> {
    /// Reads the configuration, with all that is wrong with it.
    pub(crate) fn load(&self) -> Loaded {
        configuration::load(&self.around)
    }

    /// The configuration, or why there is none. Warnings are left to `config check`.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let loaded = self.load().into_config();
        let (config, _, _) = loaded.map_err(Failure::configuration)?;
        Ok(config)
    }

    /// A client of the host that the variable or the configuration names.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let token = self.variable(client::TOKEN_VARIABLE).map(str::to_owned);
        let base = match self.variable(client::API_VARIABLE) {
            Some(url) => url.to_owned(),
            None => Client::url_of(&self.config()?.api.listen)?,
        };
        Client::new(&base, token)
    }

    /// A variable that is set and not empty.
    fn variable(&self, name: &str) -> Option<&str> {
        let mut variables = self.around.variables.iter();
        let (_, value) = variables.find(|(n, v)| n == name && !v.is_empty())?;
        Some(value)
    }
}

/// Runs one command line. The first argument is the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>, world: World<'_>) -> Exit {
    let World {
        streams,
        mut around,
        starter,
    } = world;
    let Cli { global, command } = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => return usage(&e, streams),
    };
    around.config.clone_from(&global.config);
    around.flags = overrides(&global);
    let screen = Screen::new(streams, global.json, global.color, global.quiet);
    let mut context = Context {
        screen,
        around,
        starter,
        verbose: global.verbose,
    };
    let exit = match dispatch(&mut context, command) {
        Ok(exit) => exit,
        Err(failure) => {
            context.screen.failure(&failure);
            failure.exit
        }
    };
    context.screen.finish(exit)
}

fn dispatch(context: &mut Context<'_>, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Up(args) => up::run(context, &args),
        Command::Doctor => doctor::run(context),
        Command::Server(command) => server::run(context, command),
        Command::ServerGroup(command) => server_group::run(context, command),
        Command::Flavor(command) => flavor::run(context, command),
        Command::Image(command) => image::run(context, command),
        Command::Host(command) => host::run(context, command),
        Command::Aggregate(command) => aggregate::run(context, command),
        Command::AvailabilityZone(command) => zone::run(context, command),
        Command::Service(command) => service::run(context, command),
        Command::Scheduler(Scheduler::Simulate(args)) => simulate::run(context, &args),
        Command::Plugin(command) => plugin::run(context, command),
        Command::Config(command) => config::run(context, command),
        Command::Explain(args) => explain::run(context, args),
        Command::Completions { shell } => completions::run(context, shell),
        Command::Version => version::run(context),
    }
}

/// Help that was asked for is a result; everything else is wrong usage.
fn usage(error: &clap::Error, streams: Streams<'_>) -> Exit {
    let text = error.render().to_string();
    if error.use_stderr() {
        render::plain(streams.err, &text);
        Exit::Usage
    } else {
        render::plain(streams.out, &text);
        Exit::Done
    }
}

/// The flags that stand for keys of the configuration.
fn overrides(global: &Global) -> Vec<Override> {
    let mut out = Vec::new();
    if let Some(file) = &global.plugins {
        out.push(Override {
            section: "host",
            name: "plugins",
            value: file.display().to_string(),
            flag: "--plugins",
        });
    }
    let (flag, level) = match (global.quiet, global.verbose) {
        (true, _) => ("-q", "warn"),
        (false, 0) => return out,
        (false, 1) => ("-v", "debug"),
        (false, _) => ("-vv", "trace"),
    };
    out.push(Override {
        section: "log",
        name: "filter",
        value: level.to_owned(),
        flag,
    });
    out
}
