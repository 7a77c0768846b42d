//! Whether anything honours the policy of a request's server group.
//!
//! A policy that nobody looks at would be broken in silence, so such a request fails, as Nova's does.
//! Must not place anything: filters and weighers do. Asked by the manager before a selection.

use longshore_objects::RequestSpec;
use longshore_objects::instance_group::{
    AFFINITY, ANTI_AFFINITY, SOFT_AFFINITY, SOFT_ANTI_AFFINITY,
};

use crate::scheduler::drivers::SchedulerDrivers;
use crate::scheduler::errors::SelectError;

/// Each policy, and the filter or weigher that honours it.
const HONOURED_BY: [(&str, Honours); 4] = [
    (AFFINITY, Honours::Filter("server_group_affinity")),
    (ANTI_AFFINITY, Honours::Filter("server_group_anti_affinity")),
    (
        SOFT_AFFINITY,
        Honours::Weigher("server_group_soft_affinity"),
    ),
    (
        SOFT_ANTI_AFFINITY,
        Honours::Weigher("server_group_soft_anti_affinity"),
    ),
];

#[derive(Clone, Copy)]
enum Honours {
    Filter(&'static str),
    Weigher(&'static str),
}

impl Honours {
    fn is_enabled(self, drivers: &SchedulerDrivers) -> bool {
        match self {
            Self::Filter(name) => drivers.filters.iter().any(|(f, _)| f.name == name),
            Self::Weigher(name) => drivers.weighers.iter().any(|(w, _)| w.name == name),
        }
    }

    fn named(self) -> String {
        match self {
            Self::Filter(name) => format!("filter `{name}`"),
            Self::Weigher(name) => format!("weigher `{name}`"),
        }
    }
}

/// Refuses a request whose group has a policy that no enabled driver honours.
///
/// # Errors
/// [`SelectError::UnsupportedPolicy`].
pub(in crate::scheduler) fn check(
    drivers: &SchedulerDrivers,
    spec: &RequestSpec,
) -> Result<(), SelectError> {
    let Some(group) = spec.instance_group() else {
        return Ok(());
    };
    for policy in group.policies() {
        let known = HONOURED_BY.iter().find(|(name, _)| name == policy);
        if let Some((policy, by)) = known
            && !by.is_enabled(drivers)
        {
            return Err(SelectError::UnsupportedPolicy(policy, by.named()));
        }
    }
    Ok(())
}
