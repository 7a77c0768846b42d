//! What the variables change, what is refused, and strictness.

use super::{merged, one};
use crate::diagnostic::{Style, render};
use crate::map::{Environment, Lookup, PluginMap};

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
fn malformed_variables_are_explained() {
    let rows = [
        (
            ("LONGSHORE_ENTRY", "a/b"),
            "error[map/bad-environment]: `LONGSHORE_ENTRY`: cannot read `a/b`: expected `NAMESPACE/NAME=TARGET`
  --> environment variable LONGSHORE_ENTRY
  = do: write `NAMESPACE/NAME=TARGET`, with `;` between several
",
        ),
        (
            ("LONGSHORE_ENTRY", "a/b=../x.so"),
            "error[map/bad-environment]: `LONGSHORE_ENTRY`: cannot read `a/b=../x.so`: expected `NAMESPACE/NAME=TARGET`
  --> environment variable LONGSHORE_ENTRY
  = note: `..` may not leave the search path
  = do: write `NAMESPACE/NAME=TARGET`, with `;` between several
",
        ),
        (
            ("LONGSHORE_DISABLE", "a"),
            "error[map/bad-environment]: `LONGSHORE_DISABLE`: cannot read `a`: expected `NAMESPACE/NAME`
  --> environment variable LONGSHORE_DISABLE
  = do: write `NAMESPACE/NAME`, with `;` between several
",
        ),
    ];
    for (pair, message) in rows {
        let error = PluginMap::parse_with("", "p", &environment(&[pair])).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let many = "a/b;".repeat(1_001);
    let error = PluginMap::parse_with("", "p", &environment(&[("LONGSHORE_DISABLE", &many)]));
    let shown = error.unwrap_err().to_string();
    assert!(
        shown.starts_with("error[map/too-large]: `LONGSHORE_DISABLE` has more than 1000 items\n"),
        "{shown}"
    );
}

#[test]
fn raised_rights_ignore_every_variable() {
    let variables = [
        ("LONGSHORE_MAP", "x.toml"),
        ("LONGSHORE_PLUGIN_PATH", "/p"),
        ("LONGSHORE_DISABLE", "n/x"),
        ("LONGSHORE_ENTRY", "n/x=y.so"),
        ("LONGSHORE_STRICT", "1"),
    ];
    let raised = Environment {
        ignored: true,
        ..environment(&variables)
    };
    let map = PluginMap::parse_with("[n]\nx = 'a.so'\n", "p", &raised).unwrap();
    let shown = render(map.diagnostics(), Style::default());
    for (name, _) in variables {
        let line = format!(
            "warning[map/environment-refused]: `{name}` ignored: the process runs with raised rights\n"
        );
        assert!(shown.contains(&line), "{shown}");
    }
    assert_eq!(one(&map, "n", "x").lib, "a.so");
    assert_eq!((map.search_dirs().count(), raised.map_path()), (0, None));
}

#[test]
fn a_whole_namespace_can_be_switched_off() {
    let variables = environment(&[("LONGSHORE_DISABLE", "n/*")]);
    let map = PluginMap::parse_with(
        "[n]\nx = 'a.so'\ny = 'b.so'\n[m]\nx = 'a.so'\n",
        "p",
        &variables,
    );
    let map = map.unwrap();
    assert_eq!((map.enabled("n").count(), map.enabled("m").count()), (0, 1));
}

#[test]
fn an_entry_of_the_environment_stands_last() {
    let variables = environment(&[("LONGSHORE_ENTRY", "n/x=new.so")]);
    let map = PluginMap::parse_with("[n]\nx = 'a.so'\ny = 'b.so'\n", "p", &variables).unwrap();
    let libs: Vec<&str> = map.enabled("n").map(|e| e.lib.as_str()).collect();
    assert_eq!(libs, ["b.so", "new.so"]);
    assert!(map.diagnostics().is_empty());
    assert!(merged(&["[n]\n"]).environment_changes().is_empty());
}

/// Where libraries are looked for decides which code runs, so a namespace that the environment may
/// not change does not follow `LONGSHORE_PLUGIN_PATH` either.
#[test]
fn a_locked_namespace_ignores_the_plugin_path() {
    let dir = tempfile::tempdir().unwrap();
    for side in ["good", "odd"] {
        std::fs::create_dir(dir.path().join(side)).unwrap();
        std::fs::write(dir.path().join(side).join("a.so"), "").unwrap();
    }
    let text = "[longshore]\nsearch = ['good']\n[longshore.policy.locked]\nenv = false\n\
                [locked]\nx = 'a.so'\n[open]\nx = 'a.so'\n";
    let odd = dir.path().join("odd").display().to_string();
    let file = dir.path().join("p.toml").display().to_string();
    let variables = environment(&[("LONGSHORE_PLUGIN_PATH", &odd)]);
    let map = PluginMap::parse_with(text, &file, &variables).unwrap();
    let found = |namespace| map.resolve_library(one(&map, namespace, "x")).unwrap();
    assert_eq!(found("locked"), dir.path().join("good/a.so"));
    assert_eq!(found("open"), dir.path().join("odd/a.so"));
}
