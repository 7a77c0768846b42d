//! `Instances`: which instances each host has, for filters and weighers that look at neighbours.
//!
//! Compute services report what changes; of a host that has not reported, the records count. An
//! instance counts from the moment in which a host is chosen for it, so that the next request sees
//! it before the host does. Must not know messages (`instance_info.rs` does) or what neighbours mean.
//! Told to the host manager before a selection.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use longshore_objects::{
    Instance, InstanceList, ObjectApi, ObjectError, RequestSpec, VersionedObject,
};
use longshore_plugin_api::PlacedInstance;

use super::choices::Choices;
use super::refresh::took;
use crate::driver_call::CallError;
use crate::scheduler::watch::trail::{Method, Trail};

/// Pages of records in one look; an instance behind them counts once its host reports it.
const PAGES_MAX: usize = 10_000;

/// Hosts that have not reported and are read one by one; of more, all records are read.
const ONE_BY_ONE_MAX: usize = 100;

/// The instances of all hosts.
pub(in crate::scheduler) struct Instances {
    objects: Arc<dyn ObjectApi>,
    /// Held while one report is taken over, records that are read for it included: an older look
    /// at a host must not replace a newer one.
    reports: tokio::sync::Mutex<()>,
    cache: Mutex<Cache>,
    /// Held while the host manager is told: an older list must not replace a newer one.
    telling: Mutex<()>,
}

#[derive(Default)]
struct Cache {
    /// All records were read once.
    is_read: bool,
    hosts: HashMap<String, Reported>,
    choices: Choices,
    /// Hosts whose list the host manager does not have as it is here.
    untold: BTreeSet<String>,
}

/// What is known of one host.
#[derive(Default)]
struct Reported {
    instances: Vec<PlacedInstance>,
    /// The host has said so itself; else it is from the records.
    by_host: bool,
}

impl Instances {
    /// Nothing is known yet; [`read_records`](Self::read_records) changes that.
    pub(in crate::scheduler) fn new(objects: Arc<dyn ObjectApi>) -> Self {
        Self {
            objects,
            reports: tokio::sync::Mutex::default(),
            cache: Mutex::default(),
            telling: Mutex::default(),
        }
    }

    /// Takes over from the records what hosts have that have not reported themselves.
    ///
    /// # Errors
    /// Those of reading; what was known stays.
    pub(in crate::scheduler) async fn read_records(&self) -> Result<(), ObjectError> {
        let unreported = self.cache().unreported();
        let Some(hosts) = unreported.filter(|hosts| hosts.len() <= ONE_BY_ONE_MAX) else {
            return self.read_all().await;
        };
        for host in hosts {
            let _turn = self.reports.lock().await;
            self.read_host(&host).await;
        }
        Ok(())
    }

    /// The same of all hosts, those included that nothing is known of.
    ///
    /// # Errors
    /// As there.
    pub(in crate::scheduler) async fn read_all(&self) -> Result<(), ObjectError> {
        let mut found: HashMap<String, Vec<PlacedInstance>> = HashMap::new();
        let mut after_id = 0;
        for _ in 0..PAGES_MAX {
            let page = InstanceList::get_placed(self.objects.as_ref(), after_id).await?;
            let Some(last) = page.objects().last() else {
                break;
            };
            after_id = last.id();
            for instance in page.objects() {
                let host = instance.host().unwrap_or_default().to_owned();
                found.entry(host).or_default().push(placed(instance));
            }
        }
        self.cache().take_records(found);
        Ok(())
    }

    /// Instances that came to a host, or changed. Of a host that is not known several, or none, are
    /// taken for all that it has.
    pub(in crate::scheduler) async fn update(&self, host: &str, instances: &[Instance]) {
        let _turn = self.reports.lock().await;
        let instances: Vec<PlacedInstance> = instances.iter().map(placed).collect();
        if instances.len() == 1 && !self.is_known(host) {
            tracing::info!(
                host,
                "an unknown host reports an instance; reading all of its records"
            );
            return self.read_host(host).await;
        }
        let mut cache = self.cache();
        for instance in &instances {
            let chosen = cache.choices.remove(&instance.uuid);
            cache.untold.extend(chosen);
        }
        let known = cache.hosts.entry(host.to_owned()).or_default();
        let told: BTreeSet<&str> = instances.iter().map(|one| one.uuid.as_str()).collect();
        known
            .instances
            .retain(|old| !told.contains(old.uuid.as_str()));
        known.instances.extend(instances);
        known.by_host = true;
        cache.untold.insert(host.to_owned());
    }

