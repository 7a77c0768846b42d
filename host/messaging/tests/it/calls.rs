//! Who gets a message: one server, a named one, or all; and what travels with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use longshore_messaging::{BaseRpc, Endpoint, RequestContext, Route, RpcClient, RpcServer, Target};
use serde_json::json;

use crate::support::{Demo, TOPIC, admin, as_dyn, client, serve, serve_with, transport};

#[tokio::test]
async fn a_call_returns_the_value_of_the_method() {
    let transport = transport();
    let (demo, _seen) = Demo::new("a");
    let _server = serve(&transport, "host1", &demo).await;
    let args = json!({"n": 1, "list": [1.5, null, "ä\n\"\u{1F600}"], "nested": {"a": {}}});
    let answer = client(&transport)
        .call(&admin(), "echo", args.clone())
        .await
        .unwrap();
    assert_eq!(answer, args);
    let answer = client(&transport)
        .call(&admin(), "echo", json!(null))
        .await
        .unwrap();
    assert_eq!(answer, json!({}));
}

#[tokio::test]
async fn a_cast_runs_once_and_returns_at_once() {
    let transport = transport();
    // No server yet: the message waits in the queue.
    client(&transport)
        .cast(&admin(), "echo", json!({"n": 7}))
        .await
        .unwrap();
    assert_eq!(transport.queue_len(&Route::Topic(TOPIC.into())), 1);
    let (demo, mut seen) = Demo::new("a");
    let server = serve(&transport, "host1", &demo).await;
    assert_eq!(seen.recv().await.unwrap().2, json!({"n": 7}));
    server.stop().await;
    server.wait().await;
    assert!(seen.try_recv().is_err());
}

#[tokio::test]
async fn calls_to_a_topic_go_round_its_servers() {
    let transport = transport();
    let (a, _seen_a) = Demo::new("a");
    let (b, _seen_b) = Demo::new("b");
    let _servers = (
        serve(&transport, "h1", &a).await,
        serve(&transport, "h2", &b).await,
    );
    let client = client(&transport);
    let mut names = Vec::new();
    for _ in 0..6 {
        // Lets both servers come back to their queues before the next message.
        tokio::task::yield_now().await;
        names.push(client.call(&admin(), "name", json!({})).await.unwrap());
    }
    assert_eq!(
        names.iter().filter(|name| **name == "a").count(),
        3,
        "{names:?}"
    );
}

#[tokio::test]
async fn a_directed_call_reaches_only_its_server() {
    let transport = transport();
    let (a, _seen_a) = Demo::new("a");
    let (b, _seen_b) = Demo::new("b");
    let _servers = (
        serve(&transport, "h1", &a).await,
        serve(&transport, "h2", &b).await,
    );
    for (server, name) in [("h1", "a"), ("h2", "b"), ("h2", "b"), ("h1", "a")] {
        let prepared = client(&transport).prepare().server(server);
        assert_eq!(
            prepared.call(&admin(), "name", json!({})).await.unwrap(),
            name
        );
    }
}

#[tokio::test]
async fn a_fanout_reaches_every_listening_server_and_no_later_one() {
    let transport = transport();
    let client = client(&transport);
    client
        .fanout(&admin(), "echo", json!({"before": true}))
        .await
        .unwrap();
    let (a, mut seen_a) = Demo::new("a");
    let (b, mut seen_b) = Demo::new("b");
    let _servers = (
        serve(&transport, "h1", &a).await,
        serve(&transport, "h2", &b).await,
    );
    client
        .fanout(&admin(), "echo", json!({"n": 1}))
        .await
        .unwrap();
    assert_eq!(seen_a.recv().await.unwrap().2, json!({"n": 1}));
    assert_eq!(seen_b.recv().await.unwrap().2, json!({"n": 1}));
}

#[tokio::test]
async fn the_context_arrives_as_it_was_sent_with_keys_nobody_knows() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "host1", &demo).await;
    let mut ctx = RequestContext::new("project", "user");
    ctx.extra
        .insert("roles".into(), json!(["member", "reader"]));
    ctx.extra.insert("nested".into(), json!({"a": [1, null]}));
    let map = client(&transport)
        .call(&ctx, "context", json!({}))
        .await
        .unwrap();
    assert_eq!(map, json!(ctx.to_map()));
    let (_, arrived, _) = seen.recv().await.unwrap();
    assert_eq!(arrived, ctx);
    assert!(!arrived.is_admin && ctx.request_id.starts_with("req-"));
    // What is not plainly true gives no rights.
    for claim in [json!(null), json!("true"), json!(1)] {
        let map = json!({ "is_admin": claim }).as_object().unwrap().clone();
        assert!(!RequestContext::from_map(map).is_admin);
    }
}

