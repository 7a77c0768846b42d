//! Reading the format: a sample with every form, names with odd letters, look-ups.

use super::{merged, names, one};
use crate::map::{Lookup, PluginMap, split_target};

#[test]
fn the_contract_sample_reads() {
    let text = r#"
[longshore]
search  = ["plugins", "/usr/lib/longshore"]
include = ["plugins.d"]
["longshore.scheduler.driver"]
filter_scheduler = "liblongshore_scheduler_filter.so"
["longshore.scheduler.filter"]
ram   = "liblongshore_filters.so"
my_az = "liblongshore_filters.so:availability_zone"
numa  = { lib = "/opt/acme/libacme.so", export = "numa", priority = 10, settings = { ratio = 1.5, day = 2026-01-02 } }
old   = { alias = "ram", deprecated = "use 'ram'" }
spare = false
["acme.server.hook"]
built = ["libaudit.so", { lib = "libbilling.so", export = "on_built", priority = -10 }]
"#;
    let map = PluginMap::parse(text, "/etc/plugins.toml").unwrap();
    assert!(map.diagnostics().is_empty(), "{:?}", map.diagnostics());
    let namespaces: Vec<&str> = map.namespaces().collect();
    let expected = [
        "longshore.scheduler.driver",
        "longshore.scheduler.filter",
        "acme.server.hook",
    ];
    assert_eq!(namespaces, expected);
    let dirs: Vec<_> = map.search_dirs().map(|d| d.display().to_string()).collect();
    assert_eq!(dirs, ["/etc/plugins", "/usr/lib/longshore"]);
    let ns = "longshore.scheduler.filter";
    assert_eq!(
        one(&map, ns, "my_az").export.as_deref(),
        Some("availability_zone")
    );
    assert_eq!(one(&map, ns, "old").name, "ram", "aliases are followed");
    assert_eq!(map.deprecation(ns, "old"), Some("use 'ram'"));
    let numa = one(&map, ns, "numa");
    assert_eq!(
        serde_json::to_string(&numa.settings).unwrap(),
        r#"{"day":"2026-01-02","ratio":1.5}"#
    );
    assert_eq!(
        numa.setting_place("/ratio").to_string(),
        "/etc/plugins.toml:10:94"
    );
    assert_eq!(numa.origin.to_string(), "/etc/plugins.toml:10:1");
    let Lookup::Disabled(spare) = map.lookup(ns, "spare") else {
        panic!()
    };
    let why = spare.disabled.as_ref().unwrap().to_string();
    assert_eq!(why, "masked with `false` (/etc/plugins.toml:12:1)");
    assert!(matches!(map.lookup("acme.server.hook", "built"), Lookup::Several(v) if v.len() == 2));
    assert_eq!(
        names(&map, ns),
        [
            "liblongshore_filters.so",
            "liblongshore_filters.so:availability_zone",
            "/opt/acme/libacme.so:numa"
        ]
    );
}

#[test]
fn unknown_names_get_the_nearest() {
    let map = merged(&["[\"a.b\"]\nfake = 'f.so'\nprocess = 'p.so'\n"]);
    let Lookup::Unknown { nearest, available } = map.lookup("a.b", "fkae") else {
        panic!()
    };
    assert_eq!(
        (nearest, available),
        (Some("fake"), vec!["fake", "process"])
    );
    assert_eq!(map.nearest_namespace("a.c"), Some("a.b"));
    let twice = merged(&[
        "[n]\nx = 'f.so'\ny = false\n",
        "[n]\nz = 'g.so'\nx = 'h.so'\n",
    ]);
    let Lookup::Unknown { available, .. } = twice.lookup("n", "nothing") else {
        panic!()
    };
    assert_eq!(available, ["x", "z"], "each once, without masked ones");
    assert_eq!(map.namespaces_with("fake").collect::<Vec<_>>(), ["a.b"]);
}

#[test]
fn alias_circles_are_named() {
    let map = merged(&["[n]\na = { alias = 'b' }\nb = { alias = 'a' }\nc = { alias = 'a' }\n"]);
    let texts: Vec<&str> = map.diagnostics().iter().map(|d| d.what.as_str()).collect();
    assert_eq!(texts[0], "alias cycle `a` -> `b` -> `a`");
    assert_eq!(texts[1], "alias cycle `b` -> `a` -> `b`");
    assert_eq!(texts.len(), 3);
    assert_eq!(
        one(&map, "n", "a").fault.as_ref().unwrap().code,
        "map/alias-cycle"
    );
}

#[test]
fn a_thousand_entries_are_read() {
    let mut text = String::new();
    for namespace in 0..10 {
        text.push_str(&format!("[\"ns.{namespace}\"]\n"));
        for entry in 0..100 {
            text.push_str(&format!(
                "e{entry} = {{ lib = 'l{entry}.so', settings = {{ a = 1 }} }}\n"
            ));
        }
    }
    let map = PluginMap::parse(&text, "p").unwrap();
    assert_eq!(map.all_entries().count(), 1_000);
    assert_eq!(one(&map, "ns.7", "e42").lib, "l42.so");
}

#[test]
fn unusual_names_are_fine() {
    let longest = "x".repeat(255);
    for name in ["a b", "a+b", "é", "a.b", &longest] {
        let map = PluginMap::parse(&format!("[n]\n\"{name}\" = \"f.so\"\n"), "p").unwrap();
        assert!(map.diagnostics().is_empty());
        assert_eq!(one(&map, "n", name).lib, "f.so");
    }
    let text = format!("[n]\n\"{longest}x\" = \"f.so\"\n");
    let map = PluginMap::parse(&text, "p").unwrap();
    let d = &map.diagnostics()[0];
    assert_eq!(
        (d.code, d.why.as_deref()),
        ("map/bad-name", Some("it is longer than 255 bytes"))
    );
}

#[test]
fn targets_are_split_at_the_last_colon() {
    let rows = [
        ("/a:b/c.so", ("/a:b/c.so", None)),
        ("c.so:x.y-z", ("c.so", Some("x.y-z"))),
        ("c.so", ("c.so", None)),
        ("/p/c.so:_1", ("/p/c.so", Some("_1"))),
        ("c.so:1a", ("c.so:1a", None)),
    ];
    for (target, parts) in rows {
        assert_eq!(split_target(target), parts, "{target}");
    }
}

#[test]
fn an_empty_map_is_fine() {
    for text in [
        "",
        "# only a comment\n",
        "[longshore]\nformat = 1\n",
        "[\"a.b\"]\n",
    ] {
        let map = PluginMap::parse(text, "p").unwrap();
        assert_eq!(map.all_entries().count(), 0);
        assert!(map.diagnostics().is_empty());
    }
}
