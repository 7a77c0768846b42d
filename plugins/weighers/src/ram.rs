//! `ram`: free memory in MB. The range that it is normalised in starts at zero.

use crate::by_column::{by_column, score_amounts};

by_column! {
    /// Weighs free memory.
    RamWeigher, free_ram_mb, score_amounts, crate::FROM_ZERO
}
