//! How trouble with a file becomes a `DriverError`. Knows nothing of instances.

use longshore_plugin_api::{Category, DriverError};
use std::io::{self, ErrorKind};
use std::path::Path;

// What a full disk, quota or file says; the oldest supported compiler has no names for them.
const EFBIG: i32 = 27;
const ENOSPC: i32 = 28;
const EDQUOT: i32 = 122;

/// `verb` could not be done to `path`. Never `not-found`: that is kept for instances.
pub(crate) fn cannot(verb: &str, path: &Path, error: &io::Error) -> DriverError {
    let category = match error.raw_os_error() {
        Some(EFBIG) | Some(ENOSPC) | Some(EDQUOT) => Category::NoSpace,
        _ => Category::Unavailable,
    };
    DriverError::new(
        category,
        format!("cannot {verb} `{}`: {error}", path.display()),
    )
    .hint("look at the owner, mode and free space of the host's state directory")
    .retry()
}

/// The error of every verb on an instance that is not there.
pub(crate) fn not_found(id: &str) -> DriverError {
    DriverError::not_found(format!("instance `{id}` is not on this host"))
}

/// Success, if the thing to be removed was gone already.
pub(crate) fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}
