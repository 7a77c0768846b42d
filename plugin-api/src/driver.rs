//! `Driver`: what every driver is, under whichever kind: it is built from settings, and says when it is ready.

use crate::context::Context;
use crate::error::DriverError;
use crate::settings::Settings;

/// How a driver is built.
///
/// # Contract
/// - `new` MUST be quick (well under a second) and MUST change nothing outside [`Context::state_dir`]: it is also run to
///   try a plugin out. Reach for the hypervisor, start threads and open connections in [`Driver::ready`] or at the first
///   call.
/// - `new` MAY be called several times in one process: once per host that uses the driver. Statics are shared by all.
/// - An error of category `unavailable` means "not on this machine": the driver is skipped, with the reason shown.
/// - Dropping the driver MUST NOT block for long. Threads that it started MUST end soon after.
pub trait Driver: Sized + Send + Sync + 'static {
    /// What the operator can set; declare it with [`settings!`](crate::settings!), or use
    /// [`NoSettings`](crate::NoSettings).
    type Settings: Settings;

    /// Builds the driver.
    ///
    /// # Errors
    /// What is wrong with the settings ([`DriverError::invalid`] with [`DriverError::at`]) or with the machine.
    fn new(settings: Self::Settings, context: &Context) -> Result<Self, DriverError>;

    /// Whether what the driver stands on answers. MAY be called again at any time; twice is the same as once.
    ///
    /// # Errors
    /// `unavailable`, with the reason.
    fn ready(&self) -> Result<(), DriverError> {
        Ok(())
    }
}
