//! Entries that do not say what they are: the whole message of each. The rest of the map stays usable.

use super::{reports, reports_files};

#[test]
fn entry_without_library() {
    reports(
        "[\"a.b\"]\nok = \"f.so\"\nx = { export = \"y\" }\n",
        r#"error[map/bad-entry]: entry `a.b/x` needs exactly one of `lib`, `alias`, `patch`
  --> plugins.toml:3:1
   |
 3 | x = { export = "y" }
   | ^
   |
   = why: it has none of them
   = do: write `lib = "…"`, or `alias = "…"`, or `patch = true`
"#,
    );
}

#[test]
fn alias_with_other_keys() {
    reports(
        "[\"a.b\"]\nok = \"f.so\"\nx = { alias = \"ok\", priority = 1 }\n",
        r#"error[map/bad-entry]: entry `a.b/x` needs exactly one of `lib`, `alias`, `patch`
  --> plugins.toml:3:1
   |
 3 | x = { alias = "ok", priority = 1 }
   | ^
   |
   = why: an alias takes no `priority`
   = do: remove it, or write it at the entry that the alias names
"#,
    );
}

#[test]
fn alias_with_a_library() {
    reports(
        "[\"a.b\"]\nok = \"f.so\"\nx = { alias = \"ok\", lib = \"g.so\" }\n",
        r#"error[map/bad-entry]: entry `a.b/x` needs exactly one of `lib`, `alias`, `patch`
  --> plugins.toml:3:1
   |
 3 | x = { alias = "ok", lib = "g.so" }
   | ^
   |
   = why: an alias takes no `lib`
   = do: remove it, or write it at the entry that the alias names
"#,
    );
}

#[test]
fn two_ways_of_merging() {
    reports(
        "[\"a.b\"]\nok = \"f.so\"\nx = { lib = \"g.so\", append = true, override = true }\n",
        r#"error[map/bad-entry]: entry `a.b/x` needs exactly one of `lib`, `alias`, `patch`
  --> plugins.toml:3:1
   |
 3 | x = { lib = "g.so", append = true, override = true }
   | ^
   |
   = why: only one of `override`, `append`, `patch` can be `true`
   = do: keep one of them
"#,
    );
}

#[test]
fn patch_of_nothing() {
    reports(
        "[\"a.b\"]\nok = \"f.so\"\nx = { patch = true, priority = 3 }\n",
        r#"error[map/nothing-to-patch]: nothing to patch: `a.b/x` has 0 earlier entries
  --> plugins.toml:3:1
   |
 3 | x = { patch = true, priority = 3 }
   | ^
   |
   = do: correct the name, or write a whole entry with `lib`
"#,
    );
}

#[test]
fn lone_enabled_patches_nothing() {
    reports(
        "[\"a.b\"]\nok = \"f.so\"\nx = { enabled = false }\n",
        r#"error[map/nothing-to-patch]: nothing to patch: `a.b/x` has 0 earlier entries
  --> plugins.toml:3:1
   |
 3 | x = { enabled = false }
   | ^
   |
   = do: correct the name, or write a whole entry with `lib`
"#,
    );
}

#[test]
fn patch_of_several() {
    reports_files(
        &[
            "[\"a.b\"]\nok = \"f.so\"\nx = [\"g.so\", \"h.so\"]\n",
            "[\"a.b\"]\nx = { patch = true, priority = 3 }\n",
        ],
        r#"error[map/nothing-to-patch]: nothing to patch: `a.b/x` has 2 earlier entries
  --> 10-a.toml:2:1
   |
 2 | x = { patch = true, priority = 3 }
   | ^
   |
   = do: replace them with `override = true`
"#,
    );
}

#[test]
fn override_of_nothing() {
    reports_files(
        &[
            "[\"a.b\"]\nok = \"f.so\"\nx = \"g.so\"\n",
            "[\"a.b\"]\ny = { lib = \"a.so\", override = true }\n",
        ],
        r#"warning[map/overrides-nothing]: override of `a.b/y` replaces nothing
  --> 10-a.toml:2:1
   |
 2 | y = { lib = "a.so", override = true }
   | ^
   |
   = do: correct the name, or remove `override`
"#,
    );
}

#[test]
fn alias_of_nothing() {
    reports(
        "[\"a.b\"]\nok = \"f.so\"\nx = { alias = \"okk\" }\n",
        r#"error[map/unknown-alias]: `a.b/x` is an alias of `okk`, which is not in the map
  --> plugins.toml:3:1
   |
 3 | x = { alias = "okk" }
   | ^
   |
   = do: did you mean `ok`?
"#,
    );
}

#[test]
fn alias_circle() {
    reports(
        "[n]\nok = \"f.so\"\nx = { alias = \"y\" }\ny = { alias = \"x\" }\n",
        r#"error[map/alias-cycle]: alias cycle `x` -> `y` -> `x`
  --> plugins.toml:3:1
   |
 3 | x = { alias = "y" }
   | ^
   |
   = do: let one of them name a library

error[map/alias-cycle]: alias cycle `y` -> `x` -> `y`
  --> plugins.toml:4:1
   |
 4 | y = { alias = "x" }
   | ^
   |
   = do: let one of them name a library
"#,
    );
}

#[test]
fn alias_of_itself() {
    reports(
        "[n]\nok = \"f.so\"\nx = { alias = \"x\" }\n",
        r#"error[map/alias-cycle]: alias cycle `x` -> `x`
  --> plugins.toml:3:1
   |
 3 | x = { alias = "x" }
   | ^
   |
   = do: let one of them name a library
"#,
    );
}
