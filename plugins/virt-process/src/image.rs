//! Which program an image stands for, and whether it may be run. Knows nothing of instances;
//! `driver` asks at each start, because files and links may have changed since the last.

use longshore_plugin_api::DriverError;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The path to execute for the image's `file`.
///
/// A program may look at the name it was called by, so a link that lies below an image directory
/// itself is executed by its own name. Any other link is executed by what it leads to.
///
/// # Errors
/// `invalid`: not absolute, not there, outside of the image directories, not a regular file, or not
/// executable.
pub(crate) fn program(file: &Path, image_dirs: &[String]) -> Result<PathBuf, DriverError> {
    let wrong = |why: &str| DriverError::invalid(format!("image file `{}` {why}", file.display()));
    if !file.is_absolute() {
        return Err(wrong("is not an absolute path"));
    }
    let real =
        fs::canonicalize(file).map_err(|error| wrong(&format!("cannot be used: {error}")))?;
    // A directory that is not there holds no image.
    let allowed: Vec<PathBuf> = image_dirs.iter().flat_map(fs::canonicalize).collect();
    let inside = |path: &Path| allowed.iter().any(|directory| path.starts_with(directory));
    if !inside(&real) {
        let dirs = image_dirs.join("`, `");
        return Err(wrong(&format!("is, after all links, not below `{dirs}`"))
            .hint("add its directory to `image_dirs` of this driver, or use another file"));
    }
    let metadata =
        fs::metadata(&real).map_err(|error| wrong(&format!("cannot be used: {error}")))?;
    if !metadata.is_file() {
        return Err(wrong("is not a regular file"));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(wrong("is not executable").hint("set its x bit"));
    }
    let parent = file
        .parent()
        .and_then(|parent| fs::canonicalize(parent).ok());
    Ok(match (parent, file.file_name()) {
        (Some(parent), Some(name)) if inside(&parent) => parent.join(name),
        _ => real,
    })
}
