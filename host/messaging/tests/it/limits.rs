//! The bounds: queues, workers, the window for duplicates; and how a server stops.

use std::sync::Arc;

use longshore_messaging::{MemoryTransport, Route, Transport};
use serde_json::json;

use crate::support::{Demo, TOPIC, admin, client, serve, serve_with, transport};

fn topic() -> Route {
    Route::Topic(TOPIC.into())
}

#[tokio::test]
async fn a_full_queue_refuses_the_message_after_its_limit() {
    let transport = Arc::new(MemoryTransport::with_queue_len_max(3));
    let client = client(&transport);
    for n in 0..3 {
        client
            .cast(&admin(), "echo", json!({ "n": n }))
            .await
            .unwrap();
    }
    let error = client
        .cast(&admin(), "echo", json!({"n": 3}))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/backpressure");
    assert_eq!(
        error.to_string(),
        "cannot send to `demo`: it holds its maximum of 3"
    );
    assert_eq!(
        client.call(&admin(), "echo", json!({})).await.unwrap_err(),
        error
    );
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    for n in 0..3 {
        assert_eq!(seen.recv().await.unwrap().2, json!({ "n": n }));
    }
    client.call(&admin(), "echo", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_fanout_with_one_full_listener_is_sent_to_none() {
    let transport = Arc::new(MemoryTransport::with_queue_len_max(2));
    let mut slow = transport.listen(TOPIC, "slow").await.unwrap();
    let mut quick = transport.listen(TOPIC, "quick").await.unwrap();
    let all = Route::Fanout(TOPIC.into());
    for n in 0..2 {
        transport.publish(&all, vec![n], None).await.unwrap();
    }
    assert_eq!(quick.next().await, Some(vec![0]));
    let error = transport.publish(&all, vec![2], None).await.unwrap_err();
    assert_eq!(error.code(), "rpc/backpressure");
    assert_eq!(slow.next().await, Some(vec![0]));
    transport.publish(&all, vec![3], None).await.unwrap();
    assert_eq!(
        (quick.next().await, quick.next().await),
        (Some(vec![1]), Some(vec![3]))
    );
    assert_eq!(
        (slow.next().await, slow.next().await),
        (Some(vec![1]), Some(vec![3]))
    );
    drop((slow, quick));
    assert_eq!(transport.queue_len(&all), 0);
}

#[tokio::test(start_paused = true)]
async fn expired_calls_do_not_keep_others_out_of_a_full_queue() {
    let transport = Arc::new(MemoryTransport::with_queue_len_max(1));
    let client = client(&transport);
    assert!(client.call(&admin(), "echo", json!({})).await.is_err());
    client.cast(&admin(), "echo", json!({})).await.unwrap();
    assert_eq!(transport.queue_len(&topic()), 1);
}

#[tokio::test]
async fn a_busy_server_leaves_messages_to_an_idle_one() {
    let transport = transport();
    let (busy, mut seen_busy) = Demo::new("busy");
    let server = serve_with(&transport, "h1", &busy, 2).await;
    let client = client(&transport);
    for _ in 0..2 {
        client.cast(&admin(), "hold", json!({})).await.unwrap();
        seen_busy.recv().await.unwrap();
    }
    client.cast(&admin(), "echo", json!({})).await.unwrap();
    assert_eq!(transport.queue_len(&topic()), 1);
    let (idle, mut seen_idle) = Demo::new("idle");
    let _second = serve(&transport, "h2", &idle).await;
    assert_eq!(seen_idle.recv().await.unwrap().0, "idle");
    assert!(seen_busy.try_recv().is_err());
    busy.gate.add_permits(2);
    server.stop().await;
    server.wait().await;
}

#[tokio::test]
async fn a_stopped_server_finishes_what_it_took_and_leaves_the_rest() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let server = serve(&transport, "h", &demo).await;
    let calling = client(&transport);
    let call = tokio::spawn(async move { calling.call(&admin(), "hold", json!({})).await });
    seen.recv().await.unwrap();
    server.stop().await;
    client(&transport)
        .cast(&admin(), "echo", json!({"n": 1}))
        .await
        .unwrap();
    assert!(!call.is_finished());
    demo.gate.add_permits(1);
    server.wait().await;
    assert_eq!(call.await.unwrap().unwrap(), "held");
    assert!(seen.try_recv().is_err());
    assert_eq!(transport.queue_len(&topic()), 1);
    // Stopping and waiting again changes nothing; the next start gets what was left.
    server.stop().await;
    server.wait().await;
    let _again = serve(&transport, "h", &demo).await;
    assert_eq!(seen.recv().await.unwrap().2, json!({"n": 1}));
}

#[tokio::test(start_paused = true)]
async fn an_aborted_server_ends_its_handlers() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let server = serve(&transport, "h", &demo).await;
    client(&transport)
        .cast(&admin(), "hold", json!({}))
        .await
        .unwrap();
    seen.recv().await.unwrap();
    server.stop().await;
    server.abort().await;
    // Nothing of the server is left that could still use its endpoint.
    assert_eq!(Arc::strong_count(&demo), 1);
}

#[tokio::test]
async fn a_repeated_message_runs_once_until_sixteen_newer_ones_came() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    let send = |n: u32| {
        let id = format!("id{n}");
        let body = json!({"method": "echo", "args": {"n": n}, "_unique_id": id}).to_string();
        let transport = Arc::clone(&transport);
        async move {
            transport
                .publish(&topic(), body.into_bytes(), None)
                .await
                .unwrap()
        }
    };
    // Nine is a repeat every time but the last: by then sixteen newer ids pushed it out.
    for n in [9, 9, 100, 9] {
        send(n).await;
    }
    for n in 101..116 {
        send(n).await;
    }
    send(9).await;
    let mut runs = Vec::new();
    while runs.len() < 18 {
        runs.push(seen.recv().await.unwrap().2["n"].as_u64().unwrap());
    }
    assert_eq!(runs.iter().filter(|n| **n == 9).count(), 2, "{runs:?}");
}
