//! The last look at the policy of a server group, on the host that builds a member.
//!
//! The scheduler saw the group as it was when it chose. Members that are placed at the same time do
//! not see each other there, but here: each is looked at after its record says where it is, one
//! member of a group at a time. Must not choose hosts. Called by `build.rs`.

use longshore_objects::instance_group::{AFFINITY, ANTI_AFFINITY};
use longshore_objects::{InstanceGroup, ObjectError};

use super::manager::ComputeManager;

impl ComputeManager {
    /// Why this host may not keep `uuid` as a member of the group; nothing when it may.
    ///
    /// # Errors
    /// Those of reading the group.
    pub(super) async fn violated_policy(
        &self,
        group: &InstanceGroup,
        uuid: &str,
    ) -> Result<Option<String>, ObjectError> {
        let has = |policy: &str| group.policies().iter().any(|p| p == policy);
        if !group.is_strict() {
            return Ok(None);
        }
        let others = group.get_hosts(self.objects.as_ref(), &[uuid]).await?;
        let host = &self.config.host;
        let is_here = others.contains(host);
        Ok(if has(ANTI_AFFINITY) && is_here {
            let text = format!("another member of its anti-affinity group is on host `{host}`");
            Some(text)
        } else if has(AFFINITY) && !is_here && !others.is_empty() {
            let text = format!("the members of its affinity group are not on host `{host}`");
            Some(text)
        } else {
            None
        })
    }
}
