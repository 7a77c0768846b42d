//! `exact_ram`, `exact_disk`, `exact_core`: hosts that have exactly as much left as is asked for, as
//! nodes that are given out whole. The limit is all that the host has: what came second fails when
//! compute claims it.

use longshore_plugin_api::{
    Context, Driver, DriverError, Filter, Host, HostTable, Limits, Mask, NoSettings, RequestSpec,
};
use std::marker::PhantomData;

/// Something of which a host has an amount left.
pub(crate) trait Amount: Send + Sync + 'static {
    /// Whether what is left is what the request asks for.
    fn is_exact(host: Host<'_>, request: &RequestSpec) -> bool;
    /// All that the host has.
    fn limits(host: Host<'_>) -> Limits;
}

/// Memory.
pub(crate) struct Ram;

impl Amount for Ram {
    fn is_exact(host: Host<'_>, request: &RequestSpec) -> bool {
        i128::from(host.free_ram_mb()) == i128::from(request.memory_mb())
    }
    fn limits(host: Host<'_>) -> Limits {
        Limits {
            memory_mb: Some(host.total_usable_ram_mb().into()),
            ..Limits::default()
        }
    }
}

/// Disk, swap included.
pub(crate) struct Disk;

impl Amount for Disk {
    fn is_exact(host: Host<'_>, request: &RequestSpec) -> bool {
        i128::from(host.free_disk_mb()) == i128::from(request.disk_mb())
    }
    fn limits(host: Host<'_>) -> Limits {
        Limits {
            disk_gb: Some(host.total_usable_disk_gb().into()),
            ..Limits::default()
        }
    }
}

/// Processors. A host that reports none has not exactly none: its report is taken to be broken.
pub(crate) struct Cores;

impl Amount for Cores {
    fn is_exact(host: Host<'_>, request: &RequestSpec) -> bool {
        let (total, used) = (host.vcpus_total(), host.vcpus_used());
        total > 0 && i64::from(total) - i64::from(used) == i64::from(request.vcpus())
    }
    fn limits(host: Host<'_>) -> Limits {
        Limits {
            vcpu: Some(host.vcpus_total().into()),
            ..Limits::default()
        }
    }
}

/// Passes hosts that have exactly the amount left.
pub(crate) struct ExactFilter<A>(PhantomData<A>);

impl<A: Amount> Driver for ExactFilter<A> {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self(PhantomData))
    }
}

impl<A: Amount> Filter for ExactFilter<A> {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(A::is_exact(host, request))
    }

    fn filter_all(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        mask.retain_rows(|row| A::is_exact(hosts.host(row), request));
        Ok(())
    }

    fn limits(&self, host: Host<'_>, _: &RequestSpec) -> Result<Limits, DriverError> {
        Ok(A::limits(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{build, left};
    use longshore_plugin_api::{testing, Column, RequestFields};

    #[test]
    fn a_little_more_or_less_is_not_exact() {
        let hosts = testing::hosts(4, |c, row| {
            c.set_i32(Column::FreeRamMb, row, [511, 512, 513, -512][row]);
            c.set_i32(Column::FreeDiskMb, row, [2048, 2560, 2561, 0][row]);
            c.set_u32(Column::VcpusTotal, row, [8, 8, 0, 2][row]);
            c.set_u32(Column::VcpusUsed, row, [5, 6, 0, 4][row]);
        });
        let request = RequestFields {
            memory_mb: 512,
            root_gb: 1,
            ephemeral_gb: 1,
            swap_mb: 512,
            vcpus: 2,
            ..RequestFields::default()
        };
        for filter in [
            build::<ExactFilter<Ram>>("{}"),
            build::<ExactFilter<Disk>>("{}"),
            build::<ExactFilter<Cores>>("{}"),
        ] {
            assert_eq!(left(&*filter, &hosts, request.clone()), [1]);
        }
    }

    #[test]
    fn a_broken_report_has_not_exactly_nothing() {
        let hosts = testing::hosts(1, |c, row| c.set_u32(Column::VcpusTotal, row, 0));
        let cores = build::<ExactFilter<Cores>>("{}");
        assert!(left(&*cores, &hosts, RequestFields::default()).is_empty());
    }

    #[test]
    fn the_limit_is_all_there_is() {
        let hosts = testing::hosts(1, |_, _| {}).snapshot();
        let request = RequestFields::default().into();
        let limits = |filter: &dyn Filter| filter.limits(hosts.host(0), &request).unwrap();
        assert_eq!(
            limits(&*build::<ExactFilter<Ram>>("{}")).memory_mb,
            Some(16_384.0)
        );
        assert_eq!(
            limits(&*build::<ExactFilter<Disk>>("{}")).disk_gb,
            Some(100.0)
        );
        assert_eq!(limits(&*build::<ExactFilter<Cores>>("{}")).vcpu, Some(8.0));
    }
}
