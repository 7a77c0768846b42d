//! The one integration binary: the real program, real plugins, real compilers.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod abi_changes;
mod abi_page;
mod abi_plugins;
mod abi_process;
mod aggregates;
mod bad_plugins;
mod boot;
mod costs;
mod crash;
mod documents;
mod drivers;
mod errors;
mod fenced;
mod files;
mod formatters;
mod groups;
mod managers;
mod no_valid_host;
mod nova;
mod old;
mod operator;
mod outside;
mod process_state;
mod quarantine;
mod simulate;
mod staging;
mod tidy;
mod vetting;
