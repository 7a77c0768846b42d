//! Starts the program of an instance, and says whether it runs. A few lines of shell (`start.sh`)
//! become the program: a session of its own, limits, its number written down by itself; no text of
//! a user is part of them. Knows nothing of what is listed or removed; `driver` calls it with the
//! instance held.

use crate::cgroup;
use crate::children;
use crate::errors::cannot;
use crate::home::Home;
use crate::output;
use crate::proc::{self, DIRECTORY_VARIABLE, ID_VARIABLE};
use crate::settings::ProcessSettings;
use crate::spec::Spec;
use crate::stop;
use longshore_plugin_api::{CallContext, DriverError};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const START: &str = include_str!("start.sh");

/// Where `setsid` of util-linux may be.
const SETSID: [&str; 2] = ["/usr/bin/setsid", "/bin/setsid"];

/// Where programs are looked up, unless `env` says otherwise.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How long the few lines of shell may take.
const EXEC_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long between two looks.
const STEP: Duration = Duration::from_millis(2);

/// How much of an instance's output an error shows, in bytes.
const ERROR_OUTPUT_BYTES: u64 = 512;

/// What the shell ends with when the lines before the program fail, and when it cannot execute the
/// program.
const BEFORE_EXEC_FAILED: i32 = 125;
const EXEC_FAILED: [i32; 2] = [126, 127];

/// Where the tools are that every start needs.
///
/// # Errors
/// `unavailable`: one is missing.
pub(crate) fn tools() -> Result<PathBuf, DriverError> {
    let missing = |what: &str, do_: &str| {
        Err(DriverError::unavailable(format!("this machine has no `{what}`")).hint(do_))
    };
    if !Path::new("/bin/sh").exists() {
        return missing("/bin/sh", "install a shell");
    }
    if !Path::new("/proc/self/stat").exists() {
        return missing("/proc/self/stat", "mount /proc");
    }
    match SETSID.iter().map(PathBuf::from).find(|path| path.exists()) {
        Some(setsid) => Ok(setsid),
        None => missing("setsid", "install util-linux"),
    }
}

/// Starts the instance's program and waits until it runs. On failure no process is left.
///
/// # Errors
/// `invalid` if the program cannot be executed; `internal` if it ended at once; `cancelled`,
/// `timeout`; what the machine says.
pub(crate) fn start(
    home: &Home,
    spec: &Spec,
    program: &Path,
    settings: &ProcessSettings,
    context: &CallContext<'_>,
) -> Result<(), DriverError> {
    context.check()?;
    let mut command = command(home, spec, program, settings)?;
    home.clear_run()?;
    let child = command
        .spawn()
        .map_err(|error| match error.raw_os_error() {
            Some(E2BIG) => {
                DriverError::invalid("the image's `args` are longer than the system takes")
            }
            _ => DriverError::unavailable(format!("cannot start a process: {error}")).retry(),
        })?;
    let process = children::keep(&home.directory, child);
    let grace = Duration::from_millis(u64::from(settings.start_grace_ms));
    wait_until_it_runs(home, process.pid, grace, context).map_err(|error| {
        // The first error is the one to tell; what could not be killed is found by `destroy`.
        let _ = stop::kill(home, &[]);
        error
    })
}

/// The system's word for too long an argument list.
const E2BIG: i32 = 7;

fn command(
    home: &Home,
    spec: &Spec,
    program: &Path,
    settings: &ProcessSettings,
) -> Result<Command, DriverError> {
    let group = cgroup::of(&settings.cgroup, home);
    if let Some(group) = &group {
        cgroup::create(group, spec)?;
    }
    let (memory_kb, procs) = match group {
        // The group limits the memory that is used; the address space may be larger.
        Some(group) => (0, group.join("cgroup.procs")),
        None => (spec.memory_mb.saturating_mul(1024), PathBuf::new()),
    };
    let blocks = spec.root_gb.saturating_mul(2 << 20);
    let output = output::open(home)?;
    let errors = output
        .try_clone()
        .map_err(|error| cannot("open", &home.output(), &error))?;
    let cwd = home.cwd();
    fs::create_dir_all(&cwd).map_err(|error| cannot("make", &cwd, &error))?;

    let mut command = Command::new(tools()?);
    command.args(["/bin/sh", "-c", START, "start"]);
    command
        .arg(home.pid_file())
        .args([limit(memory_kb), limit(blocks)])
        .arg(procs);
    command.arg(program).args(&spec.arguments);
    command.env_clear().env("PATH", PATH).env("HOME", &cwd);
    command.envs(settings.env.iter().filter_map(|pair| pair.split_once('=')));
    command
        .env(ID_VARIABLE, spec.id.replace('\0', ""))
        .env(DIRECTORY_VARIABLE, &home.directory);
    command.env("LONGSHORE_NAME", &spec.name);
    command
        .current_dir(&cwd)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    Ok(command)
}

/// A limit that the system's word for "none" cannot be mistaken for; such a one is none.
fn limit(value: u64) -> String {
    if value > u64::from(u32::MAX) * 1024 {
        return String::from("0");
    }
    value.to_string()
}

fn wait_until_it_runs(
    home: &Home,
    pid: u32,
    grace: Duration,
    context: &CallContext<'_>,
) -> Result<(), DriverError> {
    let start = Instant::now();
    let mut runs_since = None;
    loop {
        if let Some(status) = children::ended(&home.directory) {
            return Err(ended_at_once(home, status, runs_since.is_some()));
        }
        if children::of(&home.directory).is_none() {
            let id = &home.id;
            let message = format!("the program of `{id}` ended at once, cause unknown");
            return Err(DriverError::internal(message)
                .hint("something in this host takes the ends of all children: see its log"));
        }
        if runs_since.is_none() && proc::has_argument(pid, START) == Some(false) {
            runs_since = Some(Instant::now());
        }
        if runs_since.map_or(false, |since| since.elapsed() >= grace) {
            return Ok(());
        }
        if runs_since.is_none() && start.elapsed() > EXEC_WAIT_MAX {
            let message = format!("process {pid} of `{}` did not become its program", home.id);
            return Err(DriverError::unavailable(message).retry());
        }
        context.check()?;
        thread::sleep(STEP);
    }
}

fn ended_at_once(home: &Home, status: ExitStatus, ran: bool) -> DriverError {
    let id = &home.id;
    let printed = match output::tail(home, ERROR_OUTPUT_BYTES) {
        Ok(text) if !text.trim().is_empty() => format!("; it printed: {}", text.trim()),
        _ => String::new(),
    };
    match status.code() {
        Some(code) if !ran && EXEC_FAILED.contains(&code) => {
            DriverError::invalid(format!("the program of `{id}` cannot be executed{printed}"))
        }
        Some(BEFORE_EXEC_FAILED) if !ran => {
            DriverError::unavailable(format!("the limits of `{id}` cannot be set{printed}"))
        }
        _ => DriverError::internal(format!(
            "the program of `{id}` ended at once, {status}{printed}"
        ))
        .hint(
            "an instance runs until it is stopped; see the image's `args` and the flavor's memory",
        ),
    }
}
