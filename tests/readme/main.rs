//! The README's session, command by command, as a new user copies it. A binary of its own, because it uses the
//! workspace itself: its target directory, its configuration, its drop-ins.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use longshore_tests::files::{target, workspace};

/// The commands of the session, in order. The first block, before the session, is not part of it.
fn commands(readme: &str) -> Vec<String> {
    let session = readme.split("## A first session").nth(1).unwrap();
    let session = session.split("\n## ").next().unwrap();
    let blocks = session.split("```console\n").skip(1);
    let lines = blocks.flat_map(|b| b.split("```").next().unwrap().lines());
    lines
        .filter_map(|l| l.strip_prefix("$ "))
        .map(str::to_owned)
        .collect()
}

struct Session {
    state: tempfile::TempDir,
    exports: Vec<String>,
    host: Option<Child>,
    url: String,
}

impl Session {
    /// The user's shell, in the workspace; only the address and the state directory are the test's own.
    fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("bash");
        let script = format!("{}\n{line}", self.exports.join("\n"));
        shell
            .args(["-e", "-o", "pipefail", "-c", &script])
            .current_dir(workspace());
        for (key, _) in
            std::env::vars().filter(|(k, _)| k.starts_with("CARGO_") && k != "CARGO_HOME")
        {
            shell.env_remove(key);
        }
        let state = self.state.path();
        if line.contains("cargo xtask") {
            shell.env("CARGO_TARGET_DIR", target());
        }
        shell.env("LONGSHORE__HOST__STATE_DIR", state);
        shell.env(
            "LONGSHORE__DATABASE__URL",
            format!("sqlite://{}", state.join("longshore.db").display()),
        );
        shell.env("LONGSHORE__API__LISTEN", "127.0.0.1:0");
        shell.env("LONGSHORE_PLUGIN_PATH", target().join("debug"));
        if !self.url.is_empty() {
            shell.env("LONGSHORE_API", &self.url);
        }
        shell
    }

    fn up(&mut self, line: &str) {
        self.stop();
        let command = format!("exec env {line}");
        let mut child = self.shell(&command).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        assert!(
            first.starts_with("ready http://"),
            "`{line}` printed {first:?}"
        );
        first
            .trim_start_matches("ready ")
            .trim()
            .clone_into(&mut self.url);
        self.host = Some(child);
    }

    fn run(&self, line: &str) -> String {
        let out = self.shell(line).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "`{line}` failed:\n{text}{said}");
        text
    }

    /// Ctrl-C.
    fn stop(&mut self) {
        if let Some(mut child) = self.host.take() {
            let pid = child.id().to_string();
            let sent = Command::new("sh")
                .args(["-c", "kill -INT \"$1\"", "sh", &pid])
                .status()
                .unwrap();
            assert!(sent.success());
            assert_eq!(
                child.wait().unwrap().code(),
                Some(0),
                "Ctrl-C ends the host cleanly"
            );
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(mut child) = self.host.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(Path::new("/tmp/acme-calm"));
        let _ = std::fs::remove_file(workspace().join("plugins.d/50-acme.toml"));
    }
}

#[test]
fn the_session_in_the_readme_works_as_written() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut session = Session {
        state,
        exports: Vec::new(),
        host: None,
        url: String::new(),
    };
    let _ = std::fs::remove_dir_all("/tmp/acme-calm");
    let mut printed = Vec::new();
    for line in commands(&readme) {
        if line.contains("cargo xtask up") {
            session.up(&line);
        } else if line.starts_with("export ") {
            // The README assumes the usual target directory; the tests may be built elsewhere.
            session
                .exports
                .push(line.replace("$PWD/target", &target().display().to_string()));
        } else {
            let text = session.run(&line);
            printed.push((line, text));
        }
    }
    session.stop();
    let said = |start: &str| -> &str {
        let found = printed.iter().find(|(line, _)| line.starts_with(start));
        found
            .map(|(_, text)| text.as_str())
            .unwrap_or_else(|| panic!("the session has no `{start}`"))
    };
    assert_eq!(said("longshore server list").matches("ACTIVE").count(), 3);
    assert_eq!(said("longshore host list").matches("host-000").count(), 5);
    let switched = said("longshore plugin list --namespace");
    let used: Vec<&str> = switched.lines().filter(|l| l.contains("in_use")).collect();
    assert!(
        used.len() == 1 && used[0].contains("chance_scheduler"),
        "{switched}"
    );
    assert!(said("pgrep").contains("sleep 3600"));
    assert!(said("longshore plugin inspect").contains("acme-calm"));
    assert!(said("longshore plugin show").contains("in_use"));
}
