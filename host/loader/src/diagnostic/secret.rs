//! Passwords in addresses, so that no message repeats them.
//!
//! An address is `scheme://user:password@host`. Whatever stands between the colon and the last
//! `@` is hidden, also when the text around it is broken. Called by `escape` and by the rendering
//! of source lines.

use super::Span;

/// What is shown in place of a secret.
pub(super) const MASK: &str = "***";

/// The places of passwords in one line.
pub(super) fn passwords(line: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = line[from..].find("://") {
        let start = from + at + 3;
        let rest = &line[start..];
        let end = rest
            .find(|c: char| c.is_whitespace() || "\"'<>".contains(c))
            .unwrap_or(rest.len());
        let address = &rest[..end];
        if let (Some(colon), Some(sign)) = (address.find(':'), address.rfind('@'))
            && colon < sign
        {
            found.push(start + colon + 1..start + sign);
        }
        from = start;
    }
    found
}
