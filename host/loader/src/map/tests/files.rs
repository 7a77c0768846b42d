//! Which files are read, in which order, and where libraries are looked for.

use std::fs;

use super::{names, one};
use crate::map::{Environment, LoadOptions, PluginMap};

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
