//! The benchmark `simulate`: 100,000 requests of a trace over 10,000 hosts. The trace has the format of a public one and
//! made-up machines, the same ones each time; with a file of the dataset itself, give that to `longshore scheduler simulate`.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::cargo::{root, run, target_dir};
use crate::up;

const HOSTS: &str = "10000";
const REQUESTS: u64 = 100_000;
/// Seconds after the request before, seconds that a machine lives, its processors, and GB per processor; one of each is
/// drawn for each machine.
const AFTER: [u64; 6] = [0, 0, 0, 1, 5, 20];
const LIVES: [u64; 5] = [3_600, 86_400, 604_800, 2_591_700, 2_591_700];
const CPUS: [u64; 8] = [2, 2, 4, 4, 8, 8, 16, 24];
const MEMORY: [f64; 3] = [1.75, 2.0, 4.0];
/// The last second of the trace.
const END: u64 = 2_591_700;

/// Writes the trace and plays it.
pub(crate) fn simulate() -> Result<(), String> {
    let plugins = up::build(true)?;
    let dir = target_dir().join("bench");
    let trace = dir.join("vmtable.csv");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    fs::write(&trace, machines()).map_err(|e| format!("{}: {e}", trace.display()))?;
    let mut longshore = Command::new(plugins.join("longshore"));
    longshore
        .env("LONGSHORE_PLUGIN_PATH", &plugins)
        .current_dir(root())
        .args(["scheduler", "simulate", "--hosts", HOSTS])
        .args(["--trace", "azure-vmtable"])
        .arg(&trace)
        .arg("--svg")
        .arg(dir.join("simulate.svg"));
    run(&mut longshore)
}

/// The lines of the trace.
fn machines() -> String {
    let (mut state, mut now, mut lines) = (1_u64, 0, String::new());
    let mut draw = |n: usize| {
        // Knuth's generator (MMIX); its high bits are good enough to draw lots with.
        state = state.wrapping_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for machine in 0..REQUESTS {
        now = END.min(now + AFTER[draw(AFTER.len())]);
        let gone = END.min(now + LIVES[draw(LIVES.len())]);
        let cpus = CPUS[draw(CPUS.len())];
        let memory = cpus as f64 * MEMORY[draw(MEMORY.len())];
        let text = format!("m{machine},s,d,{now},{gone},99.0,5.0,20.0,Unknown,{cpus},{memory}");
        // Writing to a text does not fail.
        let _ = writeln!(lines, "{text}");
    }
    lines
}
