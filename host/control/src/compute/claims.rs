//! What an instance needs, and whether a host may still promise it: pure arithmetic.
//!
//! Must not know records or drivers. Used by the resource tracker.

use longshore_objects::{Instance, SchedulerLimits, VersionedObject};

/// Resources of an instance, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Memory, MB.
    pub memory_mb: i64,
    /// Root and second disk, GB; swap is no part of it.
    pub disk_gb: i64,
    /// Processors.
    pub vcpus: i64,
}

impl Amounts {
    /// What an instance needs by its flavor, else by its own fields.
    pub fn of(instance: &Instance) -> Self {
        if instance.is_set("flavor") {
            let flavor = instance.flavor();
            return Self {
                memory_mb: flavor.memory_mb(),
                disk_gb: flavor.root_gb().saturating_add(flavor.ephemeral_gb()),
                vcpus: flavor.vcpus(),
            };
        }
        let (root, ephemeral) = (instance.root_gb(), instance.ephemeral_gb());
        Self {
            memory_mb: instance.memory_mb().unwrap_or(0),
            disk_gb: root.unwrap_or(0).saturating_add(ephemeral.unwrap_or(0)),
            vcpus: instance.vcpus().unwrap_or(0),
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            memory_mb: self.memory_mb.saturating_add(more.memory_mb),
            disk_gb: self.disk_gb.saturating_add(more.disk_gb),
            vcpus: self.vcpus.saturating_add(more.vcpus),
        }
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, less: Self) -> Self {
        Self {
            memory_mb: self.memory_mb.saturating_sub(less.memory_mb),
            disk_gb: self.disk_gb.saturating_sub(less.disk_gb),
            vcpus: self.vcpus.saturating_sub(less.vcpus),
        }
    }
}

/// How much a host may promise in all; nothing means unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClaimLimits {
    /// Memory, MB.
    pub memory_mb: Option<i64>,
    /// Disk, GB.
    pub disk_gb: Option<i64>,
    /// Processors.
    pub vcpus: Option<i64>,
}

impl From<Option<&SchedulerLimits>> for ClaimLimits {
    fn from(limits: Option<&SchedulerLimits>) -> Self {
        limits.map_or_else(Self::default, |limits| Self {
            memory_mb: limits.memory_mb(),
            disk_gb: limits.disk_gb(),
            vcpus: limits.vcpu(),
        })
    }
}

/// Whether `wanted` fits beside `used`. All resources are looked at.
///
/// # Errors
/// Every reason against it, joined by `; `.
pub(super) fn test(wanted: Amounts, used: Amounts, limits: ClaimLimits) -> Result<(), String> {
    let short = |what: &str, unit: &str, wanted: i64, used: i64, limit: Option<i64>| {
        let free = limit?.saturating_sub(used);
        (wanted > free).then(|| format!("free {what} {free}.00{unit} < requested {wanted}{unit}"))
    };
    let reasons = [
        short(
            "memory",
            " MB",
            wanted.memory_mb,
            used.memory_mb,
            limits.memory_mb,
        ),
        short("disk", " GB", wanted.disk_gb, used.disk_gb, limits.disk_gb),
        short("vcpu", "", wanted.vcpus, used.vcpus, limits.vcpus),
    ];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    if reasons.is_empty() {
        return Ok(());
    }
    Err(reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Amounts = Amounts {
        memory_mb: 512,
        disk_gb: 10,
        vcpus: 2,
    };

    fn limits(memory_mb: i64, disk_gb: i64, vcpus: i64) -> ClaimLimits {
        ClaimLimits {
            memory_mb: Some(memory_mb),
            disk_gb: Some(disk_gb),
            vcpus: Some(vcpus),
        }
    }

    #[test]
    fn no_limit_is_unlimited() {
        let used = Amounts {
            memory_mb: i64::MAX,
            ..WANTED
        };
        assert_eq!(test(WANTED, used, ClaimLimits::default()), Ok(()));
    }

    #[test]
    fn exactly_enough_fits_and_one_less_does_not() {
        let used = Amounts {
            memory_mb: 1000,
            disk_gb: 90,
            vcpus: 6,
        };
        assert_eq!(test(WANTED, used, limits(1512, 100, 8)), Ok(()));
        assert_eq!(
            test(WANTED, used, limits(1511, 99, 7)).unwrap_err(),
            "free memory 511.00 MB < requested 512 MB; free disk 9.00 GB < requested 10 GB; \
             free vcpu 1.00 < requested 2"
        );
    }
}
