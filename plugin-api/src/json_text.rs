//! JSON values written as text, and compared by what they say. The other way is `json`.
//! Must not know what the values mean.

use crate::Json;
use std::fmt::{self, Display, Formatter, Write};

/// The shortest text that reads as this value again.
impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Integer(number) => write!(f, "{number}"),
            // `{:?}` keeps the point of a whole number, so that it stays a float.
            Json::Float(number) if number.is_finite() => write!(f, "{number:?}"),
            Json::Float(_) => f.write_str("null"),
            Json::Text(text) => quote(f, text),
            Json::List(items) => {
                f.write_char('[')?;
                for (i, item) in items.iter().enumerate() {
                    separate(f, i)?;
                    item.fmt(f)?;
                }
                f.write_char(']')
            }
            Json::Table(members) => {
                f.write_char('{')?;
                for (i, (key, value)) in members.iter().enumerate() {
                    separate(f, i)?;
                    quote(f, key)?;
                    f.write_char(':')?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
        }
    }
}

fn separate(f: &mut Formatter<'_>, place: usize) -> fmt::Result {
    if place > 0 {
        f.write_char(',')?;
    }
    Ok(())
}

fn quote(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

impl Json {
    /// Whether two values say the same, as Nova compares them: numbers and truth values by what they count (`1`, `1.0`
    /// and `true` are equal), everything else by sort and content.
    pub fn says_same(&self, other: &Json) -> bool {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a == b,
            _ => match (self, other) {
                (Json::List(a), Json::List(b)) => {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.says_same(b))
                }
                (Json::Table(a), Json::Table(b)) => {
                    let mut pairs = a.iter().zip(b);
                    a.len() == b.len() && pairs.all(|((k, a), (l, b))| k == l && a.says_same(b))
                }
                _ => self == other,
            },
        }
    }

    /// What it counts, if it is a number or a truth value.
    pub fn number(&self) -> Option<f64> {
        match self {
            Json::Bool(value) => Some(f64::from(u8::from(*value))),
            Json::Integer(number) => Some(*number as f64),
            Json::Float(number) => Some(*number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Json;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let text = r#"{"a\"":"\\\u000aé","b":[1,-2.5,16.0,1e300,true,null,[],{}],"c":{"d":"😀"}}"#;
        assert_eq!(json(text).to_string(), text);
        assert_eq!(Json::Float(f64::NAN).to_string(), "null");
    }

    #[test]
    fn numbers_and_truth_values_are_the_same_by_what_they_count() {
        assert!(json("1").says_same(&json("true")) && json("1").says_same(&json("1.0")));
        assert!(!json("\"1\"").says_same(&json("1")) && !json("null").says_same(&json("false")));
        assert!(json("[1, {\"a\": 0}]").says_same(&json("[1.0, {\"a\": false}]")));
        assert!(!json("[1]").says_same(&json("[1, 1]")) && !json("{}").says_same(&json("[]")));
    }
}
