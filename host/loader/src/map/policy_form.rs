//! The tables of policies: `[longshore.defaults]` and `[longshore.policy."NAMESPACE"]`.
//!
//! From the tree to values with places. Must not know entries. Called by `file`.

use super::keys::POLICY_KEYS;
use super::policy::{Conflicts, Order, Placed, Policy};
use super::{misplaced, unquoted};
use crate::diagnostic::{Place, Span, escape};
use crate::spanned::{Member, Node, Reader, Table, Value};

/// The table under `policy`: namespaces and their policies.
pub(super) fn read_all(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, Policy)> {
    let mut out = Vec::new();
    let Some(table) = reader.table("policy", node) else {
        return out;
    };
    for member in &table.members {
        let what = format!("`[longshore.policy.\"{}\"]`", escape(&member.key));
        let Some(inner) = reader.table(&member.key, &member.node) else {
            continue;
        };
        let nested = |m: &Member| {
            !POLICY_KEYS.contains(&m.key.as_str()) && matches!(m.node.value, Value::Table(_))
        };
        if inner.members.iter().any(nested) {
            unquoted::report_policy(reader, member);
            continue;
        }
        out.push((member.key.clone(), read(reader, inner, &what)));
    }
    out
}

/// One policy; `what` names its table.
pub(super) fn read(reader: &mut Reader<'_>, table: &Table, what: &str) -> Policy {
    let mut policy = Policy::default();
    for member in &table.members {
        let (key, node) = (member.key.as_str(), &member.node);
        let place = reader.place(&node.span);
        match key {
            "conflicts" => policy.conflicts = conflicts(reader, node).map(|v| placed(v, place)),
            "order" => policy.order = order(reader, node).map(|v| placed(v, place)),
            "only" => policy.only = names(reader, key, node).map(|v| placed(v, place)),
            "disabled" => policy.disabled = names(reader, key, node).map(|v| placed(v, place)),
            "default" => {
                let name = reader.string(key, node).map(str::to_owned);
                policy.default = name.map(|v| placed(v, place));
            }
            "env" => policy.env = reader.boolean(key, node).map(|v| placed(v, place)),
            _ => {
                let help = misplaced::advice(key, misplaced::Table::Policy);
                reader.unknown_key_with(member, POLICY_KEYS, what, help);
            }
        }
    }
    policy
}

fn conflicts(reader: &mut Reader<'_>, node: &Node) -> Option<Conflicts> {
    let words = Conflicts::ALL.map(Conflicts::as_str);
    let word = reader.word("conflicts", node, &words)?;
    Conflicts::ALL.into_iter().find(|c| c.as_str() == word)
}

fn order(reader: &mut Reader<'_>, node: &Node) -> Option<Order> {
    let words = Order::ALL.map(Order::as_str);
    let word = reader.word("order", node, &words)?;
    Order::ALL.into_iter().find(|o| o.as_str() == word)
}

fn names(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<Vec<Placed<String>>> {
    let found = reader.strings(key, node)?;
    let place = |(value, span): (String, Span)| placed(value, reader.place(&span));
    Some(found.into_iter().map(place).collect())
}

fn placed<T>(value: T, place: Place) -> Placed<T> {
    Placed { value, place }
}
