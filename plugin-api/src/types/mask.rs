//! The hosts that are still in the running: one bit per host, and the fast loops that clear bits.
//!
//! A filter may only clear. The loops here are what makes a filter fast by default: they work on eight hosts at a time
//! without branches, and skip every word in which no host is left.

/// A mask over the rows of a [`HostTable`](crate::HostTable). Bit `i` of word `i / 64` is host `i`.
#[derive(Debug)]
pub struct Mask<'a> {
    words: &'a mut [u64],
    hosts: usize,
}

/// How many words a mask over `hosts` hosts has.
pub const fn words_for(hosts: usize) -> usize {
    (hosts + 63) / 64
}

/// Words of a mask in which every one of `hosts` hosts is in.
pub fn full(hosts: usize) -> Vec<u64> {
    let mut words = vec![u64::MAX; words_for(hosts)];
    if let (Some(last), true) = (words.last_mut(), hosts % 64 != 0) {
        *last = (1 << (hosts % 64)) - 1;
    }
    words
}

impl<'a> Mask<'a> {
    /// A mask over these words.
    ///
    /// # Panics
    /// If there are not exactly as many words as `hosts` need.
    pub fn new(words: &'a mut [u64], hosts: usize) -> Self {
        assert_eq!(words.len(), words_for(hosts), "a mask over {hosts} hosts");
        Self { words, hosts }
    }

    /// How many hosts it is over (not how many are left).
    pub fn len(&self) -> usize {
        self.hosts
    }

    /// Whether it is over no host at all.
    pub fn is_empty(&self) -> bool {
        self.hosts == 0
    }

    /// How many hosts are left.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether host `row` is left.
    pub fn contains(&self, row: usize) -> bool {
        row < self.hosts && self.words[row / 64] >> (row % 64) & 1 == 1
    }

    /// Takes host `row` out.
    pub fn clear(&mut self, row: usize) {
        if row < self.hosts {
            self.words[row / 64] &= !(1 << (row % 64));
        }
    }

    /// Takes every host out.
    pub fn clear_all(&mut self) {
        self.words.fill(0);
    }

    /// The rows that are left, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(i, &word)| Bits(word).map(move |bit| i * 64 + bit))
    }

    /// Takes out every host that is not in `words`, another mask over the same hosts; words that are missing have none.
    pub fn intersect(&mut self, words: &[u64]) {
        let others = words.iter().copied().chain(std::iter::repeat(0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word &= other;
        }
    }

    /// The words, for loops of your own.
    pub fn words(&self) -> &[u64] {
        self.words
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        self.words
    }

    /// Keeps the hosts whose value in `column` passes. Values of hosts that are out are looked at too, so `keep` must
    /// not panic on any value.
    pub fn retain<T: Copy>(&mut self, column: &[T], keep: impl Fn(T) -> bool) {
        self.retain_lanes(column.len(), |row| keep(column[row]));
    }

    /// Keeps the hosts whose values in two columns pass together.
    pub fn retain2<A: Copy, B: Copy>(&mut self, a: &[A], b: &[B], keep: impl Fn(A, B) -> bool) {
        let rows = a.len().min(b.len());
        let (a, b) = (&a[..rows], &b[..rows]);
        self.retain_lanes(rows, |row| keep(a[row], b[row]));
    }

    /// Keeps the hosts whose values in three columns pass together.
    pub fn retain3<A: Copy, B: Copy, C: Copy>(
        &mut self,
        (a, b, c): (&[A], &[B], &[C]),
        keep: impl Fn(A, B, C) -> bool,
    ) {
        let rows = a.len().min(b.len()).min(c.len());
        let (a, b, c) = (&a[..rows], &b[..rows], &c[..rows]);
        self.retain_lanes(rows, |row| keep(a[row], b[row], c[row]));
    }

    /// Keeps the hosts for which `keep` says so. Asks only about hosts that are left.
    pub fn retain_rows(&mut self, mut keep: impl FnMut(usize) -> bool) {
        for (i, word) in self.words.iter_mut().enumerate() {
            let mut kept = *word;
            for bit in Bits(*word) {
                if !keep(i * 64 + bit) {
                    kept &= !(1 << bit);
                }
            }
            *word = kept;
        }
    }

    /// As [`Mask::retain_rows`], for a verdict that can fail: the first failure ends it.
    ///
    /// # Errors
    /// The first error that `keep` gives.
    pub fn try_retain_rows<E>(
        &mut self,
        mut keep: impl FnMut(usize) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut failed = None;
        self.retain_rows(|row| match failed {
            Some(_) => false,
            None => keep(row).unwrap_or_else(|e| {
                failed = Some(e);
                false
            }),
        });
        failed.map_or(Ok(()), Err)
    }

    /// Byte lanes first, then eight of them packed into bits by one multiplication: no branch per host.
    #[inline]
    fn retain_lanes(&mut self, rows: usize, keep: impl Fn(usize) -> bool) {
        for (i, word) in self.words.iter_mut().enumerate() {
            if *word == 0 {
                continue;
            }
            let start = i * 64;
            if start + 64 <= rows {
                let mut lanes = [0_u8; 64];
                for (lane, at) in lanes.iter_mut().zip(start..start + 64) {
                    *lane = u8::from(keep(at));
                }
                *word &= pack(&lanes);
            } else {
                let mut bits = 0;
                for row in start..rows.min(start + 64) {
                    bits |= u64::from(keep(row)) << (row - start);
                }
                *word &= bits;
            }
        }
    }
}

