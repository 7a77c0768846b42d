//! A small JSON reader: settings cross the border as JSON text, and authors should not pay for a parser of their own.
//! Reads what the host writes; depth and size are bounded. Must not know what the values mean.

use std::collections::BTreeMap;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number that fits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Table(BTreeMap<String, Json>),
}

const DEPTH_MAX: usize = 64;

impl Json {
    /// Reads one value and nothing after it.
    ///
    /// # Errors
    /// What was expected, and at which byte.
    pub fn parse(text: &str) -> Result<Json, String> {
        let mut reader = Reader {
            bytes: text.as_bytes(),
            text,
            at: 0,
        };
        let value = reader.value(0)?;
        reader.space();
        if reader.at < reader.bytes.len() {
            return Err(reader.expected("the end"));
        }
        Ok(value)
    }

    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "nothing",
            Json::Bool(_) => "a truth value",
            Json::Integer(_) => "a whole number",
            Json::Float(_) => "a number",
            Json::Text(_) => "text",
            Json::List(_) => "a list",
            Json::Table(_) => "a table",
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn expected(&self, what: &str) -> String {
        format!("expected {what} at byte {}", self.at)
    }

    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        self.space();
        if depth > DEPTH_MAX {
            return Err(self.expected("less nesting"));
        }
        match self.bytes.get(self.at) {
            Some(b'{') => self.table(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat("true") => Ok(Json::Bool(true)),
            _ if self.eat("false") => Ok(Json::Bool(false)),
            _ if self.eat("null") => Ok(Json::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn table(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut table = BTreeMap::new();
        loop {
            self.space();
            if self.eat("}") {
                return Ok(Json::Table(table));
            }
            if !table.is_empty() && !self.eat(",") {
                return Err(self.expected("`,` or `}`"));
            }
            self.space();
            if self.bytes.get(self.at) != Some(&b'"') {
                return Err(self.expected("a key"));
            }
            let key = self.string()?;
            self.space();
            if !self.eat(":") {
                return Err(self.expected("`:`"));
            }
            let value = self.value(depth + 1)?;
            table.insert(key, value);
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, String> {
        self.at += 1;
        let mut list = Vec::new();
        loop {
            self.space();
            if self.eat("]") {
                return Ok(Json::List(list));
            }
            if !list.is_empty() && !self.eat(",") {
                return Err(self.expected("`,` or `]`"));
            }
            list.push(self.value(depth + 1)?);
        }
    }

    fn number(&mut self) -> Result<Json, String> {
        let start = self.at;
        while matches!(
            self.bytes.get(self.at),
            Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
        ) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(Json::Integer(whole));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Json::Float(number)),
            _ => {
                self.at = start;
                Err(self.expected("a number"))
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest
                .iter()
                .position(|&b| b == b'"' || b == b'\\' || b < 0x20);
            let plain = plain.ok_or_else(|| self.expected("the text's closing quote"))?;
            // `"`, `\` and control bytes are ASCII, so these cuts are at character borders.
            out.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain + 1;
            match rest[plain] {
                b'"' => return Ok(out),
                b'\\' => out.push(self.escape()?),
                _ => return Err(self.expected("an escaped control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let escape = self.bytes.get(self.at).copied();
        self.at += 1;
        Ok(match escape {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'u') => return self.unicode(),
            _ => return Err(self.expected("an escape")),
        })
    }

    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hex4()?;
        let code = if (0xD800..0xDC00).contains(&first) && self.eat("\\u") {
            let second = self.hex4()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.expected("the second half of a character"));
            }
            0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.expected("a character"))
    }

    fn hex4(&mut self) -> Result<u32, String> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.expected("four hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn reads_what_a_host_writes() {
        let text = r#" {"a": [1, -2.5, 1e3, true, null], "b": {"c": "\u00e9\n\ud83d\ude00"}} "#;
        let Json::Table(table) = Json::parse(text).unwrap() else {
            panic!("not a table")
        };
        let list = [
            Json::Integer(1),
            Json::Float(-2.5),
            Json::Float(1000.0),
            Json::Bool(true),
            Json::Null,
        ];
        assert_eq!(table["a"], Json::List(list.to_vec()));
        let Json::Table(inner) = &table["b"] else {
            panic!("not a table")
        };
        assert_eq!(inner["c"], Json::Text("é\n😀".to_owned()));
    }

    #[test]
    fn says_where_it_stopped() {
        for (text, why) in [
            ("", "expected a value at byte 0"),
            ("{\"a\" 1}", "expected `:` at byte 5"),
            ("[1 2]", "expected `,` or `]` at byte 3"),
            ("\"abc", "expected the text's closing quote at byte 1"),
            ("1e999", "expected a number at byte 0"),
            ("[] x", "expected the end at byte 3"),
            ("\"\\ud800\"", "expected a character at byte 7"),
        ] {
            assert_eq!(Json::parse(text), Err(why.to_owned()), "{text}");
        }
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }
}
