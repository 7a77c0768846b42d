//! Raw weights of one weigher into the total weights of the hosts that are left: the loops over every host.
//!
//! They go word by word of the mask, 64 hosts at a time without a branch where all or many of them are left, which is what
//! compilers make vectors of. The arithmetic is `normalise`'s. Must not know weighers or requests. Used by `host_states`.

use longshore_plugin_api::Mask;

use super::normalise::{normalise, weight_bounds};

/// Hosts of one word.
const LANES: usize = 64;
/// Values that are compared side by side.
const SIDE: usize = 16;
/// From so many hosts of a word on, all of it is computed: what is not left is not looked at later.
const DENSE: u32 = 16;

/// The smallest and largest raw weight of the hosts in `mask`; infinities when there is none.
///
/// # Errors
/// The first row whose weight is not finite.
pub(in crate::scheduler) fn seen(raw: &[f32], mask: &Mask<'_>) -> Result<[f32; 2], usize> {
    if is_blank(raw) && mask.count() > 0 {
        return Ok([0.0; 2]);
    }
    let mut seen = Seen::NOTHING;
    for (word, values) in mask.words().iter().zip(raw.chunks(LANES)) {
        match (*word, values.len()) {
            (u64::MAX, LANES) => values.chunks_exact(SIDE).for_each(|side| seen.see(side)),
            _ => each(*word, |bit| seen.see(&[values[bit]])),
        }
    }
    let Seen { min, max, sum } = seen;
    if !sum.iter().all(|sum| sum.is_finite())
        && let Some(row) = mask.iter().find(|&row| !raw[row].is_finite())
    {
        return Err(row);
    }
    let min = min.into_iter().fold(f32::INFINITY, f32::min);
    Ok([min, max.into_iter().fold(f32::NEG_INFINITY, f32::max)])
}

/// Whether all are zero, as the host hands them out: most weighers have nothing to say of most requests. Found out in a
/// quarter of the time that a look at smallest and largest takes, or with the first few that are not.
fn is_blank(raw: &[f32]) -> bool {
    let bits = |chunk: &[f32]| chunk.iter().fold(0, |bits, value| bits | value.to_bits());
    raw.chunks(4 * LANES).all(|chunk| bits(chunk) == 0)
}

/// What was seen, widened by the weigher's own range; none when that leaves nothing to compare.
pub(in crate::scheduler) fn bounds(
    seen: [f32; 2],
    (range_min, range_max): (Option<f32>, Option<f32>),
) -> Option<(f32, f32)> {
    let seen = seen.into_iter().filter(|v| v.is_finite());
    weight_bounds(seen, range_min, range_max)
}

/// What was seen so far, in lanes that do not wait for each other.
struct Seen {
    min: [f32; SIDE],
    max: [f32; SIDE],
    /// What is no number, or none that is finite, makes a sum of its kind that stays. So may large numbers.
    sum: [f32; SIDE],
}

impl Seen {
    const NOTHING: Seen = Seen {
        min: [f32::INFINITY; SIDE],
        max: [f32::NEG_INFINITY; SIDE],
        sum: [0.0; SIDE],
    };

    /// Sees up to `SIDE` values.
    #[inline(always)]
    fn see(&mut self, values: &[f32]) {
        let lanes = self.min.iter_mut().zip(&mut self.max).zip(&mut self.sum);
        for (((min, max), sum), &value) in lanes.zip(values) {
            *min = if value < *min { value } else { *min };
            *max = if value > *max { value } else { *max };
            *sum += value;
        }
    }
}

