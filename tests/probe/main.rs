//! A small host for one plugin per run: `longshore-probe COMMAND FILE…`. What must be seen from outside of a process (its
//! stderr, its exit, its memory map, its log) is seen here, and `cargo xtask matrix` loads what it built with it.
//!
//! - `exercise FILE…`: `FILE: loads` or `FILE: refused: why`, one line each.
//! - `log FILE`: the records of one run at each of three levels.
//! - `strings FILE`: 20 000 texts both ways by each of four threads, with panics between them.
//! - `reentrant FILE`: goes back into the plugin from each of its records, and says how deep.
//! - `vet FILE ENTRY DIR`: tries an entry of `test.vetting` below a directory, and prints the verdict as JSON;
//!   `VET_TIMEOUT_MS` and `VET_STRICT` are options.
//! - `process FILE STEP…`: what drivers change in their process; see `process.rs`.
//! - `many DIR`: loads every file of a directory, and says how many drivers, serial numbers and libraries that made.

#![forbid(unsafe_code)]

mod process;

use std::collections::BTreeSet;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_loader::{log, vet};
use longshore_tests::probe::kind::Probe;
use longshore_tests::probe::{self, PROBES};

/// How deep calls from records go.
const DEPTH_MAX: usize = 3;
/// Texts per thread.
const TEXTS: usize = 20_000;
/// Threads that send them.
const THREADS: usize = 4;
/// A panic after so many texts.
const PANIC_EVERY: usize = 4_000;

fn main() -> ExitCode {
    vet::run_if_child();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((command, files)) if !files.is_empty() => run(command, files),
        _ => Err(
            "usage: longshore-probe exercise|log|strings|many|process|reentrant|vet FILE…"
                .to_owned(),
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("failed: {}", why.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, files: &[String]) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let first = Path::new(&files[0]);
    match command {
        "exercise" => exercise(files, dir.path()),
        "log" => show_log(first, dir.path()),
        "strings" => strings(first, dir.path()),
        "many" => many(first, dir.path()),
        "process" => process::process(first, dir.path(), &files[1..]),
        "reentrant" => reentrant(first, dir.path()),
        "vet" => match files {
            [file, entry, dir] => tried(Path::new(file), entry, Path::new(dir)),
            _ => Err("usage: longshore-probe vet FILE ENTRY DIR".to_owned()),
        },
        other => Err(format!("no command `{other}`")),
    }
}

/// Fails when one of the files does.
fn exercise(files: &[String], dir: &Path) -> Result<(), String> {
    let mut refused = 0;
    for (n, file) in files.iter().enumerate() {
        match probe::exercise(Path::new(file), &dir.join(n.to_string())) {
            Ok(()) => println!("{file}: loads"),
            Err(why) => {
                refused += 1;
                println!("{file}: refused: {}", why.replace('\n', " "));
            }
        }
    }
    match refused {
        0 => Ok(()),
        _ => Err(format!("{refused} of {} files", files.len())),
    }
}

fn driver(lib: &Path, dir: &Path, name: &str) -> Result<Arc<dyn Probe>, String> {
    let loader = probe::loader(lib, dir)?;
    let manager = loader.namespace::<dyn Probe>(PROBES).driver(name);
    Ok(manager.map_err(|e| e.one_line())?.driver())
}

/// Loads, panics in a thread and drops, at levels 3 (info), 2 (warnings) and 0; then drops a driver that panics.
fn show_log(lib: &Path, dir: &Path) -> Result<(), String> {
    log::set_sink(Box::new(|driver, record| {
        println!(
            "{} {} {} {}:{} {}",
            record.level, driver.name, record.target, record.file, record.line, record.text
        );
    }));
    for level in [3, 2, 0] {
        println!("level {level}");
        log::set_level(level);
        let probe = driver(lib, dir, "plain")?;
        let shared = Arc::clone(&probe);
        probe.fail("thread").map_err(|e| e.to_string())?;
        drop(probe);
        shared.number(1).map_err(|e| e.to_string())?;
        // A panic must not count as a drop.
        probe::panicked(shared.fail("panic"))?;
    }
    log::set_level(3);
    println!("a drop that panics");
    drop(driver(lib, dir, "drop_panics")?);
    println!("end");
    Ok(())
}

/// A driver writes a record while it is built, and the sink makes another driver of its library and calls it: the plugin
/// calls the host, which calls the plugin.
fn reentrant(lib: &Path, dir: &Path) -> Result<(), String> {
    static DEPTH: AtomicUsize = AtomicUsize::new(0);
    let loader = probe::loader(lib, dir)?;
    let from_inside = loader.clone();
    log::set_sink(Box::new(move |_, _| {
        let depth = DEPTH.fetch_add(1, Ordering::SeqCst) + 1;
        if depth <= DEPTH_MAX {
            let made = from_inside.namespace::<dyn Probe>(PROBES).driver("plain");
            let answer = made.map(|manager| manager.driver().number(1).is_ok());
            let opened = from_inside.open_libraries();
            println!("{depth} deep: answered {answer:?}, {opened} library");
        }
        DEPTH.fetch_sub(1, Ordering::SeqCst);
    }));
    let plain = loader.namespace::<dyn Probe>(PROBES).driver("plain");
    let plain = plain.map_err(|e| e.one_line())?.driver();
    plain.number(1).map_err(|e| e.to_string())?;
    println!("end");
    Ok(())
}

fn strings(lib: &Path, dir: &Path) -> Result<(), String> {
    let probe = driver(lib, dir, "plain")?;
    let send = || -> Result<(), String> {
        let mut text = String::new();
        for n in 0..TEXTS {
            if n % PANIC_EVERY == 0 {
                text = String::new();
                probe::panicked(probe.fail("panic"))?;
            }
            // Grown here, and by the plugin.
            text.push('x');
            let answer = probe.owned_text(text.clone()).map_err(|e| e.to_string())?;
            if answer.len() != text.len() + 2 {
                return Err(format!("text {n} came back with {} bytes", answer.len()));
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(send)).collect();
        let mut ended = threads.into_iter().map(|thread| thread.join());
        ended.try_for_each(|end| end.unwrap_or(Err("a thread panicked".to_owned())))
    })
}

/// The verdict on one entry. The child opens the file through a descriptor of this process, as it does with sealed bytes.
fn tried(file: &Path, entry: &str, dir: &Path) -> Result<(), String> {
    let open = std::fs::File::open(file).map_err(|e| e.to_string())?;
    let subject = vet::Subject {
        file: format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd()).into(),
        shown: file.to_owned(),
        namespace: "test.vetting".to_owned(),
        name: entry.to_owned(),
        export: entry.to_owned(),
        settings: "{}".to_owned(),
        ..vet::Subject::default()
    };
    let timeout = std::env::var("VET_TIMEOUT_MS").ok();
    let defaults = vet::Options::default();
    let options = vet::Options {
        timeout_ms: timeout
            .and_then(|t| t.parse().ok())
            .unwrap_or(defaults.timeout_ms),
        env: vec!["MISBEHAVE_ON_LOAD".to_owned()],
        strict: std::env::var_os("VET_STRICT").is_some(),
        dir: dir.to_owned(),
        ..defaults
    };
    let verdict = vet::vet(&subject, &options);
    println!(
        "{}",
        serde_json::to_string(&verdict).map_err(|e| e.to_string())?
    );
    Ok(())
}

