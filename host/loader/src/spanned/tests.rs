//! Whole messages for each kind of broken text, and the promise that no bytes panic.

use super::*;
use crate::codes::MAP_AREA;
use crate::diagnostic::{Style, render};

fn first(text: &str) -> (String, String) {
    let parsed = parse(text.as_bytes(), "f.toml", &MAP_AREA);
    let d = &parsed.diagnostics[0];
    (
        d.to_string(),
        parsed
            .source
            .slice(match &d.place {
                Place::Text { span, .. } => span,
                _ => &(0..0),
            })
            .to_owned(),
    )
}

#[test]
fn order_spans_and_values_survive() {
    let text = "b = 1\na = [1.5, true]\n[z.y]\nk = 2020-01-02\n";
    let parsed = parse(text.as_bytes(), "f", &MAP_AREA);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    assert_eq!(key_list(&parsed.root), "`b`, `a`, `z`");
    let a = parsed.root.get("a").unwrap();
    assert_eq!(parsed.source.slice(&a.node.span), "[1.5, true]");
    let Value::Table(z) = &parsed.root.get("z").unwrap().node.value else {
        panic!()
    };
    let y = z.get("y").unwrap();
    assert_eq!(parsed.source.slice(&y.node.span), "[z.y]");
    assert_eq!(parsed.source.slice(&y.key_span), "y");
}

#[test]
fn broken_texts_are_explained() {
    let rows = [
        (
            "[c]\nvirt = fake\n",
            "f.toml:2:8: `fake` is not a value: text needs quotes (do: write `\"fake\"`) code=map/syntax",
            "fake",
        ),
        (
            "a = 1\n[compute\nb = 2\n",
            "f.toml:2:1: this `[` is never closed (do: close it with `]`) code=map/syntax",
            "[",
        ),
        (
            "a = [1,\nb = 2\n",
            "f.toml:1:5: this `[` is never closed (do: close it with `]`) code=map/syntax",
            "[",
        ),
        (
            "a = { b = 1\n",
            "f.toml:1:5: this `{` is never closed (do: close it with `}`) code=map/syntax",
            "{",
        ),
        (
            "a = \"x\nb = 1\n",
            "f.toml:1:5: this `\"` is never closed (do: close it with `\"`) code=map/syntax",
            "\"",
        ),
        (
            "virt: fake\n",
            "f.toml:1:5: expected `=`, found `:` (do: this looks like YAML; the format is TOML) code=map/syntax",
            ":",
        ),
        (
            "{\"a\": 1}\n",
            "f.toml:1:1: expected a key or `[`, found `{` (do: this looks like JSON; the format is TOML) code=map/syntax",
            "{",
        ),
        (
            "[c]\na = 1\nb = 2\na = 3\n",
            "f.toml:4:1: `a` is set twice (do: keep one) code=map/duplicate",
            "a",
        ),
        (
            "[c]\na = 1\n[d]\n[c]\n",
            "f.toml:4:1: `[c]` is defined twice (do: merge them) code=map/duplicate",
            "[c]",
        ),
        (
            "a = \u{201c}x\u{201d}\n",
            "f.toml:1:5: U+201C is not a quote (do: write `\"`) code=map/syntax",
            "\u{201c}",
        ),
        (
            "\u{441}ompute = 1\n",
            "f.toml:1:1: U+0441 looks like `c` and is not (do: write `c`) code=map/syntax",
            "\u{441}",
        ),
        (
            "a = 1\n<<<<<<< HEAD\nb = 1\n",
            "f.toml:2:1: a merge conflict mark (do: finish the merge, then remove the marks) code=map/syntax",
            "<<<<<<<",
        ),
        (
            "a = 9223372036854775808\n",
            "f.toml:1:5: the number `9223372036854775808` is out of range (do: write a number of at most 64 bits) code=map/wrong-type",
            "9223372036854775808",
        ),
        (
            "a = 1e400\n",
            "f.toml:1:5: the number `1e400` is out of range (do: write a number of at most 64 bits) code=map/wrong-type",
            "1e400",
        ),
    ];
    for (text, message, marked) in rows {
        let (line, span) = first(text);
        assert_eq!(
            (line.as_str(), span.as_str()),
            (message, marked),
            "for {text:?}"
        );
    }
}

