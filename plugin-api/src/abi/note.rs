//! The ELF note: what a `.so` says of itself, readable without running it, written by the compiler.
//!
//! The text is JSON, put together in a constant. The host reads it through the file's `PT_NOTE` header.

/// A piece of the note's JSON text.
#[derive(Clone, Copy)]
pub enum Part {
    /// JSON as it is.
    Json(&'static str),
    /// The inside of a JSON string, escaped on the way. The blank before a doc comment's first word is dropped.
    Text(&'static str),
    /// A comma, unless the list ends here.
    Comma,
}

/// A note section of `N` bytes of description. `align(4)` is what the ELF format asks for.
#[repr(C, align(4))]
pub struct Note<const N: usize> {
    name_len: u32,
    desc_len: u32,
    kind: u32,
    name: [u8; 12],
    desc: [u8; N],
}

/// The longest note that is written; a longer one fails to compile.
pub const NOTE_MAX: usize = 256 * 1024;

/// How many bytes the parts need, rounded up to 4.
pub const fn note_len(parts: &[&[Part]]) -> usize {
    let (len, _) = write(parts, [0; 1], false);
    (len + 3) / 4 * 4
}

/// The note. `N` must be [`note_len`] of the same parts.
pub const fn note<const N: usize>(parts: &[&[Part]]) -> Note<N> {
    let (_, desc) = write(parts, [b' '; N], true);
    Note {
        name_len: 10,
        desc_len: N as u32,
        kind: 1,
        name: *b"longshore\0\0\0",
        desc,
    }
}

/// Writes the parts into `out` (when `keep`), and counts them in either case.
const fn write<const N: usize>(
    parts: &[&[Part]],
    mut out: [u8; N],
    keep: bool,
) -> (usize, [u8; N]) {
    let mut at = 0;
    let mut comma = false;
    let mut last = b'"';
    let mut i = 0;
    while i < parts.len() {
        let mut j = 0;
        while j < parts[i].len() {
            let (bytes, escape) = match parts[i][j] {
                Part::Json(text) => (text.as_bytes(), false),
                Part::Text(text) => (text.as_bytes(), true),
                Part::Comma => {
                    comma = true;
                    j += 1;
                    continue;
                }
            };
            if comma {
                // A comma waits until it is known that another item follows.
                if !bytes.is_empty() && bytes[0] == b'{' {
                    if keep {
                        out[at] = b',';
                    }
                    at += 1;
                }
                comma = false;
            }
            let mut k = 0;
            while k < bytes.len() {
                let byte = bytes[k];
                if escape && k == 0 && byte == b' ' && last == b'"' {
                    k += 1;
                    continue;
                }
                let byte = if escape && byte < 0x20 { b' ' } else { byte };
                if escape && (byte == b'"' || byte == b'\\') {
                    if keep {
                        out[at] = b'\\';
                    }
                    at += 1;
                }
                if keep {
                    out[at] = byte;
                }
                at += 1;
                k += 1;
                last = byte;
            }
            j += 1;
        }
        i += 1;
    }
    assert!(at <= NOTE_MAX, "the plugin's note is too long");
    (at, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_json_padded_with_blanks() {
        const PARTS: &[&[Part]] = &[
            &[Part::Json("[")],
            &[
                Part::Json("{\"a\":\""),
                Part::Text(" say"),
                Part::Text(" \"hi\"\\"),
                Part::Json("\"}"),
                Part::Comma,
            ],
            &[Part::Json("{}"), Part::Comma],
            &[Part::Json("]")],
        ];
        const LEN: usize = note_len(PARTS);
        let made: Note<LEN> = note(PARTS);
        let text = std::str::from_utf8(&made.desc).unwrap();
        assert_eq!(text.trim_end(), r#"[{"a":"say \"hi\"\\"},{}]"#);
        assert_eq!(
            (LEN % 4, made.desc_len as usize, made.name_len),
            (0, LEN, 10)
        );
    }
}