#[tokio::test]
async fn a_client_and_its_clones_share_one_reply_queue_and_keep_replies_apart() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "host1", &demo).await;
    let client = client(&transport);
    let calls = (0..50).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { (n, client.call(&admin(), "echo", json!({ "n": n })).await) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (n, answer) = call.await.unwrap();
        assert_eq!(answer.unwrap(), json!({ "n": n }));
    }
    let mut arrived = BTreeSet::new();
    while let Ok((_, _, args)) = seen.try_recv() {
        arrived.insert(args["n"].as_i64().unwrap());
    }
    assert_eq!(arrived.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_run_twice_among_many_clients_and_servers() {
    const CLIENTS: u64 = 8;
    const CALLS: u64 = 100;
    let transport = transport();
    let (a, mut seen_a) = Demo::new("a");
    let (b, mut seen_b) = Demo::new("b");
    let first = serve_with(&transport, "h1", &a, 2).await;
    let second = serve_with(&transport, "h2", &b, 2).await;
    let work = (0..CLIENTS).map(|c| {
        let client = client(&transport);
        tokio::spawn(async move {
            for n in 0..CALLS {
                let args = json!({ "n": c * CALLS + n });
                let answer = client.call(&admin(), "echo", args.clone()).await.unwrap();
                assert_eq!(answer, args);
            }
        })
    });
    for task in work.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    for server in [first, second] {
        server.stop().await;
        server.wait().await;
    }
    let mut runs = Vec::new();
    while let Ok((_, _, args)) = seen_a.try_recv().or_else(|_| seen_b.try_recv()) {
        runs.push(args["n"].as_u64().unwrap());
    }
    runs.sort_unstable();
    assert_eq!(runs, (0..CLIENTS * CALLS).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_base_endpoint_answers_a_ping_in_its_namespace() {
    let transport = transport();
    let base: Arc<dyn Endpoint> = Arc::new(BaseRpc::new("scheduler"));
    let (demo, _seen) = Demo::new("a");
    let endpoints = vec![demo as Arc<dyn Endpoint>, base];
    let _server = RpcServer::start(as_dyn(&transport), TOPIC, "h", endpoints)
        .await
        .unwrap();
    let target = Target::new(TOPIC).namespace("baseapi").version("1.1");
    let client = RpcClient::new(as_dyn(&transport), target);
    let answer = client
        .call(&admin(), "ping", json!({"arg": [1, "x"]}))
        .await
        .unwrap();
    assert_eq!(answer, json!({"service": "scheduler", "arg": [1, "x"]}));
    let port = client
        .call(&admin(), "get_backdoor_port", json!({}))
        .await
        .unwrap();
    assert_eq!(port, json!(null));
    let error = client.call(&admin(), "ping", json!({})).await.unwrap_err();
    assert!(error.failure().unwrap().is("builtins", "TypeError"));
}

#[tokio::test]
async fn targets_that_do_not_fit_are_refused_before_anything_is_sent() {
    let transport = transport();
    let no_topic = RpcClient::new(as_dyn(&transport), Target::new(""));
    let error = no_topic
        .cast(&admin(), "echo", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/invalid-target");
    let fanout = client(&transport).prepare().fanout(true).version("1.2");
    let error = fanout.call(&admin(), "echo", json!({})).await.unwrap_err();
    let text = "a call cannot be used with fanout: <Target topic=demo, version=1.2, fanout=true>";
    assert_eq!(error.to_string(), text);
    let error = client(&transport)
        .cast(&admin(), "echo", json!([1]))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/bad-arguments");
    let nameless = RpcServer::start(as_dyn(&transport), TOPIC, "", Vec::new())
        .await
        .err();
    assert_eq!(nameless.unwrap().code(), "rpc/invalid-target");
    assert_eq!(transport.queue_len(&Route::Topic(TOPIC.into())), 0);
}
