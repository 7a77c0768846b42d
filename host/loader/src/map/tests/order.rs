//! The order of entries, what `only`, `disabled` and `default` do, and the choice among several.

use super::{merged, names, one};
use crate::map::{Conflicts, Lookup, PluginMap};

#[test]
fn hooks_are_ordered_by_priority_over_files() {
    let base = "[longshore.policy.'nova.hooks']\nconflicts = 'all'\norder = 'priority'\n['nova.hooks']\n\
                create = ['libaudit.so:on', { lib = 'libquota.so', export = 'on', priority = -10 }]\n\
                delete = 'libaudit.so:off'\n";
    let billing =
        "[['nova.hooks'.create]]\nlib = 'libbilling.so'\npriority = 50\noptional = true\n";
    let map = merged(&[base, billing]);
    assert!(map.diagnostics().is_empty());
    let Lookup::Several(hooks) = map.lookup("nova.hooks", "create") else {
        panic!()
    };
    let libs: Vec<&str> = hooks.iter().map(|e| e.lib.as_str()).collect();
    assert_eq!(libs, ["libquota.so", "libaudit.so", "libbilling.so"]);
    let last = hooks[2];
    assert_eq!(
        (last.origin.to_string().as_str(), last.optional),
        ("10-a.toml:1:1", true)
    );
}

#[test]
fn order_only_disabled_and_default() {
    let map = merged(&[
        "[longshore.policy.n]\norder = 'name'\ndisabled = ['b']\ndefault = 'zz'\n\
                        [n]\nc = 'c.so'\nb = 'b.so'\na = 'a.so'\n",
    ]);
    assert_eq!(names(&map, "n"), ["a.so", "c.so"]);
    assert_eq!(map.diagnostics()[0].code, "map/unknown-default");
    assert_eq!(map.default_name("n"), Some("zz"));
    let map = merged(&[
        "[longshore.policy.n]\nonly = ['c', 'a']\n[n]\na = 'a.so'\nb = 'b.so'\nc = 'c.so'\n",
    ]);
    assert_eq!(names(&map, "n"), ["c.so", "a.so"]);
    assert!(matches!(map.lookup("n", "b"), Lookup::Disabled(_)));
}

#[test]
fn every_order_is_total() {
    let files = |order: &str| {
        let base = format!(
            "[longshore.policy.n]\norder = '{order}'\n\
             [n]\nb = ['b1.so', {{ lib = 'b2.so', priority = -1 }}]\na = 'a1.so'\n"
        );
        merged(&[&base, "[n]\na = 'a2.so'\nb = 'b3.so'\n"])
    };
    let rows = [
        ("declared", ["b1.so", "b2.so", "a1.so", "a2.so", "b3.so"]),
        ("priority", ["b2.so", "b1.so", "a1.so", "a2.so", "b3.so"]),
        ("name", ["a1.so", "a2.so", "b1.so", "b2.so", "b3.so"]),
    ];
    for (order, expected) in rows {
        assert_eq!(names(&files(order), "n"), expected, "{order}");
    }
}

#[test]
fn defaults_are_beaten_key_by_key() {
    let map = merged(
        &["[longshore.defaults]\nconflicts = 'all'\norder = 'name'\n\
         [longshore.policy.n]\nconflicts = 'first'\n[n]\n[m]\n"],
    );
    let policy = map.policy("n").unwrap();
    assert_eq!(
        (policy.conflicts(), policy.order().as_str()),
        (Conflicts::First, "name")
    );
    assert_eq!(map.policy("m").unwrap().conflicts(), Conflicts::All);
    assert!(policy.env());
}

#[test]
fn the_programs_choice_beats_the_maps() {
    let map = merged(&["[longshore.policy.n]\nconflicts = 'first'\n[n]\n\
         x = ['a.so', { lib = 'b.so', priority = -1 }, 'c.so']\nz = { alias = 'x' }\n"]);
    let lib = |conflicts| match map.lookup_with("n", "z", conflicts) {
        Lookup::One(entry) => entry.lib.clone(),
        Lookup::Several(entries) => format!("{} entries", entries.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(lib(None), "a.so");
    assert_eq!(lib(Some(Conflicts::First)), "a.so");
    assert_eq!(lib(Some(Conflicts::Last)), "c.so");
    assert_eq!(lib(Some(Conflicts::Priority)), "b.so");
    assert_eq!(lib(Some(Conflicts::All)), "3 entries");
    assert_eq!(lib(Some(Conflicts::Error)), "3 entries");
}

#[test]
fn a_switched_off_one_of_several_does_not_count() {
    let map = merged(&["[n]\nx = ['a.so', { lib = 'b.so', enabled = false }]\n"]);
    assert_eq!(one(&map, "n", "x").lib, "a.so");
    assert!(map.conflicts().is_empty());
}

#[test]
fn unknown_namespaces_have_nothing() {
    let map = PluginMap::parse("[n]\nx = 'a.so'\n", "p").unwrap();
    assert!(
        matches!(map.lookup("m", "x"), Lookup::Unknown { available, .. } if available.is_empty())
    );
    assert!(map.entries("m").is_empty() && map.policy("m").is_none());
}
