//! `build_failure`: builds that failed in a row. Give it a large negative multiplier, so that hosts on which builds fail come
//! last.

use crate::by_column::by_column;
use crate::counts::score_counts;
use longshore_plugin_api::WeightRange;

by_column! {
    /// Weighs failed builds.
    BuildFailureWeigher, failed_builds, score_counts, WeightRange::default()
}
