//! Limits of the process that a start raises as far as it may.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are asked for: each loaded plugin keeps one, each connection one.
const OPEN_FILES: u64 = 65_536;

/// Raises the soft limit of open files towards the hard one. A host with less goes on with what it has.
pub(super) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit
        .maximum
        .map_or(OPEN_FILES, |hard| hard.min(OPEN_FILES));
    if limit.current.is_none_or(|soft| soft >= most) {
        return;
    }
    let raised = Rlimit {
        current: Some(most),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!("the limit of open files cannot be raised to {most}: {error}");
    }
}
