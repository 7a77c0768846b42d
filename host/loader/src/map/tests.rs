//! Whole messages for every diagnostic of the map, merging, order, environment and look-up.

use std::fs;

use super::*;

fn fatal(text: &str) -> String {
    PluginMap::parse(text, "plugins.toml")
        .unwrap_err()
        .to_string()
}

/// What `diagnostics()` says, rendered.
fn finding(text: &str) -> String {
    let map = PluginMap::parse(text, "plugins.toml").unwrap();
    render(map.diagnostics(), Style::default())
}

fn merged(files: &[&str]) -> PluginMap {
    let names = ["plugins.toml", "10-a.toml", "20-b.toml", "30-c.toml"];
    let files: Vec<(&str, &str)> = names.iter().copied().zip(files.iter().copied()).collect();
    PluginMap::parse_files(&files, &Environment::default()).unwrap()
}

fn one<'m>(map: &'m PluginMap, namespace: &str, name: &str) -> &'m EntryPoint {
    match map.lookup(namespace, name) {
        Lookup::One(entry) => entry,
        other => panic!("{namespace}/{name}: {other:?}"),
    }
}

fn names(map: &PluginMap, namespace: &str) -> Vec<String> {
    map.enabled(namespace).map(|e| e.target()).collect()
}

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
    assert_eq!(map.namespaces_with("fake").collect::<Vec<_>>(), ["a.b"]);
}