/// Adds the normalised raw weights, times `multiplier`, to the weights of the hosts in `mask`. Other weights may change too.
pub(in crate::scheduler) fn add(
    weights: &mut [f32],
    raw: &[f32],
    mask: &Mask<'_>,
    bounds: (f32, f32),
    multiplier: f32,
) {
    let span = bounds.1 - bounds.0;
    if span <= 0.0 || !span.is_finite() {
        return;
    }
    let chunks = weights.chunks_mut(LANES).zip(raw.chunks(LANES));
    for (word, (weights, raw)) in mask.words().iter().zip(chunks) {
        if word.count_ones() >= DENSE {
            for (weight, value) in weights.iter_mut().zip(raw) {
                *weight += normalised(*value, bounds.0, span) * multiplier;
            }
        } else {
            each(*word, |bit| {
                weights[bit] += normalise(raw[bit], bounds) * multiplier
            });
        }
    }
}

/// `normalise`, where the span is known to be a number above zero. Divided and not multiplied by the inverse: the best host
/// has exactly 1, so that hosts that tie in Nova tie here.
#[inline]
fn normalised(value: f32, min: f32, span: f32) -> f32 {
    (value - min) / span
}

/// The positions of a word's one bits.
#[inline]
fn each(mut word: u64, mut call: impl FnMut(usize)) {
    while word != 0 {
        call(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}

#[cfg(test)]
mod tests {
    use longshore_plugin_api::{Random, full};

    use super::*;

    /// Some hosts of 0 to 200, dense and sparse, with weights that repeat.
    fn case(random: &mut Random) -> (Vec<u64>, Vec<f32>) {
        let hosts = random.below(200);
        let mut words = full(hosts);
        let keep = 1 + random.below(40);
        let mut mask = Mask::new(&mut words, hosts);
        mask.retain_rows(|row| row % keep == 0 || random.below(3) == 0);
        let raw = (0..hosts).map(|_| random.below(50) as f32 - 20.0);
        (words.clone(), raw.collect())
    }

    #[test]
    fn the_loops_agree_with_one_host_at_a_time() {
        let mut random = Random::new(5);
        for _ in 0..500 {
            let (mut words, raw) = case(&mut random);
            let mask = Mask::new(&mut words, raw.len());
            let range = match random.below(2) {
                0 => (None, None),
                _ => (Some(0.0), Some(25.0)),
            };
            let expected = weight_bounds(mask.iter().map(|row| raw[row]), range.0, range.1);
            let found = bounds(seen(&raw, &mask).unwrap(), range);
            assert_eq!(found, expected);
            let Some(found) = found else { continue };
            let mut weights = vec![1.0; raw.len()];
            add(&mut weights, &raw, &mask, found, -2.5);
            for row in mask.iter() {
                let one = 1.0 + normalise(raw[row], found) * -2.5;
                assert_eq!(weights[row].to_bits(), one.to_bits(), "row {row}");
            }
        }
    }

    #[test]
    fn a_weight_that_is_no_number_is_named_if_its_host_is_left() {
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for row in [0, 63, 64, 129] {
                let mut raw = vec![1.0; 130];
                raw[row] = odd;
                let mut words = full(130);
                let mut mask = Mask::new(&mut words, 130);
                assert_eq!(seen(&raw, &mask), Err(row));
                mask.clear(row);
                assert_eq!(seen(&raw, &mask), Ok([1.0; 2]));
            }
        }
    }

    #[test]
    fn large_weights_are_numbers() {
        let mut words = full(130);
        let mask = Mask::new(&mut words, 130);
        assert_eq!(seen(&[f32::MAX; 130], &mask), Ok([f32::MAX; 2]));
    }

    #[test]
    fn nobody_left_is_nothing_to_compare() {
        let mut words = vec![0];
        let mask = Mask::new(&mut words, 10);
        let nothing = seen(&[f32::NAN; 10], &mask).unwrap();
        assert_eq!(bounds(nothing, (None, None)), None);
        let wide = (f32::MIN, f32::MAX);
        let mut weights = vec![0.0; 10];
        add(&mut weights, &[f32::MAX; 10], &mask, wide, 1.0);
        assert_eq!(weights, [0.0; 10]);
    }
}
