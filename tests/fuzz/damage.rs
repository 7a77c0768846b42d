//! Damage to good inputs: bits, numbers at their ends, words of the format, cuts, repeats. One seed, one damage.

/// Numbers that look random and are always the same for one seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        // Neighbouring seeds begin far apart.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Dice((z ^ (z >> 31)) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to `n` - 1; 0 for nothing.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % (n.max(1) as u64)) as usize
    }
}

/// Most pieces of damage to one input.
const HITS_MAX: usize = 6;
/// Longest piece that is cut out or repeated, in bytes.
const PIECE_MAX: usize = 64;

/// Damages `bytes` one to six times. Most hits are in the first `head` bytes, where the structure is.
pub(crate) fn damage(bytes: &mut Vec<u8>, words: &[&str], head: usize, dice: &mut Dice) {
    for _ in 0..=dice.below(HITS_MAX) {
        if bytes.is_empty() {
            return;
        }
        let reach = match dice.below(4) {
            0 => bytes.len(),
            _ => head.min(bytes.len()),
        };
        let at = dice.below(reach);
        match dice.below(8) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.next() as u8,
            2 | 3 => number(bytes, at, dice),
            4 => word(bytes, at, words, dice),
            5 => drop(bytes.drain(at..(at + dice.below(PIECE_MAX)).min(bytes.len()))),
            6 => {
                let piece = bytes[at..(at + dice.below(PIECE_MAX)).min(bytes.len())].to_vec();
                let to = dice.below(reach);
                bytes.splice(to..to, piece);
            }
            _ if dice.below(8) == 0 => bytes.truncate(at),
            _ => number(bytes, at & !7, dice),
        }
    }
}

/// A number that breaks sums, of any width.
fn number(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    let width = [1, 2, 4, 8][dice.below(4)];
    let near = bytes.len() as u64;
    let value = match dice.below(8) {
        0 => 0,
        1 => u64::MAX,
        2 => u64::MAX - dice.next() % 64,
        3 => 1 << (dice.next() % 64),
        4 => near.wrapping_sub(dice.next() % 64),
        5 => near.wrapping_add(dice.next() % 64),
        6 => dice.next() % 256,
        _ => dice.next(),
    };
    let end = (at + width).min(bytes.len());
    let value = value.to_le_bytes();
    bytes[at..end].copy_from_slice(&value[..end - at]);
}

/// A word of the format, written over or between what is there.
fn word(bytes: &mut Vec<u8>, at: usize, words: &[&str], dice: &mut Dice) {
    let word = words[dice.below(words.len())].bytes();
    let over = match dice.below(2) {
        0 => at,
        _ => (at + word.len()).min(bytes.len()),
    };
    bytes.splice(at..over, word);
}
