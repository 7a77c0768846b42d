//! A host of one's own: the real program in a temporary directory, on a free port, with the built plugins.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::files::{program, target, workspace};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A directory with a configuration, and a process that may run on it.
pub struct TestHost {
    dir: tempfile::TempDir,
    profile: &'static str,
    args: Vec<String>,
    env: Vec<(String, String)>,
    vetting: bool,
    address_space_kb: Option<u64>,
    process: Option<Running>,
}

struct Running {
    child: Child,
    url: String,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit code.
    pub code: Option<i32>,
}

impl Said {
    fn of(output: Output) -> Said {
        Said {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }

    /// The JSON document on standard output.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON: {e}\n{self:?}"))
    }
}

impl TestHost {
    /// A host that is not started. `config` is appended to `longshore.toml`, `map` to `plugins.toml`.
    pub fn new(config: &str, map: &str) -> TestHost {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let shipped =
            fs::read_to_string(workspace().join("plugins.toml")).expect("the shipped map");
        fs::write(dir.path().join("plugins.toml"), format!("{shipped}\n{map}")).expect("a map");
        let listen = if config.contains("[api]") {
            ""
        } else {
            "[api]\nlisten = \"127.0.0.1:0\"\n"
        };
        let text = format!("{listen}{config}\n");
        fs::write(dir.path().join("longshore.toml"), text).expect("a configuration");
        TestHost {
            dir,
            profile: "debug",
            args: Vec::new(),
            env: Vec::new(),
            vetting: false,
            address_space_kb: None,
            process: None,
        }
    }

    /// Runs the release build.
    #[must_use]
    pub fn release(mut self) -> TestHost {
        self.profile = "release";
        self
    }

    /// Tries plugins in a process of their own first, as hosts do that are not told otherwise. Each directory is new,
    /// so that this costs every start the trial of every plugin.
    #[must_use]
    pub fn vetting(mut self) -> TestHost {
        self.vetting = true;
        self
    }

    /// Runs this many compute hosts.
    #[must_use]
    pub fn hosts(mut self, n: u32) -> TestHost {
        self.args = vec!["--hosts".to_owned(), n.to_string()];
        self
    }

    /// Starts hosts that get no more memory than this.
    #[must_use]
    pub fn address_space_kb(mut self, most: u64) -> TestHost {
        self.address_space_kb = Some(most);
        self
    }

    /// Sets an environment variable for the next start.
    pub fn env(&mut self, key: &str, value: &str) {
        self.env.push((key.to_owned(), value.to_owned()));
    }

