//! Blocking driver calls: deadline, abandonment, panics.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use longshore_control::call_watch::Note;
use longshore_control::{CallEnd, CallError, CallWatch, Watched};
use longshore_plugin_api::DriverError;
use tokio::sync::oneshot;

use crate::world::calls;

#[tokio::test]
async fn errors_and_panics_come_back_with_their_codes() {
    let calls = calls(Duration::from_secs(60));
    assert_eq!(calls.blocking("req", "test", |_| Ok(7)).await, Ok(7));
    let refused = calls.blocking("req", "test", |_| Err::<(), _>(DriverError::busy("later")));
    let refused = refused.await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string().as_str()),
        ("driver/refused", "later")
    );
    let panicked = calls.blocking::<()>("req", "test", |_| panic!("on\npurpose"));
    let panicked = panicked.await.unwrap_err();
    assert_eq!(panicked.code(), "driver/panicked");
    assert_eq!(panicked.to_string(), "the driver panicked: on purpose");
}

#[tokio::test]
async fn a_call_past_its_deadline_is_cancelled_counted_and_its_result_kept() {
    let calls = calls(Duration::from_millis(50));
    let (late, kept) = oneshot::channel();
    let (go, gate) = mpsc::channel();
    let call = calls.blocking_or_late(
        "req",
        "test",
        move |context| {
            gate.recv().unwrap();
            Ok((context.request_id().to_owned(), context.is_cancelled()))
        },
        |result| late.send(result).unwrap(),
    );
    let error = call.await.unwrap_err();
    assert_eq!(error, CallError::Timeout(Duration::from_millis(50)));
    assert_eq!((error.code(), calls.abandoned()), ("driver/timeout", 1));
    go.send(()).unwrap();
    assert_eq!(kept.await.unwrap(), Ok(("req".to_owned(), true)));
}

/// Notes what it is told.
#[derive(Default)]
struct Notes {
    closed: AtomicBool,
    told: Mutex<Vec<String>>,
}

impl Notes {
    fn told(&self, text: String) {
        self.told.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

impl CallWatch for Notes {
    fn admit(&self) -> Result<(), String> {
        match self.closed.load(Ordering::Relaxed) {
            true => Err("for a test".to_owned()),
            false => Ok(()),
        }
    }

    fn begin(&self, method: &str) -> Note {
        self.told(format!("begins {method}"));
        Note(Some(7))
    }

    fn end(&self, note: Note) {
        assert_eq!(note, Note(Some(7)));
        self.told("ends".to_owned());
    }

    fn ended(&self, how: CallEnd) {
        self.told(format!("{how:?}"));
    }
}

#[tokio::test]
async fn a_watch_sees_each_call_and_may_refuse_it() {
    let notes = Arc::new(Notes::default());
    let calls = calls(Duration::from_secs(60)).watched(Watched::by(notes.clone()));
    calls.blocking("req", "spawn", |_| Ok(())).await.unwrap();
    let failed = calls.blocking("req", "spawn", |_| Err::<(), _>(DriverError::busy("later")));
    failed.await.unwrap_err();
    assert_eq!(
        notes.take(),
        [
            "begins spawn",
            "ends",
            "Answered",
            "begins spawn",
            "ends",
            "Answered"
        ]
    );
    calls
        .blocking::<()>("req", "destroy", |_| panic!("no"))
        .await
        .unwrap_err();
    assert_eq!(notes.take(), ["begins destroy", "ends", "Panicked"]);
    notes.closed.store(true, Ordering::Relaxed);
    let fenced = calls
        .blocking::<()>("req", "spawn", |_| unreachable!())
        .await
        .unwrap_err();
    assert_eq!((fenced.code(), fenced.category()), ("driver/fenced", None));
    assert_eq!(fenced.to_string(), "the driver is fenced: for a test");
    assert_eq!(notes.take(), Vec::<String>::new());
}

#[tokio::test]
async fn a_watch_hears_of_a_stuck_call_and_of_its_return() {
    let notes = Arc::new(Notes::default());
    let calls = calls(Duration::from_millis(50)).watched(Watched::by(notes.clone()));
    let (late, kept) = oneshot::channel();
    let (go, gate) = mpsc::channel::<()>();
    let call = calls.blocking_or_late(
        "req",
        "spawn",
        move |_| {
            gate.recv().unwrap();
            Ok(())
        },
        |result| late.send(result).unwrap(),
    );
    call.await.unwrap_err();
    assert_eq!(notes.take(), ["begins spawn", "Stuck"]);
    go.send(()).unwrap();
    kept.await.unwrap().unwrap();
    assert_eq!(notes.take(), ["ends", "CameBack"]);
}
