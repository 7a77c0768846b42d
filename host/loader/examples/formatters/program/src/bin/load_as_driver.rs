//! Prints the sample through one formatter, chosen by its name on the command line.

#![forbid(unsafe_code)]

use std::error::Error;
use std::process::ExitCode;

use formatter_kind::{Formatter, NAMESPACE};
use formatter_programs::{loader, run, sample, show};

fn main() -> ExitCode {
    run("load_as_driver NAME [MAX_WIDTH]", |args| match args {
        [name] => Some(print(name, None)),
        [name, width] => Some(print(name, Some(width.parse().ok()?))),
        _ => None,
    })
}

fn print(name: &str, max_width: Option<u32>) -> Result<(), Box<dyn Error>> {
    let loader = loader()?;
    // Lazy: the entry is found and checked now, and its driver is made below, with settings of our own.
    let manager = loader
        .namespace::<dyn Formatter>(NAMESPACE)
        .lazy()
        .driver(name)?;
    let factory = manager.extension().factory();
    let formatter = match max_width {
        None => factory.create()?,
        Some(width) => {
            let mut settings = factory.info().settings.clone();
            settings.insert("max_width".to_owned(), width.into());
            factory.create_with(settings)?
        }
    };
    show(&formatter.driver().format(&sample())?)?;
    Ok(())
}
