//! Hands the aggregates to the host manager, all of them whenever one changed: filters see them as part of its table.
//!
//! What the records say counts. The messages about aggregates say only that it is time to look, so one that is lost or
//! comes late does no harm. Must not judge what the metadata means. Part of the view, and so under its lock.

use std::collections::BTreeMap;

use longshore_objects::{Aggregate, AggregateList, ObjectApi, ObjectError};
use longshore_plugin_api::Aggregate as Told;

use crate::codes;
use crate::driver_call::CallError;
use crate::scheduler::watch::trail::{Method, Trail, Who};

/// The methods by which the API says that aggregates changed.
pub(in crate::scheduler) const UPDATE: &str = "update_aggregates";
pub(in crate::scheduler) const DELETE: &str = "delete_aggregate";

/// The aggregates as last read.
#[derive(Default)]
pub(in crate::scheduler) struct Aggregates {
    generation: i64,
    by_id: BTreeMap<i64, Told>,
    /// They changed since the host manager took them.
    is_news: bool,
}

impl Aggregates {
    /// Reads what changed.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::scheduler) async fn read(
        &mut self,
        api: &dyn ObjectApi,
    ) -> Result<(), ObjectError> {
        let changed = AggregateList::get_changed_since(api, self.generation).await?;
        for aggregate in changed.objects() {
            self.generation = self.generation.max(aggregate.generation());
            self.note(aggregate);
            self.is_news = true;
        }
        Ok(())
    }

    /// Whether the host manager is to be told.
    pub(in crate::scheduler) fn are_news(&self) -> bool {
        self.is_news
    }

    fn note(&mut self, aggregate: &Aggregate) {
        let id = aggregate.id();
        self.by_id.remove(&id);
        if aggregate.deleted() {
            return;
        }
        let Ok(number) = u32::try_from(id) else {
            let (code, name) = (codes::BAD_SPEC, aggregate.name());
            tracing::warn!(
                code,
                id,
                name,
                "the aggregate is left out: too large a number"
            );
            return;
        };
        let told = Told {
            id: number,
            hosts: aggregate.hosts().to_vec(),
            metadata: aggregate.metadata().clone(),
        };
        self.by_id.insert(id, told);
    }

    /// Tells the host manager, if there is news. When it refuses, requests go on with what it knows, and the next one
    /// tells it again.
    ///
    /// # Errors
    /// That the host manager is not to be called.
    pub(in crate::scheduler) fn tell(&mut self, trail: &Trail) -> Result<(), CallError> {
        if !self.is_news {
            return Ok(());
        }
        let manager = &trail.drivers().host_manager;
        let all: Vec<Told> = self.by_id.values().cloned().collect();
        let update = || manager.driver.update_aggregates(all);
        match trail.call(Who::HostManager, Method::UpdateAggregates, update) {
            Ok(()) => self.is_news = false,
            Err(error @ CallError::Fenced(_)) => return Err(error),
            Err(error) if trail.is_given_up() => return Err(error),
            Err(error) => {
                let (code, manager) = (error.code(), &manager.name);
                tracing::warn!(code, manager, "aggregates are as they were before: {error}");
            }
        }
        Ok(())
    }
}
