//! The merged map as one document: its text, and that it reads back to the same meaning.

use super::{merged, read_files};
use crate::map::{Environment, PluginMap};

fn assert_reads_back(map: &PluginMap) {
    let text = map.to_toml();
    let again = PluginMap::parse(&text, "/elsewhere/plugins.toml");
    let again = again.unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert!(map.same_meaning(&again), "{text}\n---\n{}", again.to_toml());
    assert_eq!(again.to_toml(), text, "printing again changes nothing");
}

#[test]
fn the_text_is_short_and_whole() {
    let base = "[longshore]\nsearch = ['/usr/lib/longshore', '/opt/./x/../lib']\n\
                [longshore.defaults]\norder = 'priority'\n\
                [longshore.policy.'a.hook']\nconflicts = 'all'\nenv = false\n\
                ['a.b']\nx = 'x.so'\ny = 'y.so:e'\n'z z' = { alias = 'x', deprecated = 'use \"x\"' }\nw = false\n\
                ['a.hook']\nbuilt = ['l.so', { lib = 'm.so', priority = -10 }]\n";
    let site = "['a.b']\nx = { patch = true, settings = { r = 1.5, n = [1, true, 'é\\'], 'a.b' = {} } }\ny = false\n\
                ['a.hook']\nbuilt = { lib = 'n.so', append = true, optional = true }\n";
    let map = merged(&[base, site]);
    let expected = r#"[longshore]
search = ["/usr/lib/longshore", "/opt/lib"]
include = []

[longshore.policy."a.b"]
order = "priority"

[longshore.policy."a.hook"]
conflicts = "all"
order = "priority"
env = false

["a.b"]
x = { lib = "x.so", settings = { "a.b" = {}, n = [1, true, "é\\"], r = 1.5 } }
y = { lib = "y.so", export = "e", enabled = false }
"z z" = { alias = "x", deprecated = "use \"x\"" }
w = false

["a.hook"]
built = [
  "l.so",
  { lib = "m.so", priority = -10 },
  { lib = "n.so", optional = true, append = true },
]
"#;
    assert_eq!(map.to_toml(), expected);
    assert_reads_back(&map);
}

#[test]
fn every_key_survives() {
    let digest = "ab".repeat(32);
    let text = format!(
        "[longshore.policy.n]\nconflicts = 'last'\norder = 'name'\ndisabled = ['b', 'zz']\ndefault = 'a'\n\
         [longshore.policy.o]\nonly = ['q', 'p']\n[longshore.policy.empty]\nenv = false\n\
         [n]\na = {{ lib = '/a.so', export = 'e', version = '^1.2', sha256 = '{digest}', \
         about = \"tab\\t\", deprecated = 'x' }}\n\
         b = {{ lib = './sub/b.so', optional = true, append = true, priority = 1000 }}\n\
         c = {{ alias = 'a', enabled = false }}\n\
         ['o']\np = 'p.so'\nq = 'q.so'\nr = 'r.so'\n"
    );
    let map = PluginMap::parse(&text, "/etc/longshore/plugins.toml").unwrap();
    assert_reads_back(&map);
    assert!(
        map.to_toml()
            .contains("b = { lib = \"/etc/longshore/sub/b.so\", ")
    );
}

#[test]
fn what_the_environment_changed_is_in_it() {
    let variable = |name: &str| match name {
        "LONGSHORE_ENTRY" => Some("n/new=new.so;n/a=/a2.so".to_owned()),
        "LONGSHORE_DISABLE" => Some("n/b".to_owned()),
        "LONGSHORE_PLUGIN_PATH" => Some("/p".to_owned()),
        _ => None,
    };
    let text = "[longshore]\nsearch = ['/s']\n[n]\na = 'a.so'\nb = 'b.so'\n";
    let map = PluginMap::parse_with(text, "/p.toml", &Environment::from_fn(variable)).unwrap();
    assert_reads_back(&map);
    assert!(
        map.to_toml()
            .starts_with("[longshore]\nsearch = [\"/p\", \"/s\"]\n")
    );
}

#[test]
fn entries_that_are_wrong_stay_wrong() {
    let forms = [
        "'../f.so'",
        "''",
        "'f.so:'",
        "{ lib = 'f.so', export = '' }",
        "{ export = 'y' }",
        "{ enabled = false, optional = false }",
        "{ alias = 'ok', priority = 0 }",
        "{ alias = 'ok', lib = 'f.so' }",
        "{ lib = 'f.so', override = true, append = true }",
        "{ lib = 'f.so', override = true, patch = true }",
        "{ patch = true, priority = 3 }",
        "{ patch = true, lib = 'g.so' }",
        "{ alias = 'nobody' }",
        "{ alias = 'x' }",
    ];
    for form in forms {
        let map = merged(&[&format!("[n]\nok = 'ok.so'\nx = {form}\n' y' = 'f.so'\n")]);
        assert!(
            map.entries("n")
                .iter()
                .any(|e| e.name == "x" && e.fault.is_some())
        );
        assert_reads_back(&map);
    }
}

#[test]
fn the_order_of_names_survives() {
    let base = "[longshore.policy.n]\norder = 'priority'\n[n]\na = { lib = 'a0.so', priority = 5 }\nb = 'b1.so'\n";
    let site = "[n]\nc = 'c.so'\na = 'a3.so'\n";
    assert_reads_back(&merged(&[base, site]));
}

#[test]
fn maps_of_another_meaning_are_told_apart() {
    let base = "[n]\na = 'a.so'\nb = 'b.so'\n";
    let others = [
        "[n]\na = 'a.so'\n",
        "[n]\nb = 'b.so'\na = 'a.so'\n",
        "[n]\na = 'a.so:e'\nb = 'b.so'\n",
        "[n]\na = { lib = 'a.so', settings = { r = 1 } }\nb = 'b.so'\n",
        "[longshore]\nsearch = ['x']\n[n]\na = 'a.so'\nb = 'b.so'\n",
        "[longshore.policy.n]\ndefault = 'a'\n[n]\na = 'a.so'\nb = 'b.so'\n",
        "[n]\na = ['a.so', 'c.so']\nb = 'b.so'\n",
        "[n]\na = 'a.so'\nb = 'b.so'\n[m]\n",
    ];
    let map = merged(&[base]);
    for other in others {
        assert!(!map.same_meaning(&merged(&[other])), "{other}");
    }
    let split = read_files(&["[n]\na = { lib = 'a.so' }\n", "[n]\nb = 'b.so'\n"]).unwrap();
    assert!(map.same_meaning(&split));
}
