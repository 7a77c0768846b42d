//! `disk`: free disk in MB. The range that it is normalised in starts at zero.

use crate::by_column::{by_column, score_amounts};

by_column! {
    /// Weighs free disk.
    DiskWeigher, free_disk_mb, score_amounts, crate::FROM_ZERO
}
