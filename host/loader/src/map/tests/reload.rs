//! Reading again: what makes a map stale, what changed, and a broken file that changes nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{names, one};
use crate::map::{ChangeKind, Environment, LoadOptions, PluginMap, Reload};

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(base: &str) -> Place {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let place = Place { dir };
        fs::create_dir(place.path("plugins.d")).expect("a directory");
        place.put("plugins.toml", base);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file by renaming, as packages do: it is another file then, whatever the clock says.
    fn put(&self, name: &str, text: &str) {
        fs::write(self.path("new"), text).expect("a file");
        fs::rename(self.path("new"), self.path(name)).expect("a renamed file");
    }

    /// Loads, after making the directory look old: the next change in it shows at once.
    fn load(&self) -> PluginMap {
        let dir = File::open(self.path("plugins.d")).expect("a directory");
        dir.set_modified(SystemTime::UNIX_EPOCH)
            .expect("an owner may");
        let path = self.path("plugins.toml");
        PluginMap::load(&path, &Environment::default()).expect("a good map")
    }

    fn lines(&self, reload: &Reload) -> Vec<String> {
        let dir = format!("{}/", self.dir.path().display());
        let lines = reload.changes.iter().map(|c| c.to_string());
        lines.map(|l| l.replace(&dir, "")).collect()
    }
}

#[test]
fn every_kind_of_change_is_one_line() {
    let place = Place::new(
        "[longshore.policy.n]\norder = 'name'\n[n]\na = 'a.so'\nb = 'b.so'\n\
         c = { lib = 'c.so', settings = { p = 'hunter2' } }\nd = 'd.so'\n",
    );
    let old = place.load();
    place.put(
        "plugins.toml",
        "[longshore]\nsearch = ['lib']\n[longshore.policy.n]\nconflicts = 'all'\ndisabled = ['d']\n\
         [n]\na = { lib = 'a2.so', export = 'e', priority = 3 }\n\
         c = { lib = 'c.so', settings = { p = 'other' }, about = 'new' }\nd = 'd.so'\ne = { alias = 'a' }\n[m]\nx = false\n",
    );
    assert!(old.is_stale());
    let reload = old.reload().unwrap();
    assert_eq!(
        place.lines(&reload),
        [
            "~ longshore  search",
            "~ n  conflicts: none -> \"all\", order: \"name\" -> none, disabled: none -> [\"d\"] (plugins.toml:4:13)",
            "~ n/a  lib: a.so -> a2.so, export: none -> e, priority: 0 -> 3 (plugins.toml:7:1)",
            "~ n/c  settings, about (plugins.toml:8:1)",
            "~ n/d  enabled: true -> false (plugins.toml:9:1)",
            "+ n/e  alias of a (plugins.toml:10:1)",
            "- n/b  b.so (plugins.toml:5:1)",
            "+ m/x  false (plugins.toml:12:1)",
        ]
    );
    assert_eq!(one(&old, "n", "a").lib, "a.so", "a snapshot stays as it is");
    assert!(!reload.map.is_stale());
    let first = &reload.changes[2];
    let ChangeKind::Changed(fields) = &first.what else {
        panic!("{first}")
    };
    assert_eq!((first.name.as_deref(), fields[0].field), (Some("a"), "lib"));
    assert!(first.from.is_some() && first.to.is_some());
}

#[test]
fn another_order_is_a_change() {
    let place = Place::new("[n]\na = 'a.so'\nb = 'b.so'\n");
    let old = place.load();
    place.put("plugins.toml", "[n]\nb = 'b.so'\na = 'a.so'\n");
    assert_eq!(place.lines(&old.reload().unwrap()), ["~ n  sequence"]);
}

#[test]
fn several_of_one_name_are_told_apart() {
    let place = Place::new("[n]\nx = ['a.so', 'b.so', 'c.so']\n");
    let old = place.load();
    place.put(
        "plugins.toml",
        "[n]\nx = ['a.so', 'c.so', 'd.so', 'e.so']\n",
    );
    assert_eq!(
        place.lines(&old.reload().unwrap()),
        [
            "~ n/x  lib: b.so -> d.so (plugins.toml:2:22)",
            "+ n/x  e.so (plugins.toml:2:30)",
        ]
    );
}

