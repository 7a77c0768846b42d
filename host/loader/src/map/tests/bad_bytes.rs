//! Bytes that are no text, and texts beyond the limits: the whole message of each.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Style, render};
use crate::map::file;

fn fatal(bytes: &[u8]) -> String {
    let file = file::read(bytes, "plugins.toml", &Arc::from(Path::new("")), None);
    render(&file.fatal, Style::default())
}

#[test]
fn a_byte_order_mark_of_utf_8_is_accepted() {
    assert_eq!(fatal(b"\xef\xbb\xbf[n]\nx = 'f.so'\n"), "");
}

#[test]
fn a_byte_that_is_not_utf_8() {
    assert_eq!(
        fatal(b"[n]\nx = '\xff.so'\n"),
        "error[map/encoding]: byte 0xFF at offset 9 is not UTF-8
  --> plugins.toml:2:6
   |
 2 | x = '\u{fffd}.so'
   |      ^
   |
   = do: save the file as UTF-8
"
    );
}

#[test]
fn a_text_in_utf_16() {
    let first = |bytes| fatal(bytes).lines().next().map(str::to_owned);
    let expected = Some("error[map/encoding]: the text is UTF-16".to_owned());
    assert_eq!(first(b"\xff\xfe[\0n\0]\0"), expected);
    assert_eq!(first(b"\xfe\xff\0[\0n\0]"), expected);
}

#[test]
fn a_nul_byte() {
    assert_eq!(
        fatal(b"[n]\nx = 'f\0.so'\n"),
        "error[map/encoding]: a NUL byte is not text
  --> plugins.toml:2:7
   |
 2 | x = 'f\u{fffd}.so'
   |       ^
   |
   = do: save the file as UTF-8
"
    );
}

#[test]
fn lists_that_are_too_deep() {
    let text = format!(
        "[n]\nx = {{ lib = 'f.so', settings = {{ a = {}{} }} }}\n",
        "[".repeat(40),
        "]".repeat(40)
    );
    let shown = fatal(text.as_bytes());
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "error[map/too-large]: nesting deeper than 32");
    assert_eq!(lines[1], "  --> plugins.toml:2:67");
    assert_eq!(lines.last(), Some(&"   = do: use fewer levels"));
}

#[test]
fn ten_thousand_open_brackets() {
    let shown = fatal(format!("[n]\nx = {}", "[".repeat(10_000)).as_bytes());
    let first = shown.lines().next();
    assert_eq!(first, Some("error[map/too-large]: nesting deeper than 32"));
}

#[test]
fn one_key_too_many() {
    // The namespace is a key too.
    let entries: String = (0..10_000).map(|i| format!("e{i} = 'f.so'\n")).collect();
    assert_eq!(
        fatal(format!("[n]\n{entries}").as_bytes()),
        "error[map/too-large]: more than 10000 keys
  --> plugins.toml:10001:1
      |
 10001 | e9999 = 'f.so'
      | ^^^^^
      |
      = do: split the file
"
        .replace("      |", "       |")
        .replace("      =", "       =")
        .replace("  -->", "      -->")
    );
}

#[test]
fn a_file_over_the_limit() {
    let text = "#".repeat((1 << 20) + 1);
    assert_eq!(
        fatal(text.as_bytes()),
        "error[map/too-large]: `plugins.toml` has 1048577 bytes, the limit is 1048576
  --> plugins.toml
  = do: split it, or name the right file
"
    );
}
