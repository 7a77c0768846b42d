//! One value out of a JSON text, by the keys that lead to it. Builds no tree: a look-up per host
//! must cost little.
//!
//! Total: any text at all gets an answer, in one pass per key and without recursion. Must not know
//! what the values mean. Called by `compute_capabilities`.

use crate::python;
use longshore_plugin_api::Json;
use std::borrow::Cow;

/// Whether `text` is an object that has this key, with whatever value.
pub(crate) fn has(text: &str, key: &str) -> bool {
    member(text, key).is_some()
}

/// The value at the end of `path`, as Nova would print it: texts as they are, truth values as
/// `True` and `False`, lists and objects as Python writes them. A text on the way is read as JSON
/// itself.
/// Nothing for `null` and for what is not there.
pub(crate) fn find(text: &str, path: &[&str]) -> Option<String> {
    let mut at = Cow::Borrowed(text);
    // Whether `at` is JSON as it stands in the text, rather than the inside of a string.
    let mut from_value = false;
    for key in path {
        let value = member(&at, key)?;
        from_value = !value.starts_with('"');
        at = match unquoted(value) {
            Some(inner) => Cow::Owned(inner.into_owned()),
            None => match value {
                "null" => return None,
                "true" => Cow::Borrowed("True"),
                "false" => Cow::Borrowed("False"),
                other => Cow::Owned(other.to_owned()),
            },
        };
    }
    let is_nested = from_value && at.starts_with(['[', '{']);
    if is_nested {
        return Json::parse(&at).ok().map(|value| python::print(&value));
    }
    Some(at.into_owned())
}

/// The value of one key of an object, as it stands in the text.
fn member<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut scan = Scan { text, at: 0 };
    scan.eat(b'{')?;
    loop {
        let name = unquoted(scan.value()?)?;
        scan.eat(b':')?;
        let value = scan.value()?;
        if name == key {
            return Some(value);
        }
        scan.eat(b',')?;
    }
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> Option<()> {
        let found = self.peek()? == wanted;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// The next value, whole.
    fn value(&mut self) -> Option<&'t str> {
        let first = self.peek()?;
        let from = self.at;
        match first {
            b'"' => self.string()?,
            b'{' | b'[' => self.nested()?,
            _ => {
                let rest = &self.text.as_bytes()[from..];
                let ends =
                    |b: &u8| matches!(b, b',' | b'}' | b']' | b':' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        self.text
            .get(from..self.at)
            .filter(|value| !value.is_empty())
    }

    /// Over a string, from its opening to after its closing quote.
    fn string(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at)? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Over a list or object and all that is in it.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

/// What is between the quotes of a string, without its escapes; nothing if it is no string.
fn unquoted(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => unicode(&mut chars)?,
                other => other,
            },
            other => other,
        });
    }
    Some(Cow::Owned(out))
}

/// The character of a `\u` escape, whose second half follows when it is a pair.
fn unicode(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let high = four_digits(chars)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    let (backslash, u) = (chars.next()?, chars.next()?);
    let low = four_digits(chars)?;
    if (backslash, u) != ('\\', 'u') || !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

fn four_digits(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |number, _| {
        Some(number * 16 + chars.next()?.to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#" { "a" : 1, "b" : { "c": [1, "}"], "d": true, "n": null },
        "cpu": "{\"vendor\": \"Intel\", \"x\": \"\\u00e9\\ud83e\\udd80\"}",
        "e\"": "q" , "s": "" } "#;

    #[test]
    fn values_are_found_by_their_path() {
        for (path, expected) in [
            (&["a"][..], Some("1")),
            (&["b", "c"], Some("[1, '}']")),
            (&["b", "d"], Some("True")),
            (&["cpu", "vendor"], Some("Intel")),
            (&["cpu", "x"], Some("é🦀")),
            (&["e\""], Some("q")),
            (&["s"], Some("")),
            (&["b", "n"], None),
            (&["b", "zz"], None),
            (&["a", "zz"], None),
            (&["zz"], None),
        ] {
            assert_eq!(find(TEXT, path).as_deref(), expected, "{path:?}");
        }
        assert!(has(TEXT, "a") && !has(TEXT, "c"));
        assert!(has(r#"{"n": null}"#, "n"));
    }

    #[test]
    fn texts_that_are_no_json_have_no_members() {
        for text in [
            "", "{", "{}", "[]", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":}", "{a:1}", "x", "\"",
            "{\"a\\",
        ] {
            assert_eq!(find(text, &["a"]), None, "`{text}`");
        }
        assert_eq!(find(r#"{"a": "\ud800"}"#, &["a", "b"]), None);
    }

    #[test]
    fn every_cut_of_a_text_gets_an_answer() {
        for (end, _) in TEXT.char_indices() {
            let _ = find(&TEXT[..end], &["cpu", "vendor"]);
            let _ = find(&TEXT[end..], &["cpu", "vendor"]);
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!(
            "{{\"a\": {}1{}, \"b\": 2}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(find(&deep, &["b"]).as_deref(), Some("2"));
    }
}
