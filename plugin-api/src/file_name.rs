//! Ids as file names, both ways. A usual id (letters, digits, `-`, `_`) is its own file name; any
//! other is written in hexadecimal behind `x.`, so that no id can leave the directory, hide, or
//! clash with another. For drivers that keep a file or directory per instance; knows nothing of what is in it.

/// The longest id, in bytes: in hexadecimal, with prefixes, it still fits a file name of 255 bytes.
pub const ID_BYTES_MAX: usize = 120;

/// The file name of an id; `None` if it is empty or longer than [`ID_BYTES_MAX`].
pub fn of_id(id: &str) -> Option<String> {
    if id.is_empty() || id.len() > ID_BYTES_MAX {
        return None;
    }
    if id.bytes().all(is_usual) {
        return Some(id.to_owned());
    }
    Some(
        id.bytes()
            .fold(String::from("x."), |name, byte| format!("{name}{byte:02x}")),
    )
}

/// The id of a file name; `None` for names that [`of_id`] does not make.
pub fn to_id(name: &str) -> Option<String> {
    let id = match name.strip_prefix("x.") {
        Some(hex) => String::from_utf8(unhex(hex)?).ok()?,
        None => name.to_owned(),
    };
    // One id has one name: a name in hexadecimal of a usual id, or in capitals, is not ours.
    (of_id(&id).as_deref() == Some(name)).then_some(id)
}

fn is_usual(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .map(|c| c.to_digit(16))
        .collect::<Option<Vec<u32>>>()?;
    if digits.len() % 2 != 0 {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_comes_back_and_none_can_leave_the_directory() {
        let longest = "ü".repeat(ID_BYTES_MAX / 2);
        for id in [
            "7f2c-A_9",
            "..",
            ".",
            "a/b",
            "x.61",
            "naïve 🦀",
            "\0",
            "\n",
            "-",
            &longest,
        ] {
            let name = of_id(id).expect(id);
            assert!(
                !name.contains('/') && !name.starts_with('.') && name.len() <= 245,
                "{name}"
            );
            assert_eq!(to_id(&name).as_deref(), Some(id), "{name}");
        }
    }

    #[test]
    fn what_is_no_id_or_no_name_of_ours_is_refused() {
        assert_eq!(of_id(""), None);
        assert_eq!(of_id(&"a".repeat(ID_BYTES_MAX + 1)), None);
        for name in [
            "", "x.", "x.6", "x.zz", "x.61", "x.2F", "x.ff", ".tmp-a", "a b",
        ] {
            assert_eq!(to_id(name), None, "{name}");
        }
    }
}
