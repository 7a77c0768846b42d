//! Keys and tables given twice in one file: the first place is named.

use super::refuses;

#[test]
fn key_twice() {
    refuses(
        "[\"a.b\"]\nx = \"f.so\"\ny = \"g.so\"\nx = \"h.so\"\n",
        r#"error[map/duplicate]: `x` is set twice
  --> plugins.toml:4:1
   |
 4 | x = "h.so"
   | ^
   |
   = note: first at 2:1
   = do: keep one
"#,
    );
}

#[test]
fn key_twice_in_an_entry() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\", lib = \"g.so\" }\n",
        r#"error[map/duplicate]: `lib` is set twice
  --> plugins.toml:2:21
   |
 2 | x = { lib = "f.so", lib = "g.so" }
   |                     ^^^
   |
   = note: first at 2:7
   = do: keep one
"#,
    );
}

#[test]
fn table_twice() {
    refuses(
        "[\"a.b\"]\nx = \"f.so\"\n[\"c.d\"]\n[\"a.b\"]\n",
        r#"error[map/duplicate]: `["a.b"]` is defined twice
  --> plugins.toml:4:1
   |
 4 | ["a.b"]
   | ^^^^^^^
   |
   = note: first at 1:1
   = do: merge them
"#,
    );
}

#[test]
fn table_after_an_inline_table() {
    refuses(
        "[\"a.b\"]\nx = { lib = \"f.so\" }\n[\"a.b\".x]\npriority = 1\n",
        r#"error[map/duplicate]: `["a.b".x]` is defined twice
  --> plugins.toml:3:1
   |
 3 | ["a.b".x]
   | ^^^^^^^^^
   |
   = note: first at 2:1
   = do: merge them
"#,
    );
}
