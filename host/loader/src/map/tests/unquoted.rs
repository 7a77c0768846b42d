//! Dotted names without quotes: the whole message of each, with the spelling that was meant.

use super::refuses;

#[test]
fn reserved_word_in_a_header() {
    refuses(
        "[longshore.virt.driver]\nfake = \"f.so\"\n",
        r#"error[map/unquoted-namespace]: `longshore.virt.driver` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [longshore.virt.driver]
   | ^^^^^^^^^^^^^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `["longshore.virt.driver"]`
"#,
    );
}

#[test]
fn other_header() {
    refuses(
        "[acme.hook]\nbuilt = \"f.so\"\n",
        r#"error[map/unquoted-namespace]: `acme.hook` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [acme.hook]
   | ^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `["acme.hook"]`
"#,
    );
}

#[test]
fn several_headers() {
    refuses(
        "[longshore.virt.driver]\nfake = \"f.so\"\n[longshore.scheduler.filter]\nram = { lib = \"f.so\" }\n",
        r#"error[map/unquoted-namespace]: `longshore.virt.driver` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [longshore.virt.driver]
   | ^^^^^^^^^^^^^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `["longshore.virt.driver"]`

error[map/unquoted-namespace]: `longshore.scheduler.filter` is read as nested tables
  --> plugins.toml:3:1
   |
 3 | [longshore.scheduler.filter]
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `["longshore.scheduler.filter"]`
"#,
    );
}

#[test]
fn entry_name() {
    refuses(
        "[\"a.b\"]\nsite.rack = \"f.so\"\n",
        r#"error[map/unquoted-namespace]: `site.rack` is read as nested tables
  --> plugins.toml:2:1
   |
 2 | site.rack = "f.so"
   | ^^^^^^^^^ dots without quotes
   |
   = do: a name with dots is quoted: `"site.rack" = …`
"#,
    );
}

#[test]
fn entry_name_with_a_table() {
    refuses(
        "[\"a.b\"]\nsite.rack = { lib = \"f.so\" }\n",
        r#"error[map/unquoted-namespace]: `site.rack` is read as nested tables
  --> plugins.toml:2:1
   |
 2 | site.rack = { lib = "f.so" }
   | ^^^^^^^^^ dots without quotes
   |
   = do: a name with dots is quoted: `"site.rack" = …`
"#,
    );
}

#[test]
fn policy() {
    refuses(
        "[longshore.policy.a.b]\norder = \"name\"\n",
        r#"error[map/unquoted-namespace]: `a.b` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [longshore.policy.a.b]
   | ^^^^^^^^^^^^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `[longshore.policy."a.b"]`
"#,
    );
}

#[test]
fn empty_namespace() {
    refuses(
        "[acme.hook]\n",
        r#"error[map/unquoted-namespace]: `acme.hook` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [acme.hook]
   | ^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `["acme.hook"]`
"#,
    );
}

#[test]
fn dotted_key_at_the_top() {
    refuses(
        "acme.hook.built = \"f.so\"\n",
        r#"error[map/unquoted-namespace]: `hook.built` is read as nested tables
  --> plugins.toml:1:6
   |
 1 | acme.hook.built = "f.so"
   |      ^^^^^^^^^^ dots without quotes
   |
   = do: a name with dots is quoted: `"hook.built" = …`
"#,
    );
}

#[test]
fn array_of_tables() {
    refuses(
        "[[acme.hook.built]]\nlib = \"f.so\"\n",
        r#"error[map/unquoted-namespace]: `acme.hook` is read as nested tables
  --> plugins.toml:1:1
   |
 1 | [[acme.hook.built]]
   | ^^^^^^^^^^^^^^^^^^^ dots without quotes
   |
   = do: a namespace is quoted: `[["acme.hook".built]]`
"#,
    );
}
