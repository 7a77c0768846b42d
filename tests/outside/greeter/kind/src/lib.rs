//! A kind of driver that longshore knows nothing of, defined by somebody else.

#![forbid(unsafe_code)]
#![deny(warnings)]

use longshore_plugin_api::{DriverError, driver_kind, record};

record! {
    /// Whom to greet.
    pub struct Guest {
        /// Their name.
        pub name: String,
        /// Their titles, in order.
        pub titles: Vec<String>,
    }
}

driver_kind! {
    id: "example.greeter", revision: 1;

    /// Greets guests.
    pub trait Greeter: Send + Sync + 'static {
        /// The words for one guest.
        fn greet(&self, guest: &Guest) -> Result<String, DriverError>;

        /// The words for everybody.
        fn greet_all(&self, guests: Vec<Guest>) -> Result<Vec<String>, DriverError> {
            guests.iter().map(|guest| self.greet(guest)).collect()
        }
    }
}
