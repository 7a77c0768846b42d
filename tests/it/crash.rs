//! kill -9 at a random moment under load, then a start: every accepted instance reaches an end, none is
//! lost or stuck, and the driver holds exactly the ACTIVE ones.
//!
//! `LONGSHORE_TEST_SEED` replays one seed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use longshore_tests::host::{TestHost, settled};
use serde_json::{Value as Json, json};

/// Boots that are asked for, at most.
const COUNT: usize = 200;

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

/// Boots `COUNT` servers from several threads until the host is gone; `accepted` gets the ids that were answered.
fn boot(host: &TestHost, image: &str, accepted: &Mutex<Vec<String>>) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60)));
                let agent: ureq::Agent = config.build().into();
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= COUNT {
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
}

fn killed_under_load(
    mut host: TestHost,
    driver: &str,
    image: impl Fn(&TestHost) -> String,
    seed: u64,
) {
    let mut random = Random(seed);
    host.start();
    let image = image(&host);
    // After so many answers, and a moment more: whatever is under way then is cut off.
    let answers = 1 + usize::try_from(random.next()).unwrap() % (COUNT - 20);
    let pause = Duration::from_micros(random.next() % 20_000);
    let accepted = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let booting = scope.spawn(|| boot(&host, &image, &accepted));
        while accepted.lock().unwrap().len() < answers && !booting.is_finished() {
            std::thread::yield_now();
        }
        std::thread::sleep(pause);
        let pid = host.pid().to_string();
        let killed = std::process::Command::new("sh")
            .args(["-c", "kill -KILL \"$1\"", "sh", &pid])
            .status();
        assert!(killed.unwrap().success());
        booting.join().unwrap();
    });
    host.kill9();
    let accepted = accepted.into_inner().unwrap();
    eprintln!(
        "seed {seed}: killed {pause:?} after {answers} answers, {} accepted in the end",
        accepted.len()
    );
    host.start();
    host.until("every server reaches an end", settled);
    host.audit(&accepted, driver);
}

#[test]
fn nothing_is_lost_with_the_fake_driver() {
    for seed in seeds() {
        let none = |_: &TestHost| String::new();
        killed_under_load(TestHost::new("", "").hosts(5), "fake", none, seed);
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
        killed_under_load(host, "process", sleep, seed);
    }
}