    /// The host's directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A program call in the host's directory, without a running host's address.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program(self.profile));
        command.current_dir(self.dir.path());
        for (key, _) in std::env::vars().filter(|(k, _)| k.starts_with("LONGSHORE")) {
            command.env_remove(key);
        }
        command.env("LONGSHORE_PLUGIN_PATH", target().join(self.profile));
        if !self.vetting {
            command.env("LONGSHORE__PLUGINS__VET", "never");
        }
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }

    /// The same command under the limit of memory, if there is one.
    fn limited(&self, command: Command) -> Command {
        let Some(most) = self.address_space_kb else {
            return command;
        };
        let script = format!("ulimit -v {most}; exec \"$0\" \"$@\"");
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(script).arg(command.get_program());
        if let Some(dir) = command.get_current_dir() {
            limited.current_dir(dir);
        }
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(key, value),
                None => limited.env_remove(key),
            };
        }
        limited
    }

    /// Starts the host and waits until it is ready.
    ///
    /// # Panics
    /// If it does not get ready.
    pub fn start(&mut self) -> &mut TestHost {
        if let Err(said) = self.try_start() {
            panic!("the host did not start: {said:#?}");
        }
        self
    }

    /// Starts the host; what it said if it ended instead of getting ready.
    ///
    /// # Errors
    /// Output and exit code of a host that ended.
    pub fn try_start(&mut self) -> Result<(), Said> {
        let from = fs::metadata(self.log_file()).map_or(0, |m| m.len());
        let (mut child, lines) = self.spawn();
        match lines.recv_timeout(PATIENCE) {
            Ok(line) if line.starts_with("ready ") => {
                let url = line.trim_start_matches("ready ").trim().to_owned();
                self.process = Some(Running { child, url });
                Ok(())
            }
            other => {
                let status = wait(&mut child);
                let log = fs::read(self.log_file()).expect("the log");
                let err = String::from_utf8_lossy(&log[usize::try_from(from).unwrap_or(0)..])
                    .into_owned();
                Err(Said {
                    out: other.unwrap_or_default(),
                    err,
                    code: status.code(),
                })
            }
        }
    }

    /// Starts the host and does not wait for it.
    pub fn begin(&mut self) {
        let (child, _) = self.spawn();
        let url = String::new();
        self.process = Some(Running { child, url });
    }

    fn spawn(&self) -> (Child, Receiver<String>) {
        assert!(self.process.is_none(), "it runs already");
        let mut options = fs::File::options();
        let log = options.create(true).append(true).open(self.log_file());
        let mut command = self.limited(self.command());
        command
            .arg("up")
            .args(&self.args)
            .stdout(Stdio::piped())
            .stderr(log.expect("a log"))
            .stdin(Stdio::null());
        let mut child = command.spawn().expect("the program runs");
        let lines = lines_of(child.stdout.take().expect("its output is piped"));
        (child, lines)
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Waits until the host has logged something.
    ///
    /// # Panics
    /// If it does not within [`PATIENCE`].
    pub fn until_logged(&self, text: &str) {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < PATIENCE, "no `{text}` in\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every item of `/readyz` that is not well, as `name: problem`.
    ///
    /// # Panics
    /// If it gives no answer.
    pub fn problems(&self) -> Vec<String> {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = config.build().into();
        let answer = agent.get(format!("{}/readyz", self.url())).call();
        let found: Json = answer
            .and_then(|mut answer| answer.body_mut().read_json())
            .expect("an answer in JSON");
        let items = found["items"].as_array().into_iter().flatten();
        let line = |i: &Json| Some(format!("{}: {}", i["name"].as_str()?, i["why"].as_str()?));
        items.filter_map(line).collect()
    }

    /// Runs a command against the running host.
    pub fn cli(&self, args: &[&str]) -> Said {
        let mut command = self.command();
        if let Some(running) = &self.process {
            command.env("LONGSHORE_API", &running.url);
        }
        Said::of(
            command
                .args(args)
                .stdin(Stdio::null())
                .output()
                .expect("the program runs"),
        )
    }

    /// As `cli`; the command must succeed.
    ///
    /// # Panics
    /// If it does not.
    pub fn done(&self, args: &[&str]) -> Said {
        let said = self.cli(args);
        assert_eq!(
            said.code,
            Some(0),
            "{args:?}: {said:#?}\n{}",
            self.log_tail()
        );
        said
    }

    /// The JSON document that a successful command prints.
    pub fn json(&self, args: &[&str]) -> Json {
        let mut with = vec!["--json"];
        with.extend(args);
        self.done(&with).json()
    }

    /// The address of the running host.
    pub fn url(&self) -> &str {
        self.process.as_ref().map_or("", |p| &p.url)
    }

    /// The process number of the running host.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, |p| p.child.id())
    }

    /// Ends the host the hard way.
    pub fn kill9(&mut self) {
        if let Some(mut running) = self.process.take() {
            running.child.kill().expect("a child can be killed");
            wait(&mut running.child);
        }
    }

    /// Asks the host to stop, and waits for it.
    ///
    /// # Panics
    /// If it does not run.
    pub fn stop(&mut self) -> ExitStatus {
        let mut running = self.process.take().expect("the host runs");
        let pid = running.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -TERM \"$1\"", "sh", &pid])
            .status();
        assert!(sent.expect("sh runs").success());
        wait(&mut running.child)
    }

    /// Waits until the host has ended by itself.
    ///
    /// # Panics
    /// If it does not run, or goes on.
    pub fn ended(&mut self) -> ExitStatus {
        let mut running = self.process.take().expect("the host runs");
        wait(&mut running.child)
    }

    /// Whatever the host logged.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Waits until `good` says yes of all servers.
    ///
    /// # Panics
    /// If it does not within [`PATIENCE`].
    pub fn until(&self, what: &str, good: impl Fn(&[Json]) -> bool) -> Vec<Json> {
        let start = Instant::now();
        loop {
            let servers = self.servers();
            if good(&servers) {
                return servers;
            }
            let states = count_states(&servers);
            assert!(
                start.elapsed() < PATIENCE,
                "{what}: still {states:?}\n{}",
                self.log_tail()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// All servers, of every page.
    pub fn servers(&self) -> Vec<Json> {
        match self.json(&["server", "list"]) {
            Json::Array(servers) => servers,
            other => panic!("a list of servers, not {other}"),
        }
    }

    /// The guests that a file-keeping virt driver holds, by host.
    pub fn guests(&self, driver: &str) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::new();
        let hosts = self.dir.path().join("state/drivers");
        for host in fs::read_dir(hosts)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            let instances = host
                .path()
                .join("longshore.virt.driver")
                .join(driver)
                .join("instances");
            let mut ids: Vec<String> = fs::read_dir(instances)
                .into_iter()
                .flatten()
                .filter_map(|e| e.ok()?.file_name().into_string().ok())
                .filter(|name| !name.starts_with('.'))
                .collect();
            ids.sort();
            if !ids.is_empty() {
                found.insert(host.file_name().to_string_lossy().into_owned(), ids);
            }
        }
        found
    }

    /// The oracle "nothing lost": every one of `accepted` is there and has reached an end, an ERROR has a
    /// fault, and the driver holds exactly the ACTIVE ones, each on its host.
    ///
    /// # Panics
    /// If anything disagrees.
    pub fn audit(&self, accepted: &[String], driver: &str) {
        let servers = self.servers();
        let by_id: BTreeMap<&str, &Json> = servers
            .iter()
            .map(|s| (s["id"].as_str().unwrap_or_default(), s))
            .collect();
        for id in accepted {
            assert!(
                by_id.contains_key(id.as_str()),
                "{id} was accepted and is lost\n{}",
                self.log_tail()
            );
        }
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for server in &servers {
            let text = |key: &str| server[key].as_str().unwrap_or_default().to_owned();
            match text("status").as_str() {
                "ACTIVE" => expected.entry(text("host")).or_default().push(text("id")),
                "ERROR" => assert!(
                    server["fault"]["message"].is_string(),
                    "an ERROR without fault: {server}"
                ),
                other => panic!(
                    "{} is still {other}: {server}\n{}",
                    text("id"),
                    self.log_tail()
                ),
            }
        }
        expected.values_mut().for_each(|ids| ids.sort());
        assert_eq!(
            self.guests(driver),
            expected,
            "the driver holds other guests\n{}",
            self.log_tail()
        );
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.kill9();
        for ids in self.guests("process").into_values() {
            for id in ids {
                end_guest(&id);
            }
        }
    }
}

