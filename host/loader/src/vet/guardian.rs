//! The process between host and child: starts the child, gives it a time, and tells how it ended.
//!
//! It is the subreaper, so that whatever the child leaves becomes its child and not the host's, and it ends all of that
//! before it reports. When the host dies it does the same and removes the directory. One thread; runs nothing foreign.

use std::fs::File;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open, set_child_subreaper, setsid};

use super::dirs;
use super::frame::{self, Frames, Nonce};
use super::protocol::{End, Message, Report, Request, Step};
use super::strays;
use super::{ARGUMENT, CHILD, EXECUTABLE};
use crate::dynlib;
use crate::process::signals::SIGCHLD;

/// Names of processes that are told; the count says how many there were.
const NAMES_MAX: usize = 8;
/// Longest wait between two looks at a child on a kernel without process descriptors.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 16 << 10;
/// Most output that is taken from the pipe once the child is gone.
const LAST_OUTPUT_BYTES_MAX: usize = 1 << 20;

/// The whole life of the guardian.
pub(super) fn run() -> ExitCode {
    match guard() {
        Ok(()) => ExitCode::SUCCESS,
        // The host sees that it got no report.
        Err(_) => ExitCode::FAILURE,
    }
}

fn guard() -> io::Result<()> {
    // If the host ignores it, as a driver may have made it do, the system forgets how a child ended.
    dynlib::signals::set_default(SIGCHLD)?;
    set_child_subreaper(Some(getpid()))?;
    setsid()?;
    let mut host = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    // The host may have descriptors that are inherited; from here on nobody inherits them.
    dynlib::inherit_none();
    let (nonce, request) = frame::read_first::<Request>(&mut host)?;
    let report = match Watch::start(&request, nonce) {
        Ok(watch) => watch.follow(&host, &request),
        Err(error) => Some(Report {
            end: End::NotStarted(error.to_string()),
            step: Step::Starting,
            strays: Vec::new(),
            strays_count: 0,
            output: String::new(),
        }),
    };
    strays::end_all();
    let reported = report.map(|report| frame::write(&mut host, &nonce, &report));
    if !matches!(reported, Some(Ok(()))) {
        dirs::remove(&request.dir);
    }
    Ok(())
}

/// A child that runs.
struct Watch {
    child: Child,
    /// Becomes readable when the child has ended.
    ended: Option<OwnedFd>,
    /// None once the child closed it.
    channel: Option<UnixStream>,
    frames: Frames,
    /// None once everybody closed it.
    output: Option<PipeReader>,
    tail: Tail,
    step: Step,
    deadline: Instant,
}

/// What is to be looked at.
enum Event {
    Host,
    Channel,
    Output,
    Ended,
}

