//! Booting: from a checked request to instances on disk and a message to the conductor.
//!
//! The records are durable before the client is answered; a message that is lost is found again by
//! the conductor. Must not know HTTP. Used by the handler of servers.

use longshore_messaging::RequestContext;
use longshore_objects::{
    Flavor, ImageMeta, Instance, InstanceGroup, ObjectError, PowerState, RequestSpec, TaskState,
    VmState, now,
};
use longshore_store::StoreError;
use uuid::Uuid;

use super::boot_request::BootRequest;
use super::codes;
use super::error::ApiError;
use super::manager::ApiManager;
use super::server_groups::not_entered;
use super::zones;

/// Name of the image that stands for none.
const NO_IMAGE: &str = "none";
/// Most characters of a host name inside a guest.
const HOSTNAME_LEN_MAX: usize = 63;
/// Characters of a reservation behind its `r-`.
const RESERVATION_LEN: usize = 8;

/// Instances that were accepted.
pub(crate) struct Booted {
    /// Identifier of the first one.
    pub(crate) first: String,
    pub(crate) reservation: String,
}

impl ApiManager {
    /// Accepts instances: all of the request, or none.
    ///
    /// # Errors
    /// 400 for a flavor, image, zone or server group that cannot be used; 403 when the group would
    /// have too many members; faults of the database.
    pub(crate) async fn boot(
        &self,
        ctx: &RequestContext,
        request: &BootRequest,
    ) -> Result<Booted, ApiError> {
        let mut hints = request.hints.clone();
        let group = self.group(&mut hints).await?;
        let flavor = self.flavor(&request.flavor).await?;
        let image = self.image(request.image.as_deref()).await?;
        if let Some(image) = &image {
            check_fit(&flavor, image)?;
        }
        // A host that is named is taken as it is, whatever its zone.
        if let (Some(zone), None) = (&request.zone.zone, &request.zone.host) {
            zones::check_is_there(self, zone).await?;
        }
        let reservation = new_reservation();
        let template = instance(ctx, request, &flavor, image.as_ref(), &reservation);
        let mut spec = spec(ctx, request, flavor, image);
        spec.set_scheduler_hints(hints)
            .set_instance_group(group.as_ref().map(membership));
        let batch: Vec<_> = (0..request.count)
            .map(|index| numbered(&template, &spec, request, index))
            .collect();
        let uuids: Vec<String> = batch.iter().map(|one| one.0.uuid().to_owned()).collect();
        match &group {
            None => self.store.create_instances(batch).await?,
            Some(group) => {
                let (id, max) = (group.uuid(), self.config.server_group_members_max);
                let created = self.store.create_members(id, max, batch).await;
                created.map_err(|error| not_entered(error, id))?
            }
        };
        let first = uuids.first().cloned().unwrap_or_default();
        let sent = self
            .conductor
            .schedule_and_build_instances(ctx, uuids)
            .await;
        if let Err(error) = sent {
            let (code, why) = (error.code(), error.to_string());
            tracing::warn!(
                code,
                why,
                reservation,
                "new instances wait for the conductor's recovery"
            );
        }
        Ok(Booted { first, reservation })
    }

    async fn flavor(&self, wanted: &str) -> Result<Flavor, ApiError> {
        let found = self.store.find_flavor(wanted).await;
        let flavor = found.map_err(|error| match error {
            StoreError::Object(ObjectError::NotFound(..)) => no_flavor(wanted),
            other => other.into(),
        })?;
        if flavor.disabled() {
            Err(no_flavor(wanted))
        } else {
            Ok(flavor)
        }
    }

    /// Without a wish the image `none`, if it still exists.
    async fn image(&self, wanted: Option<&str>) -> Result<Option<ImageMeta>, ApiError> {
        let found = self.store.find_image(wanted.unwrap_or(NO_IMAGE)).await;
        match (found, wanted) {
            (Ok(image), _) if image.status() != "active" => {
                let message = format!("Image {} is not active.", image.id());
                Err(ApiError::bad(codes::BAD_REFERENCE, message))
            }
            (Ok(image), _) => Ok(Some(image)),
            (Err(StoreError::Object(ObjectError::NotFound(..))), None) => Ok(None),
            (Err(StoreError::Object(ObjectError::NotFound(..))), Some(wanted)) => {
                let error = ApiError::bad(codes::BAD_REFERENCE, "Can not find requested image");
                Err(error.because(format!("no image has the identifier or name `{wanted}`")))
            }
            (Err(StoreError::Object(ObjectError::ObjectAction(_, reason))), _) => {
                let error = ApiError::bad(codes::BAD_REFERENCE, "Can not find requested image");
                Err(error
                    .because(reason)
                    .with_cure("use the identifier of the image"))
            }
            (Err(other), _) => Err(other.into()),
        }
    }
}