#[test]
fn a_touched_file_changes_nothing() {
    let text = "[n]\na = 'a.so'\n";
    let place = Place::new(text);
    let old = place.load();
    assert!(!old.is_stale());
    place.put("plugins.toml", &format!("# a remark\n\n{text}"));
    assert!(old.is_stale());
    assert_eq!(place.lines(&old.reload().unwrap()), [""; 0]);
}

#[test]
fn drop_ins_come_change_and_go() {
    let place = Place::new("[n]\na = 'a.so'\n");
    let first = place.load();
    place.put("plugins.d/10-x.toml", "[n]\nb = 'b.so'\n");
    assert!(first.is_stale(), "a new file in the directory");
    let second = first.reload().unwrap();
    assert_eq!(
        place.lines(&second),
        ["+ n/b  b.so (plugins.d/10-x.toml:2:1)"]
    );
    place.put("plugins.d/10-x.toml", "[n]\nb = 'b2.so'\n");
    assert!(second.map.is_stale(), "a changed file");
    let third = place.load();
    fs::remove_file(place.path("plugins.d/10-x.toml")).unwrap();
    assert!(third.is_stale(), "a file that is gone");
    let fourth = third.reload().unwrap();
    assert_eq!(
        place.lines(&fourth),
        ["- n/b  b2.so (plugins.d/10-x.toml:2:1)"]
    );
}

#[test]
fn a_directory_that_was_absent_is_watched() {
    let place = Place::new("[longshore]\ninclude = ['later']\n[n]\na = 'a.so'\n");
    let old = place.load();
    assert!(!old.is_stale());
    fs::create_dir(place.path("later")).unwrap();
    assert!(old.is_stale());
    assert!(old.reload().unwrap().changes.is_empty());
}

/// Half a file, as an editor or a full disk leaves it: nothing of it counts.
#[test]
fn a_broken_file_leaves_the_old_map_in_force() {
    let place = Place::new("[n]\na = 'a.so'\n");
    let old = place.load();
    place.put("plugins.toml", "[n]\na = 'b.so'\nc = { lib = 'c");
    let error = old.reload().unwrap_err();
    let file = place.path("plugins.toml").display().to_string();
    assert_eq!(
        error.to_string(),
        format!(
            "error[map/syntax]: this `'` is never closed
  --> {file}:3:13
   |
 3 | c = {{ lib = 'c
   |             ^
   |
   = do: close it with `'`
"
        )
    );
    assert_eq!(names(&old, "n"), ["a.so"]);
    assert!(old.is_stale(), "it stays worth another try");
    fs::remove_file(place.path("plugins.toml")).unwrap();
    assert_eq!(
        old.reload().unwrap_err().diagnostics[0].code,
        "map/not-found"
    );
}

#[test]
fn options_and_variables_of_the_first_time_are_kept() {
    let place = Place::new("[n]\na = 'a.so'\n");
    let variable = |name: &str| (name == "LONGSHORE_DISABLE").then(|| "n/a".to_owned());
    let options = LoadOptions {
        lenient: true,
        builtin_dirs: vec![PathBuf::from("/built/in")],
        ignore_lock: false,
    };
    let path = place.path("plugins.toml");
    let old = PluginMap::load_with(&path, &Environment::from_fn(variable), &options).unwrap();
    place.put("plugins.d/50-bad.toml", "x = ");
    let new = old.reload().unwrap();
    assert_eq!(new.map.enabled("n").count(), 0);
    assert_eq!(new.map.diagnostics()[0].code, "map/syntax");
    assert!(new.map.search_dirs().eq([Path::new("/built/in")]));
}

#[test]
fn a_text_never_changes() {
    let map = PluginMap::parse("[n]\na = 'a.so'\n", "p").unwrap();
    assert!(!map.is_stale());
    assert!(map.reload().unwrap().changes.is_empty());
}
