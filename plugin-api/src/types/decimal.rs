//! Ratios of a table as the numbers that were written. Called by whoever multiplies with one.

/// The decimal number that a ratio of a [`HostTable`](crate::HostTable) stands for. The table keeps 32 bits, but the
/// operator wrote `0.9`: as `f64` that must be 0.9 and not 0.899999976, or a request for exactly 90 % of a host fails.
pub fn decimal(ratio: f32) -> f64 {
    let written = ratio.to_string().parse();
    written.unwrap_or_else(|_| f64::from(ratio))
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn a_ratio_is_the_decimal_number_that_was_written() {
        for ratio in [0.9_f64, 1.1, 1.5, 16.0, 0.1, 20.1] {
            assert_eq!(decimal(ratio as f32).to_bits(), ratio.to_bits(), "{ratio}");
        }
        assert!(decimal(f32::NAN).is_nan());
        assert_eq!(decimal(f32::INFINITY), f64::INFINITY);
    }
}
