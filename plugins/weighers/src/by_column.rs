//! Weighers that read one column, as they are: free memory, free disk, pending I/O operations, failed builds. What the
//! column means, and whether their range begins at zero, is each one's own.

use longshore_plugin_api::score;

/// Fills `scores` from a column of amounts.
pub(crate) fn score_amounts(scores: &mut [f32], amounts: &[i32]) {
    score(scores, amounts, |amount| amount as f32);
}

/// A weigher of the column with this accessor: how all of it is scored, and the range that it is normalised in.
macro_rules! by_column {
    ($(#[$doc:meta])* $Weigher:ident, $column:ident, $score:path, $range:expr) => {
        $(#[$doc])*
        pub(crate) struct $Weigher;

        impl longshore_plugin_api::Driver for $Weigher {
            type Settings = longshore_plugin_api::NoSettings;
            fn new(
                _: longshore_plugin_api::NoSettings,
                _: &longshore_plugin_api::Context,
            ) -> Result<Self, longshore_plugin_api::DriverError> {
                Ok(Self)
            }
        }

        impl longshore_plugin_api::Weigher for $Weigher {
            fn weigh(
                &self,
                host: longshore_plugin_api::Host<'_>,
                _: &longshore_plugin_api::RequestSpec,
            ) -> Result<f32, longshore_plugin_api::DriverError> {
                Ok(host.$column() as f32)
            }

            fn weigh_all(
                &self,
                hosts: &longshore_plugin_api::HostTable,
                _: &longshore_plugin_api::RequestSpec,
                _: &longshore_plugin_api::Mask<'_>,
                scores: &mut [f32],
            ) -> Result<(), longshore_plugin_api::DriverError> {
                $score(scores, hosts.$column());
                Ok(())
            }

            fn range(
                &self,
            ) -> Result<longshore_plugin_api::WeightRange, longshore_plugin_api::DriverError> {
                Ok($range)
            }
        }
    };
}
pub(crate) use by_column;
