//! The order of a start and of a stop, and what a failed start leaves behind.

use std::sync::Arc;
use std::time::Duration;

use longshore_messaging::{RequestContext, Target};
use longshore_service::{Drain, ServiceError};
use serde_json::json;

use crate::support::rig;

#[tokio::test(start_paused = true)]
async fn start_and_stop_run_their_steps_in_order() {
    let mut rig = rig();
    rig.service.start().await.unwrap();
    let steps = [
        "init_host",
        "register host1 longshore-demo demo",
        "pre_start_hook",
        "endpoints",
        "post_start_hook",
        "periodic_tasks",
        "beat",
        "tick",
    ];
    for step in steps {
        assert_eq!(rig.events.next().await, step);
    }
    // The base endpoint answers beside the manager's.
    let base = Target::new("demo").namespace("baseapi").version("1.0");
    let client = longshore_messaging::RpcClient::new(Arc::clone(&rig.transport), base);
    let pong = client
        .call(&RequestContext::admin(), "ping", json!({"arg": 1}))
        .await
        .unwrap();
    assert_eq!(pong, json!({"service": "demo", "arg": 1}));
    rig.service.reset().await.unwrap();
    assert_eq!(
        rig.service.start().await.unwrap_err().code(),
        "service/already-started"
    );
    let (trigger, drain) = Drain::new();
    trigger.start(Duration::from_secs(60));
    rig.service.stop(&drain).await.unwrap();
    rig.service.stop(&drain).await.unwrap();
    assert_eq!(rig.events.so_far(), ["reset", "cleanup_host"]);
    // The same service starts again, with all hooks.
    rig.service.start().await.unwrap();
    assert_eq!(rig.events.next().await, "init_host");
}

#[tokio::test(start_paused = true)]
async fn a_failed_step_is_named_and_what_was_started_is_stopped() {
    for (step, ran_after) in [
        ("init_host", &[][..]),
        ("pre_start_hook", &["cleanup_host"]),
        ("post_start_hook", &["cleanup_host"]),
    ] {
        let mut rig = rig();
        *rig.manager.fail_in.lock().unwrap() = Some(step);
        let error: ServiceError = rig.service.start().await.unwrap_err();
        let text =
            format!("cannot start `demo` on `host1`: `{step}` failed: `{step}` was told to fail");
        assert_eq!((error.chain(), error.code()), (text, "store/test"));
        let events = rig.events.so_far();
        let failed_at = events.iter().position(|event| event == step).unwrap();
        assert_eq!(events[failed_at + 1..], *ran_after, "{step}");
        // Nothing listens any more, and the service may be started again.
        let client = rig.client().with_timeout(Duration::from_secs(1));
        let error = client
            .call(&RequestContext::admin(), "hold", json!({}))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "rpc/timeout");
        *rig.manager.fail_in.lock().unwrap() = None;
        rig.service.start().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_methods_finish_and_cleans_up_after_them() {
    let mut rig = rig();
    rig.service.start().await.unwrap();
    let client = rig.client();
    let call = tokio::spawn(async move {
        client
            .call(&RequestContext::admin(), "hold", json!({}))
            .await
    });
    while rig.events.next().await != "method begins" {}
    let (trigger, drain) = Drain::new();
    trigger.start(Duration::ZERO);
    let service = Arc::clone(&rig.service);
    let stop = tokio::spawn(async move { service.stop(&drain).await });
    // While it drains, the host still lives.
    while rig.events.next().await != "beat" {}
    assert!(!stop.is_finished());
    rig.manager.gate.add_permits(1);
    stop.await.unwrap().unwrap();
    assert_eq!(call.await.unwrap().unwrap(), "done");
    let events = rig.events.so_far();
    assert_eq!(
        events.iter().filter(|event| *event == "tick").count(),
        0,
        "{events:?}"
    );
    assert_eq!(events[events.len() - 2..], ["method ends", "cleanup_host"]);
}

#[tokio::test(start_paused = true)]
async fn a_method_longer_than_the_grace_period_is_cut_short() {
    let mut rig = rig();
    rig.service.start().await.unwrap();
    rig.client()
        .cast(&RequestContext::admin(), "hold", json!({}))
        .await
        .unwrap();
    while rig.events.next().await != "method begins" {}
    let (trigger, drain) = Drain::new();
    trigger.start(Duration::from_secs(30));
    let error = rig.service.stop(&drain).await.unwrap_err();
    assert_eq!(error.code(), "service/drain-cut-short");
    assert!(error.hint().is_some());
    assert_eq!(drain.remaining(), Some(Duration::ZERO));
    let events = rig.events.so_far();
    assert_eq!(events.last().map(String::as_str), Some("cleanup_host"));
    assert!(!events.contains(&"method ends".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_cleanup_host_does_not_fail_the_stop() {
    let rig = rig();
    rig.service.start().await.unwrap();
    *rig.manager.fail_in.lock().unwrap() = Some("cleanup_host");
    let (_trigger, drain) = Drain::new();
    rig.service.stop(&drain).await.unwrap();
}
