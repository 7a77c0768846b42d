//! The driver: the fleet behind a lock that is never held for longer than one change or one
//! snapshot. Called by the host through the kind's trait.

use crate::eligible;
use crate::fleet::Fleet;
use crate::machines::Machines;
use longshore_plugin_api::{
    Aggregate, Context, Driver, DriverError, HostManager, HostReport, HostTable, Log, Mask,
    NoSettings, PlacedInstance, RequestSpec, ServiceState,
};
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps every host; which of them are whole machines is `M`'s.
pub(crate) struct Hosts<M> {
    fleet: Mutex<Fleet>,
    log: Log,
    machines: PhantomData<M>,
}

impl<M> Hosts<M> {
    /// A call that panicked has failed already; the hosts that it did not touch are still right.
    fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machines> Driver for Hosts<M> {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            fleet: Mutex::new(Fleet::new(M::ARE_WHOLE)),
            log: context.log(),
            machines: PhantomData,
        })
    }
}

impl<M: Machines> HostManager for Hosts<M> {
    fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
        if let (Some(least), Some(free)) = (report.disk_available_least, report.free_disk_gb) {
            if least > free {
                self.log.warn(format_args!(
                    "host `{}` has more disk left than its instances leave: {least} GB, {free} GB",
                    report.host
                ));
            }
        }
        self.fleet().update_host(report)
    }

    fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
        self.fleet().remove_host(host, node);
        Ok(())
    }

    fn update_service(&self, state: &ServiceState) -> Result<(), DriverError> {
        self.fleet().update_service(state)
    }

    fn host_table(&self) -> Result<HostTable, DriverError> {
        Ok(self.fleet().table())
    }

    fn eligible_hosts(
        &self,
        hosts: &HostTable,
        request: &RequestSpec,
        mask: &mut Mask<'_>,
    ) -> Result<bool, DriverError> {
        let before = mask.count();
        let filters_run = eligible::retain(hosts, request, mask);
        if mask.count() < before {
            self.log.debug(format_args!(
                "the request allows {} of {before} hosts",
                mask.count()
            ));
        }
        Ok(filters_run)
    }

    fn consume_from_request(
        &self,
        host: &str,
        node: &str,
        request: &RequestSpec,
    ) -> Result<(), DriverError> {
        let missing = self.fleet().consume(host, node, request)?;
        if let Some(missing) = missing {
            self.log.warn(format_args!(
                "host `{host}` was selected, and not all is counted there: {missing}"
            ));
        }
        Ok(())
    }

    fn release_request(
        &self,
        host: &str,
        node: &str,
        request: &RequestSpec,
    ) -> Result<(), DriverError> {
        self.fleet().release(host, node, request);
        Ok(())
    }

    fn update_aggregates(&self, aggregates: Vec<Aggregate>) -> Result<(), DriverError> {
        self.fleet().update_aggregates(aggregates);
        Ok(())
    }

    fn sync_instance_info(&self, host: &str, instances: Vec<String>) -> Result<(), DriverError> {
        let known_by_uuid = |uuid| PlacedInstance {
            uuid,
            ..PlacedInstance::default()
        };
        let instances = instances.into_iter().map(known_by_uuid);
        self.fleet().sync_instances(host, instances.collect())
    }

    fn sync_instances(
        &self,
        host: &str,
        instances: Vec<PlacedInstance>,
    ) -> Result<(), DriverError> {
        self.fleet().sync_instances(host, instances)
    }
}
