//! A plugin with one driver under two names: lines of `name = value`.

#![forbid(unsafe_code)]

use formatter_kind::{Data, Formatter};
use longshore_plugin_api::{export_plugin, Context, Driver, DriverError, NoSettings};

/// A line `name = value` for each pair.
struct Simple;

impl Driver for Simple {
    type Settings = NoSettings;
    fn new(_settings: NoSettings, _context: &Context) -> Result<Self, DriverError> {
        Ok(Simple)
    }
}

impl Formatter for Simple {
    fn format(&self, data: &Data) -> Result<Vec<String>, DriverError> {
        let pairs = data.sorted().into_iter();
        Ok(pairs.map(|p| format!("{} = {}", p.name, p.value)).collect())
    }
}

export_plugin! {
    "example.formatter" {
        /// Lines of `name = value`.
        simple: formatter_kind::Formatter => Simple;
        /// The same as `simple`.
        plain: formatter_kind::Formatter => Simple;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_plugin_api::testing;

    #[test]
    fn pairs_are_written_by_name() {
        let simple = testing::bridged::<dyn Formatter, Simple>("{}", "/tmp".as_ref()).unwrap();
        let data = [("b", "B"), ("a", "A")].into_iter().collect();
        assert_eq!(simple.format(&data).unwrap(), ["a = A", "b = B"]);
        assert!(simple.format(&Data::default()).unwrap().is_empty());
    }
}
