//! Looks at the process around what drivers do, and when the program asks: says what differs once, with everybody whose
//! code may have done it, and has it put back.
//!
//! Several drivers may be built at once. What they share is compared with one *known* state, which is taken when the first
//! of them begins, and renewed whenever one of them ends; all who were under way since it was taken are suspects. What
//! belongs to a thread is compared within that thread, so one driver alone is to blame. Beside that, the *settled* state is
//! what [`ProcessWatch::check`] compares with.
//!
//! Must not know what a driver is. Called by `factory` and `extension`, and by the program.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use longshore_plugin_api::Level;

use super::compare::Item;
use super::findings::Findings;
use super::inventory::Inventory;
use super::leaks::Counts;
use super::restore::{Restored, restore};
use super::state::ProcessState;
use super::window::Window;
use super::words::{self, Doer, Doing, Suspects};
use crate::codes;
use crate::diagnostic::escape;

/// Most names of drivers that are kept for messages.
const NAMES_MAX: usize = 256;

/// Watches the state of this process. One is enough for all loaders.
pub struct ProcessWatch {
    watched: Mutex<Watched>,
    /// The threads that the program has for itself.
    own_threads: Box<dyn Fn() -> Vec<i32> + Send + Sync>,
}

struct Watched {
    settled: ProcessState,
    /// While code of drivers is under way.
    window: Option<Window>,
    /// Names of drivers that were built.
    built: Vec<String>,
    /// How many ask that looks be shared, and the last one with its thread.
    at_rest: usize,
    last: Option<(ThreadId, Arc<ProcessState>)>,
    /// What `check` found first after the last driver was built, or when it last said something. Without connections.
    counted: Option<Counts>,
    beyond_repair: Option<String>,
}

/// The program's promise to change nothing itself, for as long as this lives.
#[derive(Debug)]
#[must_use]
pub struct AtRest(Arc<ProcessWatch>);

/// From its making to its end, code of one driver runs in this thread.
pub(crate) struct During {
    watch: Arc<ProcessWatch>,
    number: usize,
    before: Arc<ProcessState>,
}

impl std::fmt::Debug for ProcessWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProcessWatch")
    }
}

impl ProcessWatch {
    /// Watches from now on: how the process is now is how it should be. `own_threads` gives the ids of the threads that call
    /// drivers and come and go, such as those of a runtime: they are not taken for a driver's, and their rights are looked
    /// at.
    pub fn new(own_threads: impl Fn() -> Vec<i32> + Send + Sync + 'static) -> ProcessWatch {
        ProcessWatch {
            watched: Mutex::new(Watched {
                settled: ProcessState::of_first_thread(),
                window: None,
                built: Vec::new(),
                at_rest: 0,
                last: None,
                counted: None,
                beyond_repair: None,
            }),
            own_threads: Box::new(own_threads),
        }
    }

    /// Looks now, says what differs from the last look, and puts it back where that is possible, whoever changed it: a
    /// program that watches its process leaves these things alone too. Takes some 50 µs for each of its threads, so every
    /// minute is often enough. The first call after drivers were built counts what they have.
    pub fn check(&self) {
        let findings = self.lock().check(&(self.own_threads)());
        findings.say();
    }

    /// Why this process is no longer what was started, if a driver changed who it is, what it may do or what it sees: user,
    /// capabilities, namespaces, system call filter, root directory. None of this can be undone: finish what was taken, and
    /// end.
    pub fn beyond_repair(&self) -> Option<String> {
        self.lock().beyond_repair.clone()
    }

    /// Until the answer is dropped, the program itself changes nothing of what is watched: how it is after one driver was
    /// built is how it is before the next one is, in the same thread. It spares every other look.
    pub fn at_rest(self: &Arc<Self>) -> AtRest {
        self.lock().at_rest += 1;
        AtRest(Arc::clone(self))
    }

