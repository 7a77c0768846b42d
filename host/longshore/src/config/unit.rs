//! Quantities with a unit, such as `64G` or `5min`, where a plain number belongs.
//!
//! They are not accepted: the key's name says its unit. This file only finds out which number
//! was meant, so that the message can say it. Called by `read` and `diagnose`.

use longshore_loader::diagnostic::nearest;

/// A number and what follows it.
#[derive(Debug, PartialEq)]
pub(super) struct Quantity<'t> {
    number: f64,
    /// As written, without spaces around; may be empty.
    pub(super) unit: &'t str,
}

/// MiB per unit.
const SIZES: &[(&str, f64)] = &[
    ("M", 1.0),
    ("MB", 1.0),
    ("MiB", 1.0),
    ("G", 1024.0),
    ("GB", 1024.0),
    ("GiB", 1024.0),
    ("T", 1_048_576.0),
    ("TB", 1_048_576.0),
    ("TiB", 1_048_576.0),
];

/// Seconds per unit.
const TIMES: &[(&str, f64)] = &[
    ("s", 1.0),
    ("sec", 1.0),
    ("seconds", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("minutes", 60.0),
    ("h", 3600.0),
    ("hours", 3600.0),
    ("d", 86_400.0),
    ("days", 86_400.0),
];

/// Splits a text that begins with a number.
pub(super) fn split(text: &str) -> Option<Quantity<'_>> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim();
    number.is_finite().then_some(Quantity { number, unit })
}

impl Quantity<'_> {
    /// The whole number of `wanted` (`MiB`, `GiB`, `seconds`) that was meant; without a unit the
    /// number itself.
    ///
    /// # Errors
    /// The unit is unknown. If one is clearly nearest, the number that it would give.
    pub(super) fn convert(&self, wanted: &str) -> Result<String, Option<String>> {
        let (units, per) = match wanted {
            "MiB" => (SIZES, 1.0),
            "GiB" => (SIZES, 1024.0),
            _ => (TIMES, 1.0),
        };
        let factor = |unit: &str| {
            let known = units.iter().find(|(u, _)| u.eq_ignore_ascii_case(unit));
            known.map(|(_, factor)| factor)
        };
        let whole = |factor: &f64| format!("{:.0}", (self.number * factor / per).round());
        if self.unit.is_empty() {
            return Ok(format!("{:.0}", self.number.round()));
        }
        match factor(self.unit) {
            Some(factor) => Ok(whole(factor)),
            None => {
                let near = nearest(self.unit, units.iter().map(|(u, _)| *u));
                Err(near.and_then(factor).map(whole))
            }
        }
    }
}
