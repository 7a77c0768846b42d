//! The bytes: what goes out, and what deviating peers may send in.

use std::sync::Arc;

use longshore_messaging::message::{IncomingRequest, OutgoingRequest, Reply};
use longshore_messaging::{Failure, MemoryTransport, RequestContext, Route, Transport, Version};
use serde_json::{Value, json};

use crate::support::{Demo, TOPIC, client, serve, transport};

/// Puts the envelope around a message.
fn envelope(inner: &Value) -> Vec<u8> {
    let outer = json!({"oslo.version": "2.0", "oslo.message": inner.to_string()});
    outer.to_string().into_bytes()
}

fn inner(body: &[u8]) -> Value {
    let outer: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(outer["oslo.version"], "2.0");
    assert_eq!(outer.as_object().unwrap().len(), 2);
    serde_json::from_str(outer["oslo.message"].as_str().unwrap()).unwrap()
}

#[test]
fn a_call_has_the_members_that_peers_expect() {
    let mut ctx = RequestContext::new("p", "u");
    ctx.request_id = "req-1".into();
    ctx.extra.insert("nested".into(), json!({"a": [1, null]}));
    let mut request = OutgoingRequest {
        method: "ping",
        args: &json!({"arg": 1}),
        namespace: Some("baseapi"),
        version: Some("1.0"),
        reply_to: Some(("m", "reply_x")),
        unique_id: "u1",
        context: &ctx,
    };
    let expected = json!({
        "method": "ping", "args": {"arg": 1}, "namespace": "baseapi", "version": "1.0",
        "_msg_id": "m", "_reply_q": "reply_x", "_timeout": null, "_unique_id": "u1",
        "_context_request_id": "req-1", "_context_user_id": "u", "_context_project_id": "p",
        "_context_is_admin": false, "_context_nested": {"a": [1, null]},
    });
    let body = request.encode().unwrap();
    assert_eq!(inner(&body), expected);
    let decoded = IncomingRequest::decode(&body).unwrap();
    assert_eq!(decoded.context, ctx);
    assert_eq!(decoded.call.unwrap().version, Version::new(1, 0));
    // A cast of a client without namespace and version.
    (request.namespace, request.version, request.reply_to) = (None, None, None);
    request.args = &Value::Null;
    let cast = inner(&request.encode().unwrap());
    for member in ["namespace", "version", "_msg_id", "_reply_q", "_timeout"] {
        assert!(cast.get(member).is_none(), "{member}");
    }
    assert_eq!(cast["args"], json!({}));
}

#[test]
fn a_reply_and_its_failure_have_the_members_that_peers_expect() {
    let reply = Reply {
        msg_id: "m".into(),
        result: Ok(json!(3)),
        ending: true,
    };
    let expected =
        json!({"result": 3, "failure": null, "ending": true, "_msg_id": "m", "_unique_id": "u"});
    assert_eq!(inner(&reply.encode("u").unwrap()), expected);
    let failure = Failure::new("Gone_Remote", "boom").with_module("nova.exception_Remote");
    let reply = Reply {
        result: Err(failure),
        ..reply
    };
    let body = inner(&reply.encode("u").unwrap());
    assert_eq!(body["result"], Value::Null);
    let failure: Value = serde_json::from_str(body["failure"].as_str().unwrap()).unwrap();
    let expected = json!({
        "class": "Gone", "module": "nova.exception", "message": "boom", "tb": [],
        "args": ["boom"], "kwargs": {},
    });
    assert_eq!(failure, expected);
}

#[test]
fn messages_that_deviate_are_read_as_deployed_peers_read_them() {
    let accepted = [
        json!({"method": "m"}),
        json!({"method": "m", "args": {}, "extra": 1, "_unique_id": 5}),
        json!({"method": "m", "namespace": null}),
    ];
    for message in &accepted {
        for body in [envelope(message), message.to_string().into_bytes()] {
            let call = IncomingRequest::decode(&body).unwrap().call.unwrap();
            assert_eq!((call.args, call.namespace), (json!({}), None), "{message}");
            assert_eq!(call.version, Version::new(1, 0));
        }
    }
    for (message, class) in [
        (json!({"args": {}}), "TypeError"),
        (json!({"method": "m", "args": null}), "AttributeError"),
        (json!({"method": "m", "args": []}), "AttributeError"),
        (
            json!({"method": "m", "version": null}),
            "UnsupportedVersion",
        ),
        (json!({"method": "m", "version": 1.0}), "AttributeError"),
        (json!({"method": "m", "version": "1"}), "IndexError"),
        (json!({"method": "m", "version": "abc"}), "ValueError"),
    ] {
        let request = IncomingRequest::decode(&envelope(&message)).unwrap();
        assert_eq!(request.call.unwrap_err().class(), class, "{message}");
    }
    let half = json!({"method": "m", "_msg_id": "m"});
    assert_eq!(
        IncomingRequest::decode(&envelope(&half)).unwrap().reply_to,
        None
    );
}

