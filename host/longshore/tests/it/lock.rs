//! `plugin lock` with real plugins: written, checked, held.

use std::fs;

use crate::api::NOBODY;
use crate::plugins::library;
use crate::program::Place;

const MAP: &str = "[\"longshore.scheduler.filter\"]\nram = \"./f.so\"\ncore = \"./f.so\"\n";

/// A place with a copy of the filters, which tests may replace.
fn place() -> Place {
    let place = Place::talking_to(NOBODY);
    place.write("plugins.toml", MAP);
    fs::copy(library("longshore_filters"), place.path().join("f.so")).unwrap();
    place
}

fn lock_text(place: &Place) -> String {
    fs::read_to_string(place.path().join("plugins.lock")).unwrap()
}

#[test]
fn a_lock_is_written_once_and_checked() {
    let place = place();
    let absent = place.run("plugin lock --check");
    assert_eq!(absent.exit, 4);
    assert!(
        absent.err.contains("plugin/lock-outdated"),
        "{}",
        absent.err
    );
    assert!(!place.path().join("plugins.lock").exists());
    let wrote = place.run("plugin lock");
    assert_eq!(wrote.exit, 0, "{}", wrote.err);
    assert!(
        wrote
            .out
            .contains("added longshore.scheduler.filter/core: `core` of ")
    );
    assert!(
        wrote
            .out
            .ends_with("plugins.lock: written, 2 entries of 1 plugin\n"),
        "{}",
        wrote.out
    );
    let text = lock_text(&place);
    let again = place.run("plugin lock");
    assert!(
        again.out.ends_with("up to date, 2 entries of 1 plugin\n"),
        "{}",
        again.out
    );
    assert_eq!(lock_text(&place), text);
    assert_eq!(place.run("plugin lock --check").exit, 0);
    let left: Vec<_> = fs::read_dir(place.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|n| n.to_string_lossy().starts_with(".plugins.lock")),
        "{left:?}"
    );
}

#[test]
fn a_new_content_is_refused_until_it_is_locked() {
    let place = place();
    assert_eq!(place.run("plugin lock").exit, 0);
    let fine = place.run("-q plugin list --json");
    assert!(!fine.out.contains("plugin/untrusted"), "{}", fine.out);
    // Bytes after the end are no part of the library, and another content all the same.
    let mut bytes = fs::read(place.path().join("f.so")).unwrap();
    bytes.push(0);
    fs::write(place.path().join("new.so"), bytes).unwrap();
    fs::rename(place.path().join("new.so"), place.path().join("f.so")).unwrap();
    let listed = place.run("-q plugin list --why");
    assert!(listed.out.contains("refused"), "{}", listed.out);
    assert!(
        listed.out.contains("plugin/untrusted: its digest is `"),
        "{}",
        listed.out
    );
    assert!(
        listed.out.contains("plugins.lock:5:10 locks `"),
        "{}",
        listed.out
    );
    let before = lock_text(&place);
    let checked = place.run("plugin lock --check");
    assert_eq!(checked.exit, 4);
    assert!(
        checked
            .out
            .contains("changed longshore.scheduler.filter/ram: "),
        "{}",
        checked.out
    );
    assert_eq!(lock_text(&place), before, "a check writes nothing");
    assert_eq!(place.run("plugin lock").exit, 0);
    let fine = place.run("-q plugin list --json");
    assert!(!fine.out.contains("plugin/untrusted"), "{}", fine.out);
}

#[test]
fn an_entry_that_is_not_locked_is_refused() {
    let place = place();
    assert_eq!(place.run("plugin lock").exit, 0);
    place.write("plugins.toml", &format!("{MAP}disk = \"./f.so\"\n"));
    let shown = place.run("-q plugin show longshore.scheduler.filter disk --json");
    assert!(shown.out.contains("disk` is not in `"), "{}", shown.out);
    let checked = place.run("plugin lock --check --json");
    let json: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(json["changes"][0]["change"], "added");
    assert_eq!(json["written"], false);
}

#[test]
fn a_broken_lock_stops_what_loads_and_is_written_anew() {
    let place = place();
    place.write("plugins.lock", "version = 1\n<<<<<<< HEAD\n");
    let checked = place.run("config check");
    assert_eq!(checked.exit, 3);
    assert!(
        checked.err.contains("plugin/lock-syntax"),
        "{}",
        checked.err
    );
    assert!(checked.err.contains("plugins.lock:2:1"), "{}", checked.err);
    assert_eq!(place.run("plugin lock --check").exit, 3);
    let wrote = place.run("plugin lock");
    assert_eq!(wrote.exit, 0, "{}", wrote.err);
    assert!(wrote.err.contains("written anew"), "{}", wrote.err);
    assert_eq!(place.run("plugin lock --check").exit, 0);
}

#[test]
fn what_cannot_be_locked_is_said_and_the_rest_is_locked() {
    let place = place();
    place.write("plugins.toml", &format!("{MAP}gone = \"./gone.so\"\n"));
    let wrote = place.run("plugin lock");
    assert_eq!(wrote.exit, 0, "{}", wrote.err);
    assert!(
        wrote
            .err
            .contains("not locked, and so refused: cannot load driver `gone`"),
        "{}",
        wrote.err
    );
    assert!(
        wrote.out.ends_with("written, 2 entries of 1 plugin\n"),
        "{}",
        wrote.out
    );
}
