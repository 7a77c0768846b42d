//! The log: where records go, how they look, and how a driver's own records join them.
//!
//! Records go to the stream that the wiring gives, a duplicate of stderr. Must not know what is logged. Called once, by
//! the wiring or a command.

use std::fs::File;
use std::io::IsTerminal as _;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use longshore_loader::diagnostic::escape;
use longshore_loader::log as driver_log;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::resolved::{LogConfig, LogFormat};

/// Starts logging for the rest of the process's life; a second call changes nothing.
pub fn start(config: &LogConfig, to: Arc<File>) {
    let is_terminal = to.is_terminal();
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let plain = tracing_subscriber::fmt::layer()
        .with_writer(to)
        // They would go to stderr, which is a pipe that ends in this log.
        .log_internal_errors(false)
        .with_target(true);
    let registry = tracing_subscriber::registry().with(filter);
    let started = match config.format {
        LogFormat::Text => registry.with(plain.with_ansi(is_terminal)).try_init(),
        LogFormat::Json => registry.with(plain.json()).try_init(),
    };
    if started.is_ok() {
        driver_log::set_sink(Box::new(from_driver));
        driver_log::set_level(level_of(LevelFilter::current()));
    }
}

/// As [`start`], for a command that hosts no services; where there is no stderr nothing is logged.
pub fn start_on_stderr(config: &LogConfig) {
    if let Ok(stderr) = std::io::stderr().as_fd().try_clone_to_owned() {
        start(config, Arc::new(File::from(stderr)));
    }
}

fn level_of(filter: LevelFilter) -> u32 {
    match filter.into_level() {
        None => 0,
        Some(tracing::Level::ERROR) => 1,
        Some(tracing::Level::WARN) => 2,
        Some(tracing::Level::INFO) => 3,
        Some(tracing::Level::DEBUG) => 4,
        Some(tracing::Level::TRACE) => 5,
    }
}

/// Writes a record of a driver under its own name, and what the loader says of one. Texts come from outside and are
/// escaped.
fn from_driver(
    driver: &driver_log::DriverName,
    record: &longshore_plugin_api::__abi::host::LogRecord<'_>,
) {
    macro_rules! write {
        ($target:literal $(, $field:ident)*) => {{
            let text = escape(record.text);
            match record.level {
                1 => tracing::error!(target: $target, $($field,)* "{text}"),
                2 => tracing::warn!(target: $target, $($field,)* "{text}"),
                3 => tracing::info!(target: $target, $($field,)* "{text}"),
                4 => tracing::debug!(target: $target, $($field,)* "{text}"),
                _ => tracing::trace!(target: $target, $($field,)* "{text}"),
            }
        }};
    }
    let (namespace, name, host) = (&driver.namespace, &driver.name, &driver.host);
    match (record.target, name.is_empty()) {
        // What the loader cannot say of one driver alone.
        ("longshore_loader", true) => write!("loader"),
        ("longshore_loader", false) => write!("loader", namespace, name),
        // A record of the plugin itself: its panic hook does not know which driver it is.
        (_, true) => write!("driver"),
        (_, false) => write!("driver", namespace, name, host),
    }
}