/// 64 bytes of 0 or 1 to 64 bits.
#[inline]
fn pack(lanes: &[u8; 64]) -> u64 {
    let mut bits = 0;
    for (i, eight) in lanes.chunks_exact(8).enumerate() {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(eight);
        let packed = u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= packed << (8 * i);
    }
    bits
}

/// The positions of a word's one bits, lowest first.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

/// The value that all rows of a column have, if they have one; mostly a fleet has one ratio, one zone, one sort of host.
pub fn uniform<T: Copy + PartialEq>(column: &[T]) -> Option<T> {
    let first = *column.first()?;
    // Within a chunk every value is looked at, without a branch.
    let same = |chunk: &[T]| !chunk.iter().fold(false, |odd, v| odd | (*v != first));
    column.chunks(256).all(same).then_some(first)
}

/// Fills `scores` from one column: the usual body of a weigher.
pub fn score<T: Copy>(scores: &mut [f32], column: &[T], weigh: impl Fn(T) -> f32) {
    for (score, &value) in scores.iter_mut().zip(column) {
        *score = weigh(value);
    }
}

/// Fills `scores` from two columns.
pub fn score2<A: Copy, B: Copy>(scores: &mut [f32], a: &[A], b: &[B], weigh: impl Fn(A, B) -> f32) {
    for ((score, &a), &b) in scores.iter_mut().zip(a).zip(b) {
        *score = weigh(a, b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retain_agrees_with_the_plain_loop_at_every_length() {
        for hosts in [0, 1, 63, 64, 65, 127, 128, 200] {
            let column: Vec<u32> = (0..hosts as u32)
                .map(|i| i.wrapping_mul(2_654_435_761) % 100)
                .collect();
            let mut words = full(hosts);
            Mask::new(&mut words, hosts).retain(&column, |v| v >= 50);
            let expected: Vec<usize> = (0..hosts).filter(|&i| column[i] >= 50).collect();
            assert_eq!(
                Mask::new(&mut words, hosts).iter().collect::<Vec<_>>(),
                expected,
                "{hosts} hosts"
            );
        }
    }

    #[test]
    fn a_column_that_is_too_short_keeps_no_host_beyond_its_end() {
        let mut words = full(130);
        let mut mask = Mask::new(&mut words, 130);
        mask.retain(&[1_u32; 70], |_| true);
        assert_eq!(mask.count(), 70);
    }

    #[test]
    fn a_filter_can_only_clear() {
        let mut words = vec![0b1010];
        let mut mask = Mask::new(&mut words, 4);
        mask.retain(&[1_u32; 4], |_| true);
        assert_eq!(mask.iter().collect::<Vec<_>>(), [1, 3]);
        mask.clear(3);
        mask.clear(99);
        assert_eq!(mask.iter().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn an_intersection_only_clears_and_what_is_missing_has_no_host() {
        let mut words = full(130);
        let mut mask = Mask::new(&mut words, 130);
        mask.clear(1);
        mask.intersect(&[0b111, u64::MAX]);
        let left: Vec<usize> = mask.iter().collect();
        assert_eq!((left.len(), &left[..3]), (66, &[0, 2, 64][..]));
    }

    #[test]
    fn a_column_has_one_value_or_several() {
        assert_eq!(uniform::<u32>(&[]), None);
        assert_eq!(uniform(&[f32::NAN; 3]), None, "it is not even itself");
        let mut column = vec![7_u32; 1_000];
        assert_eq!(uniform(&column), Some(7));
        for row in [0, 255, 256, 999] {
            column[row] = 8;
            assert_eq!(uniform(&column), None, "row {row}");
            column[row] = 7;
        }
    }

    #[test]
    fn the_first_failure_ends_a_row_loop() {
        let mut words = full(10);
        let mut asked = 0;
        let end = Mask::new(&mut words, 10).try_retain_rows(|row| {
            asked += 1;
            if row == 2 {
                Err("row 2")
            } else {
                Ok(true)
            }
        });
        assert_eq!((end, asked), (Err("row 2"), 3));
    }
}
