//! Locks of real files: made, printed, read back, held; and every way in which one can be wrong.

use std::fs;
use std::path::Path;

use super::*;
use crate::inspect::tests::{GOOD, build, good};
use crate::inspect::{Inspection, inspect, sha256_bytes};
use crate::map::{EntryPoint, Environment, Lookup, PluginMap};

const FILTERS: &str = "longshore.scheduler.filter";
const MAP: &str = "[longshore]\nsearch = ['.']\n['longshore.scheduler.filter']\n\
                   ram = 'libacme.so'\nmy_disk = 'libacme.so:disk'\nold = { alias = 'ram' }\n\
                   off = { lib = 'libabsent.so', enabled = false }\nmaybe = { lib = 'libabsent.so', optional = true }\n";

fn dir_with(map: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("libacme.so"), good()).unwrap();
    fs::write(dir.path().join("plugins.toml"), map).unwrap();
    dir
}

fn map_in(dir: &Path) -> PluginMap {
    PluginMap::load(&dir.join("plugins.toml"), &Environment::default()).unwrap()
}

fn entry<'m>(map: &'m PluginMap, name: &str) -> &'m EntryPoint {
    match map.lookup(FILTERS, name) {
        Lookup::One(entry) => entry,
        other => panic!("{name}: {other:?}"),
    }
}

fn inspected(dir: &Path) -> Inspection {
    inspect(&dir.join("libacme.so")).unwrap()
}

fn errors(text: &str) -> Vec<(&'static str, String)> {
    let error = PluginsLock::parse(text.as_bytes(), "plugins.lock").unwrap_err();
    let found = error.diagnostics.iter();
    found
        .map(|d| (d.code, format!("{}: {}", d.place, d.what)))
        .collect()
}

