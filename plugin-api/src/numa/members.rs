//! Members of JSON tables by name and sort. What has another sort is as if it were not there: a host's report is no
//! reason to fail a request. Called by `cells`.

use crate::Json;
use std::collections::BTreeMap;

pub(super) type Members = BTreeMap<String, Json>;

/// The tables under `cells` of a topology, and what else it has; nothing when it is none.
pub(super) fn cells(text: &str) -> Option<(Vec<Members>, Members)> {
    let mut topology = match Json::parse(text) {
        Ok(Json::Table(topology)) => topology,
        _ => return None,
    };
    let cells = match topology.remove("cells") {
        Some(Json::List(cells)) => cells,
        _ => return None,
    };
    let members = |cell| match cell {
        Json::Table(members) => Some(members),
        _ => None,
    };
    let cells: Option<Vec<Members>> = cells.into_iter().map(members).collect();
    Some((cells?, topology))
}

pub(super) fn integer(members: &Members, key: &str) -> i64 {
    match members.get(key) {
        Some(Json::Integer(number)) => *number,
        _ => 0,
    }
}

pub(super) fn text<'m>(members: &'m Members, key: &str) -> Option<&'m str> {
    match members.get(key) {
        Some(Json::Text(text)) => Some(text),
        _ => None,
    }
}

pub(super) fn list<'m>(members: &'m Members, key: &str) -> &'m [Json] {
    match members.get(key) {
        Some(Json::List(items)) => items,
        _ => &[],
    }
}

/// Numbers without repetition, in order.
pub(super) fn set(items: &[Json]) -> Vec<i64> {
    let number = |item: &Json| match item {
        Json::Integer(number) => Some(*number),
        _ => None,
    };
    let mut numbers: Vec<i64> = items.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
