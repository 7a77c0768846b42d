//! Counts as weights. Processors turn signed numbers into floating ones four at a time, and unsigned ones by detours: so
//! where no count needs the highest bit, which is nearly always, they are taken for signed. Knows no column by name.

use longshore_plugin_api::{score, uniform};

/// Fills `scores` from one column of counts.
pub(crate) fn score_counts(scores: &mut [f32], counts: &[u32]) {
    if let Some(one) = uniform(counts) {
        let hosts = scores.len().min(counts.len());
        return scores[..hosts].fill(one as f32);
    }
    let bits = counts.iter().fold(0, |bits, count| bits | count);
    if bits <= i32::MAX as u32 {
        score(scores, counts, |count| count as i32 as f32);
    } else {
        score(scores, counts, |count| count as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_its_own_weight() {
        for counts in [
            &[][..],
            &[0, 0, 0],
            &[7, 7],
            &[0, 1, 16_777_217, i32::MAX as u32],
            &[1, u32::MAX, 1 << 31],
        ] {
            let mut scores = vec![9.0; counts.len()];
            score_counts(&mut scores, counts);
            let expected: Vec<f32> = counts.iter().map(|&count| count as f32).collect();
            assert_eq!(scores, expected);
        }
    }
}
