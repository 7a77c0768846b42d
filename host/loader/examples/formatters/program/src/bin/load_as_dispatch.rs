//! Prints the sample through some of the formatters: those with the names on the command line, in that order; without
//! names, those that have a width.

#![forbid(unsafe_code)]

use std::error::Error;
use std::process::ExitCode;

use formatter_kind::{Formatter, NAMESPACE};
use formatter_programs::{loader, run, sample, show};

type Lines = Result<Vec<String>, Box<dyn Error>>;

fn main() -> ExitCode {
    run("load_as_dispatch [NAME]...", |names| Some(print(names)))
}

fn print(names: &[&str]) -> Result<(), Box<dyn Error>> {
    let loader = loader()?;
    let formatters = loader.namespace::<dyn Formatter>(NAMESPACE).lazy();
    let data = sample();
    // Lazy: a formatter is made when it is called, so the result of a call may also be why there is none.
    let lines = |formatter: &dyn Formatter| -> Lines { Ok(formatter.format(&data)?) };
    if names.is_empty() {
        let formatters = formatters.dispatch()?;
        show_all(formatters.map_driver(|e| e.info().settings.contains_key("max_width"), lines))?;
    } else {
        let formatters = formatters.name_dispatch()?;
        // A call leaves out names that nobody has. This program would rather say so.
        for name in names {
            formatters.require(name)?;
        }
        show_all(formatters.map_driver(names, lines))?;
    }
    show(&[format!("libraries opened: {}", loader.open_libraries())])?;
    Ok(())
}

fn show_all(called: Vec<(&str, Lines)>) -> Result<(), Box<dyn Error>> {
    for (name, lines) in called {
        show(&[format!("[{name}]")])?;
        show(&lines?)?;
    }
    Ok(())
}