fn no_flavor(wanted: &str) -> ApiError {
    let message = format!("Flavor {wanted} could not be found.");
    ApiError::bad(codes::BAD_REFERENCE, message)
        .because(format!("no flavor has the identifier or name `{wanted}`"))
}

/// Whether the flavor is large enough for the image.
fn check_fit(flavor: &Flavor, image: &ImageMeta) -> Result<(), ApiError> {
    let (ram, disk) = (flavor.memory_mb(), flavor.root_gb());
    let refuse = |what: &str, why: String| {
        let message = format!("Flavor's {what} is too small for requested image.");
        Err(ApiError::bad(codes::BAD_REFERENCE, message)
            .because(why)
            .with_cure("choose a larger flavor"))
    };
    if ram < image.min_ram() {
        return refuse(
            "memory",
            format!("{ram} MB is less than {} MB", image.min_ram()),
        );
    }
    // A root disk of 0 takes the size of the image.
    if disk != 0 && disk < image.min_disk() {
        return refuse(
            "disk",
            format!("{disk} GB is less than {} GB", image.min_disk()),
        );
    }
    Ok(())
}

fn instance(
    ctx: &RequestContext,
    request: &BootRequest,
    flavor: &Flavor,
    image: Option<&ImageMeta>,
    reservation: &str,
) -> Instance {
    let mut instance = Instance::new();
    instance
        .set_user_id(ctx.user_id.clone())
        .set_project_id(ctx.project_id.clone())
        .set_image_ref(image.map_or("", ImageMeta::id))
        .set_instance_type_id(flavor.id())
        .set_memory_mb(flavor.memory_mb())
        .set_vcpus(flavor.vcpus())
        .set_root_gb(flavor.root_gb())
        .set_ephemeral_gb(flavor.ephemeral_gb())
        .set_flavor(flavor.clone())
        .set_availability_zone(request.zone.zone.clone())
        .set_reservation_id(reservation)
        .set_user_data(request.user_data.clone())
        .set_config_drive(if request.config_drive { "True" } else { "" })
        .set_auto_disk_config(request.auto_disk)
        .set_access_ip_v4(request.access_ip_v4.clone())
        .set_access_ip_v6(request.access_ip_v6.clone())
        .set_metadata(request.metadata.clone())
        .set_vm_state(VmState::Building)
        .set_task_state(TaskState::Scheduling)
        .set_power_state(PowerState::NoState)
        .set_progress(0)
        .set_created_at(now());
    instance
}

fn spec(
    ctx: &RequestContext,
    request: &BootRequest,
    flavor: Flavor,
    image: Option<ImageMeta>,
) -> RequestSpec {
    let mut spec = RequestSpec::new();
    let one = |name: &Option<String>| name.clone().map(|name| vec![name]);
    spec.set_project_id(ctx.project_id.clone())
        .set_user_id(ctx.user_id.clone())
        .set_flavor(flavor)
        .set_image(image)
        .set_num_instances(request.count)
        .set_availability_zone(request.zone.zone.clone())
        .set_force_hosts(one(&request.zone.host))
        .set_force_nodes(one(&request.zone.node))
        .set_security_groups(request.security_groups.clone());
    spec
}

/// What a request keeps of its group: members and hosts are read when somebody needs them.
fn membership(group: &InstanceGroup) -> InstanceGroup {
    let mut kept = InstanceGroup::new();
    kept.set_uuid(group.uuid())
        .set_policies(group.policies().to_vec());
    kept
}

/// One of the instances, with its name and number.
fn numbered(
    template: &Instance,
    spec: &RequestSpec,
    request: &BootRequest,
    index: i64,
) -> (Instance, RequestSpec) {
    let uuid = Uuid::new_v4().to_string();
    let name = match request.count {
        1 => request.name.clone(),
        _ => format!("{}-{}", request.name, index + 1),
    };
    let (mut instance, mut spec) = (template.clone(), spec.clone());
    instance
        .set_hostname(hostname(&name, &uuid))
        .set_display_name(name)
        .set_launch_index(index)
        .set_uuid(uuid.as_str());
    spec.set_instance_uuid(uuid);
    (instance, spec)
}

/// The name as far as it can be a host name, else one made from the identifier.
fn hostname(name: &str, uuid: &str) -> String {
    let plain = name.chars().map(|c| match c {
        ' ' | '_' => '-',
        other => other.to_ascii_lowercase(),
    });
    let kept: String = plain
        .filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c))
        .take(HOSTNAME_LEN_MAX)
        .collect();
    match kept.trim_matches(['-', '.']) {
        "" => format!("server-{uuid}"),
        kept => kept.to_owned(),
    }
}

fn new_reservation() -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut left = Uuid::new_v4().as_u128();
    let mut digits = String::from("r-");
    for _ in 0..RESERVATION_LEN {
        digits.push(char::from(DIGITS[(left % 36) as usize]));
        left /= 36;
    }
    digits
}
