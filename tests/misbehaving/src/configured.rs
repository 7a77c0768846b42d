//! A filter that does wrong what its settings say, and when. The behaviours are those that also happen on load.

use longshore_plugin_api::{settings, Context, Driver, DriverError, Filter, Host, RequestSpec};
use misbehaviours::run;

settings! {
    /// Names of behaviours.
    pub(crate) struct MisbehavesSettings {
        /// What its constructor does.
        built: String = "good";
        /// What `ready` does.
        asked: String = "good";
        /// What it does at each host.
        called: String = "good";
        /// What its end does.
        dropped: String = "good";
    }
}

pub(crate) struct Misbehaves(MisbehavesSettings);

fn behave(how: &str) -> Result<(), DriverError> {
    run(how, None).map_err(|e| DriverError::internal(e.to_string()))
}

impl Driver for Misbehaves {
    type Settings = MisbehavesSettings;
    fn new(settings: MisbehavesSettings, _: &Context) -> Result<Self, DriverError> {
        behave(&settings.built)?;
        Ok(Misbehaves(settings))
    }

    fn ready(&self) -> Result<(), DriverError> {
        behave(&self.0.asked)
    }
}

impl Drop for Misbehaves {
    fn drop(&mut self) {
        let _ = behave(&self.0.dropped);
    }
}

impl Filter for Misbehaves {
    fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        behave(&self.0.called).map(|()| true)
    }
}
