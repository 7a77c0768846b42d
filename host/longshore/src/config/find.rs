//! Which files are read: the configuration and the map of entry points.
//!
//! Never blocks: what is not a regular file is not opened. Called by `config::load`; must not
//! know what is in the files.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use longshore_loader::diagnostic::{Diagnostic, Place, nearest};
use longshore_loader::spanned::TEXT_BYTES_MAX;

use super::diagnose;

/// The name of the configuration file.
pub const CONFIG_FILE: &str = "longshore.toml";
/// The name of the map.
pub const MAP_FILE: &str = "plugins.toml";
/// Most files of a directory that are looked at for a suggestion.
const NEIGHBOURS_MAX: usize = 1_000;

/// The configuration file: the one that is named, else the first that exists.
///
/// # Errors
/// The file that is named does not exist.
pub(super) fn config_file(
    named: Option<&Path>,
    working_dir: &Path,
    system_dir: &Path,
) -> Result<Option<PathBuf>, Box<Diagnostic>> {
    if let Some(named) = named {
        let path = working_dir.join(named);
        return if exists(&path) {
            Ok(Some(path))
        } else {
            let place = Place::CommandLine("--config".to_owned());
            Err(Box::new(absent(&path, place)))
        };
    }
    let mut candidates = [working_dir, system_dir]
        .into_iter()
        .map(|d| d.join(CONFIG_FILE));
    Ok(candidates.find(|p| exists(p)))
}

/// The map when nobody names one: beside the configuration, in the working directory, beside the
/// program, or where a package puts it.
pub(super) fn map_file(
    config_file: Option<&Path>,
    working_dir: &Path,
    binary_dir: Option<&Path>,
) -> Option<PathBuf> {
    let beside_config = config_file.and_then(Path::parent).map(Path::to_owned);
    let shared = binary_dir.map(|d| d.join("../share/longshore"));
    let dirs = [
        beside_config,
        Some(working_dir.to_owned()),
        binary_dir.map(Path::to_owned),
        shared,
    ];
    let mut files = dirs.into_iter().flatten().map(|d| d.join(MAP_FILE));
    files.find(|p| exists(p))
}

/// A map that is named and must exist.
pub(super) fn named_map(path: &Path, place: &Place) -> Option<Diagnostic> {
    (!exists(path)).then(|| absent(path, place.clone()))
}

/// Reads a regular file of at most 1 MiB; of a longer one enough to see that it is too long.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    let refused = |why: &str| Box::new(diagnose::unreadable(path, why));
    let failed = |e: std::io::Error| refused(&e.to_string());
    let meta = fs::metadata(path).map_err(failed)?;
    if meta.is_dir() {
        return Err(refused("it is a directory"));
    }
    if !meta.is_file() {
        return Err(refused("it is not a regular file"));
    }
    if meta.len() > TEXT_BYTES_MAX as u64 {
        let why = format!("it has {} bytes, the limit is {TEXT_BYTES_MAX}", meta.len());
        return Err(refused(&why));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(TEXT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

/// A dangling link counts as there: reading it says more than "not found".
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn absent(path: &Path, place: Place) -> Diagnostic {
    let near = || {
        let wanted = path.file_name()?.to_str()?;
        let names: Vec<String> = fs::read_dir(path.parent()?)
            .ok()?
            .take(NEIGHBOURS_MAX)
            .filter_map(|e| e.ok()?.file_name().into_string().ok())
            .collect();
        nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
    };
    diagnose::not_found(path, near().as_deref(), place)
}
