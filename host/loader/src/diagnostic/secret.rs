//! Passwords in addresses, and the values of settings that a schema calls secret, so that no message repeats them:
//! neither the host's own nor one of a driver that was given them.
//!
//! An address is `scheme://user:password@host`. Whatever stands between the colon and the last
//! `@` is hidden, also when the text around it is broken. Values are remembered for the life of the process, as drivers
//! may speak of them at any time. Called by `escape`, by the rendering of source lines, and by services for what
//! drivers answer.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::Span;

/// A shorter value is not looked for: it would hide letters of ordinary words.
const VALUE_BYTES_MIN: usize = 4;
/// Most values that are remembered; further ones are not hidden.
const VALUES_MAX: usize = 1_024;

static VALUES: RwLock<BTreeSet<String>> = RwLock::new(BTreeSet::new());
/// Spares the look at `VALUES` while there is none.
static ANY: AtomicBool = AtomicBool::new(false);

/// Remembers the value of a secret setting.
pub(crate) fn remember(value: &str) {
    if value.len() < VALUE_BYTES_MIN {
        return;
    }
    let mut values = VALUES.write().unwrap_or_else(PoisonError::into_inner);
    if values.len() < VALUES_MAX && values.insert(value.to_owned()) {
        ANY.store(true, Ordering::Release);
    }
}

/// A text with `***` in place of passwords in addresses and of values of secret settings.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut secrets = in_text(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_by_key(|span| span.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for secret in secrets {
        // One that overlaps the last is hidden with it.
        if secret.start >= from {
            out.push_str(&text[from..secret.start]);
            out.push_str(MASK);
        }
        from = from.max(secret.end);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// The places of everything that is to be hidden.
fn in_text(text: &str) -> Vec<Span> {
    let mut found = passwords(text);
    if ANY.load(Ordering::Acquire) {
        let values = VALUES.read().unwrap_or_else(PoisonError::into_inner);
        let places = |value: &String| {
            let length = value.len();
            let starts: Vec<usize> = text
                .match_indices(value.as_str())
                .map(|(at, _)| at)
                .collect();
            starts.into_iter().map(move |at| at..at + length)
        };
        found.extend(values.iter().flat_map(places));
    }
    found
}

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
