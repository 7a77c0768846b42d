//! Prints data through every formatter there is. One that fails hides no other.

#![forbid(unsafe_code)]

use std::error::Error;
use std::process::ExitCode;

use formatter_kind::{Data, Formatter, NAMESPACE};
use formatter_programs::{loader, run, sample, show};

fn main() -> ExitCode {
    run("load_as_extension [NAME=VALUE]...", |args| {
        let pairs: Option<Data> = args
            .iter()
            .map(|arg| arg.split_once('='))
            .collect::<Option<_>>();
        pairs.map(|data| print(&if args.is_empty() { sample() } else { data }))
    })
}

fn print(data: &Data) -> Result<(), Box<dyn Error>> {
    let loader = loader()?;
    let formatters = loader.namespace::<dyn Formatter>(NAMESPACE).all()?;
    let mut failed = formatters.failures().len();
    for (name, result) in formatters.map_driver(|formatter| formatter.format(data)) {
        show(&[format!("[{name}]")])?;
        match result {
            Ok(lines) => show(&lines)?,
            Err(error) => {
                failed += 1;
                show(&[format!("failed: {error}")])?;
            }
        }
    }
    for failure in formatters.failures() {
        show(&[
            format!("[{}]", failure.entry().1),
            format!("not loaded: {}", failure.refusal.why),
        ])?;
    }
    match failed {
        0 => Ok(()),
        n => Err(format!(
            "{n} of {} formatters failed",
            formatters.entry_points().len()
        )
        .into()),
    }
}
