//! The story of a request that no host could take: filter by filter how many hosts were left, and what the last ones had
//! against what was wanted. It is what `server show` says below the fault.
//!
//! Collected while filters run, at the cost of a look at three bits; put into words only when a request fails. The text has
//! the same bound for ten hosts and a hundred thousand. What a filter looks at is `why_out`'s. Used by `host_states`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use longshore_plugin_api::{HostTable, RequestSpec};

use super::host_states::FilterCount;
use super::why_out::why_out;
use crate::driver_call::one_line;

/// Hosts of the last ones that are told of.
const HOSTS_MAX: usize = 3;
/// Characters of a line that lists filters, unless one alone has more.
const LINE_MAX: usize = 76;
/// Longest story, in bytes.
const STORY_MAX: usize = 4096;

/// A filter's place, the hosts before and after it, and the first of those before.
#[derive(Clone, Copy, Debug)]
pub(in crate::scheduler) struct Step {
    pub(in crate::scheduler) at: usize,
    pub(in crate::scheduler) start: usize,
    pub(in crate::scheduler) end: usize,
    pub(in crate::scheduler) first: FirstRows,
}

/// What is noted of the runs of the filters for one request, besides the steps of the last one.
#[derive(Clone, Debug, Default)]
pub(in crate::scheduler) struct Notes {
    /// The instance of the last run, from 0.
    instance: u32,
    /// Hosts that each filter, by its place, took out in the runs before.
    earlier: BTreeMap<usize, usize>,
}

impl Notes {
    /// The filters run for another instance now; `before` is what they did in the run before.
    pub(in crate::scheduler) fn next(&mut self, instance: u32, before: &[Step]) {
        for step in before.iter().filter(|step| step.start > step.end) {
            *self.earlier.entry(step.at).or_default() += step.start - step.end;
        }
        self.instance = instance;
    }

    /// What is told of a request for this many instances, whose last run had these steps; filters are known by their place.
    pub(in crate::scheduler) fn tell<'f>(
        &self,
        (instances, steps): (u32, &[Step]),
        (table, request): (&HostTable, &RequestSpec),
        filter: impl Fn(usize) -> &'f str,
    ) -> Story {
        let told = |step: &Step| -> Vec<String> {
            let rows = step.first.iter().filter(|row| *row < table.len());
            let line = |row| {
                let host = table.host(row);
                let name = host.host_name();
                let why = why_out(filter(step.at), host, request);
                one_line(&why.map_or_else(|| name.to_owned(), |why| format!("{name}: {why}")))
            };
            rows.map(line).collect()
        };
        let emptied = steps.iter().find(|step| step.end == 0);
        let earlier = self.earlier.iter();
        Story {
            instance: self.instance + 1,
            instances,
            earlier: earlier
                .map(|(at, n)| (filter(*at).to_owned(), *n))
                .collect(),
            last: emptied.map(told).unwrap_or_default(),
            last_hosts: emptied.map_or(0, |step| step.start),
        }
    }
}

/// The story, to be told.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// The instance that got no host, from 1.
    pub instance: u32,
    /// Instances that were asked for.
    pub instances: u32,
    /// Hosts that each filter took out for the instances before.
    pub earlier: Vec<(String, usize)>,
    /// Some of the hosts that fell out last, each with the reason if that is known.
    pub last: Vec<String>,
    /// How many fell out last.
    pub last_hosts: usize,
}

impl Story {
    /// ` for instance 3 of 5`; nothing when one alone was asked for.
    pub(in crate::scheduler) fn which(&self) -> String {
        match self.instances {
            ..=1 => String::new(),
            all => format!(" for instance {} of {all}", self.instance),
        }
    }

    /// Its lines: the hosts that the request allows, the filters, and the last hosts or what the scheduler says.
    pub(in crate::scheduler) fn text(
        &self,
        (known, eligible): (usize, usize),
        filters: &[FilterCount],
        reason: &str,
    ) -> String {
        let mut lines = Vec::new();
        if eligible < known {
            lines.push(format!("the request allows {eligible} of {known} hosts"));
        }
        if !self.earlier.is_empty() {
            lines.push("taken out for the instances before:".to_owned());
            let out = |(filter, hosts): &(String, usize)| format!("{filter} {hosts}");
            lines.extend(packed(self.earlier.iter().map(out)));
        }
        let step = |step: &FilterCount| format!("{}: {} → {}", step.filter, step.start, step.end);
        lines.extend(packed(filters.iter().map(step)));
        lines.extend(self.last.iter().cloned());
        let untold = self.last_hosts.saturating_sub(self.last.len());
        if untold > 0 {
            lines.push(format!("and {untold} more"));
        }
        // Where a filter took the last hosts, the scheduler can only repeat it.
        if self.last_hosts == 0 {
            lines.push(format!("the scheduler says: {}", one_line(reason)));
        }
        bounded(&lines)
    }
}

/// A list in lines of a terminal's width, so that its end is seen as well as its start.
fn packed(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + item.chars().count() < LINE_MAX => {
                line.push_str(", ");
                line.push_str(&item);
            }
            Some(line) => {
                line.push(',');
                lines.push(item);
            }
            None => lines.push(item),
        }
    }
    lines
}

