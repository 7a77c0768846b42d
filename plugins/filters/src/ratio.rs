//! Over-commit: what `ram`, `disk` and `core` share.
//!
//! Ratios are multiplied as the decimal numbers that the operator wrote. Called by those three filters
//! and by `aggregate_ratio`, their variant.

use longshore_plugin_api::{decimal, uniform, Host, Limits, Mask, RequestSpec};
use std::cell::Cell;

/// Something that a host may promise more of than it has.
pub(crate) trait Resource: Send + Sync + 'static {
    /// The key under which aggregates say a ratio for it.
    const RATIO_KEY: &'static str;

    /// The host's own ratio.
    fn own_ratio(host: Host<'_>) -> f32;

    /// Whether the host has enough for the request with this ratio.
    fn fits_on(host: Host<'_>, ratio: f64, request: &RequestSpec) -> bool;

    /// What the host may hold at most with this ratio.
    fn limits_of(host: Host<'_>, ratio: f64) -> Limits;
}

/// [`decimal`] for one host after the other: neighbours often have the same ratio.
pub(crate) struct Widening(Cell<(f32, f64)>);

impl Widening {
    /// Has widened nothing yet.
    pub(crate) fn new() -> Self {
        Self(Cell::new((f32::NAN, f64::NAN)))
    }

    /// As [`decimal`].
    pub(crate) fn of(&self, ratio: f32) -> f64 {
        if self.0.get().0 != ratio {
            self.0.set((ratio, decimal(ratio)));
        }
        self.0.get().1
    }
}

/// Keeps the hosts for which `fits(a, b, ratio)` holds. Most fleets have one ratio, which is then
/// widened once.
pub(crate) fn retain<A: Copy, B: Copy>(
    mask: &mut Mask<'_>,
    (a, b, ratios): (&[A], &[B], &[f32]),
    fits: impl Fn(A, B, f64) -> bool,
) {
    match uniform(ratios) {
        Some(one) => {
            let (rows, ratio) = (ratios.len(), decimal(one));
            mask.retain2(&a[..rows.min(a.len())], b, |a, b| fits(a, b, ratio));
        }
        None => {
            let widening = Widening::new();
            mask.retain3((a, b, ratios), |a, b, ratio| fits(a, b, widening.of(ratio)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_plugin_api::full;

    #[test]
    fn one_ratio_and_many_give_the_same_verdicts() {
        let (a, b) = ([1_u32; 70], [0_u32; 70]);
        for change in [None, Some(69)] {
            let mut ratios = [0.9_f32; 70];
            if let Some(row) = change {
                ratios[row] = 0.1;
            }
            let mut words = full(70);
            let mut mask = Mask::new(&mut words, 70);
            retain(&mut mask, (&a, &b, &ratios), |_, _, ratio| ratio >= 0.9);
            assert_eq!(mask.count(), if change.is_some() { 69 } else { 70 });
        }
    }

    #[test]
    fn a_table_without_the_column_keeps_no_host() {
        let mut words = full(3);
        let mut mask = Mask::new(&mut words, 3);
        retain(&mut mask, (&[1_u32; 3], &[1_u32; 3], &[]), |_, _, _| true);
        assert_eq!(mask.count(), 0);
    }
}
