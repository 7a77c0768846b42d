//! `Choices`: instances for which a host was chosen and which no host has reported yet.
//!
//! They count on that host until it reports them, they are placed anew, or too long has passed. Must
//! not know what hosts report. Kept by `instances.rs`.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use longshore_plugin_api::PlacedInstance;
use tokio::time::Instant;

/// How long an instance counts on the host that was chosen for it, if nobody reports it: twice the
/// usual time between two lists of a host's instances.
const AGE_MAX: Duration = Duration::from_secs(240);
/// Instances that count so at the same time; then the oldest ones do not any more.
const CHOICES_MAX: usize = 100_000;

/// Where instances will be, as far as the scheduler knows.
#[derive(Default)]
pub(in crate::scheduler) struct Choices {
    by_uuid: HashMap<String, Choice>,
    by_host: HashMap<String, Vec<String>>,
    /// Oldest first. Entries of choices that do not count any more stay until their turn.
    in_order: VecDeque<(Instant, String)>,
}

struct Choice {
    at: Instant,
    host: String,
    instance: PlacedInstance,
}

impl Choices {
    /// The instances that will be on a host.
    pub(in crate::scheduler) fn on(&self, host: &str) -> impl Iterator<Item = &PlacedInstance> {
        let uuids = self.by_host.get(host).map_or(&[][..], Vec::as_slice);
        let choices = uuids.iter().filter_map(|uuid| self.by_uuid.get(uuid));
        choices.map(|choice| &choice.instance)
    }

    /// The host that was chosen for an instance.
    pub(in crate::scheduler) fn host_of(&self, uuid: &str) -> Option<&str> {
        self.by_uuid.get(uuid).map(|choice| choice.host.as_str())
    }

    /// All hosts that were chosen.
    pub(in crate::scheduler) fn hosts(&self) -> impl Iterator<Item = &String> {
        self.by_host.keys()
    }

    /// A host was chosen for an instance; answers the hosts whose instances are others now.
    pub(in crate::scheduler) fn add(
        &mut self,
        host: &str,
        instance: PlacedInstance,
    ) -> Vec<String> {
        let mut changed = Vec::from_iter(self.remove(&instance.uuid));
        if self.in_order.len() >= CHOICES_MAX {
            changed.extend(self.remove_oldest());
        }
        let (at, uuid) = (Instant::now(), instance.uuid.clone());
        self.in_order.push_back((at, uuid.clone()));
        let on_host = self.by_host.entry(host.to_owned()).or_default();
        on_host.push(uuid.clone());
        let host = host.to_owned();
        changed.push(host.clone());
        self.by_uuid.insert(uuid, Choice { at, host, instance });
        changed
    }

    /// An instance does not count any more; answers the host on which it did.
    pub(in crate::scheduler) fn remove(&mut self, uuid: &str) -> Option<String> {
        let Choice { host, .. } = self.by_uuid.remove(uuid)?;
        if let Some(on_host) = self.by_host.get_mut(&host) {
            on_host.retain(|one| one != uuid);
            if on_host.is_empty() {
                self.by_host.remove(&host);
            }
        }
        Some(host)
    }

    /// Removes what nobody has reported for too long; answers the hosts.
    pub(in crate::scheduler) fn remove_old(&mut self) -> Vec<String> {
        let mut changed = Vec::new();
        let is_old = |at: &Instant| at.elapsed() > AGE_MAX;
        while self.in_order.front().is_some_and(|(at, _)| is_old(at)) {
            changed.extend(self.remove_oldest());
        }
        changed
    }

    fn remove_oldest(&mut self) -> Option<String> {
        let (at, uuid) = self.in_order.pop_front()?;
        let is_same = self.by_uuid.get(&uuid)?.at == at;
        if is_same { self.remove(&uuid) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(uuid: &str) -> PlacedInstance {
        PlacedInstance {
            uuid: uuid.to_owned(),
            ..PlacedInstance::default()
        }
    }

    fn on(choices: &Choices, host: &str) -> Vec<String> {
        choices.on(host).map(|one| one.uuid.clone()).collect()
    }

    #[test]
    fn an_instance_counts_on_the_last_host_that_was_chosen() {
        let mut choices = Choices::default();
        assert_eq!(choices.add("a", instance("1")), ["a"]);
        assert_eq!(choices.add("a", instance("2")), ["a"]);
        assert_eq!(choices.add("b", instance("1")), ["a", "b"]);
        assert_eq!(on(&choices, "a"), ["2"]);
        assert_eq!(choices.host_of("1"), Some("b"));
        assert_eq!(choices.remove("1").as_deref(), Some("b"));
        assert_eq!(choices.remove("1"), None);
        assert_eq!(choices.hosts().collect::<Vec<_>>(), ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_choice_that_nobody_reports_is_given_up() {
        let mut choices = Choices::default();
        choices.add("a", instance("1"));
        choices.add("a", instance("2"));
        tokio::time::advance(AGE_MAX).await;
        // Chosen anew, it is as young as the last choice.
        choices.add("a", instance("1"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(choices.remove_old(), ["a"]);
        assert_eq!(on(&choices, "a"), ["1"]);
    }

    #[test]
    fn one_choice_too_many_ends_the_oldest() {
        let mut choices = Choices::default();
        for number in 0..=CHOICES_MAX {
            choices.add(&format!("host-{number}"), instance(&number.to_string()));
        }
        assert_eq!(choices.host_of("0"), None);
        assert_eq!(choices.host_of("1"), Some("host-1"));
        assert_eq!(choices.hosts().count(), CHOICES_MAX);
    }
}