#[test]
fn what_is_no_message_is_refused_with_a_reason() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        String::new(),
        "{".into(),
        "[]".into(),
        "\u{0}".into(),
        deep,
        json!({"oslo.version": "2.1", "oslo.message": "{}"}).to_string(),
        json!({"oslo.version": "1.9", "oslo.message": "{}"}).to_string(),
        json!({"oslo.version": 2.0, "oslo.message": "{}"}).to_string(),
        json!({"oslo.version": null, "oslo.message": "{}"}).to_string(),
        json!({"oslo.version": "2.0", "oslo.message": {"method": "m"}}).to_string(),
        json!({"oslo.version": "2.0", "oslo.message": "no json"}).to_string(),
        json!({"oslo.version": "2.0"}).to_string(),
    ] {
        let problem = IncomingRequest::decode(body.as_bytes()).unwrap_err();
        assert!(!problem.0.is_empty());
    }
    assert!(IncomingRequest::decode(&[0xff, 0xfe]).is_err());
}

#[tokio::test]
async fn a_server_goes_on_after_unreadable_messages_and_dead_reply_queues() {
    let transport = transport();
    let topic = Route::Topic(TOPIC.into());
    let lost = json!({"method": "echo", "_msg_id": "m", "_reply_q": "reply_gone"});
    for body in [b"nonsense".to_vec(), envelope(&json!({})), envelope(&lost)] {
        transport.publish(&topic, body, None).await.unwrap();
    }
    let (demo, _seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    let ctx = RequestContext::admin();
    assert_eq!(
        client(&transport)
            .call(&ctx, "name", json!({}))
            .await
            .unwrap(),
        "a"
    );
    let reply = Route::Reply("reply_gone".into());
    let error = transport
        .publish(&reply, Vec::new(), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rpc/no-reply-queue");
}

/// Answers one call with hand-made replies and gives what the caller got.
async fn answered_with(replies: Vec<Value>) -> Result<Value, longshore_messaging::RpcError> {
    let transport = Arc::new(MemoryTransport::new());
    let mut listener = transport.listen(TOPIC, "h").await.unwrap();
    let caller = client(&transport);
    let call =
        tokio::spawn(async move { caller.call(&RequestContext::admin(), "m", json!({})).await });
    let request = IncomingRequest::decode(&listener.next().await.unwrap()).unwrap();
    let to = request.reply_to.unwrap();
    for mut reply in replies {
        if reply["_msg_id"].is_null() {
            reply["_msg_id"] = to.msg_id.clone().into();
        }
        let route = Route::Reply(to.queue.clone());
        transport
            .publish(&route, envelope(&reply), None)
            .await
            .unwrap();
    }
    call.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn replies_of_all_known_forms_reach_the_caller() {
    let end = json!({"failure": null, "ending": true});
    let early = json!({"result": 7, "failure": null, "ending": false});
    let beat = json!({"result": null, "failure": null, "ending": false});
    let other = json!({"result": 8, "failure": null, "ending": true, "_msg_id": "unknown"});
    let plain = json!({"result": 3, "failure": null, "ending": true, "more": 1});
    assert_eq!(answered_with(vec![plain.clone()]).await.unwrap(), 3);
    assert_eq!(answered_with(vec![end.clone()]).await.unwrap(), Value::Null);
    assert_eq!(answered_with(vec![early.clone(), end]).await.unwrap(), 7);
    assert_eq!(
        answered_with(vec![beat.clone(), other, beat, plain])
            .await
            .unwrap(),
        3
    );
    assert_eq!(
        answered_with(vec![early]).await.unwrap_err().code(),
        "rpc/timeout"
    );
    for bad in [
        json!({"result": 3, "ending": true}),
        json!({"failure": {"class": "X", "module": "m"}, "ending": true}),
        json!({"failure": "no json", "ending": true}),
    ] {
        assert_eq!(
            answered_with(vec![bad]).await.unwrap_err().code(),
            "rpc/bad-reply"
        );
    }
    let failure = json!({"class": "KeyError", "module": "exceptions"}).to_string();
    let both = json!({"result": 3, "failure": failure, "ending": true});
    let error = answered_with(vec![both]).await.unwrap_err();
    assert!(error.failure().unwrap().is("builtins", "KeyError"));
    assert_eq!(error.code(), "rpc/remote");
}
