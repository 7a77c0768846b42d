//! What a formatter is: the trait that plugins implement and programs call, and the data that passes between them.
//! Knows no plugin and no program; both depend on it, and on each other not at all.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

use longshore_plugin_api::{driver_kind, record};

/// What a formatter answers when it fails; here for programs, which need no more of plugin-api.
pub use longshore_plugin_api::DriverError;

/// Where programs look for formatters. A plugin lists its own under the same name.
pub const NAMESPACE: &str = "example.formatter";

record! {
    /// A name and its value.
    pub struct Pair {
        /// The name.
        pub name: String,
        /// The value.
        pub value: String,
    }
}

record! {
    /// What is formatted.
    pub struct Data {
        /// The pairs, in any order.
        pub pairs: Vec<Pair>,
    }
}

driver_kind! {
    id: "example.formatter", revision: 1;

    /// Turns data into lines of text for people.
    ///
    /// # Contract
    /// - A formatter MUST go through the pairs by name, MUST give the same lines for the same data, and MUST give no
    ///   line for no pairs. A line has no line break at its end.
    /// - It MAY answer `invalid` for a pair that it has no way to write. It then gives no lines at all.
    /// - It MAY be called from several threads at the same time.
    pub trait Formatter: Send + Sync + 'static {
        /// The lines for `data`.
        fn format(&self, data: &Data) -> Result<Vec<String>, DriverError>;
    }
}

impl Data {
    /// The pairs by name, as every formatter goes through them.
    pub fn sorted(&self) -> Vec<&Pair> {
        let mut pairs: Vec<&Pair> = self.pairs.iter().collect();
        pairs.sort_by(|a, b| a.name.cmp(&b.name));
        pairs
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Data {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Data {
        let pair = |(name, value): (N, V)| Pair {
            name: name.into(),
            value: value.into(),
        };
        Data {
            pairs: pairs.into_iter().map(pair).collect(),
        }
    }
}
