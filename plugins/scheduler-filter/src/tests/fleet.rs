//! A fleet of hosts with slots: what the scheduler is lent in tests. A host passes while it has a
//! free slot, and weighs what the test says plus its free slots. Records what it was asked.

use longshore_plugin_api::{
    full, testing, DriverError, HostStates, HostTable, Limits, Mask, RequestFields, Scheduler,
    SelectOptions, Selection,
};
use std::path::Path;
use std::sync::Mutex;

pub(super) struct Fleet {
    pub(super) table: HostTable,
    pub(super) eligible: Vec<u64>,
    /// Free slots and weight of each host.
    state: Mutex<Vec<(u32, f32)>>,
    pub(super) asked: Mutex<Vec<String>>,
    /// A row that fails to consume.
    pub(super) broken: Option<u32>,
}

impl Fleet {
    /// Hosts with these free slots and weights.
    pub(super) fn new(hosts: &[(u32, f32)]) -> Self {
        Self {
            table: testing::hosts(hosts.len(), |_, _| {}).snapshot(),
            eligible: full(hosts.len()),
            state: Mutex::new(hosts.to_vec()),
            asked: Mutex::default(),
            broken: None,
        }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    pub(super) fn select(&self, options: &SelectOptions) -> Result<Vec<Selection>, DriverError> {
        let dir = Path::new("/nonexistent");
        let driver =
            testing::bridged::<dyn Scheduler, crate::select::FilterScheduler>("{}", dir).unwrap();
        self.select_by(&*driver, RequestFields::default(), options)
    }

    pub(super) fn select_by(
        &self,
        driver: &dyn Scheduler,
        request: RequestFields,
        options: &SelectOptions,
    ) -> Result<Vec<Selection>, DriverError> {
        driver.select_destinations(&testing::call(), &request.into(), options, self)
    }

    /// Gives a host more slots.
    pub(super) fn free(&self, row: usize, slots: u32) {
        self.state.lock().unwrap()[row].0 += slots;
    }

    /// Takes a host out; the last one takes its place.
    pub(super) fn remove(&mut self, row: usize) {
        let mut state = self.state.lock().unwrap();
        let mut hosts = testing::hosts(state.len(), |_, _| {});
        hosts.swap_remove(row);
        state.swap_remove(row);
        self.table = hosts.snapshot();
        self.eligible = full(state.len());
    }
}

impl HostStates for Fleet {
    fn table(&self) -> Result<HostTable, DriverError> {
        Ok(self.table.clone())
    }

    fn eligible(&self) -> Result<Vec<u64>, DriverError> {
        Ok(self.eligible.clone())
    }

    fn filter(&self, index: u32, mask: &mut Mask<'_>) -> Result<(), DriverError> {
        self.note(format!(
            "filter {index}: {:?}",
            mask.iter().collect::<Vec<_>>()
        ));
        let state = self.state.lock().unwrap();
        mask.retain_rows(|row| state[row].0 > 0);
        Ok(())
    }

    fn weigh(&self, mask: &Mask<'_>, weights: &mut [f32]) -> Result<(), DriverError> {
        self.note("weigh".to_owned());
        for row in mask.iter() {
            let (slots, weight) = self.state.lock().unwrap()[row];
            weights[row] = weight + slots as f32;
        }
        Ok(())
    }

    fn limits(&self, row: u32) -> Result<Limits, DriverError> {
        Ok(Limits {
            vcpu: Some(f64::from(row)),
            ..Limits::default()
        })
    }

    fn consume(&self, row: u32) -> Result<(), DriverError> {
        self.note(format!("consume {row}"));
        if self.broken == Some(row) {
            return Err(DriverError::internal("broken"));
        }
        self.state.lock().unwrap()[row as usize].0 -= 1;
        Ok(())
    }
}

pub(super) fn options(instances: u32) -> SelectOptions {
    SelectOptions {
        instances,
        host_subset_size: 1,
        ..SelectOptions::default()
    }
}

/// Host numbers, from 0, of a selection: the chosen one, then the alternates.
pub(super) fn rows(selection: &Selection) -> Vec<usize> {
    let all = std::iter::once(&selection.chosen).chain(&selection.alternates);
    all.map(|destination| {
        let row = destination.limits.vcpu.unwrap() as usize;
        assert_eq!(destination.host, format!("host-{:04}", row + 1));
        row
    })
    .collect()
}
