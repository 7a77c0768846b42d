//! The state that all code of a process shares, watched: what a driver changes in it is named, and put back where that is
//! possible.
//!
//! A driver runs in the program's own process, so its `chdir`, `umask`, `sigaction`, `setenv` or `setrlimit` are the
//! program's. Nothing keeps it from calling them; a [`ProcessWatch`] looks before and after a driver is built, asked whether
//! it is ready, or dropped, and whenever the program asks it to.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use longshore_loader::{Loader, LoaderOptions, PluginMap, process::ProcessWatch};
//! # fn demo(map: PluginMap) {
//! let watch = Arc::new(ProcessWatch::new(Vec::new));
//! let options = LoaderOptions { process: Some(Arc::clone(&watch)), ..LoaderOptions::default() };
//! let loader = Loader::with_options(map, "state", options);
//! // … managers build drivers, and from time to time:
//! watch.check();
//! if let Some(why) = watch.beyond_repair() {
//!     eprintln!("this process is no longer what was started: {why}");
//! }
//! # }
//! ```
//!
//! It finds and repairs, late: between a change and the look, the process was changed. `state` is one look, `compare` says
//! what differs, `restore` undoes it, `watch` knows whom it may name, `words` how that reads.

mod compare;
mod findings;
mod inventory;
mod leaks;
mod restore;
pub(crate) mod signals;
mod state;
mod watch;
mod window;
mod words;

pub(crate) use inventory::Inventory;
pub(crate) use state::ProcessState;
pub(crate) use watch::During;
pub use watch::{AtRest, ProcessWatch};
pub(crate) use words::Doing;
