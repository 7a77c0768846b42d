//! What plugins do wrong when they are loaded or built, by name; on load it is the value of `MISBEHAVE_ON_LOAD`.
//!
//! A crate of its own because code that runs on load cannot be declared where `unsafe` is forbidden.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{exit, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use rustix::process::{getpid, kill_process, Signal};

/// A frame of the right form with a nonce of zeros.
const FRAME: &[u8] = b"LSVET\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\"passed\"";
const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;

ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn on_load() {
        if let Some(behaviour) = std::env::var_os("MISBEHAVE_ON_LOAD") {
            let _ = run(&behaviour.to_string_lossy(), None);
        }
    }
}

/// Behaves so.
///
/// # Errors
/// What the system says, or what the behaviour is.
///
/// # Panics
/// For a name that it does not know.
pub fn run(behaviour: &str, state_dir: Option<&Path>) -> io::Result<()> {
    match behaviour {
        "good" => {}
        "refuses" => return Err(io::Error::other("the licence has run out")),
        "panics" => panic!("no hat, no work"),
        "segfaults" => die(Signal::SEGV),
        "aborts" => std::process::abort(),
        "illegal" => die(Signal::ILL),
        "overflows" => drop(overflow(1)),
        "exits" => exit(0),
        "hangs" => sleep_for_ever(),
        "burns" => burn(),
        "forks" => drop(start("sleep", &["3600"])),
        "daemonises" => detach(),
        "becomes_a_daemon" => {
            detach();
            exit(0)
        }
        "prints_a_frame" => {
            let mut out = io::stdout();
            out.write_all(FRAME).and_then(|()| out.flush())?;
            exit(0)
        }
        "kills_the_guardian" => {
            detach();
            if let Some(parent) = rustix::process::getppid() {
                kill_process(parent, Signal::KILL)?;
            }
            sleep_for_ever()
        }
        "looks_around" => look_around(state_dir),
        other => change(other)?,
    }
    Ok(())
}

/// Those that return.
fn change(behaviour: &str) -> io::Result<()> {
    match behaviour {
        "threads" => {
            let named = std::thread::Builder::new().name("eager".to_owned());
            named.spawn(sleep_for_ever)?;
        }
        "descriptors" => std::mem::forget(File::open("/dev/zero")?),
        "chdirs" => std::env::set_current_dir("/")?,
        "umasks" => {
            rustix::process::umask(rustix::fs::Mode::empty());
        }
        "signals" => {
            signal_hook::flag::register(SIGCHLD, Arc::new(AtomicBool::new(false)))?;
        }
        "handles_term" => {
            signal_hook::flag::register(SIGTERM, Arc::new(AtomicBool::new(false)))?;
        }
        "blocks_term" => {
            let mut set = nix::sys::signal::SigSet::empty();
            set.add(nix::sys::signal::SIGTERM);
            set.thread_block()?;
        }
        "closes_streams" => {
            nix::unistd::close(0)?;
            nix::unistd::close(2)?;
        }
        "replaces_stdin" => rustix::stdio::dup2_stdin(File::open("/dev/zero")?)?,
        "gives_up_rights" => nix::sys::prctl::set_no_new_privs()?,
        "waits_for_all" => {
            while rustix::process::wait(rustix::process::WaitOptions::empty()).is_ok() {}
        }
        "leaks_threads" => {
            for _ in 0..100 {
                change("threads")?;
            }
        }
        "leaks_descriptors" => {
            for _ in 0..300 {
                change("descriptors")?;
            }
        }
        "prints" => {
            println!("to stdout\u{1b}[31m");
            eprint!("to stderr, without an end of line");
            io::stdout().flush()?;
        }
        "setenvs" => std::env::set_var("TZ", "Pacific/Auckland"),
        "limits" => {
            use rustix::process::{getrlimit, setrlimit, Resource};
            let mut limit = getrlimit(Resource::Nofile);
            limit.current = Some(99);
            setrlimit(Resource::Nofile, limit)?;
        }
        "writes_everywhere" => write_everywhere()?,
        "prints_a_lot" => {
            for n in 0..16_384 {
                println!("line {:58}", n);
            }
        }
        "fills_the_disk" => File::create("large")?.write_all(&vec![1; 128 << 20])?,
        "allocates" => {
            let mut all = Vec::new();
            loop {
                all.push(vec![0_u8; 1 << 40]);
            }
        }
        other => panic!("no behaviour `{other}`"),
    }
    Ok(())
}

/// As the kernel would; whoever waits sees no difference.
fn die(signal: Signal) {
    println!("here it comes");
    // Rust's own handler takes the first SIGSEGV for a full stack, finds none, and leaves the next to the system.
    while kill_process(getpid(), signal).is_ok() {}
}

fn sleep_for_ever() {
    loop {
        std::thread::park();
    }
}

#[expect(unconditional_recursion, reason = "that is the behaviour")]
fn overflow(depth: u64) -> u64 {
    let space = std::hint::black_box([depth; 512]);
    overflow(depth + 1) + space[0]
}

fn burn() {
    for _ in 0..8 {
        std::thread::spawn(|| loop {
            std::hint::spin_loop();
        });
    }
    sleep_for_ever()
}

fn start(program: &str, args: &[&str]) -> io::Result<std::process::Child> {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .spawn()
}

/// A process of a session of its own, whose parent is gone when this returns.
fn detach() {
    if let Ok(mut shell) = start("/bin/sh", &["-c", "setsid sleep 3600 & exit 0"]) {
        let _ = shell.wait();
    }
}

/// Through copies of the descriptors, which needs no `unsafe`.
fn write_everywhere() -> io::Result<()> {
    let me = rustix::process::pidfd_open(getpid(), rustix::process::PidfdFlags::empty())?;
    for number in 0..64 {
        let flags = rustix::process::PidfdGetfdFlags::empty();
        if let Ok(copy) = rustix::process::pidfd_getfd(&me, number, flags) {
            let _ = File::from(copy).write_all(FRAME);
        }
    }
    Ok(())
}

fn look_around(state_dir: Option<&Path>) {
    let names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    println!("variables: {}", names.join(" "));
    let here = fs::read_dir(".").map(|all| all.count());
    println!("files here: {:?}", here.ok());
    if let Some(dir) = state_dir {
        let state = fs::read_dir(dir).map(|all| all.count());
        println!("files of state: {:?}", state.ok());
    }
    let leads = |fd: i32| fs::read_link(format!("/proc/self/fd/{fd}"));
    println!("stdin: {:?}", leads(io::stdin().as_raw_fd()).ok());
    let pipes = (3..64).filter_map(|fd| leads(fd).ok());
    let pipes = pipes.filter(|to| to.to_string_lossy().starts_with("pipe:"));
    println!("pipes: {}", pipes.count());
}
