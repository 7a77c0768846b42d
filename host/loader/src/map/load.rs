//! Finding and reading the files of the map: the base file and its drop-ins, in their order.
//!
//! The only file of the map that touches the disk, besides the search for a library. Never
//! blocks: what is not a regular file is not opened. Bounds: 1 MiB per file, 1 000 drop-ins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::build::{Builder, search_dirs};
use super::environment::Environment;
use super::file::{self, RawFile};
use super::include::Include;
use super::origin::{Files, LoadOptions, Origin};
use super::snapshot::PluginMap;
use super::stamp::Stamps;
use crate::codes;
use crate::diagnostic::{Diagnostic, Place, Severity, Style, escape, render};
use crate::lock::PluginsLock;
use crate::spanned::TEXT_BYTES_MAX;

/// The drop-in directory of a map that names none.
const INCLUDE_DEFAULT: &str = "plugins.d";

/// Most drop-in files.
pub const DROP_INS_MAX: usize = 1_000;

/// Why there is no map: everything that is wrong with its files and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapError {
    /// At least one, in order of files and places.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for MapError {
    /// The whole text for people, without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.diagnostics, Style::default()))
    }
}

impl std::error::Error for MapError {}

impl PluginMap {
    /// Loads the base file at `path`, its drop-ins, and applies the environment.
    ///
    /// # Errors
    /// Every fatal diagnostic of all files; with `LONGSHORE_STRICT=1` every diagnostic.
    pub fn load(path: &Path, environment: &Environment) -> Result<PluginMap, MapError> {
        load(path, environment, &LoadOptions::default())
    }

    /// As `load`, with options.
    ///
    /// # Errors
    /// As `load`.
    pub fn load_with(
        path: &Path,
        environment: &Environment,
        options: &LoadOptions,
    ) -> Result<PluginMap, MapError> {
        load(path, environment, options)
    }
}

fn load(
    path: &Path,
    environment: &Environment,
    options: &LoadOptions,
) -> Result<PluginMap, MapError> {
    let shown = path.display().to_string();
    let dir: Arc<Path> = Arc::from(directory_of(path));
    let mut stamps = Stamps::default();
    stamps.add(path);
    let bytes = read_file(path).map_err(|d| MapError {
        diagnostics: vec![*d],
    })?;
    let mut base = file::read(&bytes, &shown, &dir, None);
    let mut fatal = std::mem::take(&mut base.fatal);
    let listed = base.include.take();
    let mut includes = include_dirs(&dir, listed);
    let mut builder = Builder::default();
    builder.search = environment.plugin_dirs();
    builder.search.extend(search_dirs(&dir, &base.search));
    builder.search.extend(options.builtin_dirs.iter().cloned());
    builder.add(base);
    match drop_ins(&mut includes, path, &mut stamps) {
        Ok(files) => {
            for file in files {
                stamps.add(&file);
                add_drop_in(&mut builder, &file, &shown, options, &mut fatal);
            }
        }
        Err(d) => fatal.push(*d),
    }
    let lock = read_lock(path, options, &mut stamps, &mut fatal);
    let mut map = finish(builder, environment, fatal)?;
    map.includes = includes;
    map.lock = lock.map(Arc::new);
    map.origin = Origin::Files(Arc::new(Files {
        path: path.to_owned(),
        environment: environment.clone(),
        options: options.clone(),
        stamps,
    }));
    Ok(map)
}

/// The lock beside the base file. One that cannot be read is fatal: without it nothing would be held to it.
fn read_lock(
    map: &Path,
    options: &LoadOptions,
    stamps: &mut Stamps,
    fatal: &mut Vec<Diagnostic>,
) -> Option<PluginsLock> {
    if options.ignore_lock {
        return None;
    }
    let path = PluginsLock::path_beside(map);
    stamps.add(&path);
    PluginsLock::load(&path).unwrap_or_else(|e| {
        fatal.extend(e.diagnostics);
        None
    })
}

/// Applies the environment and makes the map, unless something was fatal.
pub(super) fn finish(
    mut builder: Builder,
    environment: &Environment,
    mut fatal: Vec<Diagnostic>,
) -> Result<PluginMap, MapError> {
    builder.add_environment(environment, &mut fatal);
    let built = builder.finish();
    if !fatal.is_empty() {
        return Err(MapError { diagnostics: fatal });
    }
    if environment.is_strict() && !built.diagnostics.is_empty() {
        let mut diagnostics = built.diagnostics;
        for d in &mut diagnostics {
            d.severity = Severity::Error;
        }
        return Err(MapError { diagnostics });
    }
    Ok(PluginMap::new(built, environment.plugin_dirs().len()))
}

