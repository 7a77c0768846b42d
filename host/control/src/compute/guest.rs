//! The virt driver's calls as compute makes them, and the values on both sides of them.
//!
//! Must not touch records. Used by the build, by the operations and by recovery.

use std::path::PathBuf;
use std::sync::Arc;

use longshore_objects::{ImageMeta, Instance, PowerState};
use longshore_plugin_api as api;
use longshore_plugin_api::{CallContext, DriverError, Virt};

use super::manager::ComputeManager;
use crate::driver_call::CallError;

impl ComputeManager {
    /// Runs a method of the driver that takes one guest.
    pub(super) async fn on_guest<T: Send + 'static>(
        &self,
        request_id: &str,
        name: &str,
        uuid: &str,
        call: impl FnOnce(&dyn Virt, &CallContext<'_>, &str) -> Result<T, DriverError> + Send + 'static,
    ) -> Result<T, CallError> {
        let (virt, uuid) = (Arc::clone(&self.virt), uuid.to_owned());
        let call = move |context: &CallContext<'_>| call(virt.as_ref(), context, &uuid);
        match self.calls.blocking(request_id, name, call).await {
            Err(CallError::Driver(error)) if error.category() == api::Category::NotSupported => {
                Err(self.not_supported(request_id, name, error).await)
            }
            result => result,
        }
    }

    /// Ends a guest and removes all of it; there may be none.
    pub(super) async fn destroy_guest(
        &self,
        request_id: &str,
        uuid: &str,
    ) -> Result<(), CallError> {
        self.on_guest(request_id, "destroy", uuid, |virt, context, id| {
            virt.destroy(context, id)
        })
        .await
    }

    /// The same, when nothing depends on it: a failure is logged.
    pub(super) async fn clean_up_guest(&self, request_id: &str, uuid: &str) {
        if let Err(error) = self.destroy_guest(request_id, uuid).await {
            let (code, host) = (error.code(), &self.config.host);
            tracing::warn!(code, uuid, host, "cannot clean up after a guest: {error}");
        }
    }

    /// What a guest is doing; none when the driver has no such guest.
    pub(super) async fn guest_state(
        &self,
        request_id: &str,
        uuid: &str,
    ) -> Result<Option<PowerState>, CallError> {
        let info = self.on_guest(request_id, "instance_info", uuid, |virt, context, id| {
            virt.instance_info(context, id)
        });
        match info.await {
            Ok(info) => Ok(Some(power_state(info.state))),
            Err(CallError::Driver(error)) if error.category() == api::Category::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// What the driver is told of an instance.
///
/// # Errors
/// Which number cannot be.
pub(super) fn virt_instance(instance: &Instance, node: &str) -> Result<api::Instance, String> {
    let flavor = instance.flavor();
    let uuid = instance.uuid();
    let size = |field: &str, value: i64| {
        u64::try_from(value)
            .map_err(|_| format!("flavor of instance `{uuid}`: `{field}` cannot be {value}"))
    };
    let vcpus = u32::try_from(flavor.vcpus());
    Ok(api::Instance {
        id: uuid.to_owned(),
        name: instance.display_name().unwrap_or(uuid).to_owned(),
        project_id: instance.project_id().unwrap_or_default().to_owned(),
        flavor: flavor.name().to_owned(),
        vcpus: vcpus.map_err(|_| format!("flavor of instance `{uuid}`: `vcpus` cannot be that"))?,
        memory_mb: size("memory_mb", flavor.memory_mb())?,
        root_gb: size("root_gb", flavor.root_gb())?,
        ephemeral_gb: size("ephemeral_gb", flavor.ephemeral_gb())?,
        swap_mb: size("swap", flavor.swap())?,
        extra_specs: flavor.extra_specs().clone(),
        metadata: instance.metadata().clone(),
        node: node.to_owned(),
        extra: String::new(),
    })
}

/// What the driver is told of an image.
pub(super) fn virt_image(image: Option<&ImageMeta>) -> api::Image {
    image.map_or_else(api::Image::default, |image| api::Image {
        id: image.id().to_owned(),
        name: image.name().to_owned(),
        file: image.location().map(PathBuf::from),
        properties: image.properties().clone(),
    })
}

/// The record's word for what a guest is doing.
pub(super) fn power_state(state: api::PowerState) -> PowerState {
    match state {
        api::PowerState::Running => PowerState::Running,
        api::PowerState::Paused => PowerState::Paused,
        api::PowerState::Shutdown => PowerState::Shutdown,
        api::PowerState::Crashed => PowerState::Crashed,
        api::PowerState::Suspended => PowerState::Suspended,
        // States of later drivers that this host does not know.
        _ => PowerState::NoState,
    }
}
