//! Requirements on a hypervisor's version, such as `>=6.0, <7`.
//! Knows versions only as numbers with dots. Called by `image_properties`.

use std::cmp::Ordering;

const PARTS_MAX: usize = 8;

/// A list of bounds; all must hold.
pub(crate) struct VersionPredicate {
    bounds: Vec<Bound>,
}

struct Bound {
    holds: fn(Ordering) -> bool,
    /// The version's parts, the most important one first.
    version: Vec<u64>,
}

impl VersionPredicate {
    /// Reads a comma separated list of bounds; nothing when it cannot be read.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(bound)
            .collect::<Option<_>>()
            .map(|bounds| Self { bounds })
    }

    /// Whether a version, given as major × 10⁶ + minor × 10³ + patch, is within all bounds.
    pub(crate) fn admits(&self, version: u32) -> bool {
        let version = [
            version / 1_000_000,
            version / 1_000 % 1_000,
            version % 1_000,
        ]
        .map(u64::from);
        self.bounds
            .iter()
            .all(|bound| (bound.holds)(compare(&version, &bound.version)))
    }
}

fn bound(text: &str) -> Option<Bound> {
    let text = text.trim();
    let at = text.find(|c: char| !"<>=!".contains(c))?;
    let (operator, version) = text.split_at(at);
    let holds: fn(Ordering) -> bool = match operator {
        "<" => |o| o == Ordering::Less,
        "<=" => |o| o != Ordering::Greater,
        "==" => |o| o == Ordering::Equal,
        "!=" => |o| o != Ordering::Equal,
        ">=" => |o| o != Ordering::Less,
        ">" => |o| o == Ordering::Greater,
        _ => return None,
    };
    let parts: Option<Vec<u64>> = version
        .trim()
        .split('.')
        .map(|part| part.parse().ok())
        .collect();
    parts
        .filter(|parts| parts.len() <= PARTS_MAX)
        .map(|version| Bound { holds, version })
}

/// Parts that are missing count as zero: `6.0` is `6.0.0`.
fn compare(version: &[u64], bound: &[u64]) -> Ordering {
    let part = |parts: &[u64], i: usize| parts.get(i).copied().unwrap_or(0);
    let parts = 0..version.len().max(bound.len());
    let orders = parts.map(|i| part(version, i).cmp(&part(bound, i)));
    orders.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_compare_part_by_part() {
        for (text, version, expected) in [
            (">=6.0", 6_000_000, true),
            (">=6.0", 5_999_999, false),
            (">6.0", 6_000_000, false),
            ("> 6.0", 6_000_001, true),
            ("==6.2.3", 6_002_003, true),
            ("!=6.2.3", 6_002_003, false),
            ("<10", 9_000_000, true),
            ("<=6.2", 6_002_001, false),
            (" >= 6.0 , < 7 ", 6_500_000, true),
            (">=6.0,<7", 7_000_000, false),
            ("==0.0.0.1", 0, false),
        ] {
            let predicate = VersionPredicate::parse(text).unwrap();
            assert_eq!(
                predicate.admits(version),
                expected,
                "`{text}` and {version}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_predicate() {
        for text in [
            "",
            "6.0",
            "=6.0",
            ">=",
            ">=six",
            ">=6..0",
            ">=6.0,",
            "><6",
            ">=1.1.1.1.1.1.1.1.1",
        ] {
            assert!(VersionPredicate::parse(text).is_none(), "`{text}`");
        }
    }
}
