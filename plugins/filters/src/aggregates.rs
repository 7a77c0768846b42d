//! What the metadata of a host's aggregates say under one key. Knows how metadata are written, and
//! of no key what it means. Called by the filters whose names begin with `aggregate`.

use longshore_plugin_api::{Host, HostTable, Log, Mask};
use std::collections::HashMap;
use std::str::FromStr;

/// The values of a key, one per aggregate that has it.
pub(crate) fn values<'h>(host: Host<'h>, key: &'h str) -> impl Iterator<Item = &'h str> {
    let metadata = host.aggregate_metadata();
    metadata.filter_map(move |(_, k, value)| (k == key).then_some(value))
}

/// The items of a value: it may be a list with commas, and white space around an item does not
/// count. An empty value is one empty item.
pub(crate) fn items(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

/// Whether the values of a key have this among their items, or no aggregate has the key.
pub(crate) fn admit(host: Host<'_>, key: &str, wanted: &str) -> bool {
    let mut values = values(host, key).peekable();
    values.peek().is_none() || values.flat_map(items).any(|item| item == wanted)
}

/// The smallest of a key's values as a number. Nothing when no aggregate has the key, or when any
/// value is no number: then the operator's word cannot be told, and what holds without aggregates
/// holds.
pub(crate) fn smallest<T: FromStr + PartialOrd>(host: Host<'_>, key: &str, log: &Log) -> Option<T> {
    let mut least: Option<T> = None;
    for value in values(host, key) {
        match value.trim().parse::<T>() {
            // What does not compare with itself is no number either.
            Ok(number) if number.partial_cmp(&number).is_some() => {
                if least.as_ref().map_or(true, |known| number < *known) {
                    least = Some(number);
                }
            }
            _ => {
                log.warn(format_args!(
                    "an aggregate of host `{}` has `{key}` = `{value}`, which is no number: \
                     what holds without aggregates is used",
                    host.host_name()
                ));
                return None;
            }
        }
    }
    least
}

/// Answers by what aggregates say: hosts of the same aggregates share an answer, so each is worked
/// out once per request.
pub(crate) struct Memory<'t, T> {
    answers: HashMap<&'t [u32], T>,
    last: Option<(&'t [u32], T)>,
}

impl<'t, T: Copy> Memory<'t, T> {
    /// Knows nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            answers: HashMap::new(),
            last: None,
        }
    }

    /// The answer for a host of the table; `work_out` is asked when it is not remembered.
    pub(crate) fn of(&mut self, host: Host<'t>, work_out: impl FnOnce() -> T) -> T {
        let metadata = host.table().aggregate_metadata(host.row());
        match self.last {
            // Neighbours are often in the same aggregates.
            Some((known, answer)) if same(known, metadata) => answer,
            _ => {
                let answer = *self.answers.entry(metadata).or_insert_with(work_out);
                self.last = Some((metadata, answer));
                answer
            }
        }
    }
}

/// Whether two slices are equal. Most hosts of most fleets are in no aggregate, and comparing nothing with nothing is dear
/// where it is done by reading from a place that does not exist: 30 ns a host.
fn same(a: &[u32], b: &[u32]) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

/// Keeps the hosts whose aggregates pass; `passes` must look at nothing else of a host.
pub(crate) fn retain(hosts: &HostTable, mask: &mut Mask<'_>, passes: impl Fn(Host<'_>) -> bool) {
    let mut memory = Memory::new();
    mask.retain_rows(|row| {
        let host = hosts.host(row);
        memory.of(host, || passes(host))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::aggregates;
    use longshore_plugin_api::testing;
    use std::cell::Cell;
    use std::path::Path;

    #[test]
    fn the_smallest_number_counts_unless_one_is_none() {
        let log = testing::context(Path::new("/nonexistent")).log();
        for (values, expected) in [
            (&["2", " 1.5 "][..], Some(1.5)),
            (&["1e1"], Some(10.0)),
            (&["2", "x"], None),
            (&["nan"], None),
            (&[""], None),
            (&[], None),
        ] {
            let hosts = aggregates("ratio", &[values]).snapshot();
            assert_eq!(
                smallest(hosts.host(0), "ratio", &log),
                expected,
                "{values:?}"
            );
            assert_eq!(smallest::<f64>(hosts.host(0), "other", &log), None);
        }
    }

    #[test]
    fn an_item_of_any_aggregate_admits_and_so_does_the_lack_of_a_key() {
        let hosts = aggregates("k", &[&["a, b"], &["c", "b"], &["c"], &[""], &[]]).snapshot();
        let admitted = |wanted| {
            let rows = hosts.iter().filter(|&host| admit(host, "k", wanted));
            rows.map(|host| host.row()).collect::<Vec<_>>()
        };
        assert_eq!(admitted("b"), [0, 1, 4]);
        assert_eq!(admitted(""), [3, 4]);
    }

    #[test]
    fn hosts_of_the_same_aggregates_are_judged_once() {
        let hosts = aggregates("k", &[&["a"], &["a"], &["b"], &["a"], &[]]).snapshot();
        let asked = Cell::new(0);
        let mut words = longshore_plugin_api::full(5);
        retain(&hosts, &mut Mask::new(&mut words, 5), |host| {
            asked.set(asked.get() + 1);
            values(host, "k").any(|value| value == "a")
        });
        assert_eq!((asked.get(), words[0]), (3, 0b1011));
    }
}
