//! What the three programs share: where the map is, what they print, and how they end. Knows no formatter.

#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use formatter_kind::Data;
use longshore_loader::map::Environment;
use longshore_loader::{Loader, PluginMap};

/// A loader of the map that `LONGSHORE_MAP` names, or of `plugins.toml` in the working directory.
///
/// # Errors
/// Everything that is wrong with the map, with file, line and column.
pub fn loader() -> Result<Loader, Box<dyn Error>> {
    let environment = Environment::from_process();
    let path = environment.map_path();
    let map = PluginMap::load(
        &path.unwrap_or_else(|| PathBuf::from("plugins.toml")),
        &environment,
    )?;
    Ok(Loader::new(map, "state"))
}

/// The data that all three programs print.
pub fn sample() -> Data {
    let long = "word ".repeat(12);
    [("b", "B"), ("a", "A"), ("long", long.trim_end())]
        .into_iter()
        .collect()
}

/// Prints lines to standard output.
///
/// # Errors
/// As the output has it: a pipe may be closed.
pub fn show(lines: &[impl AsRef<str>]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{}", line.as_ref()))
}

/// Runs a program with its arguments. It ends with 0, with 1 after an error, and with 2 when `usage` is not kept.
///
/// `program` answers `None` when it cannot make sense of the arguments.
pub fn run(
    usage: &str,
    program: impl FnOnce(&[&str]) -> Option<Result<(), Box<dyn Error>>>,
) -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (text, status) = match program(&args) {
        Some(Ok(())) => return ExitCode::SUCCESS,
        Some(Err(error)) => (error.to_string(), 1),
        None => (format!("usage: {usage}"), 2),
    };
    // If even this cannot be written, the status still says it.
    let _ = writeln!(io::stderr(), "{}", text.trim_end());
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formatter_kind::{DriverError, Formatter, NAMESPACE};
    use longshore_loader::{Extension, ExtensionManager};
    use std::sync::Arc;

    struct Shout;

    impl Formatter for Shout {
        fn format(&self, data: &Data) -> Result<Vec<String>, DriverError> {
            let pairs = data.sorted().into_iter();
            Ok(pairs
                .map(|p| format!("{}!", p.name.to_uppercase()))
                .collect())
        }
    }

    #[test]
    fn a_manager_needs_no_file() {
        let shout: Arc<dyn Formatter> = Arc::new(Shout);
        let shout = Extension::from_driver(NAMESPACE, "shout", shout);
        let formatters = ExtensionManager::test_instance(vec![shout]);
        let data = sample();
        let called = formatters.map_driver(|formatter| formatter.format(&data));
        let lines = ["A!", "B!", "LONG!"].map(str::to_owned).to_vec();
        assert_eq!(called, [("shout", Ok(lines))]);
    }
}
