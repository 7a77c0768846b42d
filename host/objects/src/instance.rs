//! `Instance`: the guest that was asked for, and everything known of it.
//!
//! Must not know where it is stored: its remotable methods are in `remotable.rs`. Written by
//! conductor on behalf of every service.

use std::collections::BTreeMap;

use crate::base::VersionedObject;
use crate::flavor::Flavor;
use crate::instance_fault::InstanceFault;
use crate::macros::versioned_object;
use crate::primitive::DateTime;
use crate::state::{PowerState, TaskState, VmState};

versioned_object! {
    /// An instance.
    pub struct Instance, "2.3" {
        /// Row number; unset until created and after destroyed.
        id: i64,
        /// Identifier.
        uuid: String,
        /// Host name inside the guest.
        hostname: Option<String>,
        /// Name given by the user.
        display_name: Option<String>,
        /// Description given by the user.
        display_description: Option<String>,
        /// Owner.
        user_id: Option<String>,
        /// Project that pays.
        project_id: Option<String>,
        /// Image it was made from.
        image_ref: Option<String>,
        /// Kernel image.
        kernel_id: Option<String>,
        /// Ramdisk image.
        ramdisk_id: Option<String>,
        /// Its size, as the flavor was when it was made.
        flavor: Flavor,
        /// Row number of the flavor.
        instance_type_id: Option<i64>,
        /// Memory, in MB.
        memory_mb: Option<i64>,
        /// Virtual processors.
        vcpus: Option<i64>,
        /// Root disk, in GB.
        root_gb: Option<i64>,
        /// Second disk, in GB.
        ephemeral_gb: Option<i64>,
        /// Host that runs it.
        host: Option<String>,
        /// Node of that host.
        node: Option<String>,
        /// Host that first ran it.
        launched_on: Option<String>,
        /// Availability zone.
        availability_zone: Option<String>,
        /// Number within its reservation.
        launch_index: Option<i64>,
        /// Reservation, the same for all instances of one request.
        reservation_id: Option<String>,
        /// Name of the key pair.
        key_name: Option<String>,
        /// Public key.
        key_data: Option<String>,
        /// Data handed to the guest, base64.
        user_data: Option<String>,
        /// Whether a configuration drive is attached.
        config_drive: Option<String>,
        /// What the hypervisor says.
        power_state: Option<PowerState>,
        /// What it is.
        vm_state: Option<VmState>,
        /// What is being done to it; nothing when idle.
        task_state: Option<TaskState>,
        /// Progress of the running operation, in percent.
        progress: Option<i64>,
        /// When the record was made.
        created_at: Option<DateTime>,
        /// When the record last changed.
        updated_at: Option<DateTime>,
        /// When it first ran.
        launched_at: Option<DateTime>,
        /// When it ended.
        terminated_at: Option<DateTime>,
        /// When the record was deleted.
        deleted_at: Option<DateTime>,
        /// Whether the record is deleted.
        deleted: bool,
        /// Whether only an administrator or the locker may change it.
        locked: bool,
        /// Who locked it: `owner` or `admin`.
        locked_by: Option<String>,
        /// Whether the disk is divided by the host.
        auto_disk_config: bool,
        /// Whether it ends when the guest shuts down.
        shutdown_terminate: bool,
        /// Whether it is protected from being ended.
        disable_terminate: bool,
        /// Whether its files on the host are gone.
        cleaned: bool,
        /// Name of the root disk.
        root_device_name: Option<String>,
        /// Kind of guest system.
        os_type: Option<String>,
        /// Processor architecture.
        architecture: Option<String>,
        /// Virtualisation mode.
        vm_mode: Option<String>,
        /// Address shown to the user, version 4.
        access_ip_v4: Option<String>,
        /// Address shown to the user, version 6.
        access_ip_v6: Option<String>,
        /// The user's own keys.
        metadata: BTreeMap<String, String>,
        /// Our own keys.
        system_metadata: BTreeMap<String, Option<String>>,
        /// Latest fault; filled when a single instance is read.
        fault: Option<InstanceFault>,
    }
}

impl Instance {
    /// Of this instance only what its neighbours are judged by: `id`, `uuid`, `host`, `project_id`,
    /// and of its flavor the `flavorid`; as far as they are set.
    pub fn neighbour(&self) -> Self {
        let mut kept = Self::new();
        kept.id = self.id.clone();
        kept.uuid = self.uuid.clone();
        kept.host = self.host.clone();
        kept.project_id = self.project_id.clone();
        if self.is_set("flavor") {
            let mut flavor = Flavor::new();
            flavor.set_flavorid(self.flavor().flavorid());
            kept.set_flavor(flavor);
        }
        kept.reset_changes();
        kept
    }
}
