//! `plugin scan` with real plugins: what it prints is a map.

use serde_json::Value as Json;

use crate::api::NOBODY;
use crate::plugins::library;
use crate::program::Place;

/// A directory with copies of plugins.
fn copies(place: &Place, names: &[(&str, &str)]) {
    std::fs::create_dir(place.path().join("lib")).unwrap();
    for (from, to) in names {
        std::fs::copy(library(from), place.path().join(to)).unwrap();
    }
}

#[test]
fn what_scan_prints_is_a_map() {
    let place = Place::talking_to(NOBODY);
    let names = [
        ("longshore_filters", "lib/a.so"),
        ("longshore_virt_fake", "lib/b:c.so"),
        ("longshore_weighers", "d.so"),
    ];
    copies(&place, &names);
    place.write("lib/none.so", "no library");
    let ran = place.run("plugin scan .");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("# "), "{}", ran.out);
    assert!(ran.out.contains("none.so`: no plugin: "), "{}", ran.out);
    place.write("plugins.toml", &ran.out);
    let list = place.run("plugin list --json").json();
    let states: Vec<&Json> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["state"])
        .collect();
    assert!(
        states.len() > 10 && states.iter().all(|s| *s == "available"),
        "{list}"
    );
    let check = place.run("config check");
    assert!(
        !check.err.contains("warning[map/") && !check.err.contains("error[map/"),
        "{}",
        check.err
    );
    let json = place.run("plugin scan . --json");
    assert_eq!(json.json().as_array().unwrap().len(), 3);
    assert!(json.err.starts_with("note: `"), "{}", json.err);
}

#[test]
fn of_two_files_with_the_same_name_the_first_is_active() {
    let place = Place::talking_to(NOBODY);
    copies(
        &place,
        &[
            ("longshore_virt_fake", "lib/a.so"),
            ("longshore_virt_fake", "lib/b.so"),
        ],
    );
    let ran = place.run("plugin scan lib");
    let lines: Vec<&str> = ran.out.lines().filter(|l| l.contains("fake")).collect();
    let expected = "   # a conflict: the name is taken above";
    assert!(
        lines.len() == 2 && lines[0].ends_with("/lib/a.so\""),
        "{}",
        ran.out
    );
    assert!(
        lines[1].starts_with("# fake = ") && lines[1].ends_with(expected),
        "{}",
        ran.out
    );
}

#[test]
fn scan_names_what_it_cannot_look_into() {
    let place = Place::new();
    let ran = place.run("plugin scan nowhere");
    assert_eq!((ran.exit, ran.out.as_str()), (4, ""));
    assert!(
        ran.err.starts_with("error[plugin/not-found]: "),
        "{}",
        ran.err
    );
    place.write("file.so", "");
    assert_eq!(place.run("plugin scan file.so").exit, 4);
    let empty = place.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let ran = place.run("plugin scan empty");
    assert!(
        ran.out.starts_with("# 0 entry points of 0 plugins below "),
        "{}",
        ran.out
    );
    assert!(empty.read_dir().unwrap().next().is_none());
}

#[test]
fn required_settings_stand_in_a_comment_that_is_right_once_filled_in() {
    let place = Place::talking_to(NOBODY);
    copies(&place, &[("longshore_misbehaving", "lib/a.so")]);
    let ran = place.run("plugin scan lib");
    let start = "# picky = { lib = ";
    let line = ran.out.lines().find(|l| l.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("{}", ran.out));
    assert!(line.ends_with("settings = { name = \"\" } }"), "{line}");
    let map = format!("[\"longshore.scheduler.filter\"]\n{}\n", &line[2..]);
    place.write("plugins.toml", &map);
    let list = place.run("plugin list --json").json();
    assert_eq!(list[0]["state"], "available", "{list}");
}
