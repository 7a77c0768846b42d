//! The signals a service process answers to, as values.
//!
//! Nothing happens here when one arrives: the program decides. Usually the first TERM or INT
//! starts a drain, a second one exits at once, and HUP re-reads the configuration.

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::codes;
use crate::error::ServiceError;

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Stop gracefully.
    Term,
    /// Stop, asked for at a terminal.
    Int,
    /// Read the configuration again.
    Hup,
}

/// Listens for signals from its making on; none is lost between two calls of `next`, though
/// several of one kind may come as one.
pub struct Signals {
    term: Stream,
    int: Stream,
    hup: Stream,
}

impl Signals {
    /// Takes over the three signals for the rest of the process's life.
    ///
    /// # Errors
    /// `service/signals`.
    pub fn new() -> Result<Self, ServiceError> {
        let listen = |kind: SignalKind, name: &str| {
            signal(kind).map_err(|error| {
                let text = format!("cannot listen for the signal `{name}`");
                ServiceError::new(codes::SIGNALS, text).with_source(error)
            })
        };
        Ok(Self {
            term: listen(SignalKind::terminate(), "TERM")?,
            int: listen(SignalKind::interrupt(), "INT")?,
            hup: listen(SignalKind::hangup(), "HUP")?,
        })
    }

    /// The next signal; a request to stop goes before one to reload. Cancel safe.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            Some(()) = self.term.recv() => Signal::Term,
            Some(()) = self.int.recv() => Signal::Int,
            Some(()) = self.hup.recv() => Signal::Hup,
            // The streams end only with the process.
            else => std::future::pending().await,
        }
    }
}

/// The first signal from now on, for programs that need no second one.
///
/// # Errors
/// `service/signals`.
pub async fn first_signal() -> Result<Signal, ServiceError> {
    Ok(Signals::new()?.next().await)
}
