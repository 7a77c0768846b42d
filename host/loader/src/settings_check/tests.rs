//! Findings of the check, whole, with their places in the map.

use super::*;
use crate::diagnostic::{Style, render};
use crate::map::{Lookup, PluginMap};

fn schema() -> Vec<SettingSchema> {
    serde_json::from_str(
        r#"[
        {"key":"ratio","type":"float","default":1.5,"min":0.5,"max":4},
        {"key":"memory_mb","type":"integer","required":true,"min":1},
        {"key":"mode","type":"string","one_of":["fast","safe"]},
        {"key":"zones","type":"list"},
        {"key":"spread","type":"boolean","default":true},
        {"key":"token","type":"string","secret":true,"one_of":["x"]}
    ]"#,
    )
    .unwrap()
}

fn found(settings: &str) -> String {
    let text = format!("['v']\nfake = {{ lib = 'f.so', settings = {{ {settings} }} }}\n");
    let map = PluginMap::parse(&text, "plugins.toml").unwrap();
    let Lookup::One(entry) = map.lookup("v", "fake") else {
        panic!()
    };
    render(&check(entry, "fake", &schema()), Style::default())
}

#[test]
fn good_settings_pass_and_get_defaults() {
    assert_eq!(
        found("memory_mb = 1, ratio = 2, mode = 'safe', zones = ['a']"),
        ""
    );
    let filled = with_defaults(&Map::new(), &schema());
    assert_eq!(
        serde_json::to_string(&filled).unwrap(),
        r#"{"ratio":1.5,"spread":true}"#
    );
}

#[test]
fn unknown_settings_point_at_the_key() {
    assert_eq!(
        found("memory_gb = 1, memory_mb = 2"),
        "error[driver/unknown-setting]: driver `fake` has no setting `memory_gb`
  --> plugins.toml:2:37
   |
 2 | fake = { lib = 'f.so', settings = { memory_gb = 1, memory_mb = 2 } }
   |                                     ^^^^^^^^^ unknown setting
   |
   = do: did you mean `memory_mb`?
"
    );
}

#[test]
fn wrong_values_point_at_the_value() {
    assert_eq!(
        found("memory_mb = '64G'"),
        "error[driver/bad-setting]: driver `fake`: `memory_mb` must be a whole number, not text
  --> plugins.toml:2:49
   |
 2 | fake = { lib = 'f.so', settings = { memory_mb = '64G' } }
   |                                                 ^^^^^
   |
   = do: write a whole number
"
    );
    let rows = [
        ("ratio = 9", "`ratio` must be between 0.5 and 4, not 9"),
        (
            "mode = 'fats'",
            "`mode` cannot be `fats`: not one of `fast`, `safe`",
        ),
        ("zones = [1]", "`zones` must be a list of texts, not a list"),
        (
            "spread = 'yes'",
            "`spread` must be `true` or `false`, not text",
        ),
        (
            "memory_mb = 1.5",
            "`memory_mb` must be a whole number, not a number with a fraction",
        ),
    ];
    for (settings, message) in rows {
        assert!(
            found(settings).contains(message),
            "{settings}: {}",
            found(settings)
        );
    }
    assert!(!found("token = 'hunter2'").contains("hunter2"));
}

#[test]
fn missing_settings_point_at_the_entry() {
    assert_eq!(
        found(""),
        "error[driver/missing-setting]: driver `fake` needs `memory_mb`
  --> plugins.toml:2:1
   |
 2 | fake = { lib = 'f.so', settings = {  } }
   | ^^^^
   |
   = do: add `settings = { memory_mb = … }` to its entry
"
    );
}
