//! The best hosts by weight, without sorting all of them, and the choice among the best.
//! Knows rows and weights only. Called by `select`.

use longshore_plugin_api::Mask;
use longshore_plugin_api::Random;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A row and its weight. The *greater* of two is the worse host: the lighter one, or of equals the
/// later row.
#[derive(Clone, Copy)]
struct Candidate {
    weight: f32,
    row: usize,
}

impl Candidate {
    fn new(weights: &[f32], row: usize) -> Self {
        let weight = weights.get(row).copied().unwrap_or(f32::NEG_INFINITY);
        // What is no number is the worst there is; adding zero makes the two zeros one.
        let weight = if weight.is_nan() {
            f32::NEG_INFINITY
        } else {
            weight + 0.0
        };
        Self { weight, row }
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .weight
            .total_cmp(&self.weight)
            .then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// How to choose.
pub(crate) struct Choice {
    /// One of this many best hosts; 0 counts as 1.
    pub(crate) subset_size: usize,
    /// Whether hosts as good as the best one are shuffled first.
    pub(crate) shuffle: bool,
    /// How many rows are wanted in all.
    pub(crate) wanted: usize,
}

/// The best `n` rows of `mask`, best first; equal ones in row order.
pub(crate) fn best(mask: &Mask<'_>, weights: &[f32], n: usize) -> Vec<usize> {
    top(mask, weights, n)
        .into_iter()
        .map(|candidate| candidate.row)
        .collect()
}

/// The chosen row, then the others from the best down, `choice.wanted` in all if there are so many.
pub(crate) fn choose(
    mask: &Mask<'_>,
    weights: &[f32],
    choice: &Choice,
    random: &mut Random,
) -> Vec<usize> {
    let subset_size = choice.subset_size.max(1);
    let mut top = top(mask, weights, subset_size.max(choice.wanted));
    if choice.shuffle {
        shuffle_best(mask, weights, &mut top, random);
    }
    if !top.is_empty() {
        let chosen = random.below(subset_size.min(top.len()));
        top[..=chosen].rotate_right(1);
    }
    top.truncate(choice.wanted);
    top.into_iter().map(|candidate| candidate.row).collect()
}

/// Hosts of one word of a mask, and those of them that are compared side by side.
const LANES: usize = 64;
const SIDE: usize = 8;

/// A heap with the worst on top holds the best `n` seen so far. Once it is full, only a host that weighs more than the
/// worst of them matters, as of equals the earlier row counts; a word without such a host is done side by side.
fn top(mask: &Mask<'_>, weights: &[f32], n: usize) -> Vec<Candidate> {
    let n = n.min(mask.len());
    let mut heap = BinaryHeap::with_capacity(n);
    if n == 0 {
        return Vec::new();
    }
    let mut worst = f32::NEG_INFINITY;
    for (i, word) in mask.words().iter().enumerate() {
        let start = i * LANES;
        let is_full = heap.len() == n;
        if is_full
            && weights
                .get(start..start + LANES)
                .map_or(false, |all| !any_heavier(all, worst))
        {
            continue;
        }
        let mut left = if is_full {
            word & heavier(&weights[start.min(weights.len())..], worst)
        } else {
            *word
        };
        while left != 0 {
            let row = start + left.trailing_zeros() as usize;
            left &= left - 1;
            if heap.len() < n {
                heap.push(Candidate::new(weights, row));
                worst = heap.peek().map_or(worst, |candidate| candidate.weight);
            } else if weights.get(row).map_or(false, |&weight| weight > worst) {
                if let Some(mut last) = heap.peek_mut() {
                    *last = Candidate::new(weights, row);
                }
                worst = heap.peek().map_or(worst, |candidate| candidate.weight);
            }
        }
    }
    heap.into_sorted_vec()
}

/// Of the first 64 weights a bit each: set for all of those side by side where one is greater than `worst`.
fn heavier(weights: &[f32], worst: f32) -> u64 {
    let sides = weights[..weights.len().min(LANES)].chunks(SIDE).enumerate();
    sides.fold(0, |bits, (i, side)| match any_heavier(side, worst) {
        true => bits | 0xff << (i * SIDE),
        false => bits,
    })
}

/// Whether one of the weights is greater than `worst`; all are looked at, without a branch. What is no number is not.
fn any_heavier(weights: &[f32], worst: f32) -> bool {
    let any = weights.iter();
    any.fold(0, |any, &weight| any | u32::from(weight > worst)) != 0
}

/// Puts a random pick of all hosts that weigh as much as the best one into the places that such
/// hosts have in `top`.
fn shuffle_best(mask: &Mask<'_>, weights: &[f32], top: &mut [Candidate], random: &mut Random) {
    let best = match top.first() {
        Some(candidate) => candidate.weight,
        None => return,
    };
    let is_best = |candidate: &Candidate| candidate.weight.total_cmp(&best) == Ordering::Equal;
    let places = top
        .iter()
        .take_while(|candidate| is_best(candidate))
        .count();
    let all = mask.iter().map(|row| Candidate::new(weights, row));
    let mut equals: Vec<Candidate> = all.filter(is_best).collect();
    for place in 0..places.min(equals.len()) {
        let from = place + random.below(equals.len() - place);
        equals.swap(place, from);
        top[place] = equals[place];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_plugin_api::full;

    fn with_mask<T>(n: usize, test: impl FnOnce(&Mask<'_>) -> T) -> T {
        let mut words = full(n);
        test(&Mask::new(&mut words, n))
    }

    #[test]
    fn the_best_come_first_and_equals_keep_their_order() {
        let weights = [0.75, 0.5, 0.75, -999_998.25, 0.75];
        with_mask(5, |mask| {
            assert_eq!(best(mask, &weights, 5), [0, 2, 4, 1, 3]);
            assert_eq!(best(mask, &weights, 2), [0, 2]);
            assert_eq!(best(mask, &weights, 0), []);
            assert_eq!(best(mask, &weights, usize::MAX), [0, 2, 4, 1, 3]);
        });
    }

    #[test]
    fn selection_agrees_with_sorting_everything() {
        let mut random = Random::new(3);
        for n in [0, 1, 63, 64, 65, 200] {
            let weights: Vec<f32> = (0..n).map(|_| random.below(9) as f32 - 4.0).collect();
            let mut sorted: Vec<usize> = (0..n).collect();
            sorted.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
            for k in [0, 1, 2, 10, n] {
                let k = k.min(n);
                assert_eq!(
                    with_mask(n, |mask| best(mask, &weights, k)),
                    sorted[..k],
                    "{k} of {n}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_number_comes_last_and_zeros_are_equal() {
        let weights = [f32::NAN, -0.0, 0.0, f32::NEG_INFINITY, -5.0];
        with_mask(6, |mask| {
            assert_eq!(best(mask, &weights, 6), [1, 2, 4, 0, 3, 5])
        });
    }

    #[test]
    fn only_hosts_of_the_subset_are_chosen_and_each_of_them_is() {
        let weights = [1.0, 5.0, 4.0, 3.0, 2.0];
        let choice = Choice {
            subset_size: 3,
            shuffle: false,
            wanted: 2,
        };
        let mut random = Random::new(1);
        let mut seen = [0; 5];
        for _ in 0..300 {
            let rows = with_mask(5, |mask| choose(mask, &weights, &choice, &mut random));
            seen[rows[0]] += 1;
            assert_eq!(
                rows[1],
                if rows[0] == 1 { 2 } else { 1 },
                "the rest keep their order"
            );
        }
        assert!(seen[1] > 50 && seen[2] > 50 && seen[3] > 50, "{seen:?}");
        assert_eq!((seen[0], seen[4]), (0, 0));
    }

    #[test]
    fn a_shuffle_reaches_every_equal_and_nobody_else() {
        let weights = [7.0, 7.0, 1.0, 7.0, 7.0];
        let choice = Choice {
            subset_size: 1,
            shuffle: true,
            wanted: 3,
        };
        let mut random = Random::new(1);
        let mut seen = [0; 5];
        for _ in 0..400 {
            let mut rows = with_mask(5, |mask| choose(mask, &weights, &choice, &mut random));
            seen[rows[0]] += 1;
            assert!(rows.iter().all(|&row| row != 2));
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), 3);
        }
        assert!([0, 1, 3, 4].iter().all(|&row| seen[row] > 50), "{seen:?}");
    }

    #[test]
    fn no_hosts_give_no_choice() {
        let choice = Choice {
            subset_size: 0,
            shuffle: true,
            wanted: 3,
        };
        assert!(with_mask(0, |mask| choose(mask, &[], &choice, &mut Random::new(1))).is_empty());
    }
}
