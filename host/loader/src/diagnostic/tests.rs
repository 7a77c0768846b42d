//! Rendering, positions and suggestions, seen from outside.

use super::*;

fn at(source: &Arc<Source>, word: &str) -> Place {
    let start = source.text().find(word).unwrap();
    Place::text(source, start..start + word.len())
}

#[test]
fn renders_head_place_mark_and_advice() {
    let source = Source::new("a.toml", "[compute]\nvrit = \"fake\"\n");
    let d = Diagnostic::error(
        "config/unknown-key",
        at(&source, "vrit"),
        "unknown key `vrit` in `[compute]`",
    )
    .with_label("not a key of `[compute]`")
    .with_advice("vrit", &["virt", "ram"], "");
    let expected = "\
error[config/unknown-key]: unknown key `vrit` in `[compute]`
  --> a.toml:2:1
   |
 2 | vrit = \"fake\"
   | ^^^^ not a key of `[compute]`
   |
   = do: did you mean `virt`?
";
    assert_eq!(render_one(&d, Style::default()), expected);
    assert_eq!(d.suggestion.as_deref(), Some("virt"));
    assert!(render_one(&d, Style { color: true }).contains("\u{1b}[1;31m"));
}

#[test]
fn columns_count_characters_and_marks_line_up() {
    let source = Source::new("w.toml", "\t\"日本\" = oops\n");
    let d = Diagnostic::error("map/syntax", at(&source, "oops"), "no");
    assert_eq!(d.place.position(), Some(Position { line: 1, column: 9 }));
    let expected = "\
error[map/syntax]: no
  --> w.toml:1:9
   |
 1 | \t\"日本\" = oops
   | \t         ^^^^
";
    assert_eq!(render_one(&d, Style::default()), expected);
}

#[test]
fn secrets_are_masked_everywhere() {
    let source = Source::new("s.toml", "url = \"amqp://u:hunter2@h\"\n");
    let d = Diagnostic::error(
        "config/bad-value",
        at(&source, "\"amqp://u:hunter2@h\""),
        "bad `url`",
    )
    .with_secret();
    let text = render_one(&d, Style::default());
    assert!(text.contains("url = ***\n"), "{text}");
    assert!(!text.contains("hunter2") && !d.to_json().to_string().contains("hunter2"));
}

#[test]
fn values_of_secret_settings_are_masked_wherever_they_come_from() {
    secret::remember("correct horse");
    secret::remember("abc");
    let said = escape("login with `correct horse` failed: correct horse!\nabc");
    assert_eq!(
        said, "login with `***` failed: ***!\\nabc",
        "short ones are words"
    );
}

#[test]
fn twenty_are_shown_and_the_rest_counted() {
    let d = Diagnostic::error("map/syntax", Place::Environment("X".into()), "bad");
    let text = render(&vec![d; 23], Style::default());
    assert_eq!(text.matches("error[").count(), SHOWN_MAX);
    assert!(text.ends_with("\nand 3 more\n"));
    assert!(text.contains("  --> environment variable X\n"));
}

#[test]
fn suggestions_need_one_clear_winner() {
    assert_eq!(nearest("vrit", ["virt", "ram"]), Some("virt"));
    assert_eq!(
        nearest("rma", ["ram", "rm"]),
        None,
        "both are one slip away"
    );
    assert_eq!(nearest("ram", ["cpu"]), None);
    assert_eq!(
        nearest("permisive", ["permissive", "strict"]),
        Some("permissive")
    );
    assert_eq!(nearest("", ["a"]), None);
    assert_eq!(
        nearest("abcdef", ["badcfe"]),
        None,
        "three swaps are too many"
    );
    assert_eq!(
        nearest("abcdef", ["bacdfe"]),
        Some("bacdfe"),
        "a swap counts as one"
    );
}

#[test]
fn advice_lists_few_and_points_to_many() {
    assert_eq!(
        advise("x", &["alpha", "beta"], "p").1,
        "there are `alpha`, `beta`"
    );
    let many: Vec<String> = (0..13).map(|i| format!("name{i}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(advise("zzz", &many, "see the list").1, "see the list");
}

#[test]
fn positions_never_panic() {
    let source = Source::new("p", "é\r\n\u{1f600}");
    for start in 0..12 {
        for end in 0..12 {
            let d = Diagnostic::error("map/syntax", Place::text(&source, start..end), "x");
            assert!(!render_one(&d, Style::default()).is_empty());
        }
    }
}

#[test]
fn foreign_text_is_one_short_line() {
    assert_eq!(escape("a\nb\u{1b}[0m\u{202e}"), "a\\nb\\u{1b}[0m\\u{202e}");
    assert!(escape(&"x".repeat(5000)).len() <= FOREIGN_TEXT_BYTES_MAX + 4);
}

#[test]
fn passwords_in_addresses_are_never_repeated() {
    let source = Source::new("s.toml", "url = \"amqp://u:hun@ter2@h:1/x\nn = 1\n");
    let d = Diagnostic::error(
        "config/syntax",
        at(&source, "\"amqp"),
        "this `\"` is never closed",
    );
    let text = render_one(&d, Style::default());
    assert!(text.contains(" 1 | url = \"amqp://u:***@h:1/x\n"), "{text}");
    assert_eq!(
        escape("amqp://u:pw@h/x and a://b"),
        "amqp://u:***@h/x and a://b"
    );
}

#[test]
fn long_lines_are_cut_around_the_mark() {
    let source = Source::new("l", format!("{}oops{}", "a".repeat(500), "b".repeat(500)));
    let text = render_one(
        &Diagnostic::error("map/syntax", at(&source, "oops"), "x"),
        Style::default(),
    );
    let widest = text.lines().map(|l| l.chars().count()).max().unwrap();
    assert!(widest < 200 && text.contains("oops"), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    let column = |l: &str, c| l.chars().position(|x| x == c);
    assert_eq!(column(lines[3], 'o'), column(lines[4], '^'));
}
