//! Every word that a map file may use, by the table it belongs to. What they mean stands with those who read them.

/// The one table that is no namespace.
pub(super) const RESERVED: &str = "longshore";

/// Keys of `[longshore]`.
pub(super) const RESERVED_KEYS: &[&str] = &["format", "search", "include", "defaults", "policy"];

/// Keys of a policy.
pub(super) const POLICY_KEYS: &[&str] =
    &["conflicts", "order", "only", "disabled", "default", "env"];

/// Keys of the table form.
pub(super) const ENTRY_KEYS: &[&str] = &[
    "lib",
    "export",
    "alias",
    "enabled",
    "optional",
    "allow_panic_abort",
    "priority",
    "settings",
    "override",
    "append",
    "patch",
    "deprecated",
    "about",
    "version",
    "sha256",
];
