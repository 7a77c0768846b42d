//! JSON values as Nova sees them once Python has read them: how they print, whether they count as
//! true, which comes first. Extra specs and queries are judged by these rules. Knows no host.

use longshore_plugin_api::Json;
use std::cmp::Ordering;

/// What `str()` makes of a value.
pub(crate) fn print(value: &Json) -> String {
    match value {
        Json::Text(text) => text.clone(),
        other => represent(other),
    }
}

/// What `repr()` makes of a value: as it stands within a list.
fn represent(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Integer(number) => number.to_string(),
        // `{:?}` writes 16 as `16.0`, as Python does.
        Json::Float(number) => format!("{number:?}"),
        Json::Text(text) => quoted(text),
        Json::List(items) => {
            let items: Vec<String> = items.iter().map(represent).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Table(members) => {
            let member =
                |(key, value): (&String, &Json)| format!("{}: {}", quoted(key), represent(value));
            let members: Vec<String> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// Single quotes, unless there is one inside and no double one.
fn quoted(text: &str) -> String {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(mark);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark || c == '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push(mark);
    out
}

/// Whether a value counts as true.
pub(crate) fn is_true(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Integer(number) => *number != 0,
        Json::Float(number) => *number != 0.0,
        Json::Text(text) => !text.is_empty(),
        Json::List(items) => !items.is_empty(),
        Json::Table(members) => !members.is_empty(),
    }
}

/// Which of two values comes first; nothing when they cannot be compared.
pub(crate) fn order(a: &Json, b: &Json) -> Option<Ordering> {
    match (a, b) {
        (Json::Text(a), Json::Text(b)) => Some(a.cmp(b)),
        (Json::List(a), Json::List(b)) => {
            let differ = a.iter().zip(b).find(|(a, b)| !a.says_same(b));
            match differ {
                Some((a, b)) => order(a, b),
                None => Some(a.len().cmp(&b.len())),
            }
        }
        _ => a.number()?.partial_cmp(&b.number()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn values_print_as_in_python() {
        for (text, printed) in [
            ("\"a 'b'\"", "a 'b'"),
            ("16.0", "16.0"),
            ("true", "True"),
            (r#"["a", 1, null, "it's"]"#, r#"['a', 1, None, "it's"]"#),
            (r#"{"k": {"n": "a\nb"}}"#, r"{'k': {'n': 'a\nb'}}"),
            (r#"["'\""]"#, r#"['\'"']"#),
        ] {
            assert_eq!(print(&json(text)), printed, "{text}");
        }
    }

    #[test]
    fn numbers_compare_with_numbers_and_other_sorts_do_not() {
        assert_eq!(order(&json("1"), &json("1.5")), Some(Ordering::Less));
        assert_eq!(
            order(&json("\"b\""), &json("\"a\"")),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order(&json("[1, 2]"), &json("[1]")),
            Some(Ordering::Greater)
        );
        for (a, b) in [
            ("\"1\"", "1"),
            ("null", "1"),
            ("{}", "{}"),
            ("[\"a\"]", "[1]"),
        ] {
            assert_eq!(order(&json(a), &json(b)), None, "{a} and {b}");
        }
    }

    #[test]
    fn what_is_empty_is_not_true() {
        for text in ["null", "false", "0", "0.0", "\"\"", "[]", "{}"] {
            assert!(!is_true(&json(text)), "{text}");
        }
        for text in ["true", "-1", "0.5", "\"0\"", "[0]", "{\"a\": 0}"] {
            assert!(is_true(&json(text)), "{text}");
        }
    }
}
