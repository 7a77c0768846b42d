//! A driver that repeats a secret it was given: in its log, in its errors, and in a panic.

use longshore_plugin_api::{
    settings, Context, Driver, DriverError, Filter, Host, Log, RequestSpec,
};

settings! {
    /// A secret, and where it is told.
    pub(crate) struct TelltaleSettings {
        /// What nobody should read anywhere.
        token: String, secret = true;
        /// Tells it when it is built.
        when_built: bool = false;
    }
}

/// Lets every host pass, and tells its token.
pub(crate) struct Telltale {
    token: String,
    log: Log,
}

impl Driver for Telltale {
    type Settings = TelltaleSettings;
    fn new(settings: TelltaleSettings, context: &Context) -> Result<Self, DriverError> {
        let token = settings.token;
        if settings.when_built {
            let why = DriverError::invalid(format!("the service refused {token}"));
            return Err(why.hint(format!("ask for another one than {token}")));
        }
        let log = context.log();
        log.warn(format_args!("logging in with {token}"));
        Ok(Telltale { token, log })
    }
}

impl Filter for Telltale {
    fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        self.log
            .warn(format_args!("still logged in with {}", self.token));
        Err(DriverError::unavailable(format!(
            "{} has expired",
            self.token
        )))
    }
}