fn add_drop_in(
    builder: &mut Builder,
    path: &Path,
    base: &str,
    options: &LoadOptions,
    fatal: &mut Vec<Diagnostic>,
) {
    let shown = path.display().to_string();
    let dir: Arc<Path> = Arc::from(directory_of(path));
    let read = |bytes: Vec<u8>| file::read(&bytes, &shown, &dir, Some(base));
    let errors = match read_file(path).map(read) {
        Ok(RawFile { fatal, .. }) if !fatal.is_empty() => fatal,
        Ok(file) => {
            builder.add(file);
            return;
        }
        Err(d) => vec![*d],
    };
    if options.lenient {
        builder.diagnostics.extend(errors)
    } else {
        fatal.extend(errors)
    }
}

fn include_dirs(dir: &Path, listed: Option<Vec<(String, Place)>>) -> Vec<Include> {
    let include = |name: &str, place| Include {
        dir: dir.join(name),
        place,
        files: 0,
        holds_base: false,
    };
    match listed {
        None => vec![include(INCLUDE_DEFAULT, None)],
        Some(listed) => {
            let listed = listed.into_iter();
            listed
                .map(|(name, place)| include(&name, Some(place)))
                .collect()
        }
    }
}

/// All drop-ins, sorted by file name; a name in a later directory replaces the same name in an
/// earlier one.
fn drop_ins(
    includes: &mut [Include],
    base: &Path,
    stamps: &mut Stamps,
) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    let mut found: BTreeMap<Vec<u8>, PathBuf> = BTreeMap::new();
    let base = base.canonicalize().ok();
    for include in includes {
        stamps.add(&include.dir);
        let entries = match fs::read_dir(&include.dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(unreadable(&include.dir, &e)),
        };
        for entry in entries {
            let name = entry.map_err(|e| unreadable(&include.dir, &e))?.file_name();
            let path = include.dir.join(&name);
            if !is_drop_in(&name) || is_special(&path) {
                continue;
            }
            if base.is_some() && path.canonicalize().ok() == base {
                include.holds_base = true;
                continue;
            }
            include.files += 1;
            found.insert(name.as_bytes().to_owned(), path);
            if found.len() > DROP_INS_MAX {
                let place = Place::File(include.dir.display().to_string());
                let what = format!("more than {DROP_INS_MAX} drop-in files");
                let d = Diagnostic::error(codes::MAP_TOO_LARGE, place, what);
                return Err(Box::new(d.with_help("join some of them")));
            }
        }
    }
    // A link to `/dev/null` is how a file of an earlier directory is masked.
    Ok(found.into_values().filter(|p| !is_null_device(p)).collect())
}

fn is_drop_in(name: &OsString) -> bool {
    let bytes = name.as_bytes();
    bytes.ends_with(b".toml") && !bytes.starts_with(b".")
}

/// A directory, pipe or device, which is no drop-in whatever its name. A link that leads nowhere is
/// none of these: it is a drop-in that cannot be read.
fn is_special(path: &Path) -> bool {
    let special = path.metadata().is_ok_and(|m| !m.is_file());
    special && !is_null_device(path)
}

fn is_null_device(path: &Path) -> bool {
    path.canonicalize()
        .is_ok_and(|p| p == Path::new("/dev/null"))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Reads a whole regular file of at most `TEXT_BYTES_MAX`, and one byte more when it is longer.
fn read_file(path: &Path) -> Result<Vec<u8>, Box<Diagnostic>> {
    let meta = fs::metadata(path).map_err(|e| unreadable(path, &e))?;
    if !meta.is_file() {
        let what = if meta.is_dir() {
            "is a directory"
        } else {
            "is not a regular file"
        };
        let shown = path.display().to_string();
        let what = format!("cannot read plugin map `{}`: it {what}", escape(&shown));
        let d = Diagnostic::error(codes::MAP_UNREADABLE, Place::File(shown), what);
        return Err(Box::new(d.with_help("name the file")));
    }
    let mut bytes = Vec::new();
    let limit = TEXT_BYTES_MAX as u64 + 1;
    let file = fs::File::open(path).map_err(|e| unreadable(path, &e))?;
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, &e))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Box<Diagnostic> {
    let shown = path.display().to_string();
    let absent = error.kind() == io::ErrorKind::NotFound;
    let code = if absent {
        codes::MAP_NOT_FOUND
    } else {
        codes::MAP_UNREADABLE
    };
    let what = format!("cannot read plugin map `{}`: {error}", escape(&shown));
    // What is there and cannot be found is a link that leads nowhere; it is its own neighbour.
    let dangles = absent && path.symlink_metadata().is_ok();
    let help = match crate::inspect::neighbour(path).filter(|_| absent && !dangles) {
        Some(near) => format!("did you mean `{}`?", escape(&near)),
        None if dangles => "mend the link, or remove it".to_owned(),
        None if absent => "correct the path, or write the file".to_owned(),
        None => "make it readable for the service user".to_owned(),
    };
    Box::new(Diagnostic::error(code, Place::File(shown), what).with_help(help))
}
