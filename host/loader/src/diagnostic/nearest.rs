//! "Did you mean …?": the one candidate that is clearly nearest, or a list.
//!
//! Distance counts inserted, deleted, changed and swapped neighbouring characters as one each.
//! Called by everything that reports an unknown word; must not know what the words stand for.

use super::escape;

/// A full list of candidates is shown up to this many.
pub const CANDIDATES_SHOWN_MAX: usize = 12;

/// Words longer than this, in characters, get no suggestion: they are not typing slips.
const WORD_CHARS_MAX: usize = 64;

/// A slip has at most this distance.
const DISTANCE_MAX: usize = 2;

/// The candidate that is clearly nearest to `word`: distance at most 2 and at most a third of the
/// length (at least 1), and no other candidate as near.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(WORD_CHARS_MAX + 1).collect();
    if word.is_empty() || word.len() > WORD_CHARS_MAX {
        return None;
    }
    let limit = (word.len() / 3).clamp(1, DISTANCE_MAX);
    let mut best: Option<(usize, &'c str)> = None;
    let mut tied = false;
    for candidate in candidates {
        let Some(distance) = distance(&word, candidate, limit) else {
            continue;
        };
        match best {
            Some((least, _)) if distance > least => {}
            Some((least, known)) if distance == least => tied |= known != candidate,
            _ => {
                best = Some((distance, candidate));
                tied = false;
            }
        }
    }
    best.filter(|_| !tied).map(|(_, candidate)| candidate)
}

/// A suggestion, if one is clear, and the sentence that says what to do.
pub fn advise(word: &str, candidates: &[&str], pointer: &str) -> (Option<String>, String) {
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return (
            Some(near.to_owned()),
            format!("did you mean `{}`?", escape(near)),
        );
    }
    let help = match candidates.len() {
        0 => pointer.to_owned(),
        1 => format!("the only one is {}", quoted_list(candidates)),
        n if n <= CANDIDATES_SHOWN_MAX => format!("there are {}", quoted_list(candidates)),
        _ => pointer.to_owned(),
    };
    (None, help)
}

/// `` `a`, `b` ``.
pub fn quoted_list<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|w| format!("`{}`", escape(w.as_ref())))
        .collect();
    quoted.join(", ")
}

/// The edit distance with neighbour swaps, or nothing when it is over `limit`.
fn distance(word: &[char], candidate: &str, limit: usize) -> Option<usize> {
    // A character has at most four bytes: most candidates are out of reach by their length alone.
    let (least, most) = (word.len().saturating_sub(limit), 4 * (word.len() + limit));
    if !(least..=most).contains(&candidate.len()) {
        return None;
    }
    let other: Vec<char> = candidate
        .chars()
        .take(WORD_CHARS_MAX + DISTANCE_MAX + 1)
        .collect();
    if word.len().abs_diff(other.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut row = Vec::with_capacity(other.len() + 1);
        row.push(i + 1);
        for (j, b) in other.iter().enumerate() {
            let changed = above[j] + usize::from(a != b);
            let mut least = changed.min(above[j + 1] + 1).min(row[j] + 1);
            let swapped = i > 0 && j > 0 && *a == other[j - 1] && word[i - 1] == *b;
            if swapped {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    Some(above[other.len()]).filter(|d| *d <= limit)
}
