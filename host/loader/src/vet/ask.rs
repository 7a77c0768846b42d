//! The host's side of one vetting: starts the guardian, asks, waits for its report.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::dirs::WorkDir;
use super::protocol::{Report, Request};
use super::{ARGUMENT, EXECUTABLE, GUARDIAN, Options, READY, Subject, frame, strays};

/// What the guardian gets on top of the child's time, for ending what is left.
const GRACE: Duration = Duration::from_secs(5);
/// Seconds of processor time on top of the wall clock, so that one thread that spins runs into the latter.
const CPU_SECONDS_MORE: u64 = 2;

/// Has a plugin tried.
///
/// # Errors
/// If that could not be done, or nobody told how it went.
pub(super) fn ask(subject: &Subject, options: &Options) -> io::Result<Report> {
    can_start(options)?;
    let dir = WorkDir::new(&options.dir).map_err(|e| named(&options.dir, &e))?;
    let (mut stream, theirs) = UnixStream::pair()?;
    stream.set_read_timeout(Some(Duration::from_millis(options.timeout_ms) + GRACE))?;
    let mut guardian = start(dir.path(), options, theirs)?;
    let nonce = frame::nonce()?;
    let asked = frame::write(&mut stream, &nonce, &request(subject, options, dir.path()));
    let report = asked.and_then(|()| frame::read::<Report>(&mut stream, &nonce));
    if report.is_err() {
        // Not to be waited for: whatever it hangs at, its end is the child's end too.
        let _ = guardian.kill();
    }
    let status = guardian.wait();
    report.map_err(|error| {
        strays::end_marked(dir.path());
        // A driver that waits for every child of the process may have been told in our place.
        let how = status.map_or("cause unknown".to_owned(), |status| status.to_string());
        let text = format!("the process that watches it ended ({how}) without a report: {error}");
        io::Error::other(text)
    })
}

/// A program that does not call `run_if_child` would start as a whole, and so on without end.
fn can_start(options: &Options) -> io::Result<()> {
    if std::env::var_os(strays::MARK).is_some() {
        return Err(io::Error::other("this process is itself part of a vetting"));
    }
    if options.program.is_none() && !READY.load(Ordering::Relaxed) {
        return Err(io::Error::other(
            "the program does not call `vet::run_if_child` in `main`",
        ));
    }
    Ok(())
}

fn start(dir: &Path, options: &Options, channel: UnixStream) -> io::Result<Child> {
    let program = options.program.as_deref().unwrap_or(EXECUTABLE.as_ref());
    let mut command = Command::new(program);
    command
        .args([ARGUMENT, GUARDIAN])
        .current_dir("/")
        .env_clear();
    let known = options
        .env
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.envs(known).env(strays::MARK, dir);
    command
        .stdin(OwnedFd::from(channel))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().map_err(|e| named(program, &e))
}

fn request(subject: &Subject, options: &Options, dir: &Path) -> Request {
    Request {
        file: subject.file.clone(),
        shown: subject.shown.clone(),
        namespace: subject.namespace.clone(),
        export: subject.export.clone(),
        settings: subject.settings.clone(),
        dir: dir.to_owned(),
        timeout_ms: options.timeout_ms,
        cpu_seconds_max: options.timeout_ms.div_ceil(1_000) + CPU_SECONDS_MORE,
        memory_bytes_max: options.memory_bytes_max,
        file_bytes_max: options.file_bytes_max,
        output_bytes_max: options.output_bytes_max,
        guardian: 0,
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}
