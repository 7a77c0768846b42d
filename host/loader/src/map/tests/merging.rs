//! What later files do to earlier ones: drop-ins, masks, repeats, patches, overrides.

use super::{merged, names, one, reports_files};
use crate::map::{Lookup, PluginMap};

#[test]
fn drop_ins_merge_as_documented() {
    let base = "[\"d\"]\nfilter = 'libf.so'\nfake = 'libs.so:fake'\n[\"f\"]\n\
                Ram = { lib = 'libf.so', settings = { a = { b = 1, c = 2 }, l = [1, 2] } }\n";
    let site = "[\"d\"]\nfilter = { lib = '/opt/fast.so', override = true }\nfake = false\n\
                [\"f\".Ram]\npatch = true\npriority = 7\nsettings.a.b = 5\nsettings.l = [3]\n";
    let map = merged(&[base, site]);
    assert!(map.diagnostics().is_empty(), "{:?}", map.diagnostics());
    assert_eq!(one(&map, "d", "filter").lib, "/opt/fast.so");
    assert!(matches!(map.lookup("d", "fake"), Lookup::Disabled(_)));
    let ram = one(&map, "f", "Ram");
    assert_eq!(ram.priority, 7);
    assert_eq!(
        serde_json::to_string(&ram.settings).unwrap(),
        r#"{"a":{"b":5,"c":2},"l":[3]}"#
    );
    assert_eq!(ram.setting_place("/a/b").to_string(), "10-a.toml:7:16");
    assert_eq!(ram.setting_place("/a/c").to_string(), "plugins.toml:5:56");
    assert_eq!(
        ram.setting_place("/zz").to_string(),
        "plugins.toml:5:1",
        "unknown: the entry"
    );
}

#[test]
fn masks_and_later_entries() {
    let map = merged(&["[n]\nx = 'a.so'\n", "[n]\nx = false\n", "[n]\nx = 'c.so'\n"]);
    assert_eq!(one(&map, "n", "x").lib, "c.so", "a later file counts again");
    let map = merged(&["[n]\nx = false\n", "[n]\nx = 'b.so'\n"]);
    assert_eq!(
        one(&map, "n", "x").lib,
        "b.so",
        "a mask concerns earlier files only"
    );
    assert_eq!(map.entries("n").len(), 1);
}

#[test]
fn repeats_collapse_and_conflicts_stay() {
    let map = merged(&[
        "[n]\nx = 'a.so:e'\ny = 'a.so'\n",
        "[n]\nx = { lib = 'a.so', export = 'e' }\ny = 'b.so'\n",
    ]);
    assert_eq!(map.entries("n").len(), 3);
    assert!(matches!(map.lookup("n", "y"), Lookup::Several(v) if v.len() == 2));
    for (policy, expected) in [("first", "a.so"), ("last", "b.so"), ("priority", "b.so")] {
        let base = format!("[longshore.defaults]\nconflicts = '{policy}'\n[n]\ny = 'a.so'\n");
        let map = merged(&[&base, "[n]\ny = { lib = 'b.so', priority = -1 }\n"]);
        assert_eq!(one(&map, "n", "y").lib, expected, "{policy}");
    }
    let tie = "[longshore.policy.n]\nconflicts = 'priority'\n[n]\ny = ['a.so', 'b.so']\n";
    assert!(matches!(
        merged(&[tie]).lookup("n", "y"),
        Lookup::Several(_)
    ));
}

#[test]
fn a_patch_changes_the_keys_given_and_no_other() {
    let base =
        "[n]\nx = { lib = 'a.so', export = 'e', optional = true, about = 'old', version = '^1' }\n";
    let patches = [
        "{ patch = true, priority = -3, deprecated = 'use y', about = 'new' }",
        "{ enabled = false }",
        "{ patch = true, enabled = true, lib = 'b.so' }",
    ];
    let files: Vec<String> = patches.iter().map(|p| format!("[n]\nx = {p}\n")).collect();
    let map = merged(&[base, &files[0]]);
    let x = one(&map, "n", "x");
    assert_eq!(
        (x.target().as_str(), x.optional, x.priority),
        ("a.so:e", true, -3)
    );
    assert_eq!(
        (x.about.as_deref(), x.version.as_deref()),
        (Some("new"), Some("^1"))
    );
    assert_eq!(map.deprecation("n", "x"), Some("use y"));
    let map = merged(&[base, &files[0], &files[1]]);
    let Lookup::Disabled(x) = map.lookup("n", "x") else {
        panic!()
    };
    let why = x.disabled.as_ref().unwrap().to_string();
    assert_eq!(why, "`enabled = false` (20-b.toml:2:17)");
    let map = merged(&[base, &files[0], &files[1], &files[2]]);
    let x = one(&map, "n", "x");
    assert_eq!(x.target(), "b.so", "another library has other exports");
    assert_eq!(x.origin.to_string(), "plugins.toml:2:1");
}

