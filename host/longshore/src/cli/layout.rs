//! Text into columns: how wide it is, cutting it in the middle, wrapping it between words.
//!
//! Must not know what the text means, nor colours: those are added around what comes out of here.
//! Called by `render` and by commands with a layout of their own.

use unicode_width::UnicodeWidthStr as _;

/// Texts are never wrapped narrower than this: on so narrow a terminal, the terminal wraps.
const COLUMNS_MIN: usize = 20;

/// The columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `columns` columns; what is too much is taken out of the middle, since
/// names differ at their ends.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    if width(text) <= columns || columns == 0 {
        return text.to_owned();
    }
    let kept = columns - 1;
    let (head, tail) = (kept / 2, kept - kept / 2);
    let from_end: String = taken(text.chars().rev(), tail).chars().rev().collect();
    format!("{}…{from_end}", taken(text.chars(), head))
}

fn taken(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut out = String::new();
    for c in chars {
        out.push(c);
        if width(&out) > columns {
            out.pop();
            break;
        }
    }
    out
}

/// The text with spaces after it up to `columns`.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{:missing$}", "")
}

/// The lines of a text beside an indent, at most `columns` wide together; one line without a
/// terminal. Words are not broken.
pub(crate) fn wrapped(text: &str, columns: Option<usize>, indent: usize) -> Vec<String> {
    let Some(columns) = columns else {
        return vec![text.to_owned()];
    };
    let limit = columns.saturating_sub(indent).max(COLUMNS_MIN);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && width(&line) + 1 + width(word) > limit {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// `1 file`, `2 files`.
pub(crate) fn count(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {one}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_goes_first() {
        assert_eq!(
            shortened("liblongshore_filters.so", 30),
            "liblongshore_filters.so"
        );
        assert_eq!(shortened("liblongshore_filters.so", 11), "liblo…rs.so");
        assert_eq!(shortened("写写写写", 5), "写…写");
        assert_eq!(width(&shortened("abcdefgh", 4)), 4);
    }

    #[test]
    fn words_stay_whole() {
        let text = "one two three four five six seven";
        assert_eq!(wrapped(text, None, 4), [text]);
        assert_eq!(
            wrapped(text, Some(24), 4),
            ["one two three four", "five six seven"]
        );
        let long = "a".repeat(40);
        assert_eq!(wrapped(&long, Some(30), 0), [long]);
    }
}
