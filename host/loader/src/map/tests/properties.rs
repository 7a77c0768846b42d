//! Promises about every text: no bytes panic, wrong values are marked exactly, printing a map and
//! reading it again loses nothing.
//!
//! The texts are made by a small generator. Its seed is part of every failure's message;
//! `LONGSHORE_TEST_SEED` replays it.

use std::path::Path;
use std::sync::Arc;

use super::{merged, read_files};
use crate::diagnostic::{Place, Style, render};
use crate::map::{PluginMap, file};

/// Numbers that look random and are always the same for one seed.
struct Dice(u64);

impl Dice {
    fn new() -> (Dice, u64) {
        let given = std::env::var("LONGSHORE_TEST_SEED").ok();
        let seed = given.and_then(|s| s.parse().ok()).unwrap_or(0x5eed);
        (Dice(seed ^ 0x9e37_79b9_7f4a_7c15), seed)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

const SAMPLE: &str = "[longshore]\nsearch = ['a']\n[longshore.policy.'n.s']\nconflicts = 'all'\n['n.s']\n\
                      a = 'x.so:e'\nb = { lib = 'y.so', settings = { r = 1.5, t = { u = [1] } } }\nc = false\n\
                      d = { alias = 'a' } # é\n[['n.s'.h]]\nlib = \"z.so\"\n";

#[test]
fn no_bytes_panic() {
    let (mut dice, seed) = Dice::new();
    let pieces = [
        "[", "]", "{", "}", "=", ",", ".", "\"", "'", "\n", "\\u12", "#", "lib", "é", "\t", "1e9",
        "-",
    ];
    for round in 0..1_500 {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for _ in 0..=dice.below(4) {
            // The cuts may have left nothing.
            if bytes.is_empty() {
                break;
            }
            let at = dice.below(bytes.len());
            match dice.below(4) {
                0 => bytes[at] = dice.below(256) as u8,
                1 => drop(bytes.drain(at..(at + dice.below(9)).min(bytes.len()))),
                2 => drop(bytes.splice(at..at, dice.of(&pieces).bytes())),
                _ => bytes.truncate(at + 1),
            }
        }
        let read = file::read(&bytes, "p", &Arc::from(Path::new("")), None);
        let shown = render(&read.fatal, Style::default());
        assert_eq!(
            read.fatal.is_empty(),
            shown.is_empty(),
            "seed {seed}, round {round}"
        );
        if let Ok(map) = PluginMap::parse(&String::from_utf8_lossy(&bytes), "p") {
            let _ = render(map.diagnostics(), Style::default());
        }
    }
}

/// Brackets, quotes, commas and equals signs all matter: without one of them the text is wrong, or
/// it did not matter.
#[test]
fn removing_a_mark_is_an_error_or_nothing() {
    let whole = merged(&[SAMPLE]);
    for (i, c) in SAMPLE.char_indices() {
        let mut cut = SAMPLE.to_owned();
        cut.remove(i);
        match PluginMap::parse(&cut, "plugins.toml") {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(map) if "[]{}'\"=,".contains(c) => {
                assert!(map.same_meaning(&whole), "without {c:?} at {i}:\n{cut}");
            }
            Ok(_) => {}
        }
    }
}

const TEXT: &str = "text";
const FLAG: &str = "flag";
const NUMBER: &str = "number";
const LIST: &str = "list";
const TABLE: &str = "table";

/// Values by type. A date is right nowhere.
const VALUES: &[(&str, &str)] = &[
    (TEXT, "'some text'"),
    (FLAG, "true"),
    (NUMBER, "17"),
    ("fraction", "1.25"),
    ("date", "1979-05-27T07:32:00Z"),
    (LIST, "['a', 'b']"),
    (TABLE, "{ a = 1 }"),
];

#[test]
fn a_value_of_the_wrong_type_is_marked_exactly() {
    let entry = "['n.s']\nx = { lib = 'x.so', KEY = VALUE }\n";
    let policy = "[longshore.policy.'n.s']\nKEY = VALUE\n";
    let reserved = "[longshore]\nKEY = VALUE\n";
    let keys = [
        (entry, "export", TEXT),
        (entry, "alias", TEXT),
        (entry, "enabled", FLAG),
        (entry, "optional", FLAG),
        (entry, "priority", NUMBER),
        (entry, "settings", TABLE),
        (entry, "override", FLAG),
        (entry, "append", FLAG),
        (entry, "patch", FLAG),
        (entry, "deprecated", TEXT),
        (entry, "about", TEXT),
        (entry, "version", TEXT),
        (entry, "sha256", TEXT),
        ("['n.s']\nx = { KEY = VALUE }\n", "lib", TEXT),
        (policy, "conflicts", TEXT),
        (policy, "order", TEXT),
        (policy, "only", LIST),
        (policy, "disabled", LIST),
        (policy, "default", TEXT),
        (policy, "env", FLAG),
        (reserved, "format", NUMBER),
        (reserved, "search", LIST),
        (reserved, "include", LIST),
        (reserved, "defaults", TABLE),
        (reserved, "policy", TABLE),
    ];
    for (form, key, right) in keys {
        for (kind, value) in VALUES.iter().filter(|(kind, _)| *kind != right) {
            let text = form.replace("KEY", key).replace("VALUE", value);
            let Err(error) = read_files(&[&text]) else {
                panic!("a {kind} is accepted:\n{text}")
            };
            let [d] = error.diagnostics.as_slice() else {
                panic!("not one diagnostic:\n{error}")
            };
            let Place::Text { source, span } = &d.place else {
                panic!("{d}")
            };
            assert_eq!(
                (d.code, source.slice(span)),
                ("map/wrong-type", *value),
                "{text}"
            );
        }
    }
}

fn some_value(dice: &mut Dice, depth: usize) -> String {
    let kind = dice.below(if depth > 2 { 6 } else { 8 });
    match kind {
        0 => dice.of(&["true", "false"]).to_owned(),
        1 => dice
            .of(&[
                "0",
                "-1",
                "9223372036854775807",
                "0x1F",
                "-9223372036854775808",
            ])
            .to_owned(),
        2 => dice
            .of(&[
                "0.0", "-0.0", "1e300", "5e-324", "0.1", "1e15", "1e16", "3.0",
            ])
            .to_owned(),
        3 => dice
            .of(&["1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"])
            .to_owned(),
        4 | 5 => dice
            .of(&[
                r#""""#,
                r#""a\"b\\""#,
                r#""\u0001\n\t""#,
                "'é\u{1f600}'",
                "'''x\ny'''",
            ])
            .to_owned(),
        6 => {
            let items: Vec<String> = (0..dice.below(4))
                .map(|_| some_value(dice, depth + 1))
                .collect();
            format!("[{}]", items.join(", "))
        }
        _ => some_table(dice, depth + 1),
    }
}

fn some_table(dice: &mut Dice, depth: usize) -> String {
    let keys = ["a", "'b.c'", "\"\"", "\"\\n\"", "'~/x'", "é-1"];
    let keys = keys.map(|k| if k == "é-1" { "'é-1'" } else { k });
    let count = dice.below(keys.len());
    let pairs: Vec<String> = (0..count)
        .map(|i| format!("{} = {}", keys[i], some_value(dice, depth)))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn some_entry(dice: &mut Dice) -> String {
    let lib = dice.of(&["a.so", "b.so", "./c.so", "/d.so", "s/../e.so", "f:g.so"]);
    match dice.below(6) {
        0 => format!("'{lib}'"),
        1 => format!("'{lib}:x'"),
        2 => "{ alias = 'a' }".to_owned(),
        3 => "false".to_owned(),
        4 => {
            let how = dice.of(&["override", "append", "patch", "optional", "enabled"]);
            let priority = dice.below(2001) as i64 - 1000;
            format!(
                "{{ lib = '{lib}', {how} = true, priority = {priority}, settings = {} }}",
                some_table(dice, 0)
            )
        }
        _ => format!(
            "[{{ lib = '{lib}', enabled = {} }}, 'z.so', '{lib}']",
            dice.of(&["true", "false"])
        ),
    }
}

fn some_file(dice: &mut Dice) -> String {
    let mut text = String::new();
    for namespace in ["n", "o.p"] {
        if dice.below(2) == 0 {
            let conflicts = dice.of(&["error", "first", "last", "priority", "all"]);
            let order = dice.of(&["declared", "priority", "name"]);
            text += &format!(
                "[longshore.policy.'{namespace}']\nconflicts = '{conflicts}'\norder = '{order}'\n"
            );
            text += dice.of(&[
                "",
                "only = ['a', 'c d']\n",
                "disabled = ['b']\n",
                "default = 'a'\nenv = false\n",
            ]);
        }
        text += &format!("['{namespace}']\n");
        for name in ["a", "b", "'c d'", "\"\\u00e9\"", "'d.e'"] {
            if dice.below(3) > 0 {
                text += &format!("{name} = {}\n", some_entry(dice));
            }
        }
    }
    text
}

#[test]
fn any_map_reads_back_from_its_own_print() {
    let (mut dice, seed) = Dice::new();
    for round in 0..400 {
        let files: Vec<String> = (0..=dice.below(3)).map(|_| some_file(&mut dice)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let map = read_files(&files).unwrap_or_else(|e| panic!("seed {seed}, round {round}: {e}"));
        let text = map.to_toml();
        let again = PluginMap::parse(&text, "/x/p.toml");
        let again = again.unwrap_or_else(|e| panic!("seed {seed}, round {round}: {e}\n{text}"));
        assert!(
            map.same_meaning(&again),
            "seed {seed}, round {round}:\n{}\n---\n{text}",
            files.join("\n---\n")
        );
    }
}
