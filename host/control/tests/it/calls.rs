//! Blocking driver calls: deadline, abandonment, panics.

use std::sync::mpsc;
use std::time::Duration;

use longshore_control::CallError;
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
