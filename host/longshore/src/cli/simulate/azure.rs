//! The trace `azure-vmtable`: the file `vmtable.csv` of AzurePublicDataset V1 and V2, a line per virtual machine.
//!
//! Eleven columns without a head; times, processors and memory are used. V2 gives sizes as upper bounds of buckets, the
//! last of which is open. The file is not in order of time; it is read line by line, and what is kept of a line is the
//! request. Must not know schedulers. Called by `simulate::run`.

use std::io::BufRead;
use std::sync::Arc;

use longshore_control::scheduler::simulate::{REQUESTS_MAX, Request, Wanted};
use longshore_loader::diagnostic::{Diagnostic, Place, Source, escape};

use super::csv::{Cell, Lines, NoLine, broken, cells};
use super::input::{Input, MISTAKES_MAX, in_file, judged};
use super::requests::{AMOUNT_MAX, Shared, TIME_MAX};
use crate::cli::failure::Failure;
use crate::codes;

/// The format's name on the command line.
pub(super) const NAME: &str = "azure-vmtable";
const COLUMNS: [&str; 11] = [
    "vmid",
    "subscriptionid",
    "deploymentid",
    "vmcreated",
    "vmdeleted",
    "maxcpu",
    "avgcpu",
    "p95maxcpu",
    "vmcategory",
    "vmcorecount",
    "vmmemory",
];
const CREATED: usize = 3;
const DELETED: usize = 4;
const CORES: usize = 9;
const MEMORY_GB: usize = 10;
/// What stands for the open buckets of V2: processors, memory in GB.
const OPEN_CORES: (&str, f64) = (">24", 32.0);
const OPEN_MEMORY: (&str, f64) = (">64", 128.0);

/// Reads the first `limit` machines of the file.
///
/// # Errors
/// What is wrong in the file.
pub(super) fn read(input: &Input, limit: usize) -> Result<Vec<Request>, Failure> {
    let (requests, found) = lines(&mut input.open()?, &input.name, limit);
    judged(found)?;
    Ok(requests)
}

fn lines<R: BufRead>(
    from: &mut Lines<R>,
    name: &str,
    limit: usize,
) -> (Vec<Request>, Vec<Diagnostic>) {
    let (mut requests, mut found) = (Vec::new(), Vec::new());
    let mut shared = Shared::default();
    while requests.len() < limit.min(REQUESTS_MAX) && found.len() < MISTAKES_MAX {
        let line = match from.next() {
            // Only the error needs a line of its own, and there the file's end is near.
            Ok(line) => line.to_owned(),
            Err(NoLine::End) => break,
            Err(NoLine::Bad(why)) => {
                found.push(broken(name, from.number(), "", 0, &why));
                break;
            }
        };
        let number = from.number();
        let cells = match cells(&line) {
            Ok(cells) => cells,
            Err(at) => {
                found.push(broken(name, number, &line, at, "a quote is not closed"));
                break;
            }
        };
        // Copies of the file are about that begin with the columns' names.
        if number == 1 && cells[0].text == COLUMNS[0] {
            continue;
        }
        match machine(number, &cells, &mut shared) {
            Ok(request) => requests.push(request),
            Err((cell, what, help)) => {
                let span = cell.map_or(0..line.len(), |at| cells[at].span.clone());
                let place = Place::text(&Source::new(name, line.as_str()), span);
                let d = Diagnostic::error(codes::BAD_ROW, place, what).with_help(help);
                found.push(in_file(d, name, number, &line));
            }
        }
    }
    (requests, found)
}

/// The column that is wrong, what is wrong with it, and what is expected.
type Wrong = (Option<usize>, String, String);

