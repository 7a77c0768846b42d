//! A plugin with one driver: a list of fields, wrapped to a width that the map may set.

#![forbid(unsafe_code)]

use formatter_kind::{Data, Formatter};
use longshore_plugin_api::{export_plugin, settings, Context, Driver, DriverError};

/// What stands before every line of a field but its first.
const INDENT: &str = "    ";

settings! {
    /// How fields are laid out.
    pub struct Layout {
        /// The longest line, in characters.
        max_width: u32 = 60, min = 10, max = 1000;
    }
}

/// A field `: name : value` for each pair.
struct FieldList {
    max_width: usize,
}

impl Driver for FieldList {
    type Settings = Layout;
    fn new(layout: Layout, _context: &Context) -> Result<Self, DriverError> {
        let max_width = layout.max_width as usize;
        Ok(FieldList { max_width })
    }
}

impl Formatter for FieldList {
    fn format(&self, data: &Data) -> Result<Vec<String>, DriverError> {
        let mut lines = Vec::new();
        for pair in data.sorted() {
            if pair.name.contains(':') {
                let why = format!("the name `{}` has a `:`, which would end it", pair.name);
                return Err(DriverError::invalid(why).hint("rename it"));
            }
            let field = format!(": {} : {}", pair.name, pair.value);
            lines.append(&mut wrap(&field, self.max_width));
        }
        Ok(lines)
    }
}

/// Breaks `text` at blanks into lines of at most `width` characters. All but the first are indented; a word that no
/// line could hold is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line, mut start) = (Vec::new(), String::new(), "");
    for mut word in text.split_whitespace() {
        loop {
            let blank = if line.len() > start.len() { " " } else { "" };
            let room = width.saturating_sub(line.chars().count() + blank.len());
            let length = word.chars().count();
            if length <= room {
                line += blank;
                line += word;
                break;
            }
            // On a line of its own it would fit, unless it is longer than any line.
            if length > width - INDENT.len() && room > 0 {
                let cut = word
                    .char_indices()
                    .nth(room)
                    .map_or(word.len(), |(at, _)| at);
                line += blank;
                line += &word[..cut];
                word = &word[cut..];
            }
            start = INDENT;
            lines.push(std::mem::replace(&mut line, start.to_owned()));
        }
    }
    lines.push(line);
    lines
}

export_plugin! {
    "example.formatter" {
        /// A list of fields: `: name : value`, wrapped.
        field: formatter_kind::Formatter => FieldList;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_plugin_api::{testing, Category};
    use std::sync::Arc;

    fn fields(settings: &str) -> Result<Arc<dyn Formatter>, DriverError> {
        testing::bridged::<dyn Formatter, FieldList>(settings, "/tmp".as_ref())
    }

    #[test]
    fn long_values_go_on_indented_and_long_words_are_cut() {
        let fields = fields(r#"{"max_width": 12}"#).unwrap();
        let data = [
            ("a", "one two three"),
            ("b", "abcdefghijklmnopq"),
            ("c", ""),
        ];
        let lines = fields.format(&data.into_iter().collect()).unwrap();
        let expected = [
            ": a : one",
            "    two",
            "    three",
            ": b : abcdef",
            "    ghijklmn",
            "    opq",
            ": c :",
        ];
        assert_eq!(lines, expected);
        assert!(lines.iter().all(|l| l.len() <= 12));
    }

    #[test]
    fn characters_count_not_bytes() {
        let fields = fields(r#"{"max_width": 10}"#).unwrap();
        let data = [("ä", "öö üü ßßß")].into_iter().collect();
        assert_eq!(fields.format(&data).unwrap(), [": ä : öö", "    üü ßßß"]);
    }

    #[test]
    fn a_name_that_would_end_early_is_refused() {
        let data = [("a:b", "c")].into_iter().collect();
        let error = fields("{}").unwrap().format(&data).unwrap_err();
        assert_eq!(error.category(), Category::Invalid);
        assert!(error.message().contains("`a:b`"), "{error}");
    }

    #[test]
    fn the_width_has_a_default_and_bounds() {
        let data: Data = [("a", "x".repeat(200))].into_iter().collect();
        let lines = fields("{}").unwrap().format(&data).unwrap();
        assert_eq!(lines[0].len(), 60);
        let error = fields(r#"{"max_width": 9}"#).err().unwrap();
        assert_eq!(error.key(), Some("max_width"));
    }
}