    /// An instance left a host, or never came to it.
    pub(in crate::scheduler) async fn delete(&self, host: &str, uuid: &str) {
        let _turn = self.reports.lock().await;
        {
            let mut cache = self.cache();
            // A choice of another host is younger than this news.
            if cache.choices.host_of(uuid) == Some(host) {
                cache.choices.remove(uuid);
                cache.untold.insert(host.to_owned());
            }
        }
        if !self.is_known(host) {
            tracing::info!(
                host,
                "an unknown host lost an instance; reading all of its records"
            );
            return self.read_host(host).await;
        }
        let mut cache = self.cache();
        if let Some(known) = cache.hosts.get_mut(host) {
            known.instances.retain(|old| old.uuid != uuid);
            known.by_host = true;
        }
        cache.untold.insert(host.to_owned());
    }

    /// All instances that a host has; if others are known of it, its records are read again.
    pub(in crate::scheduler) async fn sync(&self, host: &str, uuids: &[String]) {
        let _turn = self.reports.lock().await;
        if !self.cache().confirm(host, uuids) {
            tracing::info!(
                host,
                "the host has other instances than known; reading its records"
            );
            self.read_host(host).await;
        }
    }

    /// The instances of a request are placed anew: where they were to be before does not count any
    /// more. Members of its group count on the hosts that were chosen for them.
    pub(in crate::scheduler) fn begin(&self, spec: &mut RequestSpec, uuids: &[String]) {
        self.forget(uuids);
        let Some(group) = spec.instance_group() else {
            return;
        };
        let cache = self.cache();
        let mut hosts = group.hosts().to_vec();
        for member in group.members() {
            let chosen = cache.choices.host_of(member);
            hosts.extend(
                chosen
                    .filter(|host| !hosts.iter().any(|h| h == host))
                    .map(str::to_owned),
            );
        }
        let mut group = group.clone();
        group.set_hosts(hosts);
        spec.set_instance_group(group);
    }

    /// A host was chosen for an instance, which counts there from now on.
    pub(in crate::scheduler) fn choose(&self, host: &str, instance: PlacedInstance) {
        let mut cache = self.cache();
        let changed = cache.choices.add(host, instance);
        cache.untold.extend(changed);
    }

    /// Instances are nowhere, as far as hosts were chosen for them and have not reported them.
    pub(in crate::scheduler) fn forget(&self, uuids: &[String]) {
        let mut cache = self.cache();
        for uuid in uuids {
            let chosen = cache.choices.remove(uuid);
            cache.untold.extend(chosen);
        }
    }

    /// Everything has to be told again: somebody may have told the host manager old news.
    pub(in crate::scheduler) fn tell_again(&self) {
        let cache = &mut *self.cache();
        let hosts = cache.hosts.keys().chain(cache.choices.hosts());
        cache.untold.extend(hosts.cloned());
    }

