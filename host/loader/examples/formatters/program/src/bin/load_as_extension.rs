//! Prints data through every formatter there is. One that fails hides no other.

#![forbid(unsafe_code)]

use std::error::Error;
use std::process::ExitCode;

use formatter_kind::{Data, Formatter, NAMESPACE};
use formatter_programs::{loader, run, sample, show};

fn main() -> ExitCode {
    run("load_as_extension [NAME=VALUE]...", |args| {
        let pairs = args.iter().map(|arg| arg.split_once('='));
        let data = pairs.collect::<Option<Data>>()?;
        Some(print(if args.is_empty() { sample() } else { data }))
    })
}

fn print(data: Data) -> Result<(), Box<dyn Error>> {
    let loader = loader()?;
    let formatters = loader.namespace::<dyn Formatter>(NAMESPACE).all()?;
    let mut failed = formatters.failures().len();
    for (name, result) in formatters.map_driver(|formatter| formatter.format(&data)) {
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
    let all = formatters.entry_points().len();
    match failed {
        0 => Ok(()),
        n => Err(format!("{n} of {all} formatters failed").into()),
    }
}
