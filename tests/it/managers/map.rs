//! What stevedore's cache tests mean where there is no cache: the map is read, kept and read again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use longshore_loader::PluginMap;
use longshore_loader::map::Environment;

fn load(path: &Path) -> PluginMap {
    PluginMap::load(path, &Environment::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn map_scan_returns_namespace_table() {
    let dir = tempfile::tempdir().unwrap();
    let base = write(dir.path(), "plugins.toml", "['a.b']\nx = 'x.so'\n");
    write(
        dir.path(),
        "plugins.d/10-more.toml",
        "['a.b']\ny = 'y.so'\n['c']\nz = 'z.so:q'\n",
    );
    let map = load(&base);
    let entries = map.all_entries();
    let table: Vec<_> = entries.map(|e| (e.full_name(), e.target())).collect();
    let expected = [("a.b/x", "x.so"), ("a.b/y", "y.so"), ("c/z", "z.so:q")];
    assert_eq!(table, expected.map(|(n, t)| (n.to_owned(), t.to_owned())));
}

type Tree = BTreeMap<PathBuf, (u64, SystemTime)>;

fn tree(dir: &Path, into: &mut Tree) {
    let meta = fs::metadata(dir).unwrap();
    into.insert(dir.to_owned(), (0, meta.modified().unwrap()));
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::metadata(&path).unwrap();
        match meta.is_dir() {
            true => tree(&path, into),
            false => {
                into.insert(path, (meta.len(), meta.modified().unwrap()));
            }
        }
    }
}

#[test]
fn map_load_never_writes() {
    let dir = tempfile::tempdir().unwrap();
    let base = write(dir.path(), "plugins.toml", "['a.b']\nx = 'x.so'\n");
    write(
        dir.path(),
        "plugins.d/10-more.toml",
        "['a.b']\ny = 'y.so'\n",
    );
    let (mut before, mut after) = (Tree::new(), Tree::new());
    tree(dir.path(), &mut before);
    let map = load(&base);
    assert!(map.reload().is_ok());
    tree(dir.path(), &mut after);
    assert_eq!(before, after);
}

#[test]
fn map_truncated_file_is_reported_then_reload_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let whole = "['a.b']\nx = 'x.so'\ny = 'y.so'\n";
    let base = write(dir.path(), "plugins.toml", whole);
    let map = load(&base);
    write(dir.path(), "plugins.toml", &whole[..whole.len() - 4]);
    let error = map.reload().unwrap_err();
    let place = error.diagnostics[0].place.to_string();
    assert_eq!(error.diagnostics[0].code, "map/syntax");
    assert!(place.ends_with("plugins.toml:3:5"), "{place}");
    write(dir.path(), "plugins.toml", whole);
    assert!(map.reload().unwrap().changes.is_empty());
}

#[test]
fn map_dump_round_trips() {
    let text = "[longshore]\nsearch = ['lib']\n[longshore.policy.'a.b']\nconflicts = 'first'\norder = 'priority'\n\
                ['a.b']\nx = ['x.so:e', { lib = 'y.so', priority = -3 }]\n'odd name.z' = { alias = 'x', deprecated = 'old' }\n\
                off = { lib = './z.so', enabled = false, settings = { a = 1, b = [1.5, 'x'], t = { u = true } } }\nmask = false\n";
    let map = PluginMap::parse(text, "/etc/plugins.toml").unwrap();
    let dumped = map.to_toml();
    let again =
        PluginMap::parse(&dumped, "/etc/other.toml").unwrap_or_else(|e| panic!("{e}\n{dumped}"));
    assert!(map.same_meaning(&again), "{dumped}");
    let other = PluginMap::parse(&text.replace("-3", "-4"), "/etc/plugins.toml").unwrap();
    assert!(!map.same_meaning(&other));
}

#[test]
fn map_failed_reload_keeps_old_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let base = write(dir.path(), "plugins.toml", "['a.b']\nx = 'x.so'\n");
    let loader = longshore_loader::Loader::new(load(&base), dir.path());
    write(
        dir.path(),
        "plugins.toml",
        "['a.b']\nx = 'other.so'\nprioritty = 3\n",
    );
    assert!(loader.reload().is_err());
    let entries: Vec<_> = loader.map().all_entries().map(|e| e.target()).collect();
    assert_eq!(entries, ["x.so"]);
}

#[test]
fn map_empty_dropin_masks_vendor_file() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[longshore]\ninclude = ['vendor', 'site']\n";
    let base = write(dir.path(), "plugins.toml", text);
    write(dir.path(), "vendor/10-x.toml", "['a.b']\nx = 'x.so'\n");
    write(dir.path(), "vendor/20-y.toml", "['a.b']\ny = 'y.so'\n");
    let names = || {
        let map = load(&base);
        map.all_entries()
            .map(|e| e.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["x", "y"]);
    write(dir.path(), "site/10-x.toml", "");
    assert_eq!(names(), ["y"]);
}
