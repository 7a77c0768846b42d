//! `Newcomers`: the members of a group that one request places, as they see each other.
//!
//! Each counts on its host as soon as that is chosen, so that the next one of the same request is
//! weighed beside it. Must not choose hosts. Made by the manager; asked by the request's hosts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_objects::RequestSpec;

use crate::driver_call::CallError;
use crate::scheduler::view::instances::{Instances, newcomer};
use crate::scheduler::watch::trail::Trail;

/// The instances of a request, in the order in which hosts are chosen for them.
pub(in crate::scheduler) struct Newcomers {
    instances: Arc<Instances>,
    spec: RequestSpec,
    uuids: Vec<String>,
    next: AtomicUsize,
}

impl Newcomers {
    /// The instances of this request, if they are members of a group.
    pub(in crate::scheduler) fn of(
        instances: &Arc<Instances>,
        spec: &RequestSpec,
        uuids: &[String],
    ) -> Option<Self> {
        spec.instance_group().is_some().then(|| Self {
            instances: Arc::clone(instances),
            spec: spec.clone(),
            uuids: uuids.to_vec(),
            next: AtomicUsize::new(0),
        })
    }

    /// A host was chosen for the next one, and the host manager is told.
    ///
    /// # Errors
    /// That the host manager is not to be called.
    pub(in crate::scheduler) fn enter(&self, host: &str, trail: &Trail) -> Result<(), CallError> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(uuid) = self.uuids.get(next) else {
            return Ok(());
        };
        self.instances.choose(host, newcomer(&self.spec, uuid));
        self.instances.tell(trail)
    }

    /// The request failed: none of them comes.
    pub(in crate::scheduler) fn leave(&self) {
        self.instances.forget(&self.uuids);
    }
}
