//! An image's `args` as a list of arguments. The rules are few, and the shell never sees the text:
//! blanks separate; `'…'` is taken as it is; in `"…"` a backslash keeps `"` and `\`; elsewhere it
//! keeps any character. `driver` calls it at spawn.

use longshore_plugin_api::DriverError;

/// The longest text of arguments, in bytes.
pub(crate) const ARGS_BYTES_MAX: usize = 65_536;

/// Splits `text`.
///
/// # Errors
/// `invalid`: too long, a quote that is not closed, a backslash at the end, or a NUL.
pub(crate) fn split(text: &str) -> Result<Vec<String>, DriverError> {
    let wrong = |why: &str| DriverError::invalid(format!("the image's `args` {why}"));
    if text.len() > ARGS_BYTES_MAX {
        return Err(wrong(&format!("are longer than {ARGS_BYTES_MAX} bytes")));
    }
    if text.contains('\0') {
        return Err(wrong("hold a NUL, which no argument can"));
    }
    let mut all = Vec::new();
    let mut current: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            all.extend(current.take());
            continue;
        }
        let argument = current.get_or_insert_with(String::new);
        match c {
            '\'' | '"' => quoted(&mut chars, c, argument)
                .ok_or_else(|| wrong(&format!("open a quote `{c}` and do not close it")))?,
            '\\' => argument.push(chars.next().ok_or_else(|| wrong("end in a backslash"))?),
            c => argument.push(c),
        }
    }
    all.extend(current);
    Ok(all)
}

/// Takes everything up to the closing quote; `None` if there is none.
fn quoted(chars: &mut std::str::Chars<'_>, quote: char, argument: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            c if c == quote => return Some(()),
            '\\' if quote == '"' => match chars.next()? {
                c @ '"' | c @ '\\' => argument.push(c),
                c => argument.extend(['\\', c]),
            },
            c => argument.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_separate_and_quotes_keep_together() {
        for (text, expected) in [
            ("", &[][..]),
            (" \t\n", &[]),
            ("3600", &["3600"]),
            (" -c  'a b'\t\"c  d\" ", &["-c", "a b", "c  d"]),
            (r#"'' "" x"#, &["", "", "x"]),
            (r#"a'b c'd"e f"g"#, &["ab cde fg"]),
            (
                r#"'\' "\"\\\n" \' \\ a\ b"#,
                &["\\", "\"\\\\n", "'", "\\", "a b"],
            ),
            (
                "$HOME `id` $(id) ; & | *",
                &["$HOME", "`id`", "$(id)", ";", "&", "|", "*"],
            ),
            ("ü '🦀'", &["ü", "🦀"]),
        ] {
            assert_eq!(split(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_split_is_invalid() {
        let long = "a".repeat(ARGS_BYTES_MAX + 1);
        for text in ["'a", "\"a", "\"a\\\"", "a\\", "a\0b", &long] {
            assert!(split(text).is_err(), "{}", &text[..text.len().min(9)]);
        }
        assert!(split(&long[1..]).is_ok());
    }
}
