//! Which processors of a host cell a guest cell gets for itself. Emptier cores go first, so that guests are spread over
//! them; of a core the lowest numbers. Called by `cells`.

use super::cells::{GuestCell, HostCell, Threads};

impl HostCell {
    /// The processors for a guest cell and `reserved` more; nothing when there are not enough, or not as it wants them.
    /// A guest that wants each core alone gets all threads of its cores.
    pub(super) fn pins(&self, guest: &GuestCell, reserved: usize) -> Option<Vec<i64>> {
        let (wanted, free) = (guest.cpus + reserved, self.free_cpus());
        let needs_siblings = guest.threads == Threads::Require && !self.has_siblings();
        if guest.cpus == 0 || free.len() < wanted || needs_siblings {
            return None;
        }
        let cores: Vec<Vec<i64>> = if self.has_siblings() {
            let is_free = |cpu: &&i64| free.binary_search(cpu).is_ok();
            let left = |core: &Vec<i64>| core.iter().filter(is_free).copied().collect();
            self.siblings.iter().map(left).collect()
        } else {
            free.iter().map(|&cpu| vec![cpu]).collect()
        };
        let threads_max = self.threads_max();
        match guest.threads {
            Threads::Isolate => {
                let chosen = first_of(&cores, (1, threads_max), wanted)?;
                Some(self.whole_cores(chosen))
            }
            Threads::Require => {
                let mut threads = (2..=threads_max).rev();
                threads.find_map(|n| first_of(&cores, (n, n), wanted))
            }
            Threads::Prefer => {
                let mut threads = (1..=threads_max).rev();
                let evenly = threads.find_map(|n| first_of(&cores, (n, n), wanted));
                // What is left here and there, if nothing else will do.
                let all = || cores.concat().into_iter().take(wanted).collect();
                let any = evenly.unwrap_or_else(all);
                Some(any).filter(|cpus| !cpus.is_empty())
            }
        }
    }

    /// All threads of the cores that these processors are on.
    fn whole_cores(&self, cpus: Vec<i64>) -> Vec<i64> {
        if !self.has_siblings() {
            return cpus;
        }
        let is_chosen = |core: &&Vec<i64>| core.iter().any(|cpu| cpus.contains(cpu));
        self.siblings
            .iter()
            .filter(is_chosen)
            .flatten()
            .copied()
            .collect()
    }
}

/// The first `n` processors when `take` are taken of each core that has at least `free` left; nothing when these are too few.
fn first_of(cores: &[Vec<i64>], (take, free): (usize, usize), n: usize) -> Option<Vec<i64>> {
    let fitting = cores.iter().filter(|core| core.len() >= free);
    let mut cpus: Vec<i64> = fitting
        .flat_map(|core| core.iter().take(take))
        .copied()
        .collect();
    let enough = cpus.len() >= n;
    cpus.truncate(n);
    Some(cpus).filter(|_| enough)
}
