//! `longshore up` from start to `ready`, with all shipped plugins, a warm file cache and an existing
//! database; and the resident memory of the process then.

#![forbid(unsafe_code)]

use std::time::Instant;

use longshore_tests::host::TestHost;

fn main() {
    let bench = std::env::args().any(|a| a == "--bench");
    let mut host = TestHost::new("[log]\nfilter = \"warn\"\n", "").release();
    host.start();
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..if bench { 20 } else { 2 } {
        assert_eq!(host.stop().code(), Some(0));
        let start = Instant::now();
        host.start();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        memory.push(resident_mb(host.pid()));
    }
    times.sort_by(f64::total_cmp);
    memory.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    println!(
        "startup: median {:.0} ms (best {:.0}, worst {:.0}), resident {:.1} MB",
        times[middle],
        times[0],
        times[times.len() - 1],
        memory[middle]
    );
}

fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the host runs");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .expect("the kernel says");
    let kb: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a number");
    kb / 1024.0
}
