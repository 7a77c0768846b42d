//! Server groups. Which instances are members, they say when they are created.
//!
//! One line each; the statements are in `sqlite/`.

use longshore_objects::InstanceGroup;

use super::Store;
use crate::error::StoreError;
use crate::sqlite::instance_groups;

/// Server groups.
impl Store {
    /// Creates a group, of which its project may have `groups_max`; a missing uuid is made up.
    ///
    /// # Errors
    /// `ObjectAction` when the project has too many, `Exists` when the uuid is taken, or a fault.
    pub async fn create_instance_group(
        &self,
        group: InstanceGroup,
        groups_max: i64,
    ) -> Result<InstanceGroup, StoreError> {
        write!(self, "create a server group", |conn| {
            instance_groups::create(conn, &group, groups_max)
        })
    }

    /// Deletes a group; its members stay.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_instance_group(&self, uuid: &str) -> Result<(), StoreError> {
        let uuid = uuid.to_owned();
        write!(self, "delete a server group", |conn| {
            instance_groups::destroy(conn, &uuid)
        })
    }

    /// Reads a group with its members and their hosts as they are now.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn instance_group(&self, uuid: &str) -> Result<InstanceGroup, StoreError> {
        instance_groups::read(self.readers(), uuid).await
    }

    /// All groups, or those of a name, oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn instance_groups(
        &self,
        name: Option<&str>,
    ) -> Result<Vec<InstanceGroup>, StoreError> {
        instance_groups::list(self.readers(), name).await
    }

    /// The hosts that run members of a group now, without regard to the members `exclude`; none
    /// when the group is gone.
    ///
    /// # Errors
    /// A fault.
    pub async fn instance_group_hosts(
        &self,
        uuid: &str,
        exclude: &[String],
    ) -> Result<Vec<String>, StoreError> {
        instance_groups::hosts_without(self.readers(), uuid, exclude).await
    }
}
