//! Nova itself, in a Python of its own that `cargo xtask test` sets up under `target/nova`.
//! Must not know cases beyond their being lines of JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use longshore_tests::files::{target, workspace};

/// The release whose verdicts count.
pub(super) const RELEASE: &str = "16.1.8";
/// The release that has the weigher `cpu`, which the other one does not have yet.
pub(super) const RELEASE_OF_CPU: &str = "19.3.2";

fn installed(name: &str) -> PathBuf {
    let path = target().join("nova").join(name);
    assert!(
        path.exists(),
        "{} is missing; run `cargo xtask nova`",
        path.display()
    );
    path
}

/// Nova's answers to these cases, in their order.
///
/// # Panics
/// If Nova is not installed, or does not answer.
pub(super) fn answers(cases: &[Value]) -> Vec<Value> {
    let mut python = Command::new(installed("venv/bin/python"))
        .arg(workspace().join("tests/nova/answer.py"))
        .arg(installed(&format!("nova-{RELEASE}")))
        .arg(installed(&format!("nova-{RELEASE_OF_CPU}")))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut questions = python.stdin.take().expect("stdin was piped");
    let answers = BufReader::new(python.stdout.take().expect("stdout was piped"));
    let found: Vec<Value> = std::thread::scope(|scope| {
        scope.spawn(move || {
            for case in cases {
                // Python that ended early says why on stderr, and leaves answers out.
                let _ = writeln!(questions, "{case}");
            }
        });
        let lines = answers.lines().map(|line| line.expect("a line of text"));
        lines
            .map(|line| serde_json::from_str(&line).expect("an answer in JSON"))
            .collect()
    });
    let ended = python.wait().expect("python ends");
    assert!(ended.success() && found.len() == cases.len(), "{ended}");
    found
}
