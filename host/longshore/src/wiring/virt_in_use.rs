//! Instances belong to the virt driver that made them. Another driver would not find its guests and give all of
//! them up, so it may only take over an empty house. The driver's name stands in the state directory.

use std::fs;

use longshore_store::{InstanceQuery, LIST_MAX, Store, StoreError};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::codes;
use crate::config::Config;

/// Refuses to start with another virt driver while instances exist; else remembers the driver.
pub(super) async fn check(config: &Config, store: &Store) -> Result<(), Failure> {
    let name = &config.compute.virt;
    let file = config.host.state_dir.join("virt-driver");
    let before = fs::read_to_string(&file).unwrap_or_default();
    let before = before.trim();
    if before == name {
        return Ok(());
    }
    if !before.is_empty() {
        let held = held(store).await?;
        if held > 0 {
            let what = format!("`compute.virt` cannot change from `{before}` to `{name}`");
            let why = format!("{held} instances belong to `{before}`");
            let help = format!("delete them, or set `compute.virt` back to `{before}`");
            let failure = Failure::new(Exit::Configuration, codes::DRIVER_IN_USE, what);
            return Err(failure.why(why).help(help));
        }
    }
    fs::write(&file, format!("{name}\n")).map_err(|e| {
        let what = format!("cannot write `{}`", file.display());
        Failure::new(Exit::Unreachable, codes::STATE_DIR, what).why(e.to_string())
    })
}

/// Instances that are on a host.
async fn held(store: &Store) -> Result<usize, Failure> {
    let unusable = |e: StoreError| {
        Failure::new(Exit::Unreachable, e.code(), e.to_string()).help(e.cure().to_owned())
    };
    let mut query = InstanceQuery::default();
    let mut held = 0;
    loop {
        let page = store.instances(&query).await.map_err(unusable)?;
        held += page.iter().filter(|i| i.host().is_some()).count();
        match page.last() {
            Some(last) if page.len() >= LIST_MAX as usize => {
                query.marker = Some(last.uuid().to_owned())
            }
            _ => return Ok(held),
        }
    }
}