/// Every file of `from`; all stay loaded, also when their drivers are gone.
fn many(from: &Path, dir: &Path) -> Result<(), String> {
    let files = std::fs::read_dir(from).map_err(|e| e.to_string())?;
    let mut files: Vec<PathBuf> = files.filter_map(|e| Some(e.ok()?.path())).collect();
    files.sort();
    let loader = probe::loader_of_all(&files, dir)?;
    let before = libraries()?;
    let begun = std::time::Instant::now();
    let (mut serials, mut drivers) = (BTreeSet::new(), Vec::new());
    let all = loader.namespace::<dyn Probe>(PROBES).all();
    let all = all.map_err(|e| e.one_line())?;
    for extension in &all {
        let probe = Arc::clone(extension.driver());
        let place = probe.place().map_err(|e| e.to_string())?;
        serials.extend(place.into_iter().nth(4));
        drivers.push(probe);
    }
    for failure in all.failures() {
        println!("refused: {}", failure.one_line().replace('\n', " "));
    }
    // What a manager holds is gone with it.
    drop(all);
    let took = begun.elapsed();
    let opened = libraries()? - before;
    println!(
        "{} files, {} drivers, {} serial numbers, {opened} libraries",
        files.len(),
        drivers.len(),
        serials.len()
    );
    drop(drivers);
    let kept = libraries()? - before;
    println!("{kept} libraries when the drivers are gone");
    let status = std::fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    println!("resident {}, {took:.2?}", memory.unwrap_or("?").trim());
    Ok(())
}

/// Mappings of code, one for each library.
fn libraries() -> Result<usize, String> {
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(|e| e.to_string())?;
    Ok(maps.lines().filter(|line| line.contains(" r-xp ")).count())
}
