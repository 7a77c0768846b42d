//! Wrong values in `[longshore]` and in policies: the whole message of each.

use super::wrong;

#[test]
fn search_as_text() {
    wrong(
        "[longshore]\nsearch = \"x\"\n",
        "2:10",
        "\"x\"",
        "`search` must be a list, not text",
        "expected a list",
        "write `[\"x\"]`",
    );
}

#[test]
fn search_with_a_number() {
    wrong(
        "[longshore]\nsearch = [\"a\", 1]\n",
        "2:16",
        "1",
        "`search[1]` must be text, not a whole number",
        "expected text",
        "write `\"1\"`",
    );
}

#[test]
fn search_with_an_empty_one() {
    wrong(
        "[longshore]\nsearch = [\"a\", \"\"]\n",
        "2:16",
        "\"\"",
        "`search` must be a list of directories, not ``",
        "",
        "write the name of a directory, or `.`",
    );
}

#[test]
fn include_as_text() {
    wrong(
        "[longshore]\ninclude = \"x.d\"\n",
        "2:11",
        "\"x.d\"",
        "`include` must be a list, not text",
        "expected a list",
        "write `[\"x.d\"]`",
    );
}

#[test]
fn defaults_as_text() {
    wrong(
        "[longshore]\ndefaults = \"all\"\n",
        "2:12",
        "\"all\"",
        "`defaults` must be a table, not text",
        "expected a table",
        "write a table",
    );
}

#[test]
fn policy_as_text() {
    wrong(
        "[longshore]\npolicy = \"all\"\n",
        "2:10",
        "\"all\"",
        "`policy` must be a table, not text",
        "expected a table",
        "write a table",
    );
}

#[test]
fn policy_of_a_namespace_as_text() {
    wrong(
        "[longshore.policy]\n\"a.b\" = \"all\"\n",
        "2:9",
        "\"all\"",
        "`a.b` must be a table, not text",
        "expected a table",
        "write a table",
    );
}

#[test]
fn conflicts_misspelt() {
    wrong(
        "[longshore.policy.\"a.b\"]\nconflicts = \"frist\"\n",
        "2:13",
        "\"frist\"",
        "`conflicts` cannot be `frist`",
        "not one of `error`, `first`, `last`, `priority`, `all`",
        "did you mean `first`?",
    );
}

#[test]
fn conflicts_of_another_type() {
    wrong(
        "[longshore.policy.\"a.b\"]\nconflicts = true\n",
        "2:13",
        "true",
        "`conflicts` must be text, not `true` or `false`",
        "expected text",
        "write `\"true\"`",
    );
}

#[test]
fn order_misspelt() {
    wrong(
        "[longshore.defaults]\norder = \"alphabetical\"\n",
        "2:9",
        "\"alphabetical\"",
        "`order` cannot be `alphabetical`",
        "not one of `declared`, `priority`, `name`",
        "there are `declared`, `priority`, `name`",
    );
}

#[test]
fn only_as_text() {
    wrong(
        "[longshore.policy.\"a.b\"]\nonly = \"x\"\n",
        "2:8",
        "\"x\"",
        "`only` must be a list, not text",
        "expected a list",
        "write `[\"x\"]`",
    );
}

#[test]
fn disabled_with_a_number() {
    wrong(
        "[longshore.policy.\"a.b\"]\ndisabled = [\"x\", 2]\n",
        "2:18",
        "2",
        "`disabled[1]` must be text, not a whole number",
        "expected text",
        "write `\"2\"`",
    );
}

#[test]
fn default_as_a_list() {
    wrong(
        "[longshore.policy.\"a.b\"]\ndefault = [\"x\"]\n",
        "2:11",
        "[\"x\"]",
        "`default` must be text, not a list",
        "expected text",
        "write text",
    );
}

#[test]
fn env_as_text() {
    wrong(
        "[longshore.policy.\"a.b\"]\nenv = \"off\"\n",
        "2:7",
        "\"off\"",
        "`env` must be `true` or `false`, not text",
        "expected `true` or `false`",
        "write `false`",
    );
}
