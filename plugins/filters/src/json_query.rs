//! `json`: hosts for which an expression of the user's holds: the hint `query`, such as
//! `["and", [">=", "$free_ram_mb", 1024], ["=", "$hypervisor_type", "QEMU"]]`. A text that begins
//! with `$` is a fact of the host; `$stats.key` leads into one. What cannot be compared holds for no
//! host; a fact that a host does not have is left out of its operator's arguments. (The file is not
//! called `json.rs`: that is the crate's reader.)

use crate::attributes::{self, Attribute};
use crate::python;
use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, Host, HostTable, Json, Mask, NoSettings, RequestSpec,
};
use std::cmp::Ordering;

/// Passes hosts for which the query holds.
pub(crate) struct JsonFilter;

const HINT: &str = "query";

/// What the user asks; nothing when that is nothing.
fn query(request: &RequestSpec) -> Option<Json> {
    let mut texts = request.scheduler_hint(HINT);
    let text = texts.next().filter(|text| !text.is_empty())?;
    // A hint of several values is no expression, and neither is damaged text: none holds.
    match (texts.next(), Json::parse(text)) {
        (None, Ok(query)) => Some(query).filter(python::is_true),
        _ => Some(Json::Null),
    }
}

fn holds(query: &Json, host: Host<'_>) -> bool {
    match evaluate(query, host) {
        // `not` answers a list: one that holds is enough.
        Some(Json::List(results)) => results.iter().any(python::is_true),
        Some(result) => python::is_true(&result),
        None => false,
    }
}

/// The value of an expression; nothing when it has none. The reader bounds how deep it can be.
fn evaluate(query: &Json, host: Host<'_>) -> Option<Json> {
    let items = match query {
        Json::List(items) => items,
        _ => return None,
    };
    let (operator, arguments) = match items.split_first() {
        Some((Json::Text(operator), arguments)) => (operator, arguments),
        Some(_) => return None,
        None => return Some(Json::Bool(true)),
    };
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let value = match argument {
            Json::List(_) => evaluate(argument, host)?,
            Json::Text(text) => lookup(text, host)?,
            other => other.clone(),
        };
        if value != Json::Null {
            values.push(value);
        }
    }
    apply(operator, &values)
}

/// A text, or the fact that it names; [`Json::Null`] for one that the host does not have.
fn lookup(text: &str, host: Host<'_>) -> Option<Json> {
    let path = match text.strip_prefix('$') {
        Some(path) => path,
        None if text.is_empty() => return Some(Json::Null),
        None => return Some(Json::Text(text.to_owned())),
    };
    let mut keys = path.split('.');
    let name = keys.next().unwrap_or_default();
    let mut value = fact(name, host);
    for key in keys {
        value = match value {
            Json::Null => Json::Null,
            Json::Table(mut members) => members.remove(key).unwrap_or(Json::Null),
            _ => return None,
        };
    }
    Some(value)
}

fn fact(name: &str, host: Host<'_>) -> Json {
    match attributes::named(name) {
        None => Json::Null,
        Some(Attribute::Value(value)) => value(host),
        Some(Attribute::Text(ids)) => {
            let id = ids(host.table()).get(host.row());
            let text = id.map_or("", |&id| host.table().text(id));
            match name {
                // The one text that is an object in Nova.
                "stats" => Json::parse(text).unwrap_or_else(|_| Json::Table(Default::default())),
                _ if text.is_empty() => Json::Null,
                _ => Json::Text(text.to_owned()),
            }
        }
    }
}

/// Nothing for an unknown operator, and for values that cannot be compared.
fn apply(operator: &str, values: &[Json]) -> Option<Json> {
    let compare = |fits: fn(Ordering) -> bool| {
        all_of_rest(values, |first, other| python::order(first, other).map(fits))
    };
    match operator {
        "=" => all_of_rest(values, |first, other| Some(first.says_same(other))),
        "<" => compare(Ordering::is_lt),
        ">" => compare(Ordering::is_gt),
        "<=" => compare(Ordering::is_le),
        ">=" => compare(Ordering::is_ge),
        "in" => {
            let (first, rest) = match values {
                [first, rest @ ..] if !rest.is_empty() => (first, rest),
                _ => return Some(Json::Bool(false)),
            };
            let found = rest.iter().any(|other| first.says_same(other));
            Some(Json::Bool(found))
        }
        "not" => {
            let flipped = values
                .iter()
                .map(|value| Json::Bool(!python::is_true(value)));
            Some(Json::List(flipped.collect()))
        }
        "or" => Some(Json::Bool(values.iter().any(python::is_true))),
        "and" => Some(Json::Bool(values.iter().all(python::is_true))),
        _ => None,
    }
}

/// Whether the first value compares so with each of the rest; false when there is no rest.
fn all_of_rest(values: &[Json], fits: impl Fn(&Json, &Json) -> Option<bool>) -> Option<Json> {
    let mut all = values.len() > 1;
    if let Some((first, rest)) = values.split_first() {
        for other in rest {
            all &= fits(first, other)?;
        }
    }
    Some(Json::Bool(all))
}

impl Driver for JsonFilter {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self)
    }
}

impl Filter for JsonFilter {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(query(request).map_or(true, |query| holds(&query, host)))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        if let Some(query) = query(request) {
            mask.retain_rows(|row| holds(&query, hosts.host(row)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, RequestFields};

    fn left_of(query: &str) -> Vec<usize> {
        let hosts = testing::hosts(3, |c, row| {
            c.set_i32(Column::FreeRamMb, row, [512, 1024, 2048][row]);
            c.set_text(Column::HypervisorType, row, ["QEMU", "QEMU", ""][row]);
            c.set_text(Column::Stats, row, [r#"{"gpu": "1"}"#, "{}", ""][row]);
        });
        let request = RequestFields {
            scheduler_hints: vec![(HINT.to_owned(), query.to_owned())],
            ..RequestFields::default()
        };
        left(&*build::<JsonFilter>("{}"), &hosts, request)
    }

    #[test]
    fn expressions_are_judged_host_by_host() {
        assert_eq!(left_of(r#"[">=", "$free_ram_mb", 1024]"#), [1, 2]);
        assert_eq!(left_of(r#"["=", "$hypervisor_type", "QEMU"]"#), [0, 1]);
        let both = r#"["and", [">", "$free_ram_mb", 512], ["=", "$hypervisor_type", "QEMU"]]"#;
        assert_eq!(left_of(both), [1]);
        assert_eq!(left_of(r#"["not", ["<", "$free_ram_mb", 2048]]"#), [2]);
        assert_eq!(left_of(r#"["in", "$free_ram_mb", 512, 2048]"#), [0, 2]);
        assert_eq!(left_of(r#"["=", "$stats.gpu", "1"]"#), [0]);
    }

    #[test]
    fn nothing_asked_holds_everywhere() {
        for query in ["", "[]", "{}", "null", "0", "[\"and\"]"] {
            assert_eq!(left_of(query).len(), 3, "{query}");
        }
    }

    #[test]
    fn what_cannot_be_judged_holds_nowhere() {
        for query in [
            "damaged",
            "[\"nand\", 1]",
            "[1, 2]",
            "7",
            r#"["<", "$free_ram_mb", "1024"]"#,
            r#"["=", "$free_ram_mb"]"#,
            r#"["=", "$free_ram_mb.x", 1]"#,
            r#"["=", "$nothing", 1]"#,
        ] {
            assert!(left_of(query).is_empty(), "{query}");
        }
    }
}
