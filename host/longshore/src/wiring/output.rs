//! The standard streams of a running host: its own go to private duplicates, and what drivers print becomes records of the
//! log.
//!
//! A driver's library, and any C library below it, writes to descriptors 1 and 2 whenever it likes, which would mix with
//! `ready …` and with log records. While services run they lead to threads that read them line by line: stdout through a
//! pipe, stderr through a file, which outlives the process (`last_words`).
//!
//! Must not know drivers: whoever printed a line is unknown. Called by `up`, first and last.

mod budget;
mod last_words;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_loader::diagnostic::escape;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stderr, dup2_stdout};

use budget::{Admitted, Budget};
use last_words::Tail;
pub(super) use last_words::last_words;

/// Longest line that becomes one record, in bytes; the rest of it is the next one.
const LINE_BYTES_MAX: u64 = 4 << 10;
/// How long the end waits for what is left to read: a process that a driver left may keep the pipe open for ever.
const LAST_LINES_WAIT: Duration = Duration::from_secs(1);
/// Descriptors below it are the standard streams.
const FIRST_PRIVATE: i32 = 3;

/// Where the host itself writes.
pub(super) struct Output {
    out: Arc<File>,
    err: Arc<File>,
    /// Readers that have not ended.
    readers: Vec<Receiver<()>>,
    /// What ends the one of stderr.
    ends: Option<Sender<()>>,
}

impl Output {
    /// The streams as they are: what drivers print goes there too.
    ///
    /// # Errors
    /// The system's, also when one of them is closed.
    pub(super) fn shared() -> io::Result<Output> {
        io::stdout().flush()?;
        Ok(Output {
            out: private(io::stdout())?,
            err: private(io::stderr())?,
            readers: Vec::new(),
            ends: None,
        })
    }

    /// From here on what is printed is logged, until [`Output::end`]. Logging must have begun, to `err`, and the state
    /// directory must be this process's.
    ///
    /// # Errors
    /// The system's; the streams are as they were.
    pub(super) fn log_what_is_printed(&mut self, state_dir: &Path) -> io::Result<()> {
        let (from_out, to_out) = io::pipe()?;
        let (to_err, from_err, ends) = Tail::begin(state_dir)?;
        self.ends = Some(ends);
        let budget = Arc::new(Mutex::new(Budget::new()));
        self.readers = vec![
            read("stdout", from_out, Arc::clone(&budget))?,
            read("stderr", from_err, budget)?,
        ];
        dup2_stdout(to_out)?;
        dup2_stderr(to_err)?;
        panics_to(Arc::clone(&self.err));
        Ok(())
    }

    /// The stream of results.
    pub(super) fn out(&self) -> &File {
        &self.out
    }

    /// The stream of the log.
    pub(super) fn err(&self) -> Arc<File> {
        Arc::clone(&self.err)
    }

    /// Gives the streams back, once what was printed so far is logged.
    pub(super) fn end(self) {
        if self.readers.is_empty() {
            return;
        }
        // What cannot be given back stays a pipe that nobody reads, in a process that ends.
        let _ = dup2_stdout(&*self.out);
        let _ = dup2_stderr(&*self.err);
        drop(self.ends);
        let deadline = Instant::now() + LAST_LINES_WAIT;
        for reader in self.readers {
            let left = deadline.saturating_duration_since(Instant::now());
            // Nothing is ever sent: a reader that ends hangs up.
            let _ = reader.recv_timeout(left);
        }
    }
}

/// A duplicate that is no standard stream, and that programs started by drivers do not get.
fn private(stream: impl AsFd) -> io::Result<Arc<File>> {
    let duplicate = fcntl_dupfd_cloexec(stream, FIRST_PRIVATE)?;
    Ok(Arc::new(File::from(duplicate)))
}

/// Logs each line of what is printed, in a thread that ends with it.
fn read(
    stream: &'static str,
    from: impl Read + Send + 'static,
    budget: Arc<Mutex<Budget>>,
) -> io::Result<Receiver<()>> {
    let (ended, reader) = sync_channel(0);
    let thread = std::thread::Builder::new().name("driver-output".to_owned());
    thread.spawn(move || log_lines(stream, from, &budget, &ended))?;
    Ok(reader)
}

fn log_lines(stream: &str, from: impl Read, budget: &Mutex<Budget>, _ended: &SyncSender<()>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        // An interruption is taken care of by the reader; there are no other errors worth going on after.
        match from
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => break,
            Ok(bytes) => {
                let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
                let admitted = budget.admit(bytes, Instant::now());
                drop(budget);
                log(stream, &line, &admitted);
            }
        }
    }
    let left_out = budget
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .left_out();
    say_left_out(left_out);
}

fn log(stream: &str, line: &[u8], admitted: &Admitted) {
    match admitted {
        Admitted::Yes { left_out } => {
            say_left_out(*left_out);
            let text = String::from_utf8_lossy(line);
            let text = escape(text.trim_end());
            match stream {
                "stderr" => tracing::warn!(target: "driver", stream, "driver output: {text}"),
                _ => tracing::info!(target: "driver", stream, "driver output: {text}"),
            }
        }
        Admitted::NoMore => tracing::warn!(
            target: "driver",
            stream,
            "driver output: more than {} KiB in a minute, the rest is only counted",
            Budget::BYTES_MAX >> 10
        ),
        Admitted::No => {}
    }
}

fn say_left_out(bytes: usize) {
    if bytes > 0 {
        tracing::warn!(target: "driver", bytes, "driver output: {bytes} bytes were not logged");
    }
}

/// A panic of the host's own code is no driver's output, and has to be seen also when nothing can be logged any more.
fn panics_to(err: Arc<File>) {
    std::panic::set_hook(Box::new(move |info| {
        let trace = std::backtrace::Backtrace::capture();
        // Nobody is left to tell when this fails.
        let _ = writeln!(&*err, "longshore: {info}\n{trace}");
    }));
}
