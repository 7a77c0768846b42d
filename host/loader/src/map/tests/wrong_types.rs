//! Entries and keys of another type: the whole message of each; the mark covers exactly the value.

use super::wrong;

#[test]
fn entry_of_another_type() {
    wrong(
        "[\"a.b\"]\nx = 3\n",
        "2:5",
        "3",
        "`x` must be a library, a table, a list of them, or `false`, not a whole number",
        "expected a library, a table, a list of them, or `false`",
        "write a library, a table, a list of them, or `false`",
    );
}

#[test]
fn entry_true() {
    wrong(
        "[\"a.b\"]\nx = true\n",
        "2:5",
        "true",
        "`x` must be a library, a table, a list of them, or `false`, not `true` or `false`",
        "expected a library, a table, a list of them, or `false`",
        "write a library, a table, a list of them, or `false`",
    );
}

#[test]
fn entry_empty_list() {
    wrong(
        "[\"a.b\"]\nx = []\n",
        "2:5",
        "[]",
        "`x` must name at least one library",
        "",
        "write `false` to mask the name",
    );
}

#[test]
fn entry_list_with_a_mask() {
    wrong(
        "[\"a.b\"]\nx = [\"f.so\", false]\n",
        "2:14",
        "false",
        "`x` must be a library, a table, a list of them, or `false`, not `true` or `false`",
        "expected a library, a table, a list of them, or `false`",
        "write a library, a table, a list of them, or `false`",
    );
}

#[test]
fn entry_list_in_a_list() {
    wrong(
        "[\"a.b\"]\nx = [[\"f.so\"]]\n",
        "2:6",
        "[\"f.so\"]",
        "`x` must be a library, a table, a list of them, or `false`, not a list",
        "expected a library, a table, a list of them, or `false`",
        "write a library, a table, a list of them, or `false`",
    );
}

#[test]
fn lib() {
    wrong(
        "[\"a.b\"]\nx = { lib = 1 }\n",
        "2:13",
        "1",
        "`lib` must be text, not a whole number",
        "expected text",
        "write `\"1\"`",
    );
}

#[test]
fn export() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", export = true }\n",
        "2:30",
        "true",
        "`export` must be text, not `true` or `false`",
        "expected text",
        "write `\"true\"`",
    );
}

#[test]
fn alias() {
    wrong(
        "[\"a.b\"]\nx = { alias = [\"a\"] }\n",
        "2:15",
        "[\"a\"]",
        "`alias` must be text, not a list",
        "expected text",
        "write text",
    );
}

#[test]
fn enabled_as_text() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", enabled = \"no\" }\n",
        "2:31",
        "\"no\"",
        "`enabled` must be `true` or `false`, not text",
        "expected `true` or `false`",
        "write `false`",
    );
}

#[test]
fn optional() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", optional = 1 }\n",
        "2:32",
        "1",
        "`optional` must be `true` or `false`, not a whole number",
        "expected `true` or `false`",
        "write `true` or `false`",
    );
}

#[test]
fn override_as_text() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", override = \"yes\" }\n",
        "2:32",
        "\"yes\"",
        "`override` must be `true` or `false`, not text",
        "expected `true` or `false`",
        "write `true`",
    );
}

#[test]
fn append() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", append = 0 }\n",
        "2:30",
        "0",
        "`append` must be `true` or `false`, not a whole number",
        "expected `true` or `false`",
        "write `true` or `false`",
    );
}

#[test]
fn patch() {
    wrong(
        "[\"a.b\"]\nx = { patch = \"true\" }\n",
        "2:15",
        "\"true\"",
        "`patch` must be `true` or `false`, not text",
        "expected `true` or `false`",
        "write `true`",
    );
}

#[test]
fn deprecated() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", deprecated = true }\n",
        "2:34",
        "true",
        "`deprecated` must be text, not `true` or `false`",
        "expected text",
        "write `\"true\"`",
    );
}

#[test]
fn about() {
    wrong(
        "[\"a.b\"]\nx = { lib = \"f.so\", about = 7 }\n",
        "2:29",
        "7",
        "`about` must be text, not a whole number",
        "expected text",
        "write `\"7\"`",
    );
}
