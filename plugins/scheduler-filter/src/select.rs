//! The walk through one request: an instance after the other, each on what the one before has left.
//!
//! Hosts that a filter took out for one instance stay out for the next: what was consumed does not
//! come back. Keeps no state between requests; `caching` does, and begins a walk with some of the hosts.

use crate::rank::{best, choose, Choice};
use longshore_plugin_api::Random;
use longshore_plugin_api::{
    words_for, CallContext, Context, Destination, Driver, DriverError, HostStates, HostTable, Mask,
    NoSettings, RequestSpec, Scheduler, SelectOptions, Selection,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes one of the best hosts that the filters leave.
#[derive(Default)]
pub(crate) struct FilterScheduler {
    /// The last request's list of weights: at 100,000 hosts a fresh one costs more than what is computed in it.
    spare: Mutex<Vec<f32>>,
}

impl FilterScheduler {
    fn spare(&self) -> MutexGuard<'_, Vec<f32>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Driver for FilterScheduler {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Self::default())
    }
}

impl Scheduler for FilterScheduler {
    fn select_destinations(
        &self,
        context: &CallContext<'_>,
        _: &RequestSpec,
        options: &SelectOptions,
        hosts: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        let mut weights = std::mem::take(&mut *self.spare());
        let selections = select(context, options, hosts, &mut weights);
        *self.spare() = weights;
        selections
    }
}

fn select(
    context: &CallContext<'_>,
    options: &SelectOptions,
    hosts: &dyn HostStates,
    weights: &mut Vec<f32>,
) -> Result<Vec<Selection>, DriverError> {
    let mut walk = Walk::start(options, hosts, weights)?;
    walk.place_all(context)?;
    walk.finish()
}

/// One of the best hosts of a look, and where it was then.
pub(crate) struct Listed {
    pub(crate) host: String,
    pub(crate) node: String,
    pub(crate) row: usize,
    /// The ids of both names.
    ids: (Option<u32>, Option<u32>),
}

impl Listed {
    fn of(table: &HostTable, row: usize) -> Self {
        let host = table.host(row);
        Self {
            host: host.host_name().to_owned(),
            node: host.node_name().to_owned(),
            row,
            ids: ids_at(table, row),
        }
    }

    /// Whether the host is where it was, as far as ids tell. A table that was written anew may have given them to
    /// another host: then that one is looked at, and what is said of it is its own.
    pub(crate) fn is_in_its_row(&self, table: &HostTable) -> bool {
        self.row < table.len() && ids_at(table, self.row) == self.ids
    }
}

fn ids_at(table: &HostTable, row: usize) -> (Option<u32>, Option<u32>) {
    let at = |ids: &[u32]| ids.get(row).copied();
    (at(table.host_ids()), at(table.node_ids()))
}

/// A request half way.
pub(crate) struct Walk<'r> {
    options: &'r SelectOptions,
    hosts: &'r dyn HostStates,
    table: HostTable,
    /// The hosts that are left, one bit each.
    left: Vec<u64>,
    /// All that the request allows, while the walk has only looked at some of them.
    all: Option<Vec<u64>>,
    /// How many hosts are to be listed of the first look at all of them.
    list_max: usize,
    list: Option<Vec<Listed>>,
    eligible: usize,
    /// Of each host that is left, once they were weighed; there is nothing to weigh where one is left.
    weights: &'r mut Vec<f32>,
    random: Random,
    chosen: Vec<(usize, Destination)>,
    /// For a single instance: the next best after the chosen one.
    next_best: Vec<usize>,
}

impl<'r> Walk<'r> {
    pub(crate) fn start(
        options: &'r SelectOptions,
        hosts: &'r dyn HostStates,
        weights: &'r mut Vec<f32>,
    ) -> Result<Self, DriverError> {
        let table = hosts.table()?;
        let mut left = hosts.eligible()?;
        if left.len() != words_for(table.len()) {
            return Err(DriverError::internal(format!(
                "the mask of eligible hosts has {} words, and the table {} hosts",
                left.len(),
                table.len()
            )));
        }
        let eligible = Mask::new(&mut left, table.len()).count();
        weights.resize(table.len(), 0.0);
        let random = Random::new(options.seed);
        let (chosen, next_best) = (Vec::new(), Vec::new());
        Ok(Self {
            options,
            hosts,
            table,
            left,
            all: None,
            list_max: 0,
            list: None,
            eligible,
            weights,
            random,
            chosen,
            next_best,
        })
    }

    /// The hosts as they were when the walk began.
    pub(crate) fn table(&self) -> &HostTable {
        &self.table
    }

    /// Looks at the hosts of these rows first, and at others only when none of them is left.
    pub(crate) fn begin_with(&mut self, rows: &[usize]) {
        let mut some = vec![0; self.left.len()];
        for &row in rows {
            some[row / 64] |= 1 << (row % 64);
        }
        let both = self.left.iter().zip(&some);
        let both = both.map(|(left, some)| left & some).collect();
        self.all = Some(std::mem::replace(&mut self.left, both));
    }

