//! Brackets, quotes and letters in a text that is not TOML: what is open, what begins, what only
//! looks like a letter.
//!
//! Works on plain text, because the parser has given up on it. Called by `syntax` and `reader`.

/// Whether a line begins a statement: a header, or `key =`.
pub(super) fn starts_statement(line: &str) -> bool {
    let line = line.trim_start();
    if line.starts_with('[') {
        return !line.trim_end().ends_with(',');
    }
    let Some((key, _)) = line.split_once('=') else {
        return false;
    };
    let inside = |c: char| c.is_alphanumeric() || "_-. \t\"'+/".contains(c);
    !key.trim().is_empty() && key.chars().all(inside)
}

/// The innermost quote, or else the outermost bracket, that is open at the end of a statement.
pub(super) fn open_mark(statement: &str) -> Option<(usize, String)> {
    let bytes = statement.as_bytes();
    let mut open: Vec<usize> = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'#' => i = end_of_line(bytes, i),
            b'"' | b'\'' => match end_of_string(bytes, i) {
                Ok(end) => i = end,
                Err(mark) => return Some((i, mark)),
            },
            b'[' | b'{' => {
                open.push(i);
                i += 1;
            }
            b']' | b'}' => {
                open.pop();
                i += 1;
            }
            _ => i += 1,
        }
    }
    let at = *open.first()?;
    let double = statement.trim_start().starts_with("[[") && bytes.get(at + 1) == Some(&b'[');
    let mark = if double { "[[" } else { &statement[at..=at] };
    Some((at, mark.to_owned()))
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|b| *b == b'\n')
        .map_or(bytes.len(), |n| from + n)
}

/// The end of the string that starts at `from`, or the quote that is never closed.
fn end_of_string(bytes: &[u8], from: usize) -> Result<usize, String> {
    let quote = bytes[from];
    let shown = char::from(quote).to_string();
    let long = bytes[from..].starts_with(&[quote; 3]);
    let mut i = from + if long { 3 } else { 1 };
    while i < bytes.len() {
        if bytes[i] == b'\\' && quote == b'"' {
            i += 2;
        } else if long && bytes[i..].starts_with(&[quote; 3]) {
            return Ok(i + 3);
        } else if !long && bytes[i] == quote {
            return Ok(i + 1);
        } else if !long && bytes[i] == b'\n' {
            break;
        } else {
            i += 1;
        }
    }
    Err(if long { shown.repeat(3) } else { shown })
}

/// The first letter of another script that looks like a Latin one.
pub(super) fn look_alike(word: &str) -> Option<(char, char)> {
    const PAIRS: &[(char, char)] = &[
        ('а', 'a'),
        ('е', 'e'),
        ('о', 'o'),
        ('р', 'p'),
        ('с', 'c'),
        ('у', 'y'),
        ('х', 'x'),
        ('і', 'i'),
        ('ѕ', 's'),
        ('ј', 'j'),
        ('ο', 'o'),
        ('ν', 'v'),
        ('α', 'a'),
        ('ı', 'i'),
    ];
    word.chars()
        .find_map(|c| PAIRS.iter().find(|(odd, _)| *odd == c).copied())
}
