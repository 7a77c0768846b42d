//! What trying one new plugin costs, and what a known verdict costs. The benchmark is its own guardian and child.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use longshore_loader::inspect;
use longshore_loader::vet::{self, Options, Outcome, Policy, Subject, Vetter};

/// Verdicts that are known when one is asked for.
const KNOWN: usize = 100;

fn plugin() -> PathBuf {
    let exe = std::env::current_exe().expect("a running benchmark has a file");
    let profile = exe
        .ancestors()
        .nth(2)
        .expect("benchmarks are built below the target directory");
    profile.join("liblongshore_bench_plugin.so")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    vet::run_if_child();
    let is_bench = std::env::args().any(|a| a == "--bench");
    let rounds = if is_bench { 50 } else { 2 };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = plugin();
    let subject = |settings: usize| Subject {
        file: path.clone(),
        shown: path.clone(),
        digest: inspect::sha256(&path).expect("a plugin"),
        namespace: "longshore.bench".to_owned(),
        name: "count".to_owned(),
        export: "count".to_owned(),
        settings: format!("{{\"unused\":{settings}}}"),
    };
    let good = Subject {
        settings: "{}".to_owned(),
        ..subject(0)
    };
    let options = Options {
        dir: dir.path().to_owned(),
        ..Options::default()
    };
    let fresh = (0..rounds).map(|_| {
        let start = Instant::now();
        let verdict = vet::vet(&good, &options);
        assert_eq!(verdict.outcome, Outcome::Passed, "{verdict:?}");
        start.elapsed()
    });
    let fresh = median(fresh.collect());
    let state = dir.path().join("state");
    let vetter = Vetter::new(Policy::New, options.clone(), &state);
    let subjects: Vec<Subject> = (0..KNOWN).map(subject).collect();
    for subject in &subjects {
        vetter.verdict(subject);
    }
    let known = (0..rounds).map(|_| {
        let start = Instant::now();
        let vetter = Vetter::new(Policy::New, options.clone(), &state);
        assert!(subjects.iter().all(|s| vetter.verdict(s).1));
        start.elapsed()
    });
    let known = median(known.collect());
    println!(
        "vet: one new plugin {fresh:.1?}, {KNOWN} known ones with reading the file {known:.1?}"
    );
}
