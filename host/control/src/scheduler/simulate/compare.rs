//! Where two runs over the same requests differ.
//!
//! Counts all, lists the first few. Must not know why. Called by the command `scheduler simulate` when it runs several
//! drivers.

use super::outcome::Outcome;

/// Most differences that are listed.
pub const SHOWN_MAX: usize = 20;

/// How two runs differ, by request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The same hosts.
    pub same: u64,
    /// Both found hosts, other ones.
    pub other_hosts: u64,
    /// Only the first run found hosts.
    pub only_first: u64,
    /// Only the second run did.
    pub only_second: u64,
    /// Neither did.
    pub neither: u64,
    /// The first [`SHOWN_MAX`] requests that went differently.
    pub shown: Vec<Difference>,
}

/// A request that went differently. Hosts are places in the fleet; none stands for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The request's place in the list.
    pub request: usize,
    /// The hosts of the first run.
    pub first: Vec<u32>,
    /// The hosts of the second run.
    pub second: Vec<u32>,
}

impl Differences {
    /// Compares two runs over the same requests.
    pub fn between(first: &Outcome, second: &Outcome) -> Differences {
        let mut found = Differences::default();
        for request in 0..first.requests().min(second.requests()) {
            let (one, other) = (first.hosts_of(request), second.hosts_of(request));
            let count = match (one, other) {
                ([], []) => &mut found.neither,
                (_, []) => &mut found.only_first,
                ([], _) => &mut found.only_second,
                _ if one == other => &mut found.same,
                _ => &mut found.other_hosts,
            };
            *count += 1;
            if one != other && found.shown.len() < SHOWN_MAX {
                found.shown.push(Difference {
                    request,
                    first: one.to_vec(),
                    second: other.to_vec(),
                });
            }
        }
        found
    }
}