#[test]
fn a_lock_is_made_printed_and_read_back() {
    let dir = dir_with(MAP);
    let Locking { lock, refused } = PluginsLock::from_map(&map_in(dir.path()));
    assert_eq!(
        refused,
        [],
        "what is off, an alias or optional is no matter"
    );
    let digest = sha256_bytes(good());
    assert_eq!(
        lock.to_toml(),
        format!(
            "# Written by `longshore plugin lock`; do not edit.
version = 1

[[plugin]]
sha256 = \"{digest}\"
lib = [\"libacme.so\"]
plugin = \"acme-filters\"
version = \"0.1.0\"
api = \"1.0\"
entries = [
  {{ namespace = \"longshore.scheduler.filter\", name = \"my_disk\", export = \"disk\", kind = \"longshore.filter\", revision = 1 }},
  {{ namespace = \"longshore.scheduler.filter\", name = \"ram\", export = \"ram\", kind = \"longshore.filter\", revision = 1 }},
]
"
        )
    );
    let read = PluginsLock::parse(lock.to_toml().as_bytes(), "plugins.lock").unwrap();
    assert_eq!(read, lock);
    assert_eq!(read.plugins[0].place.to_string(), "plugins.lock:5:10");
    assert_eq!(read.to_toml(), lock.to_toml());
    assert_eq!(read.entry_count(), 2);
}

#[test]
fn one_content_under_two_names_is_locked_once() {
    let dir = dir_with(&format!("{MAP}copy = 'libcopy.so:ram'\n"));
    fs::write(dir.path().join("libcopy.so"), good()).unwrap();
    let lock = PluginsLock::from_map(&map_in(dir.path())).lock;
    assert_eq!(lock.plugins.len(), 1);
    assert_eq!(lock.plugins[0].lib, ["libacme.so", "libcopy.so"]);
    assert_eq!(lock.entry_count(), 3);
}

#[test]
fn what_cannot_be_locked_is_left_out_and_told_of() {
    let dir = dir_with(&format!(
        "{MAP}gone = 'libgone.so'\ntext = './t.so'\nother = 'libacme.so:nothing'\n"
    ));
    fs::write(dir.path().join("t.so"), "no library").unwrap();
    let made = PluginsLock::from_map(&map_in(dir.path()));
    let codes: Vec<_> = made.refused.iter().map(|r| r.code).collect();
    assert_eq!(
        codes,
        [
            "plugin/not-found",
            "plugin/not-elf",
            "plugin/no-such-driver"
        ]
    );
    assert_eq!(made.refused[0].driver.as_deref(), Some("gone"));
    assert_eq!(made.lock.entry_count(), 2);
}

#[test]
fn a_locked_entry_is_held_to_its_content() {
    let dir = dir_with(MAP);
    let map = map_in(dir.path());
    let lock = PluginsLock::from_map(&map).lock;
    let text = lock.to_toml();
    let lock = PluginsLock::parse(text.as_bytes(), "plugins.lock").unwrap();
    let inspection = inspected(dir.path());
    let right = sha256_bytes(good());
    let verify =
        |name: &str, digest: &str| lock.verify(entry(&map, name), digest, &inspection.metadata);
    assert_eq!(verify("ram", &right), Ok(()));
    assert_eq!(verify("my_disk", &right), Ok(()));
    let wrong = "0".repeat(64);
    let refusal = verify("ram", &wrong).unwrap_err();
    assert_eq!(refusal.code, "plugin/untrusted");
    assert_eq!(
        refusal.why,
        format!(
            "its digest is `000000000000…`, plugins.lock:5:10 locks `{}…`",
            &right[..12]
        )
    );
    assert_eq!(refusal.driver.as_deref(), Some("ram"));
    let refusal = verify("maybe", &right).unwrap_err();
    assert_eq!(
        refusal.why,
        "`longshore.scheduler.filter/maybe` is not in `plugins.lock`"
    );
}

#[test]
fn another_driver_of_the_right_content_is_refused() {
    let dir = dir_with(MAP);
    let lock = PluginsLock::from_map(&map_in(dir.path())).lock;
    let map = MAP.replace("'libacme.so'\n", "'libacme.so:disk'\n");
    fs::write(dir.path().join("plugins.toml"), map).unwrap();
    let map = map_in(dir.path());
    let metadata = inspected(dir.path()).metadata;
    let refusal = lock.verify(entry(&map, "ram"), &sha256_bytes(good()), &metadata);
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.code, "plugin/untrusted");
    assert!(
        refusal.why.starts_with("the map means the driver `disk`"),
        "{refusal}"
    );
}

#[test]
fn several_entries_of_one_name_have_a_content_each() {
    let map = "[longshore]\nsearch = ['.']\n['longshore.scheduler.filter']\n\
               ram = ['libacme.so', { lib = 'libother.so', append = true }]\n";
    let dir = dir_with(map);
    let other = build(&[&GOOD.replace("0.1.0", "0.2.0")], &[]);
    fs::write(dir.path().join("libother.so"), &other).unwrap();
    let map = map_in(dir.path());
    let lock = PluginsLock::from_map(&map).lock;
    assert_eq!(lock.plugins.len(), 2);
    let entries = map.entries(FILTERS);
    let metadata = inspected(dir.path()).metadata;
    for (entry, bytes) in entries.iter().zip([good(), &other]) {
        assert_eq!(lock.verify(entry, &sha256_bytes(bytes), &metadata), Ok(()));
    }
    let refusal = lock.verify(&entries[1], &"0".repeat(64), &metadata);
    let wanted = &sha256_bytes(&other)[..12];
    assert!(
        refusal.unwrap_err().why.contains(wanted),
        "that of its own library"
    );
}

#[test]
fn the_map_carries_the_lock_beside_it() {
    let dir = dir_with(MAP);
    let map = map_in(dir.path());
    assert!(map.lock().is_none());
    let path = PluginsLock::path_beside(&dir.path().join("plugins.toml"));
    assert_eq!(path, dir.path().join("plugins.lock"));
    let lock = PluginsLock::from_map(&map).lock;
    assert!(!map.is_stale());
    fs::write(&path, lock.to_toml()).unwrap();
    assert!(map.is_stale(), "a lock that was written is a change");
    let again = map.reload().unwrap().map;
    assert_eq!(again.lock(), Some(&lock));
    assert_eq!(again.lock().unwrap().file(), path.display().to_string());
    fs::write(&path, "version = 1\n[[plugin]]\n").unwrap();
    let error = again.reload().unwrap_err();
    assert_eq!(error.diagnostics[0].code, "plugin/lock-invalid");
    let options = crate::map::LoadOptions {
        ignore_lock: true,
        ..crate::map::LoadOptions::default()
    };
    let base = dir.path().join("plugins.toml");
    let map = PluginMap::load_with(&base, &Environment::default(), &options).unwrap();
    assert!(
        map.lock().is_none(),
        "whoever writes it anew is not stopped by it"
    );
}

#[test]
fn a_lock_that_cannot_be_read_is_an_error_and_not_no_lock() {
    let dir = dir_with(MAP);
    let path = dir.path().join("plugins.lock");
    fs::create_dir(&path).unwrap();
    let error = PluginsLock::load(&path).unwrap_err();
    assert_eq!(error.diagnostics[0].code, "plugin/lock-unreadable");
    fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    let error = PluginsLock::load(&path).unwrap_err();
    assert_eq!(error.diagnostics[0].code, "plugin/lock-unreadable");
    fs::remove_file(&path).unwrap();
    assert_eq!(PluginsLock::load(&path), Ok(None));
}

#[test]
fn every_mistake_in_a_lock_has_its_place() {
    let row = format!(
        "sha256 = \"{}\"\nlib = [\"a.so\"]\nplugin = \"a\"\nversion = \"1.0.0\"\napi = \"1.0\"\n",
        "0".repeat(64)
    );
    let plugin = format!("version = 1\n[[plugin]]\n{row}entries = []\n");
    assert!(PluginsLock::parse(plugin.as_bytes(), "l").is_ok());
    let invalid = |text: &str, said: &str| {
        let found = errors(text);
        assert!(
            found
                .iter()
                .any(|(code, what)| *code == "plugin/lock-invalid" && what == said),
            "{said}: {found:?}"
        );
    };
    invalid("", "plugins.lock:1:1: a lock begins with `version = 1`");
    invalid(
        "version = \"1\"",
        "plugins.lock:1:11: a lock begins with `version = 1`",
    );
    invalid(
        "version = 1\nplugin = 3",
        "plugins.lock:2:10: `plugin` must be a list of tables `[[plugin]]`, not a whole number",
    );
    invalid(
        "version = 1\nplugins = []",
        "plugins.lock:2:1: unknown key `plugins` in the lock",
    );
    invalid(
        &plugin.replace("plugin = \"a\"\n", ""),
        "plugins.lock:2:1: `plugin` is missing",
    );
    invalid(
        &plugin.replace("\"a.so\"", "7"),
        "plugins.lock:4:8: `lib[0]` must be text, not a whole number",
    );
    invalid(
        &plugin.replace("\"00", "\"zz"),
        "plugins.lock:3:10: `sha256` must be 64 lower-case hex digits",
    );
    invalid(
        &plugin.replace("[]", "[{ name = \"x\" }]"),
        "plugins.lock:8:12: `namespace` is missing",
    );
    let twice = format!("{plugin}[[plugin]]\n{row}entries = []\n");
    invalid(
        &twice,
        "plugins.lock:10:10: the digest stands at plugins.lock:3:10 already",
    );
    assert_eq!(
        errors("version = 2\nnew = 1")[0].0,
        "plugin/lock-unsupported"
    );
    assert_eq!(
        errors("<<<<<<< HEAD\nversion = 1\n")[0].0,
        "plugin/lock-syntax"
    );
    assert_eq!(
        errors("version = 1\nversion = 1\n")[0].0,
        "plugin/lock-syntax"
    );
    let error = PluginsLock::parse(b"version = \xff", "plugins.lock").unwrap_err();
    assert_eq!(error.diagnostics[0].code, "plugin/lock-syntax");
    let many = format!("version = 1\nplugin = [{}]", "{},".repeat(PLUGINS_MAX + 1));
    invalid(&many, "plugins.lock:2:10: more than 1000 plugins");
}

#[test]
fn a_lock_cut_anywhere_is_an_error_or_says_less() {
    let dir = dir_with(MAP);
    let whole = PluginsLock::from_map(&map_in(dir.path())).lock;
    let text = whole.to_toml();
    for n in 0..text.len() {
        if let Ok(read) = PluginsLock::parse(&text.as_bytes()[..n], "l") {
            assert!(read.entry_count() == 0 || read == whole, "cut at {n}");
        }
    }
}

#[test]
fn changes_are_told_entry_by_entry() {
    let dir = dir_with(MAP);
    let before = PluginsLock::from_map(&map_in(dir.path())).lock;
    assert_eq!(before.changes_to(&before), []);
    let newer = build(&[&GOOD.replace("\"0.1.0\"", "\"0.2.0\"")], &[]);
    fs::write(dir.path().join("libacme.so"), &newer).unwrap();
    let map = MAP.replace("my_disk", "big_disk");
    fs::write(dir.path().join("plugins.toml"), map).unwrap();
    let after = PluginsLock::from_map(&map_in(dir.path())).lock;
    let (old, new) = (sha256_bytes(good()), sha256_bytes(&newer));
    let (old, new) = (&old[..12], &new[..12]);
    let said: Vec<String> = before
        .changes_to(&after)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            format!("added {FILTERS}/big_disk: `disk` of acme-filters 0.2.0 ({new}…)"),
            format!("removed {FILTERS}/my_disk: `disk` of acme-filters 0.1.0 ({old}…)"),
            format!(
                "changed {FILTERS}/ram: `ram` of acme-filters 0.1.0 ({old}…) to `ram` of acme-filters 0.2.0 ({new}…)"
            ),
        ]
    );
}
