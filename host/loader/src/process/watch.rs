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

use longshore_plugin_api::Level;

use super::compare::Item;
use super::inventory::Inventory;
use super::leaks::{Counts, growths};
use super::restore::{Restored, restore};
use super::state::ProcessState;
use super::words::{self, Doer, Doing, Suspects};
use crate::codes;
use crate::diagnostic::escape;
use crate::log;

/// Most names of drivers that are kept for messages.
const NAMES_MAX: usize = 8;

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
    /// Drivers that were built: the first names, and how many in all.
    built: (Vec<String>, usize),
    /// What `check` found first after the last driver was built, or when it last said something. Without connections.
    counted: Option<Counts>,
    beyond_repair: Option<String>,
}

struct Window {
    known: Arc<ProcessState>,
    counts: Counts,
    /// Who is under way, by the number of the look.
    under_way: Vec<(usize, Doer)>,
    /// Who ended since `known` was taken.
    ended: Vec<Doer>,
    looks: usize,
}

/// From its making to its end, code of one driver runs in this thread.
pub(crate) struct During {
    watch: Arc<ProcessWatch>,
    number: usize,
    before: Arc<ProcessState>,
}

/// What is to be said, once nothing is locked.
#[derive(Default)]
struct Findings(Vec<Finding>);

struct Finding {
    level: Level,
    about: (String, String),
    text: String,
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
                built: (Vec::new(), 0),
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

