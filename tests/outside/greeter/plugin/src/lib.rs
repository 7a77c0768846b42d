//! Two drivers of the kind `Greeter`.

#![forbid(unsafe_code)]
#![deny(warnings)]

use greeter_kind::{Greeter, Guest};
use longshore_plugin_api::{Context, Driver, DriverError, export_plugin, settings};

settings! {
    /// How to greet.
    pub struct Manners {
        /// What comes after the name.
        mark: String = "!";
    }
}

struct English(Manners);
struct German(Manners);

impl Driver for English {
    type Settings = Manners;
    fn new(manners: Manners, _: &Context) -> Result<Self, DriverError> {
        Ok(English(manners))
    }
}

impl Driver for German {
    type Settings = Manners;
    fn new(manners: Manners, _: &Context) -> Result<Self, DriverError> {
        Ok(German(manners))
    }
}

impl Greeter for English {
    fn greet(&self, guest: &Guest) -> Result<String, DriverError> {
        if guest.name.is_empty() {
            return Err(DriverError::invalid("the guest has no name"));
        }
        Ok(format!("Hello, {}{}{}", guest.titles.join(" "), guest.name, self.0.mark))
    }
}

impl Greeter for German {
    fn greet(&self, guest: &Guest) -> Result<String, DriverError> {
        Ok(format!("Grüß Gott, {}{}{}", guest.titles.join(" "), guest.name, self.0.mark))
    }
}

export_plugin! {
    "example.greeter" {
        /// In English.
        english: greeter_kind::Greeter => English;
        /// In German.
        german: greeter_kind::Greeter => German;
    }
}
