//! kill -9 at a random moment under load, then a start: every accepted instance reaches an end, none is
//! lost or stuck, and the driver holds exactly the ACTIVE ones.
//!
//! `LONGSHORE_TEST_SEED` replays one seed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use longshore_tests::host::{TestHost, settled};
use serde_json::{Value as Json, json};

/// Small and good enough: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn seeds() -> Vec<u64> {
    match std::env::var("LONGSHORE_TEST_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => vec![1, 2, 3],
    }
}

/// Boots `count` servers from several threads until the host is gone; answers what was accepted.
fn boot(host: &TestHost, image: &str, count: usize, gone: &AtomicBool) -> Vec<String> {
    let accepted = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let agent: ureq::Agent =
                    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().into();
                while !gone.load(Ordering::Relaxed) {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        return;
                    }
                    let body = json!({"server": {"name": format!("s{i}"), "flavorRef": "1", "imageRef": image}});
                    let answer = agent.post(format!("{}/v2.1/servers", host.url())).send_json(&body);
                    // A request that was not answered may have been accepted or not: both are right.
                    let Ok(mut answer) = answer else { return };
                    assert_eq!(answer.status(), 202);
                    let Ok(server) = answer.body_mut().read_json::<Json>() else { return };
                    accepted.lock().unwrap().push(server["server"]["id"].as_str().unwrap().to_owned());
                }
            });
        }
    });
    accepted.into_inner().unwrap()
}

fn killed_under_load(
    mut host: TestHost,
    driver: &str,
    image: impl Fn(&TestHost) -> String,
    count: usize,
    seed: u64,
) {
    eprintln!("seed {seed}");
    let mut random = Random(seed);
    host.start();
    let image = image(&host);
    let gone = AtomicBool::new(false);
    // Between the first request and about the time that all of them take.
    let moment = Duration::from_millis(20 + random.next() % 1500);
    let accepted = std::thread::scope(|scope| {
        let booting = scope.spawn(|| boot(&host, &image, count, &gone));
        std::thread::sleep(moment);
        let pid = host.pid().to_string();
        let killed = std::process::Command::new("sh")
            .args(["-c", "kill -KILL \"$1\"", "sh", &pid])
            .status();
        assert!(killed.unwrap().success());
        gone.store(true, Ordering::Relaxed);
        booting.join().unwrap()
    });
    host.kill9();
    host.start();
    host.until("every server reaches an end", settled);
    host.audit(&accepted, driver);
    eprintln!(
        "seed {seed}: killed after {moment:?}, {} accepted",
        accepted.len()
    );
}

#[test]
fn nothing_is_lost_with_the_fake_driver() {
    for seed in seeds() {
        let none = |_: &TestHost| String::new();
        killed_under_load(TestHost::new("", "").hosts(5), "fake", none, 200, seed);
    }
}

#[test]
fn nothing_is_lost_with_real_processes() {
    for seed in seeds() {
        let host = TestHost::new(
            "[compute]\nvirt = \"process\"\ncpu_allocation_ratio = 1000.0\n",
            "",
        )
        .hosts(3);
        let sleep = |host: &TestHost| {
            let image = [
                "image",
                "create",
                "sleep",
                "--file",
                "/bin/sleep",
                "--property",
                "args=3600",
            ];
            host.json(&image)["id"].as_str().unwrap().to_owned()
        };
        killed_under_load(host, "process", sleep, 200, seed);
    }
}