impl Watch {
    fn start(request: &Request, nonce: Nonce) -> io::Result<Watch> {
        let (mut channel, theirs) = UnixStream::pair()?;
        let (output, out) = io::pipe()?;
        let mut command = Command::new(EXECUTABLE);
        command
            .args([ARGUMENT, CHILD])
            .current_dir(dirs::work(&request.dir));
        command
            .stdin(OwnedFd::from(theirs))
            .stdout(out.try_clone()?)
            .stderr(Stdio::from(out));
        let child = command.spawn()?;
        // It holds the child's ends of all three.
        drop(command);
        let guardian = getpid().as_raw_pid();
        let request = Request {
            guardian,
            ..request.clone()
        };
        frame::write(&mut channel, &nonce, &request)?;
        channel.set_nonblocking(true)?;
        rustix::io::ioctl_fionbio(&output, true)?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(Watch {
            ended: pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()),
            child,
            channel: Some(channel),
            frames: Frames::new(nonce),
            output: Some(output),
            tail: Tail::new(request.output_bytes_max),
            step: Step::Starting,
            deadline: Instant::now() + Duration::from_millis(request.timeout_ms),
        })
    }

    /// Waits for the answer, the end or the deadline; none when the host is gone.
    fn follow(mut self, host: &UnixStream, request: &Request) -> Option<Report> {
        let end = loop {
            let events = self.wait(host);
            if events.iter().any(|e| matches!(e, Event::Host)) {
                break None;
            }
            // Asked before the channel is read: what it wrote before its end is there by then.
            let ended = self.child.try_wait().ok().flatten();
            if let Some(end) = self.hear() {
                break Some(end);
            }
            self.read_output(CHUNK_BYTES);
            if let Some(status) = ended {
                break Some(of_status(status));
            }
            if Instant::now() >= self.deadline {
                break Some(End::Timeout);
            }
        };
        let number = i32::try_from(self.child.id()).unwrap_or_default();
        let mut names = strays::descendants(number);
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.read_output(LAST_OUTPUT_BYTES_MAX);
        let strays_count = names.len();
        names.truncate(NAMES_MAX);
        Some(Report {
            end: end?,
            step: self.step,
            strays: names,
            strays_count,
            output: self.tail.text(request.output_bytes_max),
        })
    }

    /// Sleeps until there is something to look at, or the deadline is over.
    fn wait(&self, host: &UnixStream) -> Vec<Event> {
        let mut left = self.deadline.saturating_duration_since(Instant::now());
        if self.ended.is_none() {
            left = left.min(LOOK_EVERY);
        }
        let left = Timespec::try_from(left).ok();
        let mut events = vec![Event::Host];
        let mut fds = vec![PollFd::new(host, PollFlags::IN)];
        if let Some(channel) = &self.channel {
            events.push(Event::Channel);
            fds.push(PollFd::new(channel, PollFlags::IN));
        }
        if let Some(output) = &self.output {
            events.push(Event::Output);
            fds.push(PollFd::new(output, PollFlags::IN));
        }
        if let Some(ended) = &self.ended {
            events.push(Event::Ended);
            fds.push(PollFd::new(ended, PollFlags::IN));
        }
        if poll(&mut fds, left.as_ref()).is_err() {
            return Vec::new();
        }
        let ready = fds.iter().map(|fd| !fd.revents().is_empty());
        ready
            .zip(events)
            .filter_map(|(ready, event)| ready.then_some(event))
            .collect()
    }

    /// Reads what the child says; its last word, if this is it.
    fn hear(&mut self) -> Option<End> {
        let mut bytes = [0; CHUNK_BYTES];
        while let Some(channel) = &mut self.channel {
            match channel.read(&mut bytes) {
                Ok(0) => self.channel = None,
                Ok(n) => self.frames.add(&bytes[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.channel = None,
            }
            loop {
                match self.frames.next::<Message>() {
                    Ok(Some(Message::Step(step))) => self.step = step,
                    Ok(Some(Message::Answer(answer))) => return Some(End::Answered(answer)),
                    Ok(None) => break,
                    Err(frame::Forged) => return Some(End::Forged),
                }
            }
        }
        None
    }

    /// Reads about so many bytes of output, if they are there.
    fn read_output(&mut self, bytes_max: usize) {
        let mut bytes = [0; CHUNK_BYTES];
        let mut taken = 0;
        while let Some(output) = &mut self.output
            && taken < bytes_max
        {
            match output.read(&mut bytes) {
                Ok(0) => self.output = None,
                Ok(n) => {
                    self.tail.add(&bytes[..n]);
                    taken += n;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.output = None,
            }
        }
    }
}

fn of_status(status: ExitStatus) -> End {
    match status.signal() {
        Some(signal) => End::Signal(signal),
        None => End::Exit(status.code().unwrap_or(-1)),
    }
}

/// The last bytes of something long.
struct Tail {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Tail {
    fn new(bytes_max: usize) -> Tail {
        let bytes = Vec::new();
        Tail { bytes, bytes_max }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Cut now and then, not at each byte.
        if self.bytes.len() > 2 * self.bytes_max {
            self.bytes.drain(..self.bytes.len() - self.bytes_max);
        }
    }

    fn text(&self, bytes_max: usize) -> String {
        let start = self.bytes.len().saturating_sub(bytes_max);
        String::from_utf8_lossy(&self.bytes[start..]).into_owned()
    }
}
