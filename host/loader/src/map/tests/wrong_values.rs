//! Numbers, settings, versions and digests that cannot be: the whole message of each.

use super::{wrong, wrong_because};

#[test]
fn priority_as_text() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", priority = \"10\" }\n",
        "2:32",
        "\"10\"",
        "`priority` must be a whole number, not text",
        "expected a whole number",
        "write `10`",
    );
}

#[test]
fn priority_with_a_fraction() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", priority = 1.5 }\n",
        "2:32",
        "1.5",
        "`priority` must be a whole number, not a number with a fraction",
        "expected a whole number",
        "write a whole number",
    );
}

#[test]
fn priority_too_large() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", priority = 1001 }\n",
        "2:32",
        "1001",
        "`priority` must be between -1000 and 1000, not 1001",
        "",
        "write a number between -1000 and 1000",
    );
}

#[test]
fn priority_too_small() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", priority = -1001 }\n",
        "2:32",
        "-1001",
        "`priority` must be between -1000 and 1000, not -1001",
        "",
        "write a number between -1000 and 1000",
    );
}

#[test]
fn priority_beyond_64_bits() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", priority = 9223372036854775808 }\n",
        "2:32",
        "9223372036854775808",
        "the number `9223372036854775808` is out of range",
        "",
        "write a number of at most 64 bits",
    );
}

#[test]
fn settings() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", settings = [1] }\n",
        "2:32",
        "[1]",
        "`settings` must be a table, not a list",
        "expected a table",
        "write a table",
    );
}

#[test]
fn settings_not_a_number() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", settings = { r = nan } }\n",
        "2:38",
        "nan",
        "`settings.r` must be finite, not `nan`",
        "",
        "write a number",
    );
}

#[test]
fn settings_infinite() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", settings = { t = { r = [1.0, -inf] } } }\n",
        "2:50",
        "-inf",
        "`settings.t.r[1]` must be finite, not `-inf`",
        "",
        "write a number",
    );
}

#[test]
fn settings_beyond_a_float() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", settings = { r = 1e400 } }\n",
        "2:38",
        "1e400",
        "the number `1e400` is out of range",
        "",
        "write a number of at most 64 bits",
    );
}

#[test]
fn version() {
    wrong_because(
        "[\"a.b\"]\nx = { lib = \"f.so\", version = \"one\" }\n",
        "2:31",
        "\"one\"",
        "`version` must be a version requirement, not `one`",
        "unexpected character 'o' while parsing major version number",
        "write one such as `\"^1.2\"` or `\">=1.0, <3\"`",
    );
}

#[test]
fn version_as_a_number() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", version = 1.2 }\n",
        "2:31",
        "1.2",
        "`version` must be text, not a number with a fraction",
        "expected text",
        "write `\"1.2\"`",
    );
}

#[test]
fn sha256_too_short() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", sha256 = \"12\" }\n",
        "2:30",
        "\"12\"",
        "`sha256` must be 64 hex digits, not 2 characters",
        "",
        "`longshore plugin inspect FILE` prints the digest",
    );
}

#[test]
fn sha256_not_hex() {
    wrong(
        "[\"a.b\"]\nx.lib = \"f.so\"\nx.sha256 = \"gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg\"\n",
        "3:12",
        "\"gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg\"",
        "`sha256` must be 64 hex digits",
        "",
        "`longshore plugin inspect FILE` prints the digest",
    );
}
