//! `longshore scheduler simulate`: requests over a fleet on paper, through the drivers that the configuration names.
//!
//! The run itself is `longshore_control::scheduler::simulate`; here are its inputs (`fleet`, `requests`, `azure`, over
//! `input` and `rows`), the choice of drivers, and what is shown (`text`, `json`, `chart`, `placements`). Starts nothing
//! and writes only the files that are asked for. Called by `cli::run`.

pub mod args;
mod azure;
mod chart;
mod choice;
mod csv;
mod fleet;
mod input;
mod json;
mod json_rows;
mod placements;
mod requests;
mod rows;
mod text;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use longshore_control::scheduler::SchedulerDrivers;
use longshore_control::scheduler::simulate::{
    Differences, Fleet, Outcome, Request, SimulationOptions, simulate, synthetic_fleet,
    synthetic_requests,
};
use longshore_loader::diagnostic::{escape, nearest};
use longshore_loader::log;

use super::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::progress::Progress;
use crate::codes;
use crate::config::Config;
use crate::wiring::SimulatedDrivers;
use args::Simulate;
use input::Input;

/// Everything that is shown.
struct Simulated {
    fleet: Fleet,
    requests: Vec<Request>,
    seed: u64,
    runs: Vec<Run>,
    /// Of each further run, how it differs from the first one.
    differences: Vec<Differences>,
}

/// One driver's run.
struct Run {
    filters: Vec<String>,
    weighers: Vec<(String, f64)>,
    outcome: Outcome,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Simulate) -> Result<Exit, Failure> {
    let loaded = context.load();
    if loaded.has_errors() {
        return Err(Failure::configuration(loaded.diagnostics));
    }
    let map = loaded
        .load_map(&context.around)
        .map_err(Failure::configuration)?;
    let (config, _, _) = loaded.into_config().map_err(Failure::configuration)?;
    let configs = choice::configurations(&config, args)?;
    let fleet = fleet(context, args, &config)?;
    let requests = requests(context, args)?;
    let drivers = SimulatedDrivers::new(map, &config, context.verbose > 0);
    // Wrong names are found before anything takes long.
    let loaded: Result<Vec<_>, _> = configs.iter().map(|config| drivers.load(config)).collect();
    let ready = loaded?;
    let chart = output(context, args.svg.as_deref())?;
    let placements = output(context, args.placements.as_deref())?;
    let mut runs = Vec::new();
    for (config, drivers) in configs.into_iter().zip(ready) {
        let outcome = play(context, drivers, &config, (&fleet, &requests), args.seed)?;
        runs.push(Run {
            filters: config.scheduler.enabled_filters,
            weighers: config.scheduler.weighers,
            outcome,
        });
    }
    let differences = runs.iter().skip(1);
    let differences = differences.map(|run| Differences::between(&runs[0].outcome, &run.outcome));
    let simulated = Simulated {
        differences: differences.collect(),
        fleet,
        requests,
        seed: args.seed,
        runs,
    };
    write(chart, |to| to.write_all(chart::svg(&simulated).as_bytes()))?;
    write(placements, |to| placements::write(&simulated, to))?;
    let json = json::document(&simulated);
    context
        .screen
        .result(&json, |screen| text::page(screen, &simulated));
    Ok(Exit::Done)
}

fn fleet(context: &Context<'_>, args: &Simulate, config: &Config) -> Result<Fleet, Failure> {
    match (&args.hosts.fleet, args.hosts.hosts) {
        (Some(path), _) => {
            let input = Input::new(path, &context.around.working_dir);
            fleet::read(&input, &config.compute)
        }
        (None, hosts) => Ok(synthetic_fleet(hosts.unwrap_or(1), args.seed)),
    }
}

/// The requests in order of arrival.
fn requests(context: &Context<'_>, args: &Simulate) -> Result<Vec<Request>, Failure> {
    let limit = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let working_dir = &context.around.working_dir;
    let (mut requests, name) = match (&args.requests.requests, args.requests.trace.as_deref()) {
        (Some(path), _) => {
            let input = Input::new(path, working_dir);
            (requests::read(&input, limit)?, input.name)
        }
        (None, Some([format, path])) => {
            if format != azure::NAME {
                return Err(unknown_format(format));
            }
            let input = Input::new(Path::new(path), working_dir);
            (azure::read(&input, limit)?, input.name)
        }
        (None, _) => {
            let n = args.requests.instances.unwrap_or(1);
            let n = usize::try_from(n).unwrap_or(usize::MAX).min(limit);
            // What was typed has 32 bits.
            (synthetic_requests(n as u32, args.seed), String::new())
        }
    };
    if requests.is_empty() {
        return Err(requests::none(&name));
    }
    requests.sort_by_key(|request| request.arrive_s);
    Ok(requests)
}

fn unknown_format(format: &str) -> Failure {
    let what = format!("no trace format `{}`", escape(format));
    let near = nearest(format, [azure::NAME]);
    let help = near.map_or(format!("the one format is `{}`", azure::NAME), |near| {
        format!("did you mean `{near}`?")
    });
    Failure::new(Exit::Usage, codes::BAD_ARGUMENT, what).help(help)
}

fn play(
    context: &Context<'_>,
    drivers: SchedulerDrivers,
    config: &Config,
    (fleet, requests): (&Fleet, &[Request]),
    seed: u64,
) -> Result<Outcome, Failure> {
    let scheduler = &config.scheduler;
    let options = SimulationOptions {
        host_subset_size: scheduler.host_subset_size,
        shuffle_best_same_weighed_hosts: scheduler.shuffle_best_same_weighed_hosts,
        alternates: scheduler.max_attempts.saturating_sub(1),
        seed,
        deadline: Duration::from_secs(scheduler.driver_deadline_s),
        services: log::services(),
    };
    let shown = context.screen.shows_progress();
    let bar = Progress::bar(shown, scheduler.driver.clone(), requests.len() as u64);
    let mut tell = |done: usize| bar.at(done as u64);
    simulate(drivers, fleet, requests, &options, &mut tell)
        .map_err(|e| Failure::new(Exit::Plugin, e.code(), e.to_string()))
}

/// A file to write, opened before the runs: they may be long, and would be lost.
struct Output {
    name: String,
    file: File,
}

fn output(context: &Context<'_>, path: Option<&Path>) -> Result<Option<Output>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    let name = path.display().to_string();
    match File::create(context.around.working_dir.join(path)) {
        Ok(file) => Ok(Some(Output { name, file })),
        Err(e) => Err(unwritable(&name, &e)),
    }
}

fn write(
    output: Option<Output>,
    how: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let Some(Output { name, file }) = output else {
        return Ok(());
    };
    let mut to = BufWriter::new(file);
    let written = how(&mut to).and_then(|()| to.flush());
    written.map_err(|e| unwritable(&name, &e))
}

fn unwritable(name: &str, error: &std::io::Error) -> Failure {
    let what = format!("cannot write `{}`", escape(name));
    Failure::new(Exit::Failed, codes::OUTPUT_UNWRITABLE, what)
        .why(error.to_string())
        .help("name a file in a directory that exists, and that this user may write")
}
