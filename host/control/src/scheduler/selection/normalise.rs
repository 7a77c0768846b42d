//! Normalising raw weights, as Nova does; pure arithmetic.
//!
//! Must not know weighers or hosts. Used for each weigher of each request.

/// The smallest and largest of `values`, starting from the weigher's own range: a bound of the
/// range is only ever widened, and nothing is kept for the next request.
///
/// None when there is neither a value nor a full range.
pub fn weight_bounds(
    values: impl Iterator<Item = f32>,
    range_min: Option<f32>,
    range_max: Option<f32>,
) -> Option<(f32, f32)> {
    let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
    for value in values {
        min = min.min(value);
        max = max.max(value);
    }
    min = min.min(range_min.unwrap_or(f32::INFINITY));
    max = max.max(range_max.unwrap_or(f32::NEG_INFINITY));
    (min.is_finite() && max.is_finite()).then_some((min, max))
}

/// `(value - min) / (max - min)`; 0 when all weights are equal.
pub fn normalise(value: f32, (min, max): (f32, f32)) -> f32 {
    let span = max - min;
    if span > 0.0 && span.is_finite() {
        (value - min) / span
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(values: &[f32], min: Option<f32>, max: Option<f32>) -> Vec<f32> {
        let bounds = weight_bounds(values.iter().copied(), min, max).unwrap_or((0.0, 0.0));
        values.iter().map(|&v| normalise(v, bounds)).collect()
    }

    #[test]
    fn vectors_of_nova() {
        assert_eq!(all(&[1.0, 2.0, 3.0], None, None), [0.0, 0.5, 1.0]);
        assert_eq!(all(&[5.0, 5.0], None, None), [0.0, 0.0]);
        let thirds = all(&[1.0, 2.0, 3.0], Some(0.0), None);
        assert_eq!(thirds, [1.0 / 3.0, 2.0 / 3.0, 1.0]);
        let given = [-5.0, 5.0].map(|v| normalise(v, (0.0, 10.0)));
        assert_eq!(given, [-0.5, 0.5]);
    }

    #[test]
    fn seen_weights_widen_the_range() {
        assert_eq!(all(&[-5.0, 10.0], Some(0.0), Some(5.0)), [0.0, 1.0]);
        assert_eq!(all(&[5.0], Some(0.0), Some(10.0)), [0.5]);
    }

    #[test]
    fn no_host_and_a_span_beyond_the_type_are_harmless() {
        assert_eq!(weight_bounds(std::iter::empty(), None, None), None);
        let wide = all(&[f32::MIN, f32::MAX], None, None);
        assert!(wide.iter().all(|v| !v.is_nan()), "{wide:?}");
    }
}
