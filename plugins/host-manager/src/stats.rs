//! A host's stats as a JSON text: the form in which the table carries them.
//! Must not know what the stats mean. Called by `facts`.

use std::collections::BTreeMap;

/// One JSON object whose values are texts.
pub(crate) fn to_json(stats: &BTreeMap<String, String>) -> String {
    let mut out = String::from("{");
    for (key, value) in stats {
        if out.len() > 1 {
            out.push(',');
        }
        quote(&mut out, key);
        out.push(':');
        quote(&mut out, value);
    }
    out.push('}');
    out
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::to_json;

    #[test]
    fn texts_are_escaped() {
        let stats = [("b\n", "\u{1}é"), ("a\"", "\\")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(
            to_json(&stats.into()),
            r#"{"a\"":"\\","b\u000a":"\u0001é"}"#
        );
        assert_eq!(to_json(&Default::default()), "{}");
    }
}
