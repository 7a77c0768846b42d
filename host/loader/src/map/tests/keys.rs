//! Unknown, misplaced and reserved keys: the whole message of each.

use super::{refuses, refuses_files};

#[test]
fn unsupported_format() {
    refuses(
        "[longshore]\nformat = 2\n",
        r#"error[map/unsupported-format]: map format 2 is not supported (this longshore reads 1)
  --> plugins.toml:2:10
   |
 2 | format = 2
   |          ^
   |
   = do: write `format = 1`, or use a newer longshore
"#,
    );
}

#[test]
fn format_of_another_type() {
    refuses(
        "[longshore]\nformat = \"1\"\n",
        r#"error[map/wrong-type]: `format` must be a whole number, not text
  --> plugins.toml:2:10
   |
 2 | format = "1"
   |          ^^^ expected a whole number
   |
   = do: write `1`
"#,
    );
}

#[test]
fn unknown_key_of_an_entry() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\", prioritty = 3 }\n",
        r#"error[map/unknown-key]: unknown key `prioritty` in entry `a.b/x`
  --> plugins.toml:2:21
   |
 2 | x = { lib = "f.so", prioritty = 3 }
   |                     ^^^^^^^^^ not a key of entry `a.b/x`
   |
   = do: did you mean `priority`?
"#,
    );
}

#[test]
fn unknown_key_with_no_near_one() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\", wheels = 4 }\n",
        r#"error[map/unknown-key]: unknown key `wheels` in entry `a.b/x`
  --> plugins.toml:2:21
   |
 2 | x = { lib = "f.so", wheels = 4 }
   |                     ^^^^^^ not a key of entry `a.b/x`
   |
   = do: remove it, or see the keys of an entry in `docs/map.md`
"#,
    );
}

#[test]
fn unknown_key_of_the_reserved_table() {
    refuses(
        "[longshore]\nserach = [\"x\"]\n",
        r#"error[map/unknown-key]: unknown key `serach` in `[longshore]`
  --> plugins.toml:2:1
   |
 2 | serach = ["x"]
   | ^^^^^^ not a key of `[longshore]`
   |
   = do: did you mean `search`?
"#,
    );
}

#[test]
fn unknown_key_of_a_policy() {
    refuses(
        "[longshore.policy.\"a.b\"]\nconflict = \"all\"\n[\"a.b\"]\n",
        r#"error[map/unknown-key]: unknown key `conflict` in `[longshore.policy."a.b"]`
  --> plugins.toml:2:1
   |
 2 | conflict = "all"
   | ^^^^^^^^ not a key of `[longshore.policy."a.b"]`
   |
   = do: did you mean `conflicts`?
"#,
    );
}

#[test]
fn unknown_key_of_the_defaults() {
    refuses(
        "[longshore.defaults]\nordr = \"name\"\n",
        r#"error[map/unknown-key]: unknown key `ordr` in `[longshore.defaults]`
  --> plugins.toml:2:1
   |
 2 | ordr = "name"
   | ^^^^ not a key of `[longshore.defaults]`
   |
   = do: did you mean `order`?
"#,
    );
}

#[test]
fn policy_key_in_an_entry() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\", conflicts = \"all\" }\n",
        r#"error[map/unknown-key]: unknown key `conflicts` in entry `a.b/x`
  --> plugins.toml:2:21
   |
 2 | x = { lib = "f.so", conflicts = "all" }
   |                     ^^^^^^^^^ not a key of entry `a.b/x`
   |
   = do: `conflicts` belongs to `[longshore.policy."a.b"]`: move it there
"#,
    );
}

#[test]
fn entry_key_in_a_policy() {
    refuses(
        "[longshore.policy.\"a.b\"]\npriority = 3\n[\"a.b\"]\n",
        r#"error[map/unknown-key]: unknown key `priority` in `[longshore.policy."a.b"]`
  --> plugins.toml:2:1
   |
 2 | priority = 3
   | ^^^^^^^^ not a key of `[longshore.policy."a.b"]`
   |
   = do: `priority` belongs to an entry of a namespace: move it there
"#,
    );
}

#[test]
fn entry_key_in_the_reserved_table() {
    refuses(
        "[longshore]\npriority = 3\n",
        r#"error[map/unknown-key]: unknown key `priority` in `[longshore]`
  --> plugins.toml:2:1
   |
 2 | priority = 3
   | ^^^^^^^^ not a key of `[longshore]`
   |
   = do: `priority` belongs to an entry of a namespace: move it there
"#,
    );
}

#[test]
fn reserved_key_at_the_top() {
    refuses(
        "search = [\"plugins\"]\n",
        r#"error[map/wrong-type]: namespace `search` must be a table, not a list
  --> plugins.toml:1:10
   |
 1 | search = ["plugins"]
   |          ^^^^^^^^^^^
   |
   = do: `search` belongs to `[longshore]`: move it there
"#,
    );
}

#[test]
fn policy_key_in_the_reserved_table() {
    refuses(
        "[longshore]\nconflicts = \"all\"\n",
        r#"error[map/unknown-key]: unknown key `conflicts` in `[longshore]`
  --> plugins.toml:2:1
   |
 2 | conflicts = "all"
   | ^^^^^^^^^ not a key of `[longshore]`
   |
   = do: `conflicts` belongs to `[longshore.defaults]`: move it there
"#,
    );
}

#[test]
fn a_word_of_other_programs() {
    refuses(
        "[\"a.b\"]\nx = { path = \"f.so\" }\n",
        r#"error[map/unknown-key]: unknown key `path` in entry `a.b/x`
  --> plugins.toml:2:7
   |
 2 | x = { path = "f.so" }
   |       ^^^^ not a key of entry `a.b/x`
   |
   = do: it is called `lib` here
"#,
    );
}

#[test]
fn a_word_that_is_turned_round() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\", disabled = true }\n",
        r#"error[map/unknown-key]: unknown key `disabled` in entry `a.b/x`
  --> plugins.toml:2:21
   |
 2 | x = { lib = "f.so", disabled = true }
   |                     ^^^^^^^^ not a key of entry `a.b/x`
   |
   = do: it is called `enabled = false` here
"#,
    );
}

#[test]
fn a_namespace_that_is_no_table() {
    refuses(
        "version = 3\n",
        r#"error[map/wrong-type]: namespace `version` must be a table, not a whole number
  --> plugins.toml:1:11
   |
 1 | version = 3
   |           ^
   |
   = do: write a table: `["…"]`, with one entry per line
"#,
    );
}

#[test]
fn base_only_search() {
    refuses_files(
        &["", "[longshore]\nsearch = [\"x\"]\n"],
        r#"error[map/base-only-key]: `search` is allowed only in the base map `plugins.toml`
  --> 10-a.toml:2:1
   |
 2 | search = ["x"]
   | ^^^^^^
   |
   = do: move it to `plugins.toml`
"#,
    );
}

#[test]
fn base_only_include() {
    refuses_files(
        &["", "[longshore]\ninclude = [\"x\"]\n"],
        r#"error[map/base-only-key]: `include` is allowed only in the base map `plugins.toml`
  --> 10-a.toml:2:1
   |
 2 | include = ["x"]
   | ^^^^^^^
   |
   = do: move it to `plugins.toml`
"#,
    );
}

#[test]
fn base_only_format() {
    refuses_files(
        &["", "[longshore]\nformat = 1\n"],
        r#"error[map/base-only-key]: `format` is allowed only in the base map `plugins.toml`
  --> 10-a.toml:2:1
   |
 2 | format = 1
   | ^^^^^^
   |
   = do: move it to `plugins.toml`
"#,
    );
}
