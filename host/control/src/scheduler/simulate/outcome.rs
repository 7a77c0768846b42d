//! What came of a run: where instances went, what was refused, the figures.
//!
//! Placements lie in one list for all requests, since there may be millions. Must not know drivers. Made by `run`.

use std::fmt;

use super::figures::Figures;
use super::refusals::Refusals;
use crate::codes;

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The scheduler driver's name.
    pub driver: String,
    /// The figures.
    pub figures: Figures,
    /// Why requests were refused, and what filters did.
    pub refusals: Refusals,
    /// Reports of hosts that the host manager did not take during the run: how many, and why the first one. The report
    /// before stays in force.
    pub left_out: Option<(u64, String)>,
    pub(super) placements: Placements,
}

/// Where instances went, request by request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Placements {
    /// The hosts of all instances.
    hosts: Vec<u32>,
    /// Where the hosts of each request end.
    ends: Vec<usize>,
    /// Requests that were refused, and the places of their reasons, in order.
    refused: Vec<(usize, usize)>,
}

impl Placements {
    /// The next request has these hosts.
    pub(super) fn placed(&mut self, rows: impl Iterator<Item = usize>) {
        // A fleet has at most `HOSTS_MAX` hosts.
        self.hosts.extend(rows.map(|row| row as u32));
        self.ends.push(self.hosts.len());
    }

    /// The next request was refused, for this reason.
    pub(super) fn refused(&mut self, reason: usize) {
        self.refused.push((self.ends.len(), reason));
        self.ends.push(self.hosts.len());
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> usize {
        self.ends.len()
    }

    /// How many of them were refused.
    pub(super) fn refusals(&self) -> usize {
        self.refused.len()
    }

    /// How many instances have a host.
    pub(super) fn instances(&self) -> usize {
        self.hosts.len()
    }

    /// The hosts of a request.
    pub(super) fn of(&self, request: usize) -> &[u32] {
        let start = request.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.hosts[start..self.ends[request]]
    }
}

impl Outcome {
    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.placements.requests()
    }

    /// The hosts of a request's instances, as places in the fleet; none when it was refused.
    ///
    /// # Panics
    /// If there were fewer requests.
    pub fn hosts_of(&self, request: usize) -> &[u32] {
        self.placements.of(request)
    }

    /// Why a request was refused; none when it was placed.
    pub fn reason_of(&self, request: usize) -> Option<&str> {
        let refused = &self.placements.refused;
        let at = refused.binary_search_by_key(&request, |(request, _)| *request);
        let (_, reason) = refused[at.ok()?];
        Some(&self.refusals.reasons[reason].reason)
    }
}

/// The run cannot go on: the host manager does not do its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationError {
    code: String,
    text: String,
}

impl SimulationError {
    pub(super) fn new(code: &str, text: String) -> Self {
        let code = code.to_owned();
        Self { code, text }
    }

    pub(super) fn bad_value(text: String) -> Self {
        Self::new(codes::DRIVER_BAD_VALUE, text)
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for SimulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for SimulationError {}