/// Ends whatever runs for an instance of the `process` driver, which outlives its host by design.
fn end_guest(id: &str) {
    let marker = format!("LONGSHORE_INSTANCE={id}");
    for entry in fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment
            .split(|b| *b == 0)
            .any(|v| v == marker.as_bytes())
        {
            let pid = entry.file_name().to_string_lossy().into_owned();
            let _ = Command::new("sh")
                .args(["-c", "kill -KILL \"$1\"", "sh", &pid])
                .status();
        }
    }
}

/// How many servers are in each status.
pub fn count_states(servers: &[Json]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for server in servers {
        *counts
            .entry(server["status"].as_str().unwrap_or("?").to_owned())
            .or_default() += 1;
    }
    counts
}

/// Every server has reached an end.
pub fn settled(servers: &[Json]) -> bool {
    servers
        .iter()
        .all(|s| matches!(s["status"].as_str(), Some("ACTIVE" | "ERROR" | "SHUTOFF")))
}

fn lines_of(out: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(out);
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok_and(|n| n > 0) {
            let _ = sender.send(line);
        }
        drop(sender);
        // Nothing more is expected; what comes must not block the host.
        let _ = reader.read_to_end(&mut Vec::new());
    });
    receiver
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the host did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The path of a file in the host's directory as a text for configurations.
pub fn text(path: PathBuf) -> String {
    path.display().to_string()
}
