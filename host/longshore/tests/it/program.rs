//! A run of the program, and tests of what all commands share.

use std::io;
use std::path::Path;

use longshore::cli::exit::Exit;
use longshore::cli::failure::Failure;
use longshore::cli::render::Streams;
use longshore::cli::up::Start;
use longshore::cli::{self, World};
use longshore::config::Surroundings;
use serde_json::Value as Json;
use tempfile::TempDir;

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap()
    }

    pub(crate) fn error(&self) -> Json {
        let json: Json = serde_json::from_str(&self.err).unwrap();
        json["error"].clone()
    }
}

/// A directory that commands run in.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) terminal: bool,
    /// Columns of the terminal that shows results.
    pub(crate) columns: Option<u16>,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place {
            dir: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            terminal: false,
            columns: None,
        }
    }

    /// Commands talk to this API.
    pub(crate) fn talking_to(url: &str) -> Place {
        let mut place = Place::new();
        place.variables = vec![("LONGSHORE_API".to_owned(), url.to_owned())];
        place
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        let refuse = |_: Start| -> Result<Exit, Failure> { panic!("nothing is to be started") };
        self.run_with(line, &refuse)
    }

    pub(crate) fn run_with(
        &self,
        line: &str,
        starter: &dyn Fn(Start) -> Result<Exit, Failure>,
    ) -> Ran {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            out: &mut out,
            err: &mut err,
            out_columns: self.columns,
            err_is_terminal: self.terminal,
            no_color: self.variables.iter().any(|(name, _)| name == "NO_COLOR"),
        };
        let world = World {
            streams,
            around: self.around(),
            starter,
        };
        let words = std::iter::once("longshore").chain(line.split_whitespace());
        let exit = cli::run(words.map(Into::into), world).code();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran {
            exit,
            out: text(out),
            err: text(err).replace(&self.path().display().to_string(), "DIR"),
        }
    }

    fn around(&self) -> Surroundings {
        Surroundings {
            variables: self.variables.clone(),
            working_dir: self.path().to_owned(),
            system_dir: self.path().join("etc"),
            machine: "quay".to_owned(),
            ..Surroundings::default()
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

#[test]
fn wrong_usage_exits_2_and_help_is_a_result() {
    let place = Place::new();
    for line in [
        "",
        "bogus",
        "server create web",
        "up --hosts 0",
        "-q -v version",
        "explain",
    ] {
        let ran = place.run(line);
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{line}");
        assert!(!ran.err.is_empty());
    }
    for line in ["--help", "server create --help"] {
        let ran = place.run(line);
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{line}");
        assert!(ran.out.contains("Usage: longshore"));
    }
}

#[test]
fn version_and_completions() {
    let place = Place::new();
    let version = place.run("version --json").json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(place.run("version").out.starts_with("longshore "));
    for shell in ["bash", "zsh", "fish"] {
        let ran = place.run(&format!("completions {shell}"));
        assert_eq!(ran.exit, 0);
        assert!(ran.out.contains("doctor") && ran.out.contains("scan"));
    }
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let mut place = Place::new();
    place.write("longshore.toml", "[log]\nformat = \"xml\"\n");
    let colored = |place: &Place, line: &str| place.run(line).err.contains('\u{1b}');
    assert!(!colored(&place, "config check"));
    assert!(colored(&place, "config check --color always"));
    place.terminal = true;
    assert!(colored(&place, "config check"));
    assert!(!colored(&place, "config check --color never"));
    place
        .variables
        .push(("NO_COLOR".to_owned(), "1".to_owned()));
    assert!(!colored(&place, "config check"));
}

/// A stream that takes nothing.
struct Broken(io::ErrorKind);

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_result_that_is_lost_is_a_failure_unless_nobody_reads_on() {
    for (kind, expected) in [
        (io::ErrorKind::BrokenPipe, 0),
        (io::ErrorKind::StorageFull, 1),
    ] {
        let place = Place::new();
        let (mut out, mut err) = (Broken(kind), Vec::new());
        let streams = Streams {
            out: &mut out,
            err: &mut err,
            out_columns: None,
            err_is_terminal: false,
            no_color: false,
        };
        let starter = |_: Start| Ok(Exit::Done);
        let world = World {
            streams,
            around: place.around(),
            starter: &starter,
        };
        let exit = cli::run(["longshore", "version"].map(Into::into), world);
        assert_eq!(exit.code(), expected);
        assert_eq!(err.is_empty(), expected == 0);
    }
}

#[test]
fn up_starts_with_what_was_checked() {
    let place = Place::new();
    place.write(
        "plugins.toml",
        "[\"longshore.virt.driver\"]\nkvm = \"k.so\"\n",
    );
    let up = "up --hosts 3 -v";
    let start = |start: Start| {
        assert_eq!(start.hosts, Some(3));
        assert_eq!(start.config.compute.virt, "kvm");
        assert_eq!(start.config.log.filter, "debug");
        assert_eq!(start.map.enabled("longshore.virt.driver").count(), 1);
        Ok(Exit::TimedOut)
    };
    place.write("longshore.toml", "[compute]\nvirt = \"kvm\"\n");
    assert_eq!(place.run_with(up, &start).exit, 6);
    place.write("longshore.toml", "[compute]\nvirt = \"xen\"\n");
    let ran = place.run(up);
    assert_eq!(ran.exit, 3);
    assert!(ran.err.contains("plugin/no-such-driver"), "{}", ran.err);
    place.write("longshore.toml", "[compute]\nvirt = 1\n");
    assert_eq!(place.run(up).exit, 3);
}
