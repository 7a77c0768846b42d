//! A virt driver whose guests exist in memory only; it leaves the later methods to their bodies.

use longshore_plugin_api::{
    CallContext, Context, Driver, DriverError, Image, Instance, InstanceInfo, NoSettings, PowerState, Resources, Virt,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Guests by id.
pub struct Memory {
    guests: Mutex<BTreeMap<String, Instance>>,
    host: String,
}

impl Memory {
    fn guests(&self) -> MutexGuard<'_, BTreeMap<String, Instance>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver for Memory {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(Memory { guests: Mutex::default(), host: context.host().to_owned() })
    }
}

impl Virt for Memory {
    fn available_nodes(&self) -> Result<Vec<String>, DriverError> {
        Ok(vec![self.host.clone()])
    }
    fn available_resources(&self, _: &CallContext<'_>, node: &str) -> Result<Resources, DriverError> {
        let used = self.guests().values().map(|guest| guest.memory_mb).sum();
        let hypervisor_hostname = node.to_owned();
        let stats = [("kind".to_owned(), "memory".to_owned())].into_iter().collect();
        Ok(Resources { vcpus: 8, memory_mb: 16_384, memory_mb_used: used, hypervisor_hostname, stats, ..Resources::default() })
    }
    fn list_instances(&self, _: &CallContext<'_>) -> Result<Vec<String>, DriverError> {
        Ok(self.guests().keys().cloned().collect())
    }
    fn instance_info(&self, _: &CallContext<'_>, id: &str) -> Result<InstanceInfo, DriverError> {
        match self.guests().get(id) {
            Some(guest) => Ok(InstanceInfo {
                state: PowerState::Running,
                memory_mb: guest.memory_mb,
                vcpus: guest.vcpus,
                internal_id: guest.extra_specs.get("serial").cloned().unwrap_or_default(),
                ..InstanceInfo::default()
            }),
            None => Err(DriverError::not_found(format!("no guest `{}`", id))),
        }
    }
    fn spawn(&self, context: &CallContext<'_>, instance: &Instance, image: &Image) -> Result<(), DriverError> {
        context.check()?;
        assert!(!image.name.is_empty(), "an image without a name");
        self.guests().insert(instance.id.clone(), instance.clone());
        Ok(())
    }
    fn destroy(&self, _: &CallContext<'_>, id: &str) -> Result<(), DriverError> {
        self.guests().remove(id);
        Ok(())
    }
}
