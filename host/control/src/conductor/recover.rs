//! Finds what was accepted and is carried on by nobody: builds without a host, and deletes of
//! instances that never got one.
//!
//! Safe to run at any time and twice: a build that is only slow is not doubled, since the host that
//! takes it first wins. Run by the wiring after a start, and as a periodic task.

use std::time::Duration;

use longshore_messaging::RequestContext;
use longshore_objects::{Instance, ObjectError, TaskState, VmState, now};
use longshore_service::ServiceError;
use longshore_store::{InstanceQuery, LIST_MAX, StoreError};

use super::manager::{ConductorManager, service_error};
use super::rpcapi::Reschedule;

/// Pages of instances looked at in one run, per kind of work.
const PAGES_MAX: usize = 100;

impl ConductorManager {
    /// Builds again what has waited for a host for `older_than` or longer, and finishes deletes
    /// of instances without a host. Times are whole seconds.
    ///
    /// # Errors
    /// The store's. One instance that fails does not hinder the others.
    pub async fn recover(&self, older_than: Duration) -> Result<(), ServiceError> {
        let latest = now()
            .as_unix()
            .saturating_sub(i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX));
        self.recover_all(latest)
            .await
            .map_err(|error| service_error("recover builds", &error))
    }

    async fn recover_all(&self, latest: i64) -> Result<(), StoreError> {
        let deleting = InstanceQuery {
            task_states: Some(vec![Some(TaskState::Deleting)]),
            ..InstanceQuery::default()
        };
        for instance in self.stuck(deleting, latest).await? {
            self.finish_delete(&instance).await;
        }
        let building = InstanceQuery {
            vm_states: Some(vec![VmState::Building]),
            task_states: Some(vec![Some(TaskState::Scheduling)]),
            ..InstanceQuery::default()
        };
        let mut stuck = self.stuck(building, latest).await?;
        // Listed newest first; who waits longest goes first.
        stuck.reverse();
        for instance in stuck {
            let uuid = instance.uuid().to_owned();
            tracing::info!(uuid, "recovering a build that nobody carries on");
            let task = Reschedule {
                uuids: vec![uuid],
                ..Reschedule::default()
            };
            // Siblings that do not take messages now will not take the next one either.
            if self.build(&RequestContext::admin(), task).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Instances without a host, not touched since `latest` (seconds since 1970).
    async fn stuck(
        &self,
        mut query: InstanceQuery,
        latest: i64,
    ) -> Result<Vec<Instance>, StoreError> {
        let mut found = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.store.instances(&query).await?;
            query.marker = page.last().map(|last| last.uuid().to_owned());
            let full = page.len() >= LIST_MAX as usize;
            let old = |i: &Instance| {
                let touched = i.updated_at().or(i.created_at());
                touched.is_none_or(|at| at.as_unix() <= latest)
            };
            found.extend(page.into_iter().filter(|i| i.host().is_none() && old(i)));
            if !full {
                break;
            }
        }
        Ok(found)
    }

    async fn finish_delete(&self, instance: &Instance) {
        let uuid = instance.uuid();
        match self.store.destroy_instance(uuid, true).await {
            Ok(_) => tracing::info!(uuid, "finished the delete of an instance without a host"),
            Err(StoreError::Object(
                ObjectError::InstanceNotFound(_) | ObjectError::ObjectAction(..),
            )) => {}
            Err(error) => {
                let code = error.code();
                tracing::warn!(code, uuid, "cannot finish a delete: {error}");
            }
        }
    }
}
