//! Uses every driver of the plugin in `tests/old/source`, through the loader, and says what is not as it should be.
//!
//! Must not know who built the file: the frozen files of `tests/old`, the matrix of compilers and the allocators all go
//! through [`exercise`]. Errors are texts, because the program `longshore-probe` prints them.

#[path = "../old/source/src/probe.rs"]
pub mod kind;
mod kinds;
mod values;

use std::fmt::Debug;
use std::path::Path;

use longshore_loader::{Loader, PluginMap};
use longshore_plugin_api::DriverError;

/// The namespace of the kind `Probe`.
pub const PROBES: &str = "test.probe";

/// A loader whose map offers everything that the plugin `lib` has. Drivers keep their files below `dir`.
///
/// # Errors
/// What is wrong with the map.
pub fn loader(lib: &Path, dir: &Path) -> Result<Loader, String> {
    let lib = lib.display();
    let text = format!(
        "[\"{PROBES}\"]\n\
         plain = {{ lib = \"{lib}\", settings = {{ mark = \"?\" }} }}\n\
         thirteen = {{ lib = \"{lib}\", export = \"plain\", settings = {{ start = 13 }} }}\n\
         unset = {{ lib = \"{lib}\", export = \"plain\" }}\n\
         never_built = \"{lib}\"\ndrop_panics = \"{lib}\"\n\
         [\"longshore.scheduler.filter\"]\n\
         ample = {{ lib = \"{lib}\", settings = {{ free_ram_mb_min = 5000 }} }}\npanics = \"{lib}\"\n\
         [\"longshore.scheduler.driver\"]\nfirst = \"{lib}\"\n\
         [\"longshore.scheduler.weigher\"]\nkeen = \"{lib}\"\n\
         [\"longshore.virt.driver\"]\nmemory = \"{lib}\"\n"
    );
    let map = PluginMap::parse(&text, "plugins.toml").map_err(|e| e.to_string())?;
    Ok(Loader::new(map, dir))
}

/// Loads every driver of the plugin and calls every method.
///
/// # Errors
/// The refusal in one line, or the first answer that is not the expected one.
pub fn exercise(lib: &Path, dir: &Path) -> Result<(), String> {
    let loader = loader(lib, dir)?;
    values::everything_crosses(&loader, dir)?;
    values::failures_are_contained(&loader)?;
    values::constructors_and_drops_are_guarded(&loader, dir)?;
    kinds::filter_and_weigher(&loader)?;
    kinds::scheduler(&loader)?;
    kinds::virt(&loader)
}

/// Fails unless both are equal.
fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what}: {found:?}, not {wanted:?}"))
}

/// What a call said that must succeed.
fn good<T>(what: &str, answer: Result<T, DriverError>) -> Result<T, String> {
    answer.map_err(|error| format!("{what}: {error}"))
}

/// The panic's message and place, of a call that must panic.
///
/// # Errors
/// If it did not, or without a place.
pub fn panicked<T>(answer: Result<T, DriverError>) -> Result<(String, String), String> {
    match answer {
        Ok(_) => Err("a call that must panic succeeded".to_owned()),
        Err(error) => {
            let place = error.panicked_at().map(str::to_owned);
            let place = place.ok_or_else(|| format!("no panic with a place: {error}"))?;
            Ok((error.message().to_owned(), place))
        }
    }
}

/// A loader of the plain driver of each file.
///
/// # Errors
/// What is wrong with the map, in text.
pub fn loader_of_all(files: &[std::path::PathBuf], dir: &Path) -> Result<Loader, String> {
    let entry = |(n, file): (usize, &std::path::PathBuf)| {
        let lib = file.display();
        format!("p{n} = {{ lib = \"{lib}\", export = \"plain\", settings = {{ mark = \"?\" }} }}\n")
    };
    let entries: String = files.iter().enumerate().map(entry).collect();
    let map = PluginMap::parse(&format!("[\"{PROBES}\"]\n{entries}"), "plugins.toml");
    Ok(Loader::new(map.map_err(|e| e.to_string())?, dir))
}