    /// Looks, and looks again when the answer is dropped, in the same thread.
    pub(crate) fn during(self: &Arc<Self>, namespace: &str, name: &str, doing: Doing) -> During {
        let own_threads = (self.own_threads)().len();
        let mut watched = self.lock();
        let before = Arc::new(ProcessState::now());
        if doing == Doing::Built {
            watched.count_built(name);
        }
        let window = watched.window.get_or_insert_with(|| Window {
            counts: before.counts(own_threads),
            known: Arc::clone(&before),
            under_way: Vec::new(),
            ended: Vec::new(),
            looks: 0,
        });
        window.looks += 1;
        let number = window.looks;
        let doer = Doer {
            namespace: namespace.to_owned(),
            name: escape(name),
            doing,
        };
        window.under_way.push((number, doer));
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

impl Drop for During {
    fn drop(&mut self) {
        let own_threads = (self.watch.own_threads)().len();
        let findings = self.watch.lock().ended(self, own_threads);
        findings.say();
    }
}

impl Watched {
    fn count_built(&mut self, name: &str) {
        let (names, count) = &mut self.built;
        let name = format!("`{}`", escape(name));
        if !names.contains(&name) {
            *count += 1;
            if names.len() < NAMES_MAX {
                names.push(name);
            }
        }
        self.counted = None;
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
        let known = match findings.0.is_empty() {
            true => now,
            false => ProcessState::now(),
        };
        for (item, _) in &of_all {
            self.settled.adopt(item, &known);
        }
        window.renew(known, counts);
        self.window = (!window.under_way.is_empty()).then_some(window);
        findings
    }

    fn check(&mut self, own_threads: &[i32]) -> Findings {
        let mut findings = Findings::default();
        let now = ProcessState::of_first_thread();
        let was = std::mem::take(&mut self.settled);
        let differences = was.differences(&now);
        // While drivers are built, what differs is looked at when they end.
        let is_open = self.window.is_some();
        let (names, count) = self.built.clone();
        let suspects = Suspects::SinceLastLook(&names, count);
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
        self.settled = match findings.0.is_empty() {
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

impl Window {
    /// Who ended now, from here on among those that did.
    fn end(&mut self, number: usize) -> Vec<Doer> {
        let place = self.under_way.iter().position(|(n, _)| *n == number);
        let own = place.map(|place| self.under_way.swap_remove(place).1);
        self.ended.extend(own.clone());
        own.into_iter().collect()
    }

    /// All whose code may have run since the known state was taken.
    fn suspects(&self) -> Vec<Doer> {
        let others = self.under_way.iter().map(|(_, doer)| doer);
        self.ended.iter().chain(others).cloned().collect()
    }

    fn renew(&mut self, known: ProcessState, counts: Counts) {
        self.known = Arc::new(known);
        self.counts = counts;
        self.ended.clear();
    }
}

impl Findings {
    fn add(&mut self, level: Level, suspects: &Suspects<'_>, text: &str, code: &str) {
        let (namespace, name) = suspects.only();
        self.0.push(Finding {
            level,
            about: (namespace.to_owned(), name.to_owned()),
            text: words::with_code(text, code),
        });
    }

    /// Answers whether there was something to say.
    fn add_growths(&mut self, suspects: &Suspects<'_>, was: Counts, is: Counts) -> bool {
        let growths = growths(was, is);
        for growth in &growths {
            let text = words::grown(suspects, growth);
            self.add(Level::Warn, suspects, &text, codes::DRIVER_LEAKS);
        }
        !growths.is_empty()
    }

    fn say(self) {
        for Finding { level, about, text } in self.0 {
            log::say(level, &about.0, &about.1, format_args!("{text}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;
    use crate::dynlib::{float_control, signals};

    /// Both tests change this process, so only one of them is under way.
    static ALONE: Mutex<()> = Mutex::new(());

    impl During {
        /// Ends it, and answers what is said.
        fn said(self) -> Vec<String> {
            let findings = self.watch.lock().ended(&self, 0);
            findings.0.into_iter().map(|f| f.text).collect()
        }
    }

    /// A limit that no other test has anything to do with.
    fn set_soft_limit(current: u64) {
        let maximum = getrlimit(Resource::Msgqueue).maximum;
        let limit = Rlimit {
            current: Some(current),
            maximum,
        };
        setrlimit(Resource::Msgqueue, limit).unwrap();
    }

    #[test]
    fn what_all_share_is_said_once_of_all_who_were_under_way() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = Arc::new(ProcessWatch::new(Vec::new));
        let was = getrlimit(Resource::Msgqueue);
        let a = watch.during("ns", "a", Doing::Built);
        let b = watch.during("ns", "b", Doing::Built);
        set_soft_limit(77);
        let words = "one of these changed limit `max msgqueue size`: \
                     `a` while being built, `b` while being built; it was put back \
                     (driver/changed-process)";
        assert_eq!(a.said(), [words]);
        assert_eq!(getrlimit(Resource::Msgqueue), was);
        let c = watch.during("ns", "c", Doing::Dropped);
        assert_eq!(b.said(), Vec::<String>::new(), "it is as it was");
        set_soft_limit(78);
        // `b` ended when all was well.
        let words = "`c` changed limit `max msgqueue size` while being dropped; it was put back \
                     (driver/changed-process)";
        assert_eq!(c.said(), [words]);
        assert_eq!(getrlimit(Resource::Msgqueue), was);
        assert!(watch.lock().window.is_none());
    }

    #[test]
    fn what_a_thread_has_is_its_own_drivers_doing() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = Arc::new(ProcessWatch::new(Vec::new));
        let (mask, control) = (signals::blocked(), float_control::get());
        let other = watch.during("ns", "other", Doing::Built);
        let guilty = std::thread::scope(|scope| {
            let in_thread = scope.spawn(|| {
                let guilty = watch.during("ns", "guilty", Doing::Built);
                signals::set_blocked(mask | 1 << 14).unwrap();
                // Rounds down.
                float_control::set(control ^ 1 << 13);
                let said = guilty.said();
                assert_eq!((signals::blocked(), float_control::get()), (mask, control));
                said
            });
            in_thread.join().unwrap()
        });
        let wanted = [
            "`guilty` changed SIGTERM blocking while being built; it was put back (driver/changed-process)",
            "`guilty` changed rounding of floating-point numbers while being built; it was put back \
             (driver/changed-process)",
        ];
        assert_eq!(guilty, wanted);
        let about_threads = |said: &String| said.contains("guilty");
        assert!(!other.said().iter().any(about_threads));
    }
}
