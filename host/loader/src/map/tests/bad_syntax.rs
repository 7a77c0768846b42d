//! Text that is not TOML: what was probably meant, with the whole message of each.

use super::refuses;

#[test]
fn text_without_quotes() {
    refuses(
        "[\"a.b\"]\nx = f.so\n",
        r#"error[map/syntax]: `f.so` is not a value: text needs quotes
  --> plugins.toml:2:5
   |
 2 | x = f.so
   |     ^^^^ text needs quotes
   |
   = do: write `"f.so"`
"#,
    );
}

#[test]
fn yes_in_capitals() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\", optional = true }\ny = False\n",
        r#"error[map/syntax]: `False` is not a value: text needs quotes
  --> plugins.toml:3:5
   |
 3 | y = False
   |     ^^^^^ text needs quotes
   |
   = do: write `false`
"#,
    );
}

#[test]
fn header_never_closed() {
    refuses(
        "[\"a.b\"]\nx = \"f.so\"\n[\"c.d\"\ny = \"g.so\"\n",
        r#"error[map/syntax]: this `[` is never closed
  --> plugins.toml:3:1
   |
 3 | ["c.d"
   | ^
   |
   = do: close it with `]`
"#,
    );
}

#[test]
fn list_never_closed() {
    refuses(
        "[\"a.b\"]\nx = [\"f.so\",\ny = \"g.so\"\n",
        r#"error[map/syntax]: this `[` is never closed
  --> plugins.toml:2:5
   |
 2 | x = ["f.so",
   |     ^
   |
   = do: close it with `]`
"#,
    );
}

#[test]
fn table_never_closed() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\"\n",
        r#"error[map/syntax]: this `{` is never closed
  --> plugins.toml:2:5
   |
 2 | x = { lib = "f.so"
   |     ^
   |
   = do: close it with `}`
"#,
    );
}

#[test]
fn quote_never_closed() {
    refuses(
        "[\"a.b\"]\nx = \"f.so\ny = \"g.so\"\n",
        r#"error[map/syntax]: this `"` is never closed
  --> plugins.toml:2:5
   |
 2 | x = "f.so
   |     ^
   |
   = do: close it with `"`
"#,
    );
}

#[test]
fn yaml() {
    refuses(
        "a.b:\n  x: f.so\n",
        r#"error[map/syntax]: expected `=`, found `:`
  --> plugins.toml:1:4
   |
 1 | a.b:
   |    ^
   |
   = do: this looks like YAML; the format is TOML
"#,
    );
}

#[test]
fn json() {
    refuses(
        "{\"a.b\": {\"x\": \"f.so\"}}\n",
        r#"error[map/syntax]: expected a key or `[`, found `{`
  --> plugins.toml:1:1
   |
 1 | {"a.b": {"x": "f.so"}}
   | ^
   |
   = do: this looks like JSON; the format is TOML
"#,
    );
}

#[test]
fn python_configuration() {
    refuses(
        "[a]\nx: f.so\n",
        r#"error[map/syntax]: expected `=`, found `:`
  --> plugins.toml:2:2
   |
 2 | x: f.so
   |  ^
   |
   = do: this looks like YAML; the format is TOML
"#,
    );
}

#[test]
fn no_value() {
    refuses(
        "[\"a.b\"]\nx = \n",
        r#"error[map/syntax]: `x` has no value
  --> plugins.toml:2:1
   |
 2 | x = 
   | ^
   |
   = do: write one after the `=`, or remove the key
"#,
    );
}

#[test]
fn smart_quotes() {
    refuses(
        "[\"a.b\"]\nx = “f.so”\n",
        r#"error[map/syntax]: U+201C is not a quote
  --> plugins.toml:2:5
   |
 2 | x = “f.so”
   |     ^
   |
   = do: write `"`
"#,
    );
}

#[test]
fn no_break_space() {
    refuses(
        "[\"a.b\"]\nx\u{a0}= \"f.so\"\n",
        r#"error[map/syntax]: U+00A0 is not a space
  --> plugins.toml:2:2
   |
 2 | x = "f.so"
   |  ^
   |
   = do: write ` `
"#,
    );
}

#[test]
fn look_alike_letter_in_a_bare_key() {
    refuses(
        "[\"a.b\"]\n\u{445} = \"f.so\"\n",
        r#"error[map/syntax]: U+0445 looks like `x` and is not
  --> plugins.toml:2:1
   |
 2 | х = "f.so"
   | ^
   |
   = do: write `x`
"#,
    );
}

#[test]
fn look_alike_letter_in_a_key() {
    refuses(
        "[\"a.b\"]\nx = { \"l\u{456}b\" = \"f.so\" }\n",
        r#"error[map/unknown-key]: unknown key `lіb` in entry `a.b/x`
  --> plugins.toml:2:7
   |
 2 | x = { "lіb" = "f.so" }
   |       ^^^^^ not a key of entry `a.b/x`
   |
   = note: it contains U+0456, which looks like `i`
   = do: did you mean `lib`?
"#,
    );
}

#[test]
fn merge_conflict() {
    refuses(
        "[\"a.b\"]\n<<<<<<< HEAD\nx = \"f.so\"\n=======\nx = \"g.so\"\n>>>>>>> other\n",
        r#"error[map/syntax]: a merge conflict mark
  --> plugins.toml:2:1
   |
 2 | <<<<<<< HEAD
   | ^^^^^^^
   |
   = do: finish the merge, then remove the marks
"#,
    );
}

#[test]
fn number_beyond_64_bits() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\", settings = { a = 9223372036854775808 } }\n",
        r#"error[map/wrong-type]: the number `9223372036854775808` is out of range
  --> plugins.toml:2:38
   |
 2 | x = { lib = "f.so", settings = { a = 9223372036854775808 } }
   |                                      ^^^^^^^^^^^^^^^^^^^
   |
   = do: write a number of at most 64 bits
"#,
    );
}

#[test]
fn several_at_once() {
    refuses(
        "[\"a.b\"]\nx = f.so\ny = \"g.so\"\nz = h.so\n",
        r#"error[map/syntax]: `f.so` is not a value: text needs quotes
  --> plugins.toml:2:5
   |
 2 | x = f.so
   |     ^^^^ text needs quotes
   |
   = do: write `"f.so"`

error[map/syntax]: `h.so` is not a value: text needs quotes
  --> plugins.toml:4:5
   |
 4 | z = h.so
   |     ^^^^ text needs quotes
   |
   = do: write `"h.so"`
"#,
    );
}

#[test]
fn several_wrong_values() {
    refuses(
        "[\"a.b\"]\nx = { lib = 1 }\ny = { lib = \"f.so\", odd = 2 }\nz = true\n",
        r#"error[map/wrong-type]: `lib` must be text, not a whole number
  --> plugins.toml:2:13
   |
 2 | x = { lib = 1 }
   |             ^ expected text
   |
   = do: write `"1"`

error[map/unknown-key]: unknown key `odd` in entry `a.b/y`
  --> plugins.toml:3:21
   |
 3 | y = { lib = "f.so", odd = 2 }
   |                     ^^^ not a key of entry `a.b/y`
   |
   = do: remove it, or see the keys of an entry in `docs/map.md`

error[map/wrong-type]: `z` must be a library, a table, a list of them, or `false`, not `true` or `false`
  --> plugins.toml:4:5
   |
 4 | z = true
   |     ^^^^ expected a library, a table, a list of them, or `false`
   |
   = do: write a library, a table, a list of them, or `false`
"#,
    );
}