    /// Looks, and looks again when the answer is dropped, in the same thread.
    pub(crate) fn during(self: &Arc<Self>, namespace: &str, name: &str, doing: Doing) -> During {
        let own_threads = (self.own_threads)().len();
        let mut watched = self.lock();
        let before = watched.before();
        if doing == Doing::Built {
            watched.count_built(name);
        }
        let doer = Doer {
            namespace: namespace.to_owned(),
            name: escape(name),
            doing,
        };
        let counts = before.counts(own_threads);
        let number = watched
            .window
            .get_or_insert_with(|| Window::new(Arc::clone(&before), counts))
            .begin(doer);
        drop(watched);
        let watch = Arc::clone(self);
        During {
            watch,
            number,
            before,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AtRest {
    fn drop(&mut self) {
        let mut watched = self.0.lock();
        watched.at_rest = watched.at_rest.saturating_sub(1);
        watched.last = None;
    }
}

impl Drop for During {
    fn drop(&mut self) {
        let own_threads = (self.watch.own_threads)().len();
        let findings = self.watch.lock().ended(self, own_threads);
        findings.say();
    }
}

impl Watched {
    fn count_built(&mut self, name: &str) {
        let name = format!("`{}`", escape(name));
        if self.built.len() < NAMES_MAX && !self.built.contains(&name) {
            self.built.push(name);
        }
        self.counted = None;
    }

    /// How it is before a driver's code runs in this thread.
    fn before(&mut self) -> Arc<ProcessState> {
        match self.last.take() {
            Some((thread, last)) if thread == thread::current().id() => last,
            _ => Arc::new(ProcessState::now()),
        }
    }

    /// One of those that are under way has ended.
    fn ended(&mut self, during: &During, own_threads: usize) -> Findings {
        let mut findings = Findings::default();
        let Some(mut window) = self.window.take() else {
            return findings;
        };
        let now = ProcessState::now();
        let own = window.end(during.number);
        let of_thread = during.before.differences(&now).into_iter();
        for difference in of_thread.filter(|(item, _)| item.is_of_thread()) {
            let suspects = Suspects::During(&own);
            self.change(&mut findings, &suspects, &difference, &during.before);
        }
        let all = window.suspects();
        let suspects = Suspects::During(&all);
        let of_all = window.known.differences(&now).into_iter();
        let of_all: Vec<_> = of_all.filter(|(i, _)| !i.is_of_thread()).collect();
        for difference in &of_all {
            self.change(&mut findings, &suspects, difference, &window.known);
        }
        let counts = now.counts(own_threads);
        findings.add_growths(&suspects, window.counts, counts);
        let known = Arc::new(match findings.is_empty() {
            true => now,
            false => ProcessState::now(),
        });
        for (item, _) in &of_all {
            self.settled.adopt(item, &known);
        }
        if self.at_rest > 0 {
            self.last = Some((thread::current().id(), Arc::clone(&known)));
        }
        window.renew(known, counts);
        self.window = (!window.is_over()).then_some(window);
        findings
    }

    fn check(&mut self, own_threads: &[i32]) -> Findings {
        let mut findings = Findings::default();
        // What is said here must not be found again.
        self.last = None;
        let now = ProcessState::of_first_thread();
        let was = std::mem::take(&mut self.settled);
        let differences = was.differences(&now);
        // While drivers are built, what differs is looked at when they end.
        let is_open = self.window.is_some();
        let names = self.built.clone();
        let suspects = Suspects::SinceLastLook(&names);
        let watched = |item: &Item| !matches!(item, Item::Blocked(_) | Item::FloatControl);
        for difference in differences.iter().filter(|(i, _)| !is_open && watched(i)) {
            self.change(&mut findings, &suspects, difference, &was);
        }
        self.check_rights(&mut findings, &suspects, own_threads, &was);
        if is_open {
            self.settled = was;
            return findings;
        }
        let found = Counts {
            descriptors: Inventory::now().files(),
            ..now.counts(own_threads.len())
        };
        let before = *self.counted.get_or_insert(found);
        if findings.add_growths(&suspects, before, found) {
            self.counted = Some(found);
        }
        self.settled = match findings.is_empty() {
            true => now,
            false => ProcessState::of_first_thread(),
        };
        findings
    }

    /// Rights are a thread's own: code that was called in one of the program's may have given its up.
    fn check_rights(
        &mut self,
        findings: &mut Findings,
        suspects: &Suspects<'_>,
        own_threads: &[i32],
        was: &ProcessState,
    ) {
        for thread in own_threads {
            if self.beyond_repair.is_some() {
                return;
            }
            let Some(is) = was.with_rights_of(*thread) else {
                continue;
            };
            for difference in was.differences(&is) {
                self.change(findings, suspects, &difference, was);
            }
        }
    }

    /// Puts a difference back if that is possible, and says so.
    fn change(
        &mut self,
        findings: &mut Findings,
        suspects: &Suspects<'_>,
        (item, words): &(Item, String),
        was: &ProcessState,
    ) {
        if item.is_vital() && self.beyond_repair.is_some() {
            return;
        }
        let restored = restore(item, was);
        let text = words::changed(suspects, item, words, &restored);
        if item.is_vital() {
            self.beyond_repair = Some(text.clone());
        }
        let level = match restored {
            Restored::Yes => Level::Warn,
            Restored::No | Restored::Failed(_) => Level::Error,
        };
        findings.add(level, suspects, &text, codes::DRIVER_CHANGED_PROCESS);
    }
}

#[cfg(test)]
mod tests;