#[test]
fn a_patch_of_a_masked_entry_hits_nothing() {
    reports_files(
        &[
            "[n]\nx = 'a.so'\n",
            "[n]\nx = false\n",
            "[n]\nx = { patch = true, priority = 1 }\n",
        ],
        r#"error[map/nothing-to-patch]: nothing to patch: `n/x` has 0 earlier entries
  --> 20-b.toml:2:1
   |
 2 | x = { patch = true, priority = 1 }
   | ^
   |
   = do: correct the name, or write a whole entry with `lib`
"#,
    );
}

#[test]
fn an_override_replaces_all_earlier_ones() {
    let base = "[n]\nx = ['a.so', 'b.so']\ny = 'y.so'\n";
    let site = "[n]\nx = [{ lib = 'c.so', override = true }, 'd.so']\n";
    let map = merged(&[base, site]);
    assert_eq!(names(&map, "n"), ["y.so", "c.so", "d.so"]);
    assert!(map.diagnostics().is_empty());
}

#[test]
fn appended_entries_are_meant() {
    let base = "[n]\nx = 'a.so'\ny = 'y.so'\n";
    let meant = "[n]\nx = [{ lib = 'b.so', append = true }, { lib = 'c.so', append = true }]\n";
    let map = merged(&[base, meant]);
    assert!(matches!(map.lookup("n", "x"), Lookup::Several(v) if v.len() == 3));
    assert!(map.conflicts().is_empty());
    assert!(map.entries("n").iter().any(|e| e.append) && !one(&map, "n", "y").append);
    let map = merged(&[base, meant, "[n]\nx = 'd.so'\n"]);
    let groups = map.conflicts();
    let libs: Vec<&str> = groups[0].iter().map(|e| e.lib.as_str()).collect();
    assert_eq!(
        (groups.len(), libs),
        (1, vec!["a.so", "b.so", "c.so", "d.so"])
    );
    let again = "[n]\nx = { lib = 'a.so', append = true }\n";
    assert_eq!(
        merged(&[base, again]).entries("n").len(),
        2,
        "a repeat stays one"
    );
}

#[test]
fn conflicts_that_a_policy_settles_are_none() {
    for (policy, count) in [
        ("error", 1),
        ("first", 0),
        ("last", 0),
        ("priority", 1),
        ("all", 0),
    ] {
        let text =
            format!("[longshore.defaults]\nconflicts = '{policy}'\n[n]\nx = ['a.so', 'b.so']\n");
        assert_eq!(merged(&[&text]).conflicts().len(), count, "{policy}");
    }
}

#[test]
fn two_spellings_of_one_file_are_one_entry() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("liba.so"), "").unwrap();
    std::os::unix::fs::symlink("liba.so", dir.path().join("libb.so")).unwrap();
    let text = format!(
        "[n]\nx = ['./liba.so', '{0}/liba.so', '{0}/libb.so', './libc.so']\n",
        dir.path().display()
    );
    let file = dir.path().join("plugins.toml").display().to_string();
    let map = PluginMap::parse(&text, &file).unwrap();
    assert_eq!(names(&map, "n"), ["./liba.so", "./libc.so"]);
}

#[test]
fn settings_that_differ_keep_two_entries_apart() {
    let files = [
        "[n]\nx = { lib = 'a.so', settings = { r = 1 } }\n",
        "[n]\nx = 'a.so'\n",
    ];
    assert_eq!(merged(&files).entries("n").len(), 2);
}

/// A drop-in that mended an entry by naming another library left it refused for the old one.
#[test]
fn a_patch_with_a_library_mends_an_entry() {
    let base = "[n]\nx = '../a.so'\n";
    assert!(one(&merged(&[base]), "n", "x").fault.is_some());
    let map = merged(&[base, "[n]\nx = { patch = true, lib = '/opt/a.so' }\n"]);
    assert!(one(&map, "n", "x").fault.is_none());
}