    /// Tells the host manager which hosts have other instances than before, unless another request
    /// does it now. No row of its table moves by that, so other selections may go on.
    ///
    /// # Errors
    /// That the host manager is not to be called; the rest is told when it may be.
    pub(in crate::scheduler) fn tell(&self, trail: &Trail) -> Result<(), CallError> {
        let _telling = match self.telling.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(()),
            Ok(telling) => telling,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        };
        {
            let mut cache = self.cache();
            let changed = cache.choices.remove_old();
            cache.untold.extend(changed);
        }
        let manager = &trail.drivers().host_manager.driver;
        loop {
            let next = self.cache().next_untold();
            let Some((host, instances)) = next else {
                return Ok(());
            };
            let sync = || manager.sync_instances(&host, instances);
            if let Err(error) = took(trail, &host, Method::SyncInstances, sync) {
                self.cache().untold.insert(host);
                return Err(error);
            }
        }
    }

    /// Replaces what is known of a host by its records.
    async fn read_host(&self, host: &str) {
        match InstanceList::get_by_host(self.objects.as_ref(), host).await {
            Ok(list) => {
                let instances = list.objects().iter().map(placed).collect();
                self.cache().take_record(host, instances);
            }
            Err(error) => {
                let code = error.code();
                tracing::warn!(code, host, "cannot read the instances of a host: {error}");
            }
        }
    }

    fn is_known(&self, host: &str) -> bool {
        self.cache().hosts.contains_key(host)
    }

    /// Never held across a driver call or a wait. Lists are changed whole, so poison means nothing.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Records replace what is not from the hosts themselves.
    fn take_records(&mut self, mut found: HashMap<String, Vec<PlacedInstance>>) {
        self.is_read = true;
        for host in self.hosts.keys() {
            found.entry(host.clone()).or_default();
        }
        for (host, instances) in found {
            if !self.hosts.get(&host).is_some_and(|known| known.by_host) {
                self.take_record(&host, instances);
            }
        }
    }

    /// What the records say of a host replaces what is known of it.
    fn take_record(&mut self, host: &str, instances: Vec<PlacedInstance>) {
        let known = self.hosts.entry(host.to_owned()).or_default();
        known.by_host = false;
        if known.instances != instances {
            known.instances = instances;
            self.untold.insert(host.to_owned());
        }
    }

    /// Hosts that have not reported themselves; nothing before all records were read once.
    fn unreported(&self) -> Option<Vec<String>> {
        let unreported = self.hosts.iter().filter(|(_, known)| !known.by_host);
        let hosts = unreported.map(|(host, _)| host.clone());
        self.is_read.then(|| hosts.collect())
    }

    /// Whether a host has what is known of it; if so, that counts as its own report. What was chosen
    /// for it may be there already.
    fn confirm(&mut self, host: &str, uuids: &[String]) -> bool {
        let Some(known) = self.hosts.get_mut(host) else {
            return false;
        };
        let said: BTreeSet<&str> = uuids.iter().map(String::as_str).collect();
        let mut all: BTreeSet<&str> = known.instances.iter().map(|i| i.uuid.as_str()).collect();
        let is_there = all.is_subset(&said);
        all.extend(self.choices.on(host).map(|one| one.uuid.as_str()));
        let is_same = is_there && said.is_subset(&all);
        known.by_host |= is_same;
        is_same
    }

    /// A host whose list is to be told, and that list.
    fn next_untold(&mut self) -> Option<(String, Vec<PlacedInstance>)> {
        let host = self.untold.pop_first()?;
        let known = self
            .hosts
            .get(&host)
            .map_or(&[][..], |known| &known.instances);
        let chosen = self.choices.on(&host);
        let is_new = |one: &&PlacedInstance| known.iter().all(|old| old.uuid != one.uuid);
        let all = known.iter().chain(chosen.filter(is_new)).cloned();
        let all = all.collect();
        Some((host, all))
    }
}

fn placed(instance: &Instance) -> PlacedInstance {
    let flavor = instance.is_set("flavor").then(|| instance.flavor());
    PlacedInstance {
        uuid: instance.uuid().to_owned(),
        flavor_id: flavor.map_or_else(String::new, |flavor| flavor.flavorid().to_owned()),
        project_id: instance.project_id().unwrap_or_default().to_owned(),
    }
}

/// An instance that a request asks for.
pub(in crate::scheduler) fn newcomer(spec: &RequestSpec, uuid: &str) -> PlacedInstance {
    PlacedInstance {
        uuid: uuid.to_owned(),
        flavor_id: spec.flavor().flavorid().to_owned(),
        project_id: spec.project_id().unwrap_or_default().to_owned(),
    }
}
