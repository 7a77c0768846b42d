//! What a caller learns when a method fails, panics, or does not answer.

use std::time::Duration;

use longshore_messaging::{Failure, Route, RpcError};
use serde_json::json;

use crate::support::{Demo, TOPIC, admin, client, serve, transport};

#[tokio::test]
async fn a_failure_arrives_with_class_module_message_and_code() {
    let transport = transport();
    let (demo, _seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    let error = client(&transport)
        .call(&admin(), "fail", json!({}))
        .await
        .unwrap_err();
    let failure = error.failure().unwrap();
    assert!(failure.is("nova.exception", "NoValidHost"));
    assert_eq!(failure.message(), "No valid host was found.");
    assert_eq!(failure.args(), [json!("No valid host was found.")]);
    assert_eq!(failure.kwargs().get("reason"), Some(&json!("full")));
    assert_eq!(error.code(), "schedule/no-valid-host");
    let text = "the called method failed with `NoValidHost`: No valid host was found.";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_panic_is_answered_and_the_server_goes_on() {
    let transport = transport();
    let (demo, _seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    let client = client(&transport);
    // More panics than workers: none of them may keep a place.
    for _ in 0..65 {
        let error = client.call(&admin(), "panic", json!({})).await.unwrap_err();
        assert_eq!(error.code(), "rpc/panicked");
        assert_eq!(
            error.failure().unwrap().message(),
            "method `panic` panicked: boom 1"
        );
    }
    client.cast(&admin(), "panic", json!({})).await.unwrap();
    assert_eq!(client.call(&admin(), "name", json!({})).await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_answer_times_out_and_its_late_reply_is_ignored() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    let client = client(&transport);
    let prepared = client.prepare().timeout(Duration::from_secs(5));
    let error = prepared
        .call(&admin(), "hold", json!({}))
        .await
        .unwrap_err();
    seen.recv().await.unwrap();
    let RpcError::Timeout { msg_id, .. } = &error else {
        panic!("{error}")
    };
    let start = format!("timed out waiting for a reply to message id {msg_id}");
    assert!(error.to_string().starts_with(&start), "{error}");
    assert_eq!((error.code(), msg_id.len()), ("rpc/timeout", 32));
    demo.gate.add_permits(1);
    assert_eq!(client.call(&admin(), "name", json!({})).await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_timed_out_in_the_queue_is_never_run() {
    let transport = transport();
    let client = client(&transport);
    let error = client
        .call(&admin(), "echo", json!({"n": 1}))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/timeout");
    client
        .cast(&admin(), "echo", json!({"n": 2}))
        .await
        .unwrap();
    assert_eq!(transport.queue_len(&Route::Topic(TOPIC.into())), 2);
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    assert_eq!(seen.recv().await.unwrap().2, json!({"n": 2}));
}

#[tokio::test]
async fn a_result_too_large_for_a_message_is_answered_as_a_failure() {
    let transport = transport();
    let (demo, _seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    let error = client(&transport)
        .call(&admin(), "large", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/too-large");
    let args = json!({ "x": "x".repeat(longshore_messaging::message::MESSAGE_LEN_MAX) });
    let error = client(&transport)
        .call(&admin(), "echo", args)
        .await
        .unwrap_err();
    assert!(matches!(error, RpcError::TooLarge { .. }));
}

#[test]
fn errors_of_a_nested_call_become_failures_that_keep_their_code() {
    let origin = Failure::new("NoValidHost", "none").with_code("schedule/no-valid-host");
    assert_eq!(Failure::from(RpcError::Remote(origin.clone())), origin);
    let closed = Failure::from(RpcError::Closed);
    assert_eq!(closed.code(), Some("rpc/closed"));
    assert_eq!(closed.module(), "oslo_messaging.exceptions");
}

#[test]
fn text_of_a_peer_is_shown_on_one_bounded_line() {
    let failure = Failure::new("Evil", format!("a\nb\u{1b}[31m{}", "ä".repeat(2000)));
    let text = RpcError::Remote(failure).to_string();
    assert!(
        text.contains("a\\nb\\u{1b}[31m") && text.ends_with('…'),
        "{text}"
    );
    assert!(text.len() < 1200 && !text.contains('\n'));
}

#[test]
fn every_error_has_a_documented_code_with_a_hint() {
    let errors = [
        RpcError::Closed,
        RpcError::Backpressure {
            queue: "q".into(),
            len_max: 1,
        },
        RpcError::Remote(Failure::new("X", "x")),
        RpcError::NoReplyQueue { queue: "q".into() },
        RpcError::BadReply {
            problem: "x".into(),
        },
    ];
    for error in errors {
        let row = longshore_messaging::codes::TABLE
            .iter()
            .find(|row| row.code == error.code());
        assert_eq!(row.map(|row| row.cure), Some(error.hint()), "{error}");
    }
}