    /// Keeps the best hosts of the first look at all of them.
    pub(crate) fn list_best(&mut self, hosts_max: usize) {
        self.list_max = hosts_max;
    }

    /// The best hosts, if there was a look at all.
    pub(crate) fn take_list(&mut self) -> Option<Vec<Listed>> {
        self.list.take()
    }

    /// Chooses the hosts of all instances, one after the other.
    pub(crate) fn place_all(&mut self, context: &CallContext<'_>) -> Result<(), DriverError> {
        for index in 0..self.options.instances {
            context.check()?;
            self.place(index)?;
        }
        Ok(())
    }

    /// Chooses the host of one instance and counts it.
    fn place(&mut self, index: u32) -> Result<(), DriverError> {
        self.look(index)?;
        let choice = Choice {
            subset_size: self.options.host_subset_size as usize,
            shuffle: self.options.shuffle_best_same_weighed_hosts,
            // Only a single instance finds its alternates here; several get theirs at the end.
            wanted: if self.options.instances == 1 {
                self.alternates_max() + 1
            } else {
                1
            },
        };
        let mask = Mask::new(&mut self.left, self.table.len());
        let mut rows = choose(&mask, self.weights, &choice, &mut self.random);
        if rows.is_empty() {
            return Err(self.not_enough(index));
        }
        let row = rows.remove(0);
        self.next_best = rows;
        let destination = self.destination(row)?;
        self.hosts.consume(row as u32)?;
        self.chosen.push((row, destination));
        Ok(())
    }

    /// The alternates of every instance: the best hosts that no instance of the request was given.
    pub(crate) fn finish(mut self) -> Result<Vec<Selection>, DriverError> {
        let mut rows = std::mem::take(&mut self.next_best);
        if self.options.instances > 1 && self.options.alternates > 0 {
            self.filter_and_weigh(self.options.instances - 1)?;
            let mut mask = Mask::new(&mut self.left, self.table.len());
            for (row, _) in &self.chosen {
                mask.clear(*row);
            }
            rows = best(&mask, self.weights, self.options.alternates as usize);
        }
        let alternates = rows.into_iter().map(|row| self.destination(row));
        let alternates = alternates.collect::<Result<Vec<_>, _>>()?;
        let select = |(_, chosen)| Selection {
            chosen,
            alternates: alternates.clone(),
        };
        Ok(self.chosen.into_iter().map(select).collect())
    }

    /// Filters and weighs the hosts that are left; all hosts when it had only been some and none of them is left.
    fn look(&mut self, index: u32) -> Result<(), DriverError> {
        self.filter_and_weigh(index)?;
        if self.left.iter().all(|word| *word == 0) {
            if let Some(all) = self.all.take() {
                self.left = all;
                // Filters that run once per request have not seen these hosts: for them it is the first instance.
                self.filter_and_weigh(0)?;
            }
        }
        if self.list_max > 0 && self.all.is_none() && self.list.is_none() {
            let mask = Mask::new(&mut self.left, self.table.len());
            let rows = best(&mask, self.weights, self.list_max);
            let listed = |row| Listed::of(&self.table, row);
            self.list = Some(rows.into_iter().map(listed).collect());
        }
        Ok(())
    }

    fn filter_and_weigh(&mut self, index: u32) -> Result<(), DriverError> {
        let mut mask = Mask::new(&mut self.left, self.table.len());
        self.hosts.filter(index, &mut mask)?;
        // With one host, or none, there is nothing to compare.
        if mask.count() > 1 {
            self.hosts.weigh(&mask, self.weights)?;
        }
        Ok(())
    }

    fn alternates_max(&self) -> usize {
        (self.options.alternates as usize).min(self.table.len())
    }

    fn destination(&self, row: usize) -> Result<Destination, DriverError> {
        let host = self.table.host(row);
        Ok(Destination {
            host: host.host_name().to_owned(),
            node: host.node_name().to_owned(),
            limits: self.hosts.limits(row as u32)?,
        })
    }

    /// Nothing is left for instance `index`.
    fn not_enough(&self, index: u32) -> DriverError {
        let (all, eligible) = (self.table.len(), self.eligible);
        let found = format!(
            "{} of {} instances have a host",
            index, self.options.instances
        );
        if eligible == 0 {
            let hint = "start a compute service, or ask for no particular host";
            let left = format!("the request allows 0 of {} hosts", all);
            return DriverError::no_valid_host(format!("not enough hosts: {found}, {left}"))
                .hint(hint);
        }
        let left = format!(
            "the filters left 0 of {} eligible hosts for the next",
            eligible
        );
        let hint = "ask for fewer or smaller instances, or see what each filter took out";
        DriverError::no_valid_host(format!("not enough hosts: {found}, {left}")).hint(hint)
    }
}
