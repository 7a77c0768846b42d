//! The kind `Probe`: one method for each sort of thing that crosses the border.
//!
//! The files in `tests/old` were built from this: methods may be appended, with a body, and nothing else may change. The
//! tests include this very file, so that they use the kind as a third party's host would.

use longshore_plugin_api::{CallContext, DriverError, driver_kind, record, wire_enum};
use std::collections::BTreeMap;
use std::path::PathBuf;

wire_enum! {
    /// A number with a name.
    pub enum Colour {
        /// The first.
        Red = 0,
        /// Another.
        Blue = 9,
    }
}

record! {
    /// A record within a record.
    pub struct Inner {
        /// Text.
        pub text: String,
        /// A number.
        pub number: i64,
    }
}

record! {
    /// Everything that a record may hold.
    pub struct Everything {
        /// Text.
        pub text: String,
        /// A float.
        pub ratio: f64,
        /// A truth value.
        pub yes: bool,
        /// A record, perhaps.
        pub perhaps: Option<Inner>,
        /// Records.
        pub several: Vec<Inner>,
        /// By name.
        pub named: BTreeMap<String, u64>,
        /// A path.
        pub path: PathBuf,
        /// A named number.
        pub colour: Colour,
        /// Lists of lists.
        pub nested: Vec<Vec<u32>>,
    }
}

driver_kind! {
    id: "test.listener", revision: 1;

    /// Lent to a probe for one call.
    pub trait Listener: Send + Sync + 'static {
        /// Hears a text and answers how many it has heard.
        fn hear(&self, text: &str) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.probe", revision: 1;

    /// Gives back what it is given, slightly changed, so that the caller sees that it was there.
    pub trait Probe: Send + Sync + 'static {
        /// `n + 1`.
        fn number(&self, n: u64) -> Result<u64, DriverError>;
        /// `-n`, of every size.
        fn small(&self, a: i8, b: u16, c: f32, yes: bool) -> Result<f64, DriverError>;
        /// The text, with the setting `mark` behind it.
        fn text(&self, text: &str) -> Result<String, DriverError>;
        /// The text, given away in both directions.
        fn owned_text(&self, text: String) -> Result<String, DriverError>;
        /// The record, given away in both directions, with `yes` turned round.
        fn record(&self, value: Everything) -> Result<Everything, DriverError>;
        /// The record that is lent, as text.
        fn lent_record(&self, value: &Everything) -> Result<String, DriverError>;
        /// The other of the two.
        fn option(&self, value: Option<String>) -> Result<Option<String>, DriverError>;
        /// The list, backwards.
        fn list(&self, values: Vec<String>) -> Result<Vec<String>, DriverError>;
        /// The map, with one pair more.
        fn map(&self, values: BTreeMap<String, u64>) -> Result<BTreeMap<String, u64>, DriverError>;
        /// The sum.
        fn slice(&self, numbers: &[u32]) -> Result<u64, DriverError>;
        /// Doubles each in place.
        fn mut_slice(&self, numbers: &mut [u32]) -> Result<(), DriverError>;
        /// The path, one level down.
        fn path(&self, path: PathBuf) -> Result<PathBuf, DriverError>;
        /// Tells the listener a text `times` times, and answers its last answer.
        fn tell(&self, listener: &dyn Listener, text: &str, times: u32) -> Result<u64, DriverError>;
        /// Who asked, and how long is left.
        fn call(&self, context: &CallContext<'_>) -> Result<String, DriverError>;
        /// Where the driver was built, and the build: namespace, name, host, directory, serial number.
        fn place(&self) -> Result<Vec<String>, DriverError>;
        /// Fails or panics, as `how` says: `error`, `panic`, `index`, `payload`, `thread`.
        fn fail(&self, how: &str) -> Result<(), DriverError>;
        /// Answered here for a driver that does not.
        fn provided(&self, n: u64) -> Result<u64, DriverError> {
            Ok(self.number(n)? + 1000)
        }
    }
}
