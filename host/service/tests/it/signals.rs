//! Signals arrive as values, in whatever order the process gets them.

use std::process::Command;

use longshore_service::{Signal, Signals};

fn kill(signal: &str) {
    let pid = std::process::id().to_string();
    let status = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn each_signal_is_seen_and_a_second_one_too() {
    let mut signals = Signals::new().unwrap();
    for (name, signal) in [
        ("-HUP", Signal::Hup),
        ("-TERM", Signal::Term),
        ("-TERM", Signal::Term),
        ("-INT", Signal::Int),
    ] {
        kill(name);
        assert_eq!(signals.next().await, signal);
    }
}
