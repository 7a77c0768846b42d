//! What the configuration says about loading plugins, as the loader's options: whom to trust with files, whose signatures
//! count, what is opened. The start and the commands that say what a start would do take them from here, so that both
//! see the same.
//!
//! Vetting is the start's own: it runs code of plugins, which no command that only looks may do. Called by
//! `wiring::drivers` and `cli::plugin_state`.

use std::sync::Arc;

use longshore_loader::LoaderOptions;
use longshore_loader::gates::SignatureGate;

use crate::config::owners;
use crate::config::resolved::{Config, Signatures};

/// The loader's options.
pub(crate) fn options(config: &Config) -> LoaderOptions {
    let mut options = LoaderOptions {
        load: config.plugins.load,
        stage_dir: config.plugins.stage_dir.clone(),
        ..LoaderOptions::default()
    };
    let owners = owners::numbers(&config.trust.owners);
    options.trust.owners = owners.into_iter().flatten().collect();
    let (keys, signatures) = (config.trust.keys.clone(), config.trust.signatures);
    if signatures != Signatures::Off {
        let required = signatures == Signatures::Required;
        options
            .gates
            .push(Arc::new(SignatureGate { keys, required }));
    }
    options
}
