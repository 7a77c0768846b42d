//! `io_ops`: instances that are being built, moved or saved. The range that it is normalised in starts at zero.

use crate::by_column::by_column;
use crate::counts::score_counts;

by_column! {
    /// Weighs pending I/O operations.
    IoOpsWeigher, num_io_ops, score_counts, crate::FROM_ZERO
}
