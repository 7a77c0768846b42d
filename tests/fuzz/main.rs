//! `longshore-fuzz [TARGET…] [--seconds N] [--rounds N] [--seed N]`: everything of the host that reads what others wrote,
//! fed with good inputs that were damaged at random.
//!
//! It does not watch which code an input reaches, as `guided` does, which needs a build of its own: it damages good inputs
//! where it hurts, with words and numbers of the format, very often. Any panic is a finding: the input is written to a
//! file, and seed and round make it again. Called for a short time by `cargo xtask test`.

#![forbid(unsafe_code)]

mod damage;
mod targets;

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use damage::Dice;
use targets::{TARGETS, Target};

/// How long each target runs unless it is said.
const SECONDS: u64 = 2;

/// What was asked for.
struct Wanted {
    targets: Vec<&'static Target>,
    time: Duration,
    /// The first seed; each round has the next one.
    seed: u64,
    rounds_max: u64,
}

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("longshore-fuzz: {error}");
            return ExitCode::from(2);
        }
    };
    // What is found is told once, by `run`.
    panic::set_hook(Box::new(|_| {}));
    let mut clean = true;
    for target in &wanted.targets {
        match run(target, &wanted) {
            Ok(said) => println!("{said}"),
            Err(found) => {
                clean = false;
                eprintln!("{found}");
            }
        }
    }
    if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn wanted(mut args: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        targets: Vec::new(),
        time: Duration::from_secs(SECONDS),
        seed: 1,
        rounds_max: u64::MAX,
    };
    while let Some(arg) = args.next() {
        let mut number = || {
            let text = args.next().unwrap_or_default();
            let number = text.parse::<u64>();
            number.map_err(|_| format!("`{arg}` needs a number, not `{text}`"))
        };
        match arg.as_str() {
            "--seconds" => wanted.time = Duration::from_secs(number()?),
            "--seed" => wanted.seed = number()?,
            "--rounds" => wanted.rounds_max = number()?,
            name => {
                let known = TARGETS.iter().find(|t| t.name == name);
                wanted.targets.push(known.ok_or_else(|| unknown(name))?);
            }
        }
    }
    if wanted.targets.is_empty() {
        wanted.targets.extend(TARGETS);
    }
    Ok(wanted)
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
    format!("no target `{name}`; there are: {}", names.join(" "))
}

fn run(target: &Target, wanted: &Wanted) -> Result<String, String> {
    let good = (target.good)();
    let whole = good.iter().filter(|bytes| (target.read)(bytes)).count();
    if whole != good.len() {
        return Err(format!("{}: its good inputs are not accepted", target.name));
    }
    let (start, mut accepted, mut rounds) = (Instant::now(), 0_u64, 0_u64);
    let mut slowest = Duration::ZERO;
    while start.elapsed() < wanted.time && rounds < wanted.rounds_max {
        let seed = wanted.seed.wrapping_add(rounds);
        let mut dice = Dice::new(seed);
        let mut bytes = good[dice.below(good.len())].clone();
        damage::damage(&mut bytes, target.words, target.head, &mut dice);
        let began = Instant::now();
        let read = panic::catch_unwind(AssertUnwindSafe(|| (target.read)(&bytes)));
        slowest = slowest.max(began.elapsed());
        match read {
            Ok(taken) => accepted += u64::from(taken),
            Err(_) => return Err(finding(target, seed, &bytes)),
        }
        rounds += 1;
    }
    let (name, ms) = (target.name, slowest.as_millis());
    let seed = wanted.seed;
    Ok(format!(
        "{name}: {rounds} inputs from seed {seed}, {accepted} accepted, slowest {ms} ms, no panic"
    ))
}

fn finding(target: &Target, seed: u64, bytes: &[u8]) -> String {
    let name = target.name;
    let file = PathBuf::from(format!("fuzz-{name}-{seed}.bin"));
    let kept = match std::fs::write(&file, bytes) {
        Ok(()) => format!("the input is in {}", file.display()),
        Err(e) => format!("the input could not be kept: {e}"),
    };
    format!("{name}: PANIC; {kept}; again: longshore-fuzz {name} --seed {seed} --rounds 1")
}
