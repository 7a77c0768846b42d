//! What a virt driver claims to be able to do, against what it answers: a method that is not supported is an answer like
//! any other, unless the driver claims that it is.
//!
//! Asked only after such an answer. Must not touch records. Used by `guest`.

use std::sync::Arc;

use longshore_plugin_api::{Capabilities, DriverError};

use super::manager::ComputeManager;
use crate::driver_call::CallError;

/// Whether a driver claims something.
type Claim = fn(&Capabilities) -> bool;

/// The claim of which a method is part, with its name.
fn claim_of(method: &str) -> Option<(&'static str, Claim)> {
    match method {
        "power_on" | "power_off" | "reboot" => Some(("power", |c| c.power)),
        "pause" | "unpause" => Some(("pause", |c| c.pause)),
        "console_output" => Some(("console_output", |c| c.console_output)),
        _ => None,
    }
}

impl ComputeManager {
    /// What it means that `method` answered with this "not supported".
    pub(super) async fn not_supported(
        &self,
        request_id: &str,
        method: &str,
        error: DriverError,
    ) -> CallError {
        let Some((claim, claims)) = claim_of(method) else {
            return CallError::Driver(error);
        };
        let virt = Arc::clone(&self.virt);
        let asked = self
            .calls
            .blocking(request_id, "capabilities", move |_| virt.capabilities());
        match asked.await {
            Ok(capabilities) if claims(&capabilities) => CallError::Contradiction(claim, error),
            _ => CallError::Driver(error),
        }
    }
}
