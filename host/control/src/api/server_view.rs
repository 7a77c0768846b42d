//! The shapes of a server: as an entry of a list, and in full.
//!
//! Pure functions over an instance; must not read anything else.

use longshore_objects::{DateTime, Instance, InstanceFault, PowerState, VmState, status};
use serde_json::{Value, json};
use sha2::{Digest, Sha224};

use super::caller::Caller;
use super::zones::Zones;

const WITH_PROGRESS: &[&str] = &[
    "ACTIVE",
    "BUILD",
    "REBUILD",
    "RESIZE",
    "VERIFY_RESIZE",
    "MIGRATING",
];

/// The status which users see.
pub(crate) fn status_of(instance: &Instance) -> &'static str {
    match instance.vm_state() {
        _ if instance.deleted() => "DELETED",
        Some(vm) => status(vm, instance.task_state()),
        None => "UNKNOWN",
    }
}

/// Whether a fault is shown with the instance.
pub(crate) fn shows_fault(instance: &Instance) -> bool {
    matches!(status_of(instance), "ERROR" | "DELETED")
}

/// Id, name and links.
pub(crate) fn summary(instance: &Instance, caller: &Caller) -> Value {
    json!({
        "id": instance.uuid(),
        "name": instance.display_name(),
        "links": caller.links(&format!("servers/{}", instance.uuid())),
    })
}

/// All of it.
pub(crate) fn detail(
    instance: &Instance,
    fault: Option<&InstanceFault>,
    zones: &Zones,
    caller: &Caller,
) -> Value {
    let status = status_of(instance);
    let updated = instance.updated_at().or(instance.created_at());
    let mut server = json!({
        "id": instance.uuid(),
        "name": instance.display_name(),
        "status": status,
        "tenant_id": instance.project_id(),
        "user_id": instance.user_id(),
        "metadata": instance.metadata(),
        "hostId": host_id(instance),
        "image": image(instance, caller),
        "flavor": flavor(instance, caller),
        "created": instance.created_at().map(|at| at.to_string()),
        "updated": updated.map(|at| at.to_string()),
        "addresses": {},
        "accessIPv4": instance.access_ip_v4().unwrap_or(""),
        "accessIPv6": instance.access_ip_v6().unwrap_or(""),
        "links": caller.links(&format!("servers/{}", instance.uuid())),
        "key_name": instance.key_name(),
        "config_drive": instance.config_drive().unwrap_or(""),
        "security_groups": [{ "name": "default" }],
        "OS-DCF:diskConfig": disk_config(instance.auto_disk_config()),
    });
    add_extensions(&mut server, instance);
    server["OS-EXT-AZ:availability_zone"] = json!(zones.of_instance(instance));
    if WITH_PROGRESS.contains(&status) {
        server["progress"] = json!(instance.progress().unwrap_or(0));
    }
    if let Some(fault) = fault.filter(|_| shows_fault(instance)) {
        server["fault"] = fault_view(fault);
    }
    server
}

fn add_extensions(server: &mut Value, instance: &Instance) {
    server["OS-EXT-SRV-ATTR:host"] = json!(instance.host());
    server["OS-EXT-SRV-ATTR:hypervisor_hostname"] = json!(instance.node());
    server["OS-EXT-SRV-ATTR:instance_name"] = json!(format!("instance-{:08x}", instance.id()));
    let power = instance.power_state().map_or(0, PowerState::as_i64);
    server["OS-EXT-STS:power_state"] = json!(power);
    server["OS-EXT-STS:task_state"] = json!(instance.task_state().map(|task| task.as_str()));
    server["OS-EXT-STS:vm_state"] = json!(instance.vm_state().map(VmState::as_str));
    server["OS-SRV-USG:launched_at"] = json!(instance.launched_at().map(with_fraction));
    server["OS-SRV-USG:terminated_at"] = json!(instance.terminated_at().map(with_fraction));
    server["os-extended-volumes:volumes_attached"] = json!([]);
}

/// How the division of the disk is called.
pub(crate) fn disk_config(auto: bool) -> &'static str {
    if auto { "AUTO" } else { "MANUAL" }
}

/// A time as some extensions write it: without a zone, with a fraction.
pub(crate) fn with_fraction(at: DateTime) -> String {
    format!("{}.000000", at.to_string().trim_end_matches('Z'))
}

/// Tells a user which of his servers share a host, without naming it.
fn host_id(instance: &Instance) -> String {
    let Some(host) = instance.host() else {
        return String::new();
    };
    let mut digest = Sha224::new();
    digest.update(instance.project_id().unwrap_or(""));
    digest.update(host);
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn image(instance: &Instance, caller: &Caller) -> Value {
    match instance.image_ref() {
        None | Some("") => json!(""),
        Some(id) => {
            let href = format!("{}/images/{id}", caller.base);
            json!({ "id": id, "links": [{ "rel": "bookmark", "href": href }] })
        }
    }
}

fn flavor(instance: &Instance, caller: &Caller) -> Value {
    let id = instance.flavor().flavorid();
    let href = format!("{}/flavors/{id}", caller.base);
    json!({ "id": id, "links": [{ "rel": "bookmark", "href": href }] })
}

fn fault_view(fault: &InstanceFault) -> Value {
    let mut view = json!({
        "code": fault.code(),
        "created": fault.created_at().map(|at| at.to_string()),
        "message": fault.message().unwrap_or(""),
    });
    if let Some(details) = fault.details() {
        view["details"] = json!(details);
    }
    view
}
