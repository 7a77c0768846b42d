//! What a host that runs at the configured address says of its drivers, if one answers.
//!
//! Asked once per `doctor`. Must not know what is made of it. Called by `doctor`, read by `drivers` and `places`.

use std::time::Duration;

use serde_json::Value as Json;

use crate::cli::client::Client;
use crate::cli::names::text;
use crate::cli::plugin::PATH;
use crate::config::Config;

/// How long whoever holds the address may take to say who it is.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The list of plugins of a running host.
pub(super) struct Running(Vec<Json>);

impl Running {
    /// Asks whoever listens there. Nothing unless it has the endpoint that only longshore has.
    pub(super) fn ask(config: &Config) -> Option<Running> {
        let url = Client::url_of(&config.api.listen).ok()?;
        let client = Client::within(&url, None, ANSWER_MAX).ok()?;
        match client.get(PATH).ok()? {
            Json::Array(plugins) => Some(Running(plugins)),
            _ => None,
        }
    }

    /// What it says of one entry point.
    pub(super) fn of(&self, namespace: &str, name: &str) -> Option<&Json> {
        let is_it = |i: &&Json| text(i, "namespace") == namespace && text(i, "name") == name;
        self.0.iter().find(is_it)
    }
}
