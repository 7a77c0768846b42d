//! The program as its users see it: streams and exit codes of whole command lines.
//!
//! Runs in this process, with a directory, variables and a small API of the test's own.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod aggregates;
mod api;
mod check;
mod codes;
mod doctor;
mod files;
mod groups;
mod images;
mod lock;
mod outlook;
mod plugins;
mod program;
mod scan;
mod servers;
mod simulate;