#[test]
fn fatal_diagnostics_are_whole() {
    let rows = [
        (
            "[longshore]\nformat = 2\n",
            "error[map/unsupported-format]: map format 2 is not supported (this longshore reads 1)
  --> plugins.toml:2:10
   |
 2 | format = 2
   |          ^
   |
   = do: write `format = 1`, or use a newer longshore
",
        ),
        (
            "[longshore.virt.driver]\nfake = \"f.so\"\n",
            "error[map/unquoted-namespace]: `longshore.virt.driver` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [longshore.virt.driver]
   | ^^^^^^^^^^^^^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `[\"longshore.virt.driver\"]`
",
        ),
        (
            "[acme.hook]\nbuilt = \"f.so\"\n",
            "error[map/unquoted-namespace]: `acme.hook` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [acme.hook]
   | ^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `[\"acme.hook\"]`
",
        ),
        (
            "[\"a.b\"]\nsite.rack = \"f.so\"\n",
            "error[map/unquoted-namespace]: `site.rack` is read as nested tables
  --> plugins.toml:2:1
   |
 2 | site.rack = \"f.so\"
   | ^^^^^^^^^ dots without quotes
   |
   = do: a name with dots is quoted: `\"site.rack\" = …`
",
        ),
        (
            "[\"a.b\"]\nx = { lib = \"f.so\", prioritty = 3 }\n",
            "error[map/unknown-key]: unknown key `prioritty` in entry `a.b/x`
  --> plugins.toml:2:21
   |
 2 | x = { lib = \"f.so\", prioritty = 3 }
   |                     ^^^^^^^^^ not a key of entry `a.b/x`
   |
   = do: did you mean `priority`?
",
        ),
        (
            "[\"a.b\"]\nx = { lib = \"f.so\", priority = \"10\" }\n",
            "error[map/wrong-type]: `priority` must be a whole number, not text
  --> plugins.toml:2:32
   |
 2 | x = { lib = \"f.so\", priority = \"10\" }
   |                                ^^^^ expected a whole number
   |
   = do: write `10`
",
        ),
        (
            "[\"a.b\"]\nx = { lib = \"f.so\", settings = { r = nan } }\n",
            "error[map/wrong-type]: `settings.r` must be finite, not `nan`
  --> plugins.toml:2:38
   |
 2 | x = { lib = \"f.so\", settings = { r = nan } }
   |                                      ^^^
   |
   = do: write a number
",
        ),
        (
            "[longshore.policy.\"a.b\"]\nconflicts = \"frist\"\n[\"a.b\"]\n",
            "error[map/wrong-type]: `conflicts` cannot be `frist`
  --> plugins.toml:2:13
   |
 2 | conflicts = \"frist\"
   |             ^^^^^^^ not one of `error`, `first`, `last`, `priority`, `all`
   |
   = do: did you mean `first`?
",
        ),
        (
            "[\"\"]\nx = \"f.so\"\n",
            "error[map/bad-name]: `` is not a valid namespace
  --> plugins.toml:1:2
   |
 1 | [\"\"]
   |  ^^
   |
   = why: it is empty
   = do: write a name such as `acme.server.hook`
",
        ),
        (
            "[\"a.b\"]\nx = \"f.so\"\nx = \"g.so\"\n",
            "error[map/duplicate]: `x` is set twice
  --> plugins.toml:3:1
   |
 3 | x = \"g.so\"
   | ^
   |
   = note: first at 2:1
   = do: keep one
",
        ),
    ];
    for (text, message) in rows {
        assert_eq!(fatal(text), message, "for {text}");
    }
}

#[test]
fn more_fatal_codes() {
    let rows = [
        ("serach = 1\n", "map/wrong-type"),
        ("[longshore]\nserach = [\"x\"]\n", "map/unknown-key"),
        ("[longshore]\nsearch = \"x\"\n", "map/wrong-type"),
        (
            "[longshore.policy.a.b]\norder = \"name\"\n",
            "map/unquoted-namespace",
        ),
        ("[\"a.b\"]\nx = true\n", "map/wrong-type"),
        ("[\"a.b\"]\nx = []\n", "map/wrong-type"),
        ("[\"a.b\"]\nx = [false]\n", "map/wrong-type"),
        (
            "[\"a.b\"]\nx = { lib = \"f.so\", version = \"one\" }\n",
            "map/wrong-type",
        ),
        (
            "[\"a.b\"]\nx = { lib = \"f.so\", sha256 = \"12\" }\n",
            "map/wrong-type",
        ),
        (
            "[\"a.b\"]\nx = { lib = \"f.so\", priority = 1001 }\n",
            "map/wrong-type",
        ),
        ("[\"a.b\"]\nx = { libb = \"f.so\" }\n", "map/unknown-key"),
        ("[\"a.b\"]\nx = \n", "map/syntax"),
        ("[\"a.b\"]\nx = \u{201c}f\u{201d}\n", "map/syntax"),
    ];
    for (text, code) in rows {
        let error = PluginMap::parse(text, "plugins.toml").unwrap_err();
        assert_eq!(error.diagnostics[0].code, code, "for {text}: {error}");
    }
}

#[test]
fn every_fatal_error_is_reported_in_order() {
    let text = "[\"a.b\"]\nx = { lib = 1 }\ny = { lib = \"f.so\", odd = 2 }\nz = true\n";
    let error = PluginMap::parse(text, "p").unwrap_err();
    let places: Vec<String> = error
        .diagnostics
        .iter()
        .map(|d| d.place.to_string())
        .collect();
    assert_eq!(places, ["p:2:13", "p:3:21", "p:4:5"]);
}

#[test]
fn entry_diagnostics_leave_the_rest_usable() {
    let rows = [
        (
            "[\"a.b\"]\nok = \"f.so\"\nx = { export = \"y\" }\n",
            "error[map/bad-entry]: entry `a.b/x` needs exactly one of `lib`, `alias`, `patch`
  --> plugins.toml:3:1
   |
 3 | x = { export = \"y\" }
   | ^
   |
   = why: it has none of them
   = do: write `lib = \"…\"`, or `alias = \"…\"`, or `patch = true`
",
        ),
        (
            "[\"a.b\"]\nok = \"f.so\"\nx = { alias = \"ok\", priority = 1 }\n",
            "error[map/bad-entry]: entry `a.b/x` needs exactly one of `lib`, `alias`, `patch`
  --> plugins.toml:3:1
   |
 3 | x = { alias = \"ok\", priority = 1 }
   | ^
   |
   = why: an alias takes no `priority`
   = do: write `lib = \"…\"`, or `alias = \"…\"`, or `patch = true`
",
        ),
        (
            "[\"a.b\"]\nok = \"f.so\"\nx = { alias = \"okk\" }\n",
            "error[map/unknown-alias]: `a.b/x` is an alias of `okk`, which is not in the map
  --> plugins.toml:3:1
   |
 3 | x = { alias = \"okk\" }
   | ^
   |
   = do: did you mean `ok`?
",
        ),
        (
            "[\"a.b\"]\nok = \"f.so\"\nx = \"../f.so\"\n",
            "error[map/bad-name]: `../f.so` is not a valid target
  --> plugins.toml:3:5
   |
 3 | x = \"../f.so\"
   |     ^^^^^^^^^
   |
   = why: `..` may not leave the search path
   = do: use an absolute path, or add the directory to `search`
",
        ),
        (
            "[\"a.b\"]\nok = \"f.so\"\nx = { patch = true, priority = 3 }\n",
            "error[map/nothing-to-patch]: nothing to patch: `a.b/x` has 0 earlier entries
  --> plugins.toml:3:1
   |
 3 | x = { patch = true, priority = 3 }
   | ^
   |
   = do: correct the name, or write a whole entry with `lib`
",
        ),
    ];
    for (text, message) in rows {
        assert_eq!(finding(text), message, "for {text}");
        let map = PluginMap::parse(text, "plugins.toml").unwrap();
        assert!(one(&map, "a.b", "ok").fault.is_none());
        assert!(one(&map, "a.b", "x").fault.is_some(), "for {text}");
    }
}

#[test]
fn odd_names_and_targets() {
    for target in ["", "a.so:", ":x", "a.so:b:c", "a\\nb.so", "dir/"] {
        let map = PluginMap::parse(&format!("[n]\nx = \"{target}\"\n"), "p").unwrap();
        assert_eq!(
            one(&map, "n", "x").fault.as_ref().unwrap().code,
            "map/bad-name",
            "{target}"
        );
    }
    let long = "x".repeat(256);
    for name in ["\"\"", "\"a\\nb\"", "\" a\"", long.as_str()] {
        let map = PluginMap::parse(&format!("[n]\n{name} = \"f.so\"\n"), "p").unwrap();
        assert_eq!(map.diagnostics()[0].code, "map/bad-name", "{name}");
    }
    for fine in ["a b", "a+b", "é"] {
        let map = PluginMap::parse(&format!("[n]\n\"{fine}\" = \"f.so\"\n"), "p").unwrap();
        assert!(map.diagnostics().is_empty());
    }
    assert_eq!(split_target("/a:b/c.so"), ("/a:b/c.so", None));
    assert_eq!(split_target("c.so:x.y-z"), ("c.so", Some("x.y-z")));
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
fn drop_ins_merge_as_documented() {
    let base = "[\"d\"]\nfilter = 'libf.so'\nfake = 'libs.so:fake'\n[\"f\"]\n\
                Ram = { lib = 'libf.so', settings = { a = { b = 1, c = 2 }, l = [1, 2] } }\n";
    let site = "[\"d\"]\nfilter = { lib = '/opt/fast.so', override = true }\nfake = false\n\
                [\"f\".Ram]\npatch = true\npriority = 7\nsettings.a.b = 5\nsettings.l = [3]\n";
    let map = merged(&[base, site]);
    assert!(map.diagnostics().is_empty(), "{:?}", map.diagnostics());
    assert_eq!(one(&map, "d", "filter").lib, "/opt/fast.so");
    assert!(matches!(map.lookup("d", "fake"), Lookup::Disabled(_)));
    let ram = one(&map, "f", "Ram");
    assert_eq!(ram.priority, 7);
    assert_eq!(
        serde_json::to_string(&ram.settings).unwrap(),
        r#"{"a":{"b":5,"c":2},"l":[3]}"#
    );
    assert_eq!(ram.setting_place("/a/b").to_string(), "10-a.toml:7:16");
    assert_eq!(ram.setting_place("/a/c").to_string(), "plugins.toml:5:56");
    assert_eq!(
        ram.setting_place("/zz").to_string(),
        "plugins.toml:5:1",
        "unknown: the entry"
    );
}

#[test]
fn masks_and_later_entries() {
    let map = merged(&["[n]\nx = 'a.so'\n", "[n]\nx = false\n", "[n]\nx = 'c.so'\n"]);
    assert_eq!(one(&map, "n", "x").lib, "c.so", "a later file counts again");
    let map = merged(&["[n]\nx = false\n", "[n]\nx = 'b.so'\n"]);
    assert_eq!(
        one(&map, "n", "x").lib,
        "b.so",
        "a mask concerns earlier files only"
    );
    assert_eq!(map.entries("n").len(), 1);
}

#[test]
fn repeats_collapse_and_conflicts_stay() {
    let map = merged(&[
        "[n]\nx = 'a.so:e'\ny = 'a.so'\n",
        "[n]\nx = { lib = 'a.so', export = 'e' }\ny = 'b.so'\n",
    ]);
    assert_eq!(map.entries("n").len(), 3);
    assert!(matches!(map.lookup("n", "y"), Lookup::Several(v) if v.len() == 2));
    for (policy, expected) in [("first", "a.so"), ("last", "b.so"), ("priority", "b.so")] {
        let base = format!("[longshore.defaults]\nconflicts = '{policy}'\n[n]\ny = 'a.so'\n");
        let map = merged(&[&base, "[n]\ny = { lib = 'b.so', priority = -1 }\n"]);
        assert_eq!(one(&map, "n", "y").lib, expected, "{policy}");
    }
    let tie = "[longshore.policy.n]\nconflicts = 'priority'\n[n]\ny = ['a.so', 'b.so']\n";
    assert!(matches!(
        merged(&[tie]).lookup("n", "y"),
        Lookup::Several(_)
    ));
}

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
fn drop_ins_may_not_move_the_ground() {
    let files = [
        ("plugins.toml", ""),
        ("10-a.toml", "[longshore]\nsearch = ['x']\n"),
    ];
    let error = PluginMap::parse_files(&files, &Environment::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error[map/base-only-key]: `search` is allowed only in the base map `plugins.toml`
  --> 10-a.toml:2:1
   |
 2 | search = ['x']
   | ^^^^^^
   |
   = do: move it to `plugins.toml`
"
    );
}

#[test]
fn warnings_for_overrides_and_policies() {
    let policy = "[longshore.policy.n]\norder = 'name'\n";
    let map = merged(&[
        policy,
        policy,
        "[n]\nx = { lib = 'a.so', override = true }\n",
    ]);
    assert_eq!(
        render(map.diagnostics(), Style::default()),
        "warning[map/overwritten-policy]: `order` of `n` is set again
  --> 10-a.toml:2:9
   |
 2 | order = 'name'
   |         ^^^^^^
   |
   = note: first at plugins.toml:2:9
   = do: keep one

warning[map/overrides-nothing]: override of `n/x` replaces nothing
  --> 20-b.toml:2:1
   |
 2 | x = { lib = 'a.so', override = true }
   | ^
   |
   = do: correct the name, or remove `override`
"
    );
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let value = |name: &str| {
        pairs
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| (*v).to_owned())
    };
    Environment::from_fn(value)
}

#[test]
fn environment_changes_the_map() {
    let text = "[longshore.policy.locked]\nenv = false\n['a/b']\nx = 'x.so'\ny = 'y.so'\n[locked]\nz = 'z.so'\n";
    let environment = environment(&[
        (
            "LONGSHORE_ENTRY",
            "a/b/x=/new/lib.so:exp; a/b/w=w.so;locked/z=q.so",
        ),
        ("LONGSHORE_DISABLE", "a/b/y;none/*"),
        ("LONGSHORE_PLUGIN_PATH", "/p1:/p2"),
    ]);
    let map = PluginMap::parse_with(text, "p", &environment).unwrap();
    assert_eq!(one(&map, "a/b", "x").target(), "/new/lib.so:exp");
    assert_eq!(
        one(&map, "a/b", "w").origin.to_string(),
        "environment variable LONGSHORE_ENTRY"
    );
    assert_eq!(one(&map, "locked", "z").lib, "z.so");
    let Lookup::Disabled(y) = map.lookup("a/b", "y") else {
        panic!()
    };
    assert_eq!(
        y.disabled.as_ref().unwrap().to_string(),
        "switched off (environment variable LONGSHORE_DISABLE)"
    );
    assert_eq!(
        map.environment_changes(),
        [
            "LONGSHORE_ENTRY sets `a/b/x` to `/new/lib.so:exp`, was `x.so`",
            "LONGSHORE_ENTRY sets `a/b/w` to `w.so`, was absent",
            "LONGSHORE_DISABLE switches `a/b/y` off",
        ]
    );
    assert_eq!(
        render(map.diagnostics(), Style::default()),
        "warning[map/environment-refused]: `LONGSHORE_ENTRY` for `locked/z` ignored: its policy says `env = false`
  --> environment variable LONGSHORE_ENTRY
  = do: unset the variable, or change the map

warning[map/environment-refused]: `LONGSHORE_DISABLE` for `none/*` ignored: it is not in the map
  --> environment variable LONGSHORE_DISABLE
  = do: unset the variable, or change the map
"
    );
    let dirs: Vec<_> = map.search_dirs().map(|d| d.display().to_string()).collect();
    assert_eq!(dirs, ["/p1", "/p2"]);
}

#[test]
fn environment_errors_and_strictness() {
    for (variable, value) in [
        ("LONGSHORE_ENTRY", "a/b"),
        ("LONGSHORE_ENTRY", "a=b/c"),
        ("LONGSHORE_DISABLE", "a"),
    ] {
        let error = PluginMap::parse_with("", "p", &environment(&[(variable, value)])).unwrap_err();
        assert_eq!(
            error.diagnostics[0].code, "map/bad-environment",
            "{variable}={value}"
        );
    }
    let strict = environment(&[("LONGSHORE_STRICT", "1")]);
    let error = PluginMap::parse_with("[n]\nx = { alias = 'y' }\n", "p", &strict).unwrap_err();
    assert_eq!(error.diagnostics[0].code, "map/unknown-alias");
    let raised = Environment {
        ignored: true,
        ..environment(&[("LONGSHORE_DISABLE", "n/x")])
    };
    let map = PluginMap::parse_with("[n]\nx = 'a.so'\n", "p", &raised).unwrap();
    assert_eq!(map.diagnostics()[0].code, "map/environment-refused");
    assert_eq!(one(&map, "n", "x").lib, "a.so");
}

#[test]
fn files_are_found_and_ordered() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "plugins.toml",
        "[longshore]\ninclude = ['v', 's', 'absent', '.']\n[n]\nx = 'base.so'\n",
    );
    write(
        "v/10-x.toml",
        "[n]\nx = { lib = 'v.so', override = true }\n",
    );
    write("v/50-gone.toml", "[n]\ngone = 'gone.so'\n");
    write(
        "s/10-x.toml",
        "[n]\nx = { lib = './s.so', override = true }\n",
    );
    write("s/.hidden.toml", "nonsense");
    write("s/note.txt", "nonsense");
    write("s/05-first.toml", "[n]\nfirst = 'first.so'\n");
    write("s/s.so", "");
    std::os::unix::fs::symlink("/dev/null", dir.path().join("s/50-gone.toml")).unwrap();
    let map = PluginMap::load(&dir.path().join("plugins.toml"), &Environment::default()).unwrap();
    assert_eq!(names(&map, "n"), ["first.so", "./s.so"]);
    let found = map.resolve_library(one(&map, "n", "x")).unwrap();
    assert_eq!(found, dir.path().join("s/./s.so"));
    write("s/60-bad.toml", "x = ");
    let path = dir.path().join("plugins.toml");
    let error = PluginMap::load(&path, &Environment::default()).unwrap_err();
    assert_eq!(error.diagnostics[0].code, "map/syntax");
    let options = LoadOptions {
        lenient: true,
        ..LoadOptions::default()
    };
    let map = PluginMap::load_with(&path, &Environment::default(), &options).unwrap();
    assert_eq!(map.diagnostics()[0].code, "map/syntax");
}

#[test]
fn absent_and_odd_base_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("plugins.toml"), "").unwrap();
    let code = |name: &str| {
        let error = PluginMap::load(&dir.path().join(name), &Environment::default()).unwrap_err();
        (
            error.diagnostics[0].code,
            error.diagnostics[0].help.clone().unwrap(),
        )
    };
    let near = ("map/not-found", "did you mean `plugins.toml`?".to_owned());
    assert_eq!(code("plugin.toml"), near);
    assert_eq!(code(".").0, "map/unreadable");
    fs::write(dir.path().join("big.toml"), "#".repeat(2 << 20)).unwrap();
    assert_eq!(code("big.toml").0, "map/too-large");
    fs::write(dir.path().join("utf16.toml"), b"\xff\xfea\0").unwrap();
    assert_eq!(code("utf16.toml").0, "map/encoding");
}

#[test]
fn libraries_are_looked_up_in_order() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("b/libx.so"), "").unwrap();
    let text = "[longshore]\nsearch = ['a', 'b']\n[n]\nx = 'libx.so'\ny = 'libxx.so'\n";
    let map = PluginMap::parse(text, &dir.path().join("p.toml").display().to_string()).unwrap();
    assert_eq!(
        map.resolve_library(one(&map, "n", "x")).unwrap(),
        dir.path().join("b/libx.so")
    );
    let y = one(&map, "n", "y");
    let missing = map.resolve_library(y).unwrap_err();
    assert_eq!(
        missing.looked_in,
        [dir.path().join("a"), dir.path().join("b")]
    );
    assert_eq!(missing.nearest.as_deref(), Some("libx.so"));
    let refusal = missing.into_refusal(y);
    assert_eq!(
        (refusal.code, refusal.help.as_str()),
        ("plugin/not-found", "did you mean `libx.so`?")
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
fn removing_any_byte_never_panics() {
    let text = "[longshore]\nsearch = ['a']\n[longshore.policy.'n.s']\nconflicts = 'all'\n['n.s']\n\
                a = 'x.so:e'\nb = { lib = 'y.so', settings = { r = 1.5, t = { u = [1] } } }\nc = false\n\
                d = { alias = 'a' }\n[['n.s'.h]]\nlib = 'z.so'\n";
    for i in 0..text.len() {
        let mut cut = text.to_owned();
        cut.remove(i);
        if let Err(e) = PluginMap::parse(&cut, "p") {
            assert!(!e.to_string().is_empty());
        }
    }
}
