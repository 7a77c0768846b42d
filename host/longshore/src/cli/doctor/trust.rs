//! What stands between a plugin's file and this host's process: owners, lock, signatures, vetting, policy.
//!
//! Says what is configured; that each driver passes it is `drivers`' to say. Called by `doctor`.

use longshore_loader::diagnostic::quoted_list;
use longshore_loader::map::PluginMap;
use longshore_loader::vet;

use super::report::Report;
use crate::config::Config;
use crate::config::resolved::{PluginPolicy, Signatures};

/// What every driver may do, trusted or not.
const RIGHTS: &str =
    "a driver runs in the host's process and may do whatever the host's user may do";

pub(super) fn check(config: &Config, map: &PluginMap, report: &mut Report) {
    let owners: Vec<&str> = config.trust.owners.iter().map(String::as_str).collect();
    let owners = match owners.as_slice() {
        [] => "root's and this user's files".to_owned(),
        some => format!("files of root, this user and {}", quoted_list(some)),
    };
    let lock = match map.lock() {
        Some(_) => "held to the lock",
        None => "no lock",
    };
    let signatures = match config.trust.signatures {
        Signatures::Off => "signatures off",
        Signatures::Optional => "signatures optional",
        Signatures::Required => "signatures required",
    };
    let vetting = match config.plugins.vet {
        vet::Policy::Never => "vetting never",
        vet::Policy::New => "vetting what is new",
        vet::Policy::Always => "vetting always",
    };
    let policy = match config.plugins.policy {
        PluginPolicy::Permissive => "policy permissive",
        PluginPolicy::Strict => "policy strict",
    };
    let message = [owners.as_str(), lock, signatures, vetting, policy].join(", ");
    report.ok("trust", message, vec![RIGHTS.to_owned()]);
}
