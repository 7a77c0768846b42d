//! What a driver does to the process it runs in, and what the loader's watch says of it: each step is one driver, built,
//! asked, called and dropped; the program looks before and after the call. What is said and how the process is afterwards is printed.

use std::path::Path;
use std::sync::Arc;

use longshore_loader::process::ProcessWatch;
use longshore_loader::{Loader, LoaderOptions, PluginMap, log};
use longshore_plugin_api::{Filter, RequestFields, full, testing};

const FILTERS: &str = "longshore.scheduler.filter";

/// `steps` are `WHEN=BEHAVIOUR`, as in the settings of the misbehaving plugin's `misbehaves`; or `check`.
pub(crate) fn process(lib: &Path, dir: &Path, steps: &[String]) -> Result<(), String> {
    log::set_sink(Box::new(|driver, record| {
        println!("{} {} {}", record.level, driver.name, record.text);
    }));
    let entry = |(n, step): (usize, &String)| {
        let (when, behaviour) = step.split_once('=').unwrap_or(("called", "good"));
        let settings = format!("{{ {when} = {behaviour:?} }}");
        format!("d{n} = {{ lib = {lib:?}, export = \"misbehaves\", settings = {settings} }}\n")
    };
    let entries: String = steps.iter().enumerate().map(entry).collect();
    let map = PluginMap::parse(&format!("[{FILTERS:?}]\n{entries}"), "plugins.toml");
    std::env::set_current_dir(dir).map_err(|e| e.to_string())?;
    let watch = Arc::new(ProcessWatch::new(Vec::new));
    let options = LoaderOptions {
        process: Some(Arc::clone(&watch)),
        ..LoaderOptions::default()
    };
    let loader = Loader::with_options(map.map_err(|e| e.to_string())?, dir, options);
    watch.check();
    for (n, step) in steps.iter().enumerate() {
        match step.as_str() {
            "check" => watch.check(),
            _ => one(&loader, &watch, &format!("d{n}"))?,
        }
        println!("{step}: {}", state(dir)?);
    }
    println!("beyond repair: {:?}", watch.beyond_repair());
    Ok(())
}

/// The whole life of a driver; the program looks before and after it calls it.
fn one(loader: &Loader, watch: &ProcessWatch, name: &str) -> Result<(), String> {
    let filters = loader.namespace::<dyn Filter>(FILTERS);
    let found = filters.driver(name).map_err(|e| e.one_line())?;
    found.extension().ready().map_err(|e| e.to_string())?;
    watch.check();
    let hosts = testing::hosts(1, |_, _| {}).snapshot();
    let mut words = full(1);
    let mut mask = longshore_plugin_api::Mask::new(&mut words, 1);
    let called = found
        .driver()
        .filter_all(&hosts, &RequestFields::default().into(), &mut mask);
    watch.check();
    called.map_err(|e| e.to_string())
}

/// How what drivers change is now.
fn state(dir: &Path) -> Result<String, String> {
    let text = |e: std::io::Error| e.to_string();
    let here = std::env::current_dir().map_err(text)?;
    let here = if here == dir.canonicalize().map_err(text)? {
        "here"
    } else {
        "elsewhere"
    };
    let status = std::fs::read_to_string("/proc/self/status").map_err(text)?;
    let line = |key: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(key));
        found.unwrap_or("?").trim().to_owned()
    };
    let stream = |n: u32| match std::fs::read_link(format!("/proc/self/fd/{n}")) {
        Ok(to) => to.display().to_string(),
        Err(_) => "closed".to_owned(),
    };
    let (umask, caught, blocked) = (line("Umask:"), line("SigCgt:"), line("SigBlk:"));
    let zone = std::env::var("TZ").unwrap_or_default();
    Ok(format!(
        "{here} {umask} {caught} {blocked} tz={zone} {} {}",
        stream(0),
        stream(2)
    ))
}