fn machine(number: usize, cells: &[Cell], shared: &mut Shared) -> Result<Request, Wrong> {
    if cells.len() != COLUMNS.len() {
        let what = format!("the line has {} columns", cells.len());
        let help = format!(
            "a line of `{NAME}` has {}: {}",
            COLUMNS.len(),
            COLUMNS.join(", ")
        );
        return Err((None, what, help));
    }
    let time = |at: usize| {
        let found = cells[at].text.parse::<u64>().ok();
        let found = found.filter(|&second| second <= TIME_MAX as u64);
        found.ok_or_else(|| wrong(cells, at, "a time in whole seconds"))
    };
    let size = |at: usize, (open, stands_for): (&str, f64), unit: f64| {
        let text = cells[at].text.as_str();
        let found = match text == open {
            true => Some(stands_for),
            false => text.parse::<f64>().ok(),
        };
        let amount = found.map(|amount| (amount * unit).ceil());
        let amount = amount.filter(|amount| (0.0..=AMOUNT_MAX as f64).contains(amount));
        // Checked to be within 31 bits.
        amount.map(|amount| amount as u32).ok_or_else(|| {
            let expected = format!("a number from 0 on, or `{open}`");
            wrong(cells, at, &expected)
        })
    };
    let (created, deleted) = (time(CREATED)?, time(DELETED)?);
    if deleted < created {
        let what = format!("`vmdeleted` is {deleted}, before `vmcreated`, {created}");
        let help = "a machine is deleted after it was created".to_owned();
        return Err((Some(DELETED), what, help));
    }
    let wanted = Wanted {
        vcpus: size(CORES, OPEN_CORES, 1.0)?,
        memory_mb: size(MEMORY_GB, OPEN_MEMORY, 1024.0)?,
        ..Wanted::default()
    };
    Ok(Request {
        // The trace's own names are hashes of 64 letters; the number of the line is as good.
        id: format!("line-{number}"),
        wanted: Arc::clone(&shared.one(wanted)),
        count: 1,
        arrive_s: created,
        leave_s: Some(deleted),
    })
}

fn wrong(cells: &[Cell], at: usize, expected: &str) -> Wrong {
    let (column, text) = (COLUMNS[at], escape(&cells[at].text));
    let what = format!("`{column}` must be {expected}, not `{text}`");
    let help = format!(
        "it is column {} of {}: write {expected}",
        at + 1,
        COLUMNS.len()
    );
    (Some(at), what, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<Request>, Vec<Diagnostic>) {
        lines(&mut Lines::new(text.as_bytes()), "vmtable.csv", usize::MAX)
    }

    #[test]
    fn both_versions_are_read() {
        let v1 = "a/b+,s,d,0,2591700,99.1,3.4,10.1,Delay-insensitive,1,1.75\n";
        let v2 = "vm2,s,d,300,600,99.1,3.4,10.1,Unknown,>24,>64\n";
        let (requests, found) = read_text(&format!("{v1}{v2}"));
        assert!(found.is_empty(), "{found:?}");
        let sizes = requests
            .iter()
            .map(|r| (r.wanted.vcpus, r.wanted.memory_mb));
        assert_eq!(sizes.collect::<Vec<_>>(), [(1, 1792), (32, 131_072)]);
        assert_eq!(
            (requests[1].arrive_s, requests[1].leave_s),
            (300, Some(600))
        );
        assert_eq!(requests[1].id, "line-2");
    }

    #[test]
    fn mistakes_have_line_and_column() {
        let head = COLUMNS.join(",");
        let bad = [
            "v,s,d,x,600,1,1,1,Unknown,2,4",
            "v,s,d,700,600,1,1,1,Unknown,2,4",
            "v,s,d,0,600,1,1,1,Unknown,-2,4",
            "v,s,d,0,600,1,1,1,Unknown,2,NaN",
            "v,s,d,0,600",
        ];
        let (requests, found) = read_text(&format!("{head}\n{}", bad.join("\n")));
        assert!(requests.is_empty());
        let places: Vec<String> = found.iter().map(|d| d.place.to_string()).collect();
        let expected = ["2:7", "3:11", "4:27", "5:29", "6:1"];
        assert_eq!(places, expected.map(|at| format!("vmtable.csv:{at}")));
    }
}
