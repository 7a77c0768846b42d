//! Names and targets that cannot be: the whole message of each.

use super::{wrong_entry, wrong_name};

#[test]
fn empty_namespace() {
    wrong_name(
        "[\"\"]\nx = \"f.so\"\n",
        "1:2",
        "\"\"",
        "`` is not a valid namespace",
        "it is empty",
        "write a name such as `acme.server.hook`",
    );
}

#[test]
fn namespace_with_a_line_break() {
    wrong_name(
        "[\"a\\nb\"]\nx = \"f.so\"\n",
        "1:2",
        "\"a\\nb\"",
        "`a\\nb` is not a valid namespace",
        "it has control characters",
        "write a name such as `acme.server.hook`",
    );
}

#[test]
fn empty_entry_name() {
    wrong_entry(
        "[n]\n\"\" = \"f.so\"\n",
        "2:1",
        "\"\"",
        "`` is not a valid entry name",
        "it is empty",
        "rename the entry",
    );
}

#[test]
fn entry_name_with_a_line_break() {
    wrong_entry(
        "[n]\n\"a\\nb\" = \"f.so\"\n",
        "2:1",
        "\"a\\nb\"",
        "`a\\nb` is not a valid entry name",
        "it has control characters",
        "rename the entry",
    );
}

#[test]
fn entry_name_with_a_space_around() {
    wrong_entry(
        "[n]\n\" a\" = \"f.so\"\n",
        "2:1",
        "\" a\"",
        "` a` is not a valid entry name",
        "it starts or ends with a space",
        "rename the entry",
    );
}

#[test]
fn empty_target() {
    wrong_entry(
        "[n]\nx = \"\"\n",
        "2:5",
        "\"\"",
        "`` is not a valid target",
        "the library's name is empty",
        "write `LIBRARY` or `LIBRARY:EXPORT`",
    );
}

#[test]
fn target_above_the_search_path() {
    wrong_entry(
        "[n]\nx = \"../f.so\"\n",
        "2:5",
        "\"../f.so\"",
        "`../f.so` is not a valid target",
        "`..` may not leave the search path",
        "use an absolute path, or add the directory to `search`",
    );
}

#[test]
fn target_without_export() {
    wrong_entry(
        "[n]\nx = \"f.so:\"\n",
        "2:5",
        "\"f.so:\"",
        "`f.so:` is not a valid target",
        "what follows a colon is not an export",
        "write `LIBRARY` or `LIBRARY:EXPORT`",
    );
}

#[test]
fn target_without_library() {
    wrong_entry(
        "[n]\nx = \":y\"\n",
        "2:5",
        "\":y\"",
        "`:y` is not a valid target",
        "the library's name is empty",
        "write `LIBRARY` or `LIBRARY:EXPORT`",
    );
}

#[test]
fn target_with_two_exports() {
    wrong_entry(
        "[n]\nx = \"f.so:y:z\"\n",
        "2:5",
        "\"f.so:y:z\"",
        "`f.so:y:z` is not a valid target",
        "what follows a colon is not an export",
        "write `LIBRARY` or `LIBRARY:EXPORT`",
    );
}

#[test]
fn target_with_a_line_break() {
    wrong_entry(
        "[n]\nx = \"a\\nb.so\"\n",
        "2:5",
        "\"a\\nb.so\"",
        "`a\\nb.so` is not a valid target",
        "it has control characters",
        "write `LIBRARY` or `LIBRARY:EXPORT`",
    );
}

#[test]
fn target_that_is_a_directory() {
    wrong_entry(
        "[n]\nx = \"dir/\"\n",
        "2:5",
        "\"dir/\"",
        "`dir/` is not a valid target",
        "it names a directory",
        "write `LIBRARY` or `LIBRARY:EXPORT`",
    );
}

#[test]
fn short_form_inside_the_table_form() {
    wrong_entry(
        "[n]\nx = { lib = \"f.so:y\" }\n",
        "2:13",
        "\"f.so:y\"",
        "`f.so:y` is not a valid target",
        "what follows a colon is not an export",
        "write `lib = \"f.so\", export = \"y\"`",
    );
}

#[test]
fn export_with_a_space() {
    wrong_entry(
        "[n]\nx = { lib = \"f.so\", export = \"a b\" }\n",
        "2:30",
        "\"a b\"",
        "`a b` is not a valid export",
        "an export is a name of letters, digits, `_`, `.` and `-`",
        "write a name such as `ram`",
    );
}
