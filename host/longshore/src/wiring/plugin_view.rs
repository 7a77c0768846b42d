//! What a running host says of its plugins, what they cost included, and of its readiness, for the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use longshore_control::api::{PluginView, Readiness, ReadyItem};
use longshore_loader::map::Lookup;
use longshore_loader::{Loader, Outcome};
use longshore_store::Store;
use serde_json::{Value as Json, json};

use super::cost;
use super::drivers::{FILTER, HOST_MANAGER, SCHEDULER, VIRT, WEIGHER};
use super::services::Down;
use super::watch::{DriverWatch, Watches, WhyFenced};
use crate::cli::plugin_files;
use crate::cli::plugin_state::{Outlook, word_of};
use crate::config::Config;

/// What services were told to use, and what became of it.
pub(super) struct Drivers {
    /// Namespace and name of every entry that a service uses.
    used: BTreeSet<(String, String)>,
    /// What was told to be used and is not, with the reason.
    skipped: BTreeMap<(String, String), String>,
}

impl Drivers {
    /// Reads the loader's report against the configuration.
    pub(super) fn in_use(config: &Config, loader: &Loader) -> Drivers {
        let scheduler = &config.scheduler;
        let mut told = vec![
            (SCHEDULER, scheduler.driver.as_str()),
            (HOST_MANAGER, scheduler.host_manager.as_str()),
            (VIRT, config.compute.virt.as_str()),
        ];
        told.extend(
            scheduler
                .enabled_filters
                .iter()
                .map(|f| (FILTER, f.as_str())),
        );
        told.extend(
            scheduler
                .weighers
                .iter()
                .map(|(w, _)| (WEIGHER, w.as_str())),
        );
        let report = loader.report();
        let mut drivers = Drivers {
            used: BTreeSet::new(),
            skipped: BTreeMap::new(),
        };
        for (namespace, name) in told {
            // An alias is another name of the entry that was loaded.
            let entry = match loader.map().lookup(namespace, name) {
                Lookup::One(entry) => entry.name.clone(),
                _ => name.to_owned(),
            };
            let key = (namespace.to_owned(), entry);
            match report.of(&key.0, &key.1).map(|line| &line.outcome) {
                Some(Outcome::Loaded(_)) => drop(drivers.used.insert(key)),
                Some(Outcome::Failed(failure)) => {
                    drop(drivers.skipped.insert(key, failure.one_line()))
                }
                None => drop(drivers.skipped.insert(key, "it was not loaded".to_owned())),
            }
        }
        drivers
    }
}

/// The plugins as the files and the loader say.
pub(super) struct LocalPlugins {
    loader: Loader,
    outlook: Outlook,
    drivers: Arc<Drivers>,
    watches: Arc<Watches>,
}

impl LocalPlugins {
    pub(super) fn new(
        loader: Loader,
        drivers: Arc<Drivers>,
        watches: Arc<Watches>,
    ) -> LocalPlugins {
        LocalPlugins {
            outlook: Outlook::of_host(loader.clone()),
            loader,
            drivers,
            watches,
        }
    }

    /// The files know what could be loaded; only the host knows what is.
    fn overlay(&self, mut plugin: Json) -> Json {
        let text = |key: &str| plugin[key].as_str().unwrap_or_default().to_owned();
        let key = (text("namespace"), text("name"));
        if self.drivers.used.contains(&key) {
            plugin["state"] = json!("in_use");
            self.add_fences(&key, &mut plugin);
            return plugin;
        }
        match self
            .loader
            .report()
            .of(&key.0, &key.1)
            .map(|line| line.outcome.clone())
        {
            Some(Outcome::Loaded(_)) => plugin["state"] = json!("loaded"),
            Some(Outcome::Failed(failure)) => {
                let refusal = &failure.refusal;
                plugin["state"] = json!(word_of(refusal.code));
                plugin["error"] = json!({"code": refusal.code, "message": refusal.why});
                plugin["why"] = json!(refusal.why);
                plugin["help"] = json!(refusal.help);
            }
            None => {}
        }
        plugin
    }
}

impl LocalPlugins {
    /// Which of an entry's drivers are not called now, why, and when they are tried: one per host that has its own.
    fn add_fences(&self, (namespace, name): &(String, String), plugin: &mut Json) {
        let fenced = self.watches.fenced().into_iter();
        let its: Vec<_> = fenced
            .filter(|(watch, _)| watch.namespace == *namespace && watch.name == *name)
            .collect();
        if its.is_empty() {
            return;
        }
        let line = |(watch, why): &(Arc<DriverWatch>, WhyFenced)| {
            format!("fenced{}: {why}", watch.place())
        };
        let shape = |(watch, why): &(Arc<DriverWatch>, WhyFenced)| json!({"host": watch.host, "reason": why.reason, "tried_in_s": why.tried_in_s});
        let lines: Vec<String> = its.iter().map(line).collect();
        plugin["why"] = json!(lines.join("; "));
        plugin["help"] = json!("see its panics or abandoned calls in the log");
        plugin["fences"] = its.iter().map(shape).collect();
    }
}

impl LocalPlugins {
    /// What an entry's drivers cost, if services use it.
    fn stats_of(&self, plugin: &Json) -> Option<Json> {
        cost::name_the_slow(&self.watches);
        let [namespace, name] = ["namespace", "name"].map(|key| plugin[key].as_str());
        cost::stats(&self.watches, namespace?, name?)
    }
}

impl PluginView for LocalPlugins {
    fn list(&self) -> Json {
        let plugins = plugin_files::list(&self.outlook, None);
        plugins.into_iter().map(|p| self.overlay(p)).collect()
    }

    fn show(&self, namespace: &str, name: &str) -> Option<Json> {
        let shown = plugin_files::show(&self.outlook, namespace, name).ok()?;
        let mut shown = self.overlay(shown);
        if let Some(stats) = self.stats_of(&shown) {
            shown["stats"] = stats;
        }
        Some(shown)
    }
}

/// Ready when the database answers, every driver that was asked for is loaded, and none is fenced.
pub(super) struct Ready {
    pub(super) store: Store,
    pub(super) drivers: Arc<Drivers>,
    pub(super) watches: Arc<Watches>,
    /// Services that do not do their work.
    pub(super) down: Vec<Down>,
}

impl Ready {
    /// Drivers that panicked too often, or hold too many calls.
    fn fenced(&self) -> Vec<ReadyItem> {
        let item = |(watch, why): (Arc<DriverWatch>, WhyFenced)| {
            let (namespace, name) = (&watch.namespace, &watch.name);
            ReadyItem {
                name: format!("fence {namespace} {name}{}", watch.place()),
                problem: Some(why.to_string()),
            }
        };
        self.watches.fenced().into_iter().map(item).collect()
    }
}

#[async_trait]
impl Readiness for Ready {
    async fn items(&self) -> Vec<ReadyItem> {
        let problem = self.store.flavors().await.err().map(|e| e.to_string());
        let mut items = vec![ReadyItem {
            name: "database".to_owned(),
            problem,
        }];
        for (namespace, name) in &self.drivers.used {
            items.push(ReadyItem {
                name: format!("driver {namespace} {name}"),
                problem: None,
            });
        }
        for ((namespace, name), why) in &self.drivers.skipped {
            let name = format!("driver {namespace} {name}");
            items.push(ReadyItem {
                name,
                problem: Some(why.clone()),
            });
        }
        for Down { binary, host, why } in &self.down {
            items.push(ReadyItem {
                name: format!("service {binary} {host}"),
                problem: Some(why.clone()),
            });
        }
        items.extend(self.fenced());
        items
    }
}
