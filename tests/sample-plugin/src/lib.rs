//! Two names for one driver that works, one whose constructor fails, one that is not for this machine, one that panics:
//! what tests of the extension managers load.

#![forbid(unsafe_code)]

use longshore_plugin_api::{driver_kind, export_plugin, settings, Context, Driver, DriverError};

/// The namespace of the drivers.
pub const NAMESPACE: &str = "longshore.test.extension";

driver_kind! {
    id: "longshore.test.sample", revision: 1;

    /// What the tests call.
    pub trait Sample: Send + Sync + 'static {
        /// The name that the driver was loaded under.
        fn name(&self) -> Result<String, DriverError>;
        /// The settings that it was made with, as `greeting/width`.
        fn settings(&self) -> Result<String, DriverError>;
        /// The number, and one more.
        fn next(&self, n: u64) -> Result<u64, DriverError>;
        /// Fails with this text.
        fn fail(&self, text: &str) -> Result<u64, DriverError>;
    }
}

settings! {
    /// What every driver here takes.
    pub struct SampleSettings {
        /// A text.
        greeting: String = "hello";
        /// A number.
        width: u32 = 60, min = 10;
    }
}

/// Works.
pub struct Works {
    name: String,
    settings: String,
}

impl Driver for Works {
    type Settings = SampleSettings;
    fn new(settings: SampleSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(Works {
            name: context.name().to_owned(),
            settings: format!("{}/{}", settings.greeting, settings.width),
        })
    }
}

impl Sample for Works {
    fn name(&self) -> Result<String, DriverError> {
        Ok(self.name.clone())
    }
    fn settings(&self) -> Result<String, DriverError> {
        Ok(self.settings.clone())
    }
    fn next(&self, n: u64) -> Result<u64, DriverError> {
        Ok(n + 1)
    }
    fn fail(&self, text: &str) -> Result<u64, DriverError> {
        Err(DriverError::internal(text))
    }
}

macro_rules! never_made {
    ($($(#[$doc:meta])* $name:ident = $new:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name(Works);

        impl Driver for $name {
            type Settings = SampleSettings;
            fn new(_: SampleSettings, _: &Context) -> Result<Self, DriverError> {
                $new
            }
        }

        impl Sample for $name {
            fn name(&self) -> Result<String, DriverError> {
                self.0.name()
            }
            fn settings(&self) -> Result<String, DriverError> {
                self.0.settings()
            }
            fn next(&self, n: u64) -> Result<u64, DriverError> {
                self.0.next(n)
            }
            fn fail(&self, text: &str) -> Result<u64, DriverError> {
                self.0.fail(text)
            }
        }
    )*};
}

never_made! {
    /// Its constructor fails.
    Fails = Err(DriverError::internal("the disk is on fire").hint("put it out"));
    /// Is not for this machine.
    Elsewhere = Err(DriverError::unavailable("there is no such card in this machine"));
    /// Its constructor panics.
    Panics = panic!("made of glass");
}

export_plugin! {
    "longshore.test.extension" {
        /// Works.
        t1: Sample => Works;
        /// Works, under another name.
        t2: Sample => Works;
        /// Its constructor fails.
        e1: Sample => Fails;
        /// Not for this machine.
        elsewhere: Sample => Elsewhere;
        /// Its constructor panics.
        panics: Sample => Panics;
    }
}
