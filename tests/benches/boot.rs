//! `server create` → ACTIVE on `virt-fake`, everything in one process, SQLite durable: instances per second,
//! sustained over 3,000, with 32 requests in flight. `LONGSHORE_BENCH_COUNT` changes the 3,000.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use longshore_tests::host::TestHost;
use serde_json::{Value as Json, json};

const IN_FLIGHT: usize = 32;

fn main() {
    // `cargo test --benches` runs this without arguments of its own; a small count keeps it quick.
    let bench = std::env::args().any(|a| a == "--bench");
    let count = std::env::var("LONGSHORE_BENCH_COUNT")
        .ok()
        .and_then(|n| n.parse().ok());
    let count: usize = count.unwrap_or(if bench { 3_000 } else { 30 });
    let config = "[log]\nfilter = \"warn\"\n[compute]\ncpu_allocation_ratio = 1000.0\nmax_concurrent_builds = 32\n";
    let map = "[\"longshore.virt.driver\".fake]\npatch = true\nsettings = { memory_mb = 8388608, local_gb = 100000, vcpus = 1024 }\n";
    let mut host = TestHost::new(config, "").hosts(10).release();
    std::fs::create_dir(host.dir().join("plugins.d")).expect("a directory for drop-ins");
    std::fs::write(host.dir().join("plugins.d/bench.toml"), map).expect("a drop-in");
    host.start();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..IN_FLIGHT {
            scope.spawn(|| boot(host.url(), &next, count));
        }
    });
    let took = start.elapsed();
    let rate = count as f64 / took.as_secs_f64();
    println!(
        "boot: {count} instances, {IN_FLIGHT} in flight: {:.2} s, {rate:.0} instances/s",
        took.as_secs_f64()
    );
    assert_eq!(host.stop().code(), Some(0));
}

/// One client: creates a server, waits until it is ACTIVE, and goes on with the next.
fn boot(url: &str, next: &AtomicUsize, count: usize) {
    let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60)));
    let agent: ureq::Agent = config.build().into();
    while next.fetch_add(1, Ordering::Relaxed) < count {
        let body = json!({"server": {"name": "bench", "flavorRef": "1", "imageRef": ""}});
        let mut answer = agent
            .post(format!("{url}/v2.1/servers"))
            .send_json(&body)
            .expect("accepted");
        let server: Json = answer.body_mut().read_json().expect("JSON");
        let id = server["server"]["id"].as_str().expect("an id").to_owned();
        loop {
            let mut answer = agent
                .get(format!("{url}/v2.1/servers/{id}"))
                .call()
                .expect("found");
            let server: Json = answer.body_mut().read_json().expect("JSON");
            match server["server"]["status"].as_str() {
                Some("ACTIVE") => break,
                Some("BUILD") => std::thread::sleep(Duration::from_millis(40)),
                other => panic!("{other:?}: {server}"),
            }
        }
    }
}
