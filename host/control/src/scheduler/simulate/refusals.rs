//! Why requests found no host: counted by reason, and filter by filter over all requests.
//!
//! A reason is short and the same for requests that fail alike; one of them is kept with its whole text as an example.
//! Must not know how a selection works. Filled by `run`.

use std::collections::HashMap;

use crate::scheduler::errors::SelectError;
use crate::scheduler::selection::host_states::FilterCount;

/// Requests that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code of the error.
    pub code: String,
    /// Why, in a few words.
    pub reason: String,
    /// How many requests.
    pub requests: u64,
    /// How many instances they were for.
    pub instances: u64,
    /// The first of them, and what was said of it.
    pub example: (String, String),
}

/// What one filter did in all requests. Of a request for several instances its run for the last one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterTally {
    /// Its name.
    pub filter: String,
    /// In how many requests it ran.
    pub requests: u64,
    /// Hosts it was asked about.
    pub hosts: u64,
    /// Hosts it took out.
    pub removed: u64,
    /// In how many requests it took out the last host.
    pub emptied: u64,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// By reason, most frequent first.
    pub reasons: Vec<Refusal>,
    /// By filter, in the order in which they run.
    pub filters: Vec<FilterTally>,
}

/// Counts while requests are played.
#[derive(Default)]
pub(super) struct Counter {
    reasons: Vec<Refusal>,
    by_reason: HashMap<(String, String), usize>,
    filters: Vec<FilterTally>,
}

impl Counter {
    /// Counts for these filters, in the order in which they run.
    pub(super) fn of(filters: impl Iterator<Item = String>) -> Self {
        let tally = |filter| FilterTally {
            filter,
            requests: 0,
            hosts: 0,
            removed: 0,
            emptied: 0,
        };
        Self {
            filters: filters.map(tally).collect(),
            ..Self::default()
        }
    }
    /// Counts the filters' work in one request.
    pub(super) fn filtered(&mut self, counts: &[FilterCount]) {
        for FilterCount { filter, start, end } in counts {
            let Some(tally) = self.filters.iter_mut().find(|t| t.filter == *filter) else {
                continue;
            };
            tally.requests += 1;
            tally.hosts += *start as u64;
            tally.removed += start.saturating_sub(*end) as u64;
            tally.emptied += u64::from(*end == 0);
        }
    }

    /// Counts a request that was refused; answers the place of its reason.
    pub(super) fn refused(&mut self, id: &str, instances: u32, error: &SelectError) -> usize {
        if let SelectError::NoValidHost { filters, .. } = error {
            self.filtered(filters);
        }
        let key = (error.code().to_owned(), reason(error));
        let (reasons, by_reason) = (&mut self.reasons, &mut self.by_reason);
        let at = *by_reason.entry(key).or_insert_with_key(|(code, reason)| {
            reasons.push(Refusal {
                code: code.clone(),
                reason: reason.clone(),
                requests: 0,
                instances: 0,
                example: (id.to_owned(), error.to_string()),
            });
            reasons.len() - 1
        });
        reasons[at].requests += 1;
        reasons[at].instances += u64::from(instances);
        at
    }

    /// Everything that was counted, reasons in the order of their places.
    pub(super) fn finish(self) -> Refusals {
        Refusals {
            reasons: self.reasons,
            filters: self.filters,
        }
    }
}

/// The same words for the same cause: no numbers of the single request.
fn reason(error: &SelectError) -> String {
    match error {
        SelectError::NoValidHost { known: 0, .. } => "no host is known".to_owned(),
        SelectError::NoValidHost { eligible: 0, .. } => "the request allows no host".to_owned(),
        SelectError::NoValidHost { filters, .. } => {
            match filters.iter().find(|count| count.end == 0) {
                Some(count) => format!("filter `{}` left no host", count.filter),
                None => "hosts were left, and the scheduler took none".to_owned(),
            }
        }
        SelectError::Driver(who, error) if error.is_panic() => format!("{who} panicked"),
        SelectError::Driver(who, _) => format!("{who} failed"),
        SelectError::BadValue(who, _) => format!("{who} gave a wrong answer"),
        SelectError::BadSpec(_) => "the request cannot be right".to_owned(),
        SelectError::UnsupportedPolicy(..)
        | SelectError::Busy(_)
        | SelectError::Waited(_)
        | SelectError::Records(..) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(filters: &[(&str, usize, usize)]) -> SelectError {
        let count = |&(filter, start, end): &(&str, usize, usize)| FilterCount {
            filter: filter.to_owned(),
            start,
            end,
        };
        SelectError::NoValidHost {
            reason: "too few".to_owned(),
            known: 4,
            eligible: 4,
            filters: filters.iter().map(count).collect(),
            story: Box::default(),
        }
    }

    #[test]
    fn requests_that_fail_alike_are_counted_together() {
        let names = ["compute", "ram"].map(str::to_owned);
        let mut counter = Counter::of(names.into_iter());
        let ram = none(&[("compute", 4, 3), ("ram", 3, 0)]);
        assert_eq!(counter.refused("one", 2, &ram), 0);
        assert_eq!(
            counter.refused("two", 1, &SelectError::BadSpec("odd".to_owned())),
            1
        );
        assert_eq!(
            counter.refused("three", 5, &none(&[("compute", 4, 2), ("ram", 2, 0)])),
            0
        );
        let Refusals { reasons, filters } = counter.finish();
        assert_eq!(reasons[0].reason, "filter `ram` left no host");
        assert_eq!((reasons[0].requests, reasons[0].instances), (2, 7));
        assert_eq!(reasons[0].example.0, "one");
        assert_eq!(reasons[1].code, "schedule/bad-spec");
        let ram = FilterTally {
            filter: "ram".to_owned(),
            requests: 2,
            hosts: 5,
            removed: 5,
            emptied: 2,
        };
        assert_eq!(filters[1], ram);
    }
}
