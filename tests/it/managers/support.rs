//! A map of the sample plugin, and drivers that need no file.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_loader::{Extension, Loader, PluginMap};
use longshore_plugin_api::DriverError;
use longshore_sample_plugin::Sample;
use longshore_tests::files;
use tempfile::TempDir;

pub(super) const NS: &str = longshore_sample_plugin::NAMESPACE;

/// The usual four: two names of one driver, a constructor that fails, a library that is not there.
pub(super) const FOUR: &str = "t1 = 'LIB'\nt2 = 'LIB'\ne1 = 'LIB'\ne2 = '/none/libabsent.so'\n";

/// A loader and the directory it works in.
pub(super) struct World {
    pub(super) loader: Loader,
    pub(super) dir: TempDir,
}

/// Loads the usual four.
pub(super) fn four() -> World {
    entries(FOUR)
}

/// Loads a map with these entries of the sample namespace; `LIB` is the sample plugin, `DIR` the world's directory.
pub(super) fn entries(lines: &str) -> World {
    whole(&format!("['{NS}']\n{lines}"))
}

/// Loads a whole map.
pub(super) fn whole(text: &str) -> World {
    let dir = tempfile::tempdir().unwrap();
    let lib = sample().display().to_string();
    let text = text.replace("LIB", &lib);
    let text = text.replace("DIR", &dir.path().display().to_string());
    let map = PluginMap::parse(&text, "plugins.toml").unwrap_or_else(|e| panic!("{e}"));
    let loader = Loader::new(map, dir.path().join("state"));
    World { loader, dir }
}

/// The built plugin.
pub(super) fn sample() -> PathBuf {
    files::plugin("debug", "longshore-sample-plugin")
}

/// Whether the bytes of a file are mapped into this process: sealed memory carries the file's name.
pub(super) fn is_mapped(path: &std::path::Path) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    maps.contains(&format!("/memfd:longshore:{name}"))
}

/// A driver of the program that counts its calls.
#[derive(Default)]
pub(super) struct Local {
    pub(super) name: String,
    pub(super) calls: AtomicUsize,
}

impl Sample for Local {
    fn name(&self) -> Result<String, DriverError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(self.name.clone())
    }
    fn settings(&self) -> Result<String, DriverError> {
        Ok(String::new())
    }
    fn next(&self, n: u64) -> Result<u64, DriverError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(n + 1)
    }
    fn fail(&self, text: &str) -> Result<u64, DriverError> {
        Err(DriverError::internal(text))
    }
}

/// A ready extension without a file.
pub(super) fn local(name: &str) -> Extension<dyn Sample> {
    local_in("TESTING", name)
}

/// The same, in a namespace of the test's own.
pub(super) fn local_in(namespace: &str, name: &str) -> Extension<dyn Sample> {
    let driver: Arc<dyn Sample> = Arc::new(Local {
        name: name.to_owned(),
        ..Local::default()
    });
    Extension::from_driver(namespace, name, driver)
}

/// Ready extensions with these names, in this order.
pub(super) fn locals(names: &[&str]) -> Vec<Extension<dyn Sample>> {
    names.iter().map(|name| local(name)).collect()
}

/// Whether two extensions are one: the same driver object.
pub(super) fn same(a: &Extension<dyn Sample>, b: &Extension<dyn Sample>) -> bool {
    Arc::ptr_eq(a.driver(), b.driver())
}
