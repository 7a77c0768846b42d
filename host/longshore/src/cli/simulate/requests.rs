//! The requests of a simulation, from a file: what an instance needs, how many, from when to when.
//!
//! Rows that want the same share it. Called by `simulate::run`.

use std::collections::HashSet;
use std::sync::Arc;

use longshore_control::scheduler::INSTANCES_MAX;
use longshore_control::scheduler::simulate::{Group, REQUESTS_MAX, Request, Wanted};
use longshore_loader::diagnostic::{Diagnostic, Place};

use super::input::Input;
use super::rows::{Field, Kind, List, Row, field, needed};
use crate::cli::failure::Failure;
use crate::codes;

/// Most of one resource that an instance may want, in the resource's unit.
pub(super) const AMOUNT_MAX: i64 = i32::MAX as i64;
/// The latest moment, in seconds.
pub(super) const TIME_MAX: i64 = 1 << 53;

const AMOUNT: Kind = Kind::Whole(0, AMOUNT_MAX);
const TIME: Kind = Kind::Whole(0, TIME_MAX);

/// The fields of a request; `docs/simulate.md` explains them.
pub(super) const REQUESTS: List = List {
    name: "requests",
    what: "request",
    fields: FIELDS,
};

const FIELDS: &[Field] = &[
    field("id", Kind::Text),
    field("count", Kind::Whole(1, INSTANCES_MAX as i64)),
    needed("vcpus", AMOUNT),
    needed("memory_mb", AMOUNT),
    field("root_gb", AMOUNT),
    field("ephemeral_gb", AMOUNT),
    field("swap_mb", AMOUNT),
    field("arrive", TIME),
    field("leave", TIME),
    field("zone", Kind::Text),
    field("force_hosts", Kind::Texts),
    field("ignore_hosts", Kind::Texts),
    field("hints", Kind::Pairs),
    field("extra_specs", Kind::Pairs),
    field("group", Kind::Text),
    field("policy", Kind::Text),
];

/// What requests want, each kept once.
#[derive(Default)]
pub(super) struct Shared(HashSet<Arc<Wanted>>);

impl Shared {
    pub(super) fn one(&mut self, wanted: Wanted) -> Arc<Wanted> {
        if let Some(known) = self.0.get(&wanted) {
            return Arc::clone(known);
        }
        let wanted = Arc::new(wanted);
        self.0.insert(Arc::clone(&wanted));
        wanted
    }
}

/// Reads the first `limit` requests, in the order of the file.
///
/// # Errors
/// What is wrong in the file.
pub(super) fn read(input: &Input, limit: usize) -> Result<Vec<Request>, Failure> {
    let mut requests: Vec<Request> = Vec::new();
    let mut shared = Shared::default();
    input.rows(&REQUESTS, &mut |row| {
        if requests.len() >= REQUESTS_MAX.min(limit) {
            if limit > REQUESTS_MAX {
                let what = format!("there are more than {REQUESTS_MAX} requests");
                row.refuse("id", what, "play a part of them with `--limit`");
            }
            return false;
        }
        // The time of a request that gives none is that of the one before.
        let before = requests.last().map_or(0, |request| request.arrive_s);
        let arrive_s = row.whole("arrive").unwrap_or(before);
        let leave_s = row.whole("leave");
        if leave_s.is_some_and(|leave_s: u64| leave_s < arrive_s) {
            let what = format!("`leave` is before {arrive_s}, when the request arrives");
            row.refuse("leave", what, "write a later second, or leave it out");
        }
        requests.push(Request {
            id: row.text("id").unwrap_or_else(|| format!("r{}", row.number)),
            wanted: shared.one(wanted(row)),
            count: row.whole("count").unwrap_or(1),
            arrive_s,
            leave_s,
        });
        true
    })?;
    Ok(requests)
}

fn wanted(row: &mut Row<'_, '_>) -> Wanted {
    let group = row.text("group");
    let policy = row.text("policy");
    if group.is_some() != policy.is_some() {
        let what = "`group` and `policy` belong together".to_owned();
        let name = if group.is_some() { "group" } else { "policy" };
        row.refuse(
            name,
            what,
            "write both, for example `policy = \"anti-affinity\"`",
        );
    }
    let extra_specs = row.pairs("extra_specs").into_iter();
    let extra_specs = extra_specs.filter_map(|(key, texts)| Some((key, texts.into_iter().next()?)));
    Wanted {
        vcpus: row.whole("vcpus").unwrap_or_default(),
        memory_mb: row.whole("memory_mb").unwrap_or_default(),
        root_gb: row.whole("root_gb").unwrap_or_default(),
        ephemeral_gb: row.whole("ephemeral_gb").unwrap_or_default(),
        swap_mb: row.whole("swap_mb").unwrap_or_default(),
        zone: row.text("zone"),
        force_hosts: row.texts("force_hosts"),
        ignore_hosts: row.texts("ignore_hosts"),
        hints: row.pairs("hints"),
        extra_specs: extra_specs.collect(),
        group: group
            .zip(policy)
            .map(|(name, policy)| Group { name, policy }),
    }
}

/// That there is nothing to play.
pub(super) fn none(name: &str) -> Failure {
    let what = format!("cannot simulate with `{name}`");
    let d = Diagnostic::error(codes::EMPTY_INPUT, Place::File(name.to_owned()), what)
        .with_why("it holds no requests")
        .with_help("write `[[requests]]` with `vcpus` and `memory_mb`, one for each");
    Failure::configuration(vec![d])
}
