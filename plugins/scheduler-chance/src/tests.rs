//! The scheduler through the bridge, on hosts that count what is consumed.

use crate::select::ChanceScheduler;
use longshore_plugin_api::{
    full, testing, Category, Column, DriverError, HostStates, HostTable, Limits, Mask, Scheduler,
    SelectOptions, Selection, STATE_DISABLED, STATE_UP,
};
use std::path::Path;
use std::sync::Mutex;

struct Fleet {
    table: HostTable,
    eligible: Vec<u64>,
    consumed: Mutex<Vec<u32>>,
}

impl Fleet {
    fn new(states: &[u32]) -> Self {
        let hosts = testing::hosts(states.len(), |c, row| {
            c.set_u32(Column::State, row, states[row])
        });
        let (table, eligible) = (hosts.snapshot(), full(states.len()));
        Self {
            table,
            eligible,
            consumed: Mutex::default(),
        }
    }

    fn select(&self, options: &SelectOptions) -> Result<Vec<Selection>, DriverError> {
        let dir = Path::new("/nonexistent");
        let driver = testing::bridged::<dyn Scheduler, ChanceScheduler>("{}", dir).unwrap();
        let request = longshore_plugin_api::RequestFields::default().into();
        driver.select_destinations(&testing::call(), &request, options, self)
    }

    fn rows(&self, options: &SelectOptions) -> Vec<u32> {
        self.select(options).unwrap();
        std::mem::take(&mut self.consumed.lock().unwrap())
    }
}

impl HostStates for Fleet {
    fn table(&self) -> Result<HostTable, DriverError> {
        Ok(self.table.clone())
    }
    fn eligible(&self) -> Result<Vec<u64>, DriverError> {
        Ok(self.eligible.clone())
    }
    fn filter(&self, _: u32, _: &mut Mask<'_>) -> Result<(), DriverError> {
        panic!("chance asks no filter")
    }
    fn weigh(&self, _: &Mask<'_>, _: &mut [f32]) -> Result<(), DriverError> {
        panic!("chance asks no weigher")
    }
    fn limits(&self, _: u32) -> Result<Limits, DriverError> {
        panic!("chance has no limits")
    }
    fn consume(&self, row: u32) -> Result<(), DriverError> {
        self.consumed.lock().unwrap().push(row);
        Ok(())
    }
}

fn options(instances: u32, seed: u64) -> SelectOptions {
    SelectOptions {
        instances,
        seed,
        ..SelectOptions::default()
    }
}

#[test]
fn every_host_that_is_up_enabled_and_eligible_is_chosen_at_times() {
    let states = [STATE_UP, 0, STATE_UP | STATE_DISABLED, STATE_UP, STATE_UP];
    let mut fleet = Fleet::new(&states);
    fleet.eligible = vec![0b01111];
    let rows = fleet.rows(&options(100, 1));
    assert_eq!(
        rows.len(),
        100,
        "each instance is counted, and hosts repeat"
    );
    assert!(rows.contains(&0) && rows.contains(&3));
    assert!(rows.iter().all(|row| [0, 3].contains(row)));
}

#[test]
fn a_seed_decides() {
    let fleet = Fleet::new(&[STATE_UP; 50]);
    assert_eq!(fleet.rows(&options(20, 7)), fleet.rows(&options(20, 7)));
    assert_ne!(fleet.rows(&options(20, 7)), fleet.rows(&options(20, 8)));
}

#[test]
fn no_host_up_and_no_host_allowed_are_told_apart() {
    for states in [&[][..], &[0, STATE_UP | STATE_DISABLED]] {
        let error = Fleet::new(states).select(&options(1, 1)).unwrap_err();
        assert_eq!(error.category(), Category::NoValidHost);
        assert_eq!(error.help(), Some("is the compute service running?"));
    }
    let mut fleet = Fleet::new(&[STATE_UP; 2]);
    fleet.eligible = vec![0];
    let error = fleet.select(&options(1, 1)).unwrap_err();
    assert_eq!(
        error.message(),
        "could not find another host: the request allows 0 of 2 that are up"
    );
}

#[test]
fn nothing_asked_is_nothing_answered() {
    assert!(Fleet::new(&[]).select(&options(0, 1)).unwrap().is_empty());
}

#[test]
fn alternates_differ_from_the_chosen_host_and_from_each_other() {
    let fleet = Fleet::new(&[STATE_UP; 5]);
    for (alternates, expected) in [(2, 3), (4, 5), (u32::MAX, 5)] {
        let options = SelectOptions {
            alternates,
            ..options(20, 3)
        };
        for selection in fleet.select(&options).unwrap() {
            let all = std::iter::once(&selection.chosen).chain(&selection.alternates);
            let mut hosts: Vec<&str> = all.map(|d| d.host.as_str()).collect();
            hosts.sort_unstable();
            hosts.dedup();
            assert_eq!(hosts.len(), expected);
            assert_eq!(selection.chosen.limits, Limits::default());
        }
    }
}

#[test]
fn a_mask_of_another_size_is_refused() {
    let mut fleet = Fleet::new(&[STATE_UP]);
    fleet.eligible = vec![];
    assert_eq!(
        fleet.select(&options(1, 1)).unwrap_err().category(),
        Category::Internal
    );
}

#[test]
fn a_deadline_that_has_passed_ends_the_request() {
    let (fleet, request) = (
        Fleet::new(&[STATE_UP]),
        longshore_plugin_api::RequestFields::default().into(),
    );
    let end = ChanceScheduler.select_destinations(
        &testing::late_call(),
        &request,
        &options(1, 1),
        &fleet,
    );
    assert_eq!(end.unwrap_err().category(), Category::Timeout);
    assert!(fleet.consumed.lock().unwrap().is_empty());
}
