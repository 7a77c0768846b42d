//! The computes of a simulation: they count instances, and tell the host manager what they have.
//!
//! As with real ones, a report that the host manager does not take is left out, and the one before stays in force; only
//! the fleet must be taken as a whole. Must not know the scheduler. Used by `run`.

use std::sync::Arc;

use longshore_objects::{InstanceGroup, Selection};
use longshore_plugin_api::{HostReport, PlacedInstance};

use super::books::Books;
use super::fleet::Fleet;
use super::groups::Groups;
use super::instances::Instances;
use super::outcome::SimulationError;
use super::requests::{Group, Request, Wanted};
use crate::driver_call::{CallError, guarded};
use crate::scheduler::watch::trail::{Method, Trail, Who};

/// All hosts, and what is told of them.
pub(super) struct Computes {
    trail: Arc<Trail>,
    books: Books,
    groups: Groups,
    /// If hosts are to tell which instances they have.
    instances: Option<Instances>,
    left_out: Option<(u64, String)>,
}

impl Computes {
    /// Tells the host manager of the fleet.
    ///
    /// # Errors
    /// It does not take all of it.
    pub(super) fn start(
        trail: &Arc<Trail>,
        fleet: &Fleet,
        requests: &[Request],
    ) -> Result<Self, SimulationError> {
        let books = Books::open(fleet);
        let computes = Computes {
            trail: Arc::clone(trail),
            books,
            groups: Groups::default(),
            instances: Instances::wanted_by(requests),
            left_out: None,
        };
        computes.tell(fleet).map_err(|error| {
            let error = trail.drivers().failed(Who::HostManager, error);
            SimulationError::new(error.code(), error.to_string())
        })?;
        let manager = trail.drivers().host_manager();
        let known = guarded(|| manager.host_table()).map_or(0, |table| table.len());
        let told = fleet.hosts().len();
        match known == told {
            true => Ok(computes),
            false => {
                let who = trail.drivers().named(Who::HostManager);
                let text = format!("{who} knows {known} hosts and was told of {told}");
                Err(SimulationError::bad_value(text))
            }
        }
    }

    fn tell(&self, fleet: &Fleet) -> Result<(), CallError> {
        let manager = self.trail.drivers().host_manager();
        guarded(|| manager.update_aggregates(fleet.aggregates()))?;
        for service in fleet.services() {
            let update = || manager.update_service(&service);
            let method = Method::UpdateService;
            self.trail.call(Who::HostManager, method, update)?;
        }
        let mut hosts = fleet.hosts().iter();
        hosts.try_for_each(|host| report(&self.trail, &host.report))
    }

    /// The place in the fleet of a host that was chosen.
    ///
    /// # Errors
    /// It is not in the fleet: the host manager made it up.
    pub(super) fn row(&self, chosen: &Selection) -> Result<usize, SimulationError> {
        let (host, node) = (chosen.host(), chosen.nodename());
        self.books.row(host, node).ok_or_else(|| {
            let who = self.trail.drivers().named(Who::HostManager);
            let text = format!("{who} has a host `{host}` with node `{node}`, the fleet has not");
            SimulationError::bad_value(text)
        })
    }

    /// A server group, with the hosts of its members.
    pub(super) fn group(&self, group: &Group) -> InstanceGroup {
        self.groups.object(group)
    }

    /// An instance came to a host, which reports.
    pub(super) fn enter(&mut self, row: usize, wanted: &Wanted, name: &str) {
        let entered = self.books.enter(row, wanted);
        if let Some(group) = &wanted.group {
            self.groups.enter(group, &entered.host);
        }
        let told = report(&self.trail, entered).and_then(|()| match &mut self.instances {
            Some(instances) => {
                let all = instances.enter(&entered.host, name);
                sync(&self.trail, &entered.host, all)
            }
            None => Ok(()),
        });
        self.took(told);
    }

    /// An instance left a host, which reports.
    pub(super) fn leave(&mut self, row: usize, wanted: &Wanted, name: &str) {
        let left = self.books.leave(row, wanted);
        if let Some(group) = &wanted.group {
            self.groups.leave(group, &left.host);
        }
        let told = report(&self.trail, left).and_then(|()| match &mut self.instances {
            Some(instances) => {
                let rest = instances.leave(&left.host, name);
                sync(&self.trail, &left.host, rest)
            }
            None => Ok(()),
        });
        self.took(told);
    }

    fn took(&mut self, told: Result<(), CallError>) {
        if let Err(error) = told {
            let text = || self.trail.drivers().failed(Who::HostManager, error);
            let (count, _) = self.left_out.get_or_insert_with(|| (0, text().to_string()));
            *count += 1;
        }
    }

    /// Reports that were not taken: how many, and why the first one.
    pub(super) fn left_out(&self) -> Option<(u64, String)> {
        self.left_out.clone()
    }

    pub(super) fn books(&self) -> &Books {
        &self.books
    }
}

/// A host's report, as its compute would send it.
fn report(trail: &Trail, report: &HostReport) -> Result<(), CallError> {
    let manager = trail.drivers().host_manager();
    let update = || manager.update_host(report);
    let told = trail.call(Who::HostManager, Method::UpdateHost, update);
    told.map(drop)
}

/// Which instances a host has, as its compute would tell.
fn sync(trail: &Trail, host: &str, all: Vec<PlacedInstance>) -> Result<(), CallError> {
    let manager = trail.drivers().host_manager();
    guarded(|| manager.sync_instances(host, all))
}
