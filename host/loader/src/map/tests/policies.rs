//! Policies that cannot be obeyed: the whole message of each.

use super::{reports, reports_files};

#[test]
fn unknown_default() {
    reports(
        "[longshore.policy.n]\ndefault = \"okk\"\n[n]\nok = \"f.so\"\n",
        r#"error[map/unknown-default]: `default` names `okk`, which is not in `n`
  --> plugins.toml:2:11
   |
 2 | default = "okk"
   |           ^^^^^
   |
   = do: did you mean `ok`?
"#,
    );
}

#[test]
fn unknown_only() {
    reports(
        "[longshore.policy.n]\nonly = [\"ok\", \"zz\"]\n[n]\nok = \"f.so\"\n",
        r#"error[map/unknown-default]: `only` names `zz`, which is not in `n`
  --> plugins.toml:2:15
   |
 2 | only = ["ok", "zz"]
   |               ^^^^
   |
   = do: the only one is `ok`
"#,
    );
}

#[test]
fn unknown_disabled() {
    reports(
        "[longshore.policy.n]\ndisabled = [\"zz\"]\n[n]\nok = \"f.so\"\n",
        r#"warning[map/unknown-default]: `disabled` names `zz`, which is not in `n`
  --> plugins.toml:2:13
   |
 2 | disabled = ["zz"]
   |             ^^^^
   |
   = do: the only one is `ok`
"#,
    );
}

#[test]
fn policy_key_in_two_files() {
    reports_files(
        &[
            "[longshore.policy.n]\norder = \"name\"\n",
            "[longshore.policy.n]\norder = \"declared\"\n",
        ],
        r#"warning[map/overwritten-policy]: `order` of `n` is set again
  --> 10-a.toml:2:9
   |
 2 | order = "declared"
   |         ^^^^^^^^^^
   |
   = note: first at plugins.toml:2:9
   = do: keep one
"#,
    );
}

#[test]
fn defaults_in_two_files() {
    reports_files(
        &[
            "[longshore.defaults]\nconflicts = \"all\"\n",
            "[longshore.defaults]\nconflicts = \"last\"\n",
        ],
        r#"warning[map/overwritten-policy]: `conflicts` of `longshore.defaults` is set again
  --> 10-a.toml:2:13
   |
 2 | conflicts = "last"
   |             ^^^^^^
   |
   = note: first at plugins.toml:2:13
   = do: keep one
"#,
    );
}