#[test]
fn duplicates_name_the_first_place() {
    let parsed = parse(b"[c]\n  a = 1\nb = 2\na = 3\n", "f.toml", &MAP_AREA);
    assert_eq!(
        render(&parsed.diagnostics, Style::default()),
        "error[map/duplicate]: `a` is set twice\n  --> f.toml:4:1\n   |\n 4 | a = 3\n   | ^\n   |\n   \
         = note: first at 2:3\n   = do: keep one\n"
    );
}

#[test]
fn several_errors_are_reported_at_once() {
    let parsed = parse(b"a = x\nb = y\nc = 1\n", "f", &MAP_AREA);
    assert_eq!(parsed.diagnostics.len(), 2);
}

#[test]
fn encodings() {
    let row = |bytes: &[u8]| {
        parse(bytes, "f", &MAP_AREA)
            .diagnostics
            .first()
            .map(ToString::to_string)
    };
    assert_eq!(
        row(b"\xef\xbb\xbfa = 1\n"),
        None,
        "a UTF-8 mark is accepted"
    );
    assert_eq!(
        row(b"ab\n\xff").unwrap(),
        "f:2:1: byte 0xFF at offset 3 is not UTF-8 (do: save the file as UTF-8) code=map/encoding"
    );
    assert!(row(b"\xff\xfea\0").unwrap().contains("the text is UTF-16"));
    assert!(row(b"a = 1\0").unwrap().starts_with("f:1:6: a NUL byte"));
}

#[test]
fn bounds_hold() {
    let code = |text: String| parse(text.as_bytes(), "f", &MAP_AREA).diagnostics[0].code;
    assert_eq!(code(format!("a = {}", "[".repeat(10_000))), "map/too-large");
    assert_eq!(
        code(format!("a = {}{}", "[".repeat(40), "]".repeat(40))),
        "map/too-large"
    );
    assert_eq!(
        code(format!("{}x = 1", "a.".repeat(100_000))),
        "map/too-large"
    );
    assert_eq!(
        code((0..=KEYS_MAX).map(|i| format!("k{i} = 1\n")).collect()),
        "map/too-large"
    );
    assert_eq!(code("#".repeat(TEXT_BYTES_MAX + 1)), "map/too-large");
    let fits = (0..KEYS_MAX)
        .map(|i| format!("k{i} = 1\n"))
        .collect::<String>();
    assert!(
        parse(fits.as_bytes(), "f", &MAP_AREA)
            .diagnostics
            .is_empty()
    );
}

#[test]
fn any_bytes_are_survived() {
    let sample = "[longshore]\nsearch = [\"a\", 'b']\n[\"n.s\"]\nx = { lib = \"\\u00e9.so\", s = { r = 1.5 } } # é\n\
                  [[\"q\".r]]\nt = \"\"\"\nlong\n\"\"\"\nd = 1979-05-27T07:32:00Z\n";
    for i in 0..sample.len() {
        let mut cut = sample.as_bytes().to_vec();
        cut.remove(i);
        let parsed = parse(&cut, "f", &MAP_AREA);
        let _ = render(&parsed.diagnostics, Style::default());
        let _ = parse(&sample.as_bytes()[..i], "f", &MAP_AREA);
        for byte in [0, b'"', b'[', b'{', b'=', b'.', b'\n', b'\\', 0x80, 0xff] {
            let mut changed = sample.as_bytes().to_vec();
            changed[i] = byte;
            let parsed = parse(&changed, "f", &MAP_AREA);
            let _ = render(&parsed.diagnostics, Style::default());
        }
    }
    let mut state = 0x9e37_79b9_u32;
    for _ in 0..300 {
        let noise: Vec<u8> = (0..200)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b"a=\"'[]{}.,#\n\\ \t1-:\xc3\xa9\r"[(state >> 16) as usize % 21]
            })
            .collect();
        let _ = render(&parse(&noise, "f", &MAP_AREA).diagnostics, Style::default());
    }
}
