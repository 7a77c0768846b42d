//! Who is named for what, when several are under way. They change this process, each something that no other test needs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;
use crate::dynlib::{float_control, signals};

/// Both tests change this process, so only one of them is under way.
static ALONE: Mutex<()> = Mutex::new(());

impl During {
    /// Ends it, and answers what is said.
    fn said(self) -> Vec<String> {
        let findings = self.watch.lock().ended(&self, 0);
        findings.texts()
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

/// One look for the end of one and the beginning of the next, and still each is named for its own.
#[test]
fn at_rest_looks_are_shared() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watch = Arc::new(ProcessWatch::new(Vec::new));
    let control = float_control::get();
    {
        let _at_rest = watch.at_rest();
        let a = watch.during("ns", "a", Doing::Built);
        float_control::set(control ^ (1 << 13));
        assert!(a.said()[0].starts_with("`a` changed rounding"));
        let shared = watch.lock().last.clone();
        let b = watch.during("ns", "b", Doing::Built);
        assert!(shared.is_some_and(|(_, last)| Arc::ptr_eq(&last, &b.before)));
        float_control::set(control ^ (1 << 14));
        assert!(b.said()[0].starts_with("`b` changed rounding"));
    }
    assert!(watch.lock().last.is_none());
}
