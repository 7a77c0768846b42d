//! `config` and `plugin`: commands that read the files.

use serde_json::{Value as Json, json};

use crate::api::{Api, NOBODY};
use crate::program::Place;

/// A place where no API answers, with this map.
fn with_map(map: &str) -> Place {
    let place = Place::talking_to(NOBODY);
    place.write("plugins.toml", map);
    place
}

const MAP: &str = "\
[\"longshore.virt.driver\"]
fake = \"absent.so\"
text = \"./text.so\"
spare = false
[\"longshore.scheduler.filter\"]
ram = \"absent.so:ram\"
";

#[test]
fn without_a_host_entry_points_are_read_from_the_files() {
    let place = with_map(MAP);
    place.write("text.so", "no library");
    let ran = place.run("plugin list --json");
    assert_eq!(
        (ran.exit, ran.err.as_str()),
        (0, "note: not running: read from the files\n")
    );
    let list = ran.json();
    let states: Vec<(&str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["name"].as_str().unwrap(), e["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("fake", "missing"),
        ("text", "refused"),
        ("spare", "disabled"),
        ("ram", "missing"),
    ];
    assert_eq!(states, expected);
    assert_eq!(list[1]["error"]["code"], "plugin/not-elf");
    assert_eq!(list[2]["error"], Json::Null);
    assert_eq!(list[3]["export"], "ram");
    let ran = place.run("plugin list --namespace longshore.scheduler.filter --why");
    assert_eq!(ran.out.lines().count(), 2);
    assert!(
        ran.out
            .contains("plugin/not-found: library `absent.so` not found"),
        "{}",
        ran.out
    );
    let ran = place.run("plugin show longshore.virt.driver spare --json");
    assert_eq!(ran.json()["state"], "disabled");
    let ran = place.run("-q plugin show longshore.virt.driver fkae");
    assert_eq!(ran.exit, 4);
    assert!(
        ran.err.ends_with("do:   did you mean `fake`?\n"),
        "{}",
        ran.err
    );
}

#[test]
fn a_running_host_is_asked() {
    let entry =
        json!({"namespace": "n", "name": "ram", "lib": "a.so", "state": "in_use", "version": "1"});
    let schema = json!([{"key": "ratio", "type": "float", "default": 1.5, "help": "a ratio"}]);
    let mut shown = entry.clone();
    shown["settings_schema"] = schema;
    let api = Api::start(move |request| match request.line.as_str() {
        "GET /longshore/v1/plugins" => (200, json!([entry])),
        "GET /longshore/v1/plugins/n/ram" => (200, shown.clone()),
        _ => crate::api::not_found(),
    });
    let place = Place::talking_to(api.url());
    let ran = place.run("plugin list");
    assert_eq!(ran.err, "");
    assert!(ran.out.contains("in_use"), "{}", ran.out);
    let sample = place.run("plugin show n ram --sample").out;
    let expected = "\
[\"n\".\"ram\"]
lib = \"a.so\"

[\"n\".\"ram\".settings]
# a ratio
# \"ratio\" = 1.5
";
    assert_eq!(sample, expected);
    assert_eq!(place.run("plugin show n x").exit, 4);
}

#[test]
fn inspect_refuses_what_is_no_plugin() {
    let place = Place::new();
    place.write("text.so", "no library");
    let ran = place.run("plugin inspect text.so");
    assert_eq!((ran.exit, ran.out.as_str()), (4, ""));
    let expected = "error[plugin/not-elf]: cannot load plugin `text.so`\n  file: text.so\n  why:  ";
    assert!(ran.err.starts_with(expected), "{}", ran.err);
    let ran = place.run("plugin inspect text.os --json");
    assert_eq!(
        (ran.exit, &ran.error()["code"]),
        (4, &json!("plugin/not-found"))
    );
    assert_eq!(ran.error()["do"], "did you mean `text.so`?");
}

#[test]
fn check_shows_every_problem_of_both_files() {
    let place = Place::new();
    place.write(
        "longshore.toml",
        "[compute]\nvrit = 1\n[log]\nformat = \"xml\"\n",
    );
    place.write(
        "plugins.toml",
        "[\"longshore.virt.driver\"]\nfake = { lib = 7 }\n",
    );
    let ran = place.run("config check");
    assert_eq!((ran.exit, ran.out.as_str()), (3, ""));
    for code in ["config/unknown-key", "config/bad-value", "map/"] {
        assert!(ran.err.contains(code), "{}", ran.err);
    }
    assert!(ran.err.ends_with("\n3 errors\n"), "{}", ran.err);
    let ran = place.run("config check --json");
    assert_eq!(ran.error()["code"], "config/unknown-key");
    let all: Json = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(all["errors"].as_array().unwrap().len(), 3);
    assert_eq!(all["errors"][0]["line"], 2);
    assert_eq!(place.run("server list").exit, 3);
}

#[test]
fn check_accepts_what_is_only_odd() {
    let place = Place::new();
    place.write("longshore.toml", "[scheduler]\nenabled_filters = []\n");
    let map = "[\"n\"]\na = \"x.so\"\n";
    place.write("plugins.toml", map);
    let ran = place.run("config check");
    assert_eq!(ran.exit, 0);
    assert!(
        ran.err
            .contains("warning[config/odd]: no filters: every host passes"),
        "{}",
        ran.err
    );
    let json = place.run("config check --json");
    assert_eq!(json.err, "");
    assert_eq!(json.json()["ok"], true);
}

#[test]
fn show_is_json_too() {
    let place = Place::new();
    place.write("longshore.toml", "[compute]\nvirt = \"process\"\n");
    let ran = place.run("config show --json --origin");
    let expected = json!({"value": "process", "origin": "longshore.toml:2:8"});
    assert_eq!(ran.json()["compute"]["virt"], expected);
    let ran = place.run("config show --json --plugins nowhere.toml");
    assert_eq!(
        (ran.exit, &ran.error()["code"]),
        (3, &json!("config/not-found"))
    );
}

#[test]
fn the_merged_map_is_shown_without_secrets() {
    let place = with_map(
        "[longshore]\nsearch = []\n[longshore.policy.hooks]\nconflicts = 'all'\n\
         [hooks]\nbuilt = 'a.so'\nold = { alias = 'built', deprecated = 'use it' }\n",
    );
    place.write(
        "plugins.d/10-site.toml",
        "[hooks]\nbuilt = { lib = 'b.so', settings = { password = 'hunter2' }, append = true }\nold = false\n",
    );
    let ran = place.run("config show --map");
    let expected = "[longshore]
search = []
include = []

[longshore.policy.\"hooks\"]
conflicts = \"all\"

[\"hooks\"]
built = [
  \"a.so\",
  { lib = \"b.so\", append = true, settings = { password = \"***\" } },
]
old = { alias = \"built\", enabled = false, deprecated = \"use it\" }
";
    assert_eq!((ran.exit, ran.out.as_str()), (0, expected), "{}", ran.err);
    let json = place.run("config show --map --json").json();
    let names: Vec<&str> = json["hooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["built", "old", "built"]);
    assert_eq!(json["hooks"][1]["enabled"], false);
    assert_eq!(json["hooks"][2]["settings"], json!({"password": "***"}));
    assert_eq!(place.run("config show --map --origin").exit, 2);
}

#[test]
fn a_broken_map_is_not_shown() {
    let place = with_map("[n]\nx = f.so\n");
    let ran = place.run("config show --map --json");
    assert_eq!((ran.exit, &ran.error()["code"]), (3, &json!("map/syntax")));
}

#[test]
fn check_asks_about_conflicts_and_idle_directories() {
    let place = with_map(
        "[longshore]\ninclude = ['plugins.d', 'site.d', 'none.d', '.']\n[n]\nx = 'a.so'\ny = 'a.so'\n",
    );
    place.write(
        "site.d/10-a.toml",
        "[n]\nx = { lib = 'b.so', append = true }\ny = 'b.so'\n",
    );
    let ran = place.run("config check");
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let said = |what: &str| ran.err.contains(what);
    assert!(
        said("/site.d/10-a.toml:3:1` both give `y` of `n`"),
        "{}",
        ran.err
    );
    assert!(!said("both give `x`"), "appended on purpose: {}", ran.err);
    assert!(said("/none.d` holds no `*.toml`"), "{}", ran.err);
    assert!(said("is the directory of the map itself"), "{}", ran.err);
    assert!(
        !said("plugins.d` holds"),
        "the default may be absent: {}",
        ran.err
    );
}