/// The lines, as far as they go into a story.
fn bounded(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        let left = STORY_MAX.saturating_sub(text.len() + 1);
        let cut = line.floor_char_boundary(left);
        let dots = if cut < line.len() { "…" } else { "" };
        let newline = if text.is_empty() { "" } else { "\n" };
        // Writing to a text does not fail.
        let _ = write!(text, "{newline}{}{dots}", &line[..cut]);
        if cut < line.len() {
            break;
        }
    }
    text
}

/// The first few rows of a mask.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::scheduler) struct FirstRows {
    rows: [u32; HOSTS_MAX],
    len: usize,
}

impl FirstRows {
    pub(in crate::scheduler) fn of(words: &[u64]) -> Self {
        let mut first = Self::default();
        for (at, word) in words.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                first.rows[first.len] = at as u32 * u64::BITS + word.trailing_zeros();
                first.len += 1;
                if first.len == HOSTS_MAX {
                    return first;
                }
                word &= word - 1;
            }
        }
        first
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.rows[..self.len].iter().map(|row| *row as usize)
    }
}

#[cfg(test)]
mod tests {
    use longshore_plugin_api::{Column, HostColumns, RequestFields};

    use super::*;

    fn count(filter: &str, start: usize, end: usize) -> FilterCount {
        FilterCount {
            filter: filter.to_owned(),
            start,
            end,
        }
    }

    const FILTERS: [&str; 2] = ["zone", "ram"];

    fn step(at: usize, start: usize, end: usize) -> Step {
        let first = FirstRows::of(&[0b1111]);
        Step {
            at,
            start,
            end,
            first,
        }
    }

    fn told(notes: &Notes, instances: u32, steps: &[Step], hosts: usize) -> Story {
        let fields = RequestFields {
            memory_mb: 1000,
            ..RequestFields::default()
        };
        let request = fields.into();
        notes.tell((instances, steps), (&table(hosts), &request), |at| {
            FILTERS[at]
        })
    }

    fn table(hosts: usize) -> HostTable {
        let mut columns = HostColumns::new();
        for at in 0..hosts {
            let row = columns.push(&format!("host-{at}"), "node");
            columns.set_u32(Column::TotalUsableRamMb, row, 1024);
            columns.set_i32(Column::FreeRamMb, row, 512);
            columns.set_f32(Column::RamAllocationRatio, row, 1.0);
        }
        columns.snapshot()
    }

    #[test]
    fn the_first_rows_are_those_of_the_lowest_bits() {
        let rows = |words: &[u64]| FirstRows::of(words).iter().collect::<Vec<_>>();
        assert_eq!(rows(&[]), [0_usize; 0]);
        assert_eq!(rows(&[0, 1 << 63]), [127]);
        assert_eq!(rows(&[0b1011_0100, u64::MAX]), [2, 4, 5]);
        assert_eq!(rows(&[1 << 9, 0, 3]), [9, 128, 129]);
    }

    #[test]
    fn a_story_says_who_was_left_when_and_what_the_last_had() {
        let mut notes = Notes::default();
        notes.next(0, &[]);
        notes.next(1, &[step(0, 9, 5), step(1, 5, 5)]);
        notes.next(2, &[step(1, 5, 4)]);
        let story = told(&notes, 3, &[step(1, 4, 0)], 9);
        assert_eq!(story.which(), " for instance 3 of 3");
        assert_eq!(
            story.text((12, 9), &[count("ram", 4, 0)], "too\nfew"),
            "the request allows 9 of 12 hosts\n\
             taken out for the instances before:\n\
             zone 4, ram 1\n\
             ram: 4 → 0\n\
             host-0: 512 MB of memory are left, 1000 MB are wanted\n\
             host-1: 512 MB of memory are left, 1000 MB are wanted\n\
             host-2: 512 MB of memory are left, 1000 MB are wanted\n\
             and 1 more"
        );
        let text = told(&notes, 3, &[], 9).text((9, 9), &[], "too\nfew");
        assert!(
            text.ends_with("zone 4, ram 1\nthe scheduler says: too few"),
            "{text}"
        );
    }

    #[test]
    fn many_filters_take_several_lines_of_a_terminal() {
        let filters: Vec<FilterCount> = (0..40).map(|at| count("filter", 100_000, at)).collect();
        let text = Story::default().text((1, 1), &filters, "no");
        assert!(text.lines().all(|line| line.chars().count() <= LINE_MAX));
        assert_eq!(text.matches("filter: 100000 → ").count(), 40);
        assert!(text.contains("→ 1, filter"), "{text}");
        assert!(text.contains("→ 39\nthe scheduler says"), "{text}");
    }

    #[test]
    fn a_story_of_many_hosts_and_filters_has_the_same_bound() {
        let name = |at: usize| format!("filter-{at}-{}", "ü".repeat(100));
        let many: Vec<FilterCount> = (0..200).map(|at| count(&name(at), 10_048, 0)).collect();
        let story = told(&Notes::default(), 2, &[step(1, 10_048, 0)], 10_048);
        let text = story.text((10_048, 10_048), &many, "no");
        assert!(text.len() <= STORY_MAX + "…".len(), "{}", text.len());
        assert!(text.ends_with('…'));
    }
}
