//! Which files are read, in which order, and where libraries are looked for.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

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
    symlink("/dev/null", dir.path().join("s/50-gone.toml")).unwrap();
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

/// Loads a file of a directory that holds an empty `plugins.toml`; the directory's name is left
/// out of the message.
fn refusal(prepare: impl FnOnce(&Path), name: &str) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("plugins.toml"), "").expect("a file");
    prepare(dir.path());
    let error = PluginMap::load(&dir.path().join(name), &Environment::default());
    let shown = error.expect_err("there is no map").to_string();
    shown.replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn an_absent_base_file() {
    assert_eq!(
        refusal(|_| (), "plugin.toml"),
        "error[map/not-found]: cannot read plugin map `plugin.toml`: No such file or directory (os error 2)
  --> plugin.toml
  = do: did you mean `plugins.toml`?
"
    );
    let far = refusal(|_| (), "something-else.toml");
    assert!(
        far.ends_with("  = do: correct the path, or write the file\n"),
        "{far}"
    );
}

#[test]
fn a_base_file_that_is_no_file() {
    let directory = |dir: &Path| fs::create_dir(dir.join("d.toml")).expect("a directory");
    assert_eq!(
        refusal(directory, "d.toml"),
        "error[map/unreadable]: cannot read plugin map `d.toml`: it is a directory
  --> d.toml
  = do: name the file
"
    );
    let device = |dir: &Path| symlink("/dev/zero", dir.join("z.toml")).expect("a link");
    assert_eq!(
        refusal(device, "z.toml"),
        "error[map/unreadable]: cannot read plugin map `z.toml`: it is not a regular file
  --> z.toml
  = do: name the file
"
    );
}

/// A driver that is silently missing is worse than a host that does not start.
#[test]
fn a_drop_in_that_leads_nowhere() {
    let link = |dir: &Path| {
        fs::create_dir(dir.join("plugins.d")).expect("a directory");
        symlink("gone", dir.join("plugins.d/10-a.toml")).expect("a link");
    };
    assert_eq!(
        refusal(link, "plugins.toml"),
        "error[map/not-found]: cannot read plugin map `plugins.d/10-a.toml`: No such file or directory (os error 2)
  --> plugins.d/10-a.toml
  = do: mend the link, or remove it
"
    );
}

#[test]
fn large_and_odd_base_files() {
    let big = |dir: &Path| fs::write(dir.join("b.toml"), "#".repeat(2 << 20)).expect("a file");
    let shown = refusal(big, "b.toml");
    assert!(shown.starts_with("error[map/too-large]: `"), "{shown}");
    assert!(
        shown.contains("b.toml` has 1048577 bytes, the limit is 1048576\n"),
        "{shown}"
    );
    let utf16 = |dir: &Path| fs::write(dir.join("u.toml"), b"\xff\xfea\0").expect("a file");
    let shown = refusal(utf16, "u.toml");
    assert!(
        shown.starts_with("error[map/encoding]: the text is UTF-16\n  --> u.toml:1:1\n"),
        "{shown}"
    );
}

#[test]
fn drop_ins_are_bounded() {
    let many = |dir: &Path| {
        fs::create_dir(dir.join("plugins.d")).expect("a directory");
        for i in 0..=1_000 {
            fs::write(dir.join(format!("plugins.d/{i}.toml")), "").expect("a file");
        }
    };
    assert_eq!(
        refusal(many, "plugins.toml"),
        "error[map/too-large]: more than 1000 drop-in files
  --> plugins.d
  = do: join some of them
"
    );
}

#[test]
fn what_is_no_regular_file_is_no_drop_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plugins.toml");
    fs::write(&path, "[longshore]\ninclude = ['v', 's']\n").unwrap();
    fs::create_dir_all(dir.path().join("v/dir.toml")).unwrap();
    fs::create_dir_all(dir.path().join("s/10-x.toml")).unwrap();
    fs::write(dir.path().join("v/10-x.toml"), "[n]\nx = 'v.so'\n").unwrap();
    fs::write(dir.path().join("v/20-y.toml~"), "nonsense").unwrap();
    fs::write(dir.path().join("v/30-empty.toml"), "").unwrap();
    symlink("/dev/zero", dir.path().join("v/40-z.toml")).unwrap();
    let map = PluginMap::load(&path, &Environment::default()).unwrap();
    assert_eq!(names(&map, "n"), ["v.so"], "a directory masks nothing");
    let found: Vec<_> = map.includes().iter().map(|i| i.files).collect();
    assert_eq!(found, [2, 0]);
}

#[test]
fn a_library_that_is_nowhere() {
    let map = PluginMap::parse(
        "[longshore]\nsearch = ['/no/a', '/no/b']\n[n]\nx = 'x.so'\ny = '/no/y.so'\n",
        "p",
    );
    let map = map.unwrap();
    let refused = |name| {
        let entry = one(&map, "n", name);
        let refusal = map.resolve_library(entry).unwrap_err().into_refusal(entry);
        (refusal.code, refusal.why, refusal.help)
    };
    let help = "install the file, or correct `lib` or `[longshore] search`";
    let why = "library `x.so` not found; looked in `/no/a`, `/no/b` (p:4:1)";
    assert_eq!(
        refused("x"),
        ("plugin/not-found", why.to_owned(), help.to_owned())
    );
    let why = "library `/no/y.so` not found; looked in `/no` (p:5:1)";
    assert_eq!(
        refused("y"),
        ("plugin/not-found", why.to_owned(), help.to_owned())
    );
    let map = PluginMap::parse("[n]\nx = 'x.so'\n", "p").unwrap();
    let missing = map.resolve_library(one(&map, "n", "x")).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "library `x.so` not found; there is no directory to look in"
    );
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
