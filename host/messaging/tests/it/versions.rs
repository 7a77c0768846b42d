//! Which endpoint serves a request, and which messages a cap admits.

use std::sync::Arc;

use longshore_messaging::{
    Endpoint, EndpointTarget, Failure, RpcClient, RpcServer, Target, Version,
};
use serde_json::json;

use crate::support::{Demo, TOPIC, admin, as_dyn, client, serve, transport};

const DISPATCHER: &str = "oslo_messaging.rpc.dispatcher";

#[test]
fn versions_are_compared_by_number() {
    let parse = |text| Version::parse(text).unwrap();
    for (implemented, requested, serves) in [
        ("1.5", "1.0", true),
        ("1.5", "1.4.9", true),
        ("1.5", "1.5", true),
        ("1.5", "1.6", false),
        ("1.5", "1.5.9", false),
        ("1.5", "3.0", false),
        ("1.10", "1.9", true),
        ("1.9", "1.10", false),
        ("2.0", "1.0", false),
        ("1.5.2", "1.5.2", true),
        ("1.5.2", "1.5.3", false),
        ("4.17", "4.0.77", true),
    ] {
        let answer = parse(implemented).serves(parse(requested));
        assert_eq!(answer, serves, "{implemented} for {requested}");
    }
    for text in ["", "1", "abc", "1.x", "1.2.x", "-1.0", "99999999999.0"] {
        assert!(Version::parse(text).is_err(), "{text}");
    }
    assert_eq!(parse("1.2.3").to_string(), "1.2.3");
    assert_eq!(parse("1.2.0").to_string(), "1.2");
}

#[tokio::test]
async fn a_server_runs_what_it_implements_and_names_what_it_does_not() {
    let transport = transport();
    let (demo, _seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    for version in ["1.0", "1.5", "1.4.9"] {
        let call = client(&transport).prepare().version(version);
        assert_eq!(call.call(&admin(), "name", json!({})).await.unwrap(), "a");
    }
    for version in ["1.6", "1.5.9", "3.0"] {
        let call = client(&transport).prepare().version(version);
        let error = call.call(&admin(), "name", json!({})).await.unwrap_err();
        let failure = error.failure().unwrap();
        assert!(failure.is(DISPATCHER, "UnsupportedVersion"));
        let text =
            format!("Endpoint does not support RPC version {version}. Attempted method: name");
        assert_eq!(failure.message(), text);
        assert_eq!(error.code(), "rpc/unsupported-version");
    }
}

#[tokio::test]
async fn unknown_and_private_methods_are_no_such_method() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    for method in ["nothing", "_hidden"] {
        let error = client(&transport)
            .call(&admin(), method, json!({}))
            .await
            .unwrap_err();
        let failure = error.failure().unwrap();
        assert!(failure.is(DISPATCHER, "NoSuchMethod"));
        let text = format!("Endpoint does not support RPC method {method}");
        assert_eq!(
            (failure.message(), error.code()),
            (text.as_str(), "rpc/no-such-method")
        );
    }
    assert!(seen.try_recv().is_err());
}

#[tokio::test]
async fn the_first_endpoint_of_the_interface_that_has_the_method_runs_it() {
    let transport = transport();
    let (one, _s1) = Demo::with_target("1.5", EndpointTarget::new(1, 5));
    let (two, _s2) = Demo::with_target("2.3", EndpointTarget::new(2, 3));
    let task = EndpointTarget::new(1, 25)
        .namespace("task")
        .legacy_namespace("old_task");
    let (three, _s3) = Demo::with_target("task", task);
    let (shadow, _s4) = Demo::with_target("shadowed", EndpointTarget::new(2, 9));
    let endpoints = [one, two, three, shadow]
        .map(|demo| demo as Arc<dyn Endpoint>)
        .to_vec();
    let _server = RpcServer::start(as_dyn(&transport), TOPIC, "h", endpoints)
        .await
        .unwrap();
    let ask = |namespace: Option<&str>, version: Option<&str>| {
        let target = Target {
            namespace: namespace.map(Into::into),
            version: version.map(Into::into),
            ..Target::new(TOPIC)
        };
        let client = RpcClient::new(as_dyn(&transport), target);
        async move { client.call(&admin(), "name", json!({})).await }
    };
    assert_eq!(ask(None, None).await.unwrap(), "1.5");
    assert_eq!(ask(None, Some("2.0")).await.unwrap(), "2.3");
    assert_eq!(ask(None, Some("2.4")).await.unwrap(), "shadowed");
    assert_eq!(ask(Some("task"), Some("1.20")).await.unwrap(), "task");
    assert_eq!(ask(Some("old_task"), Some("1.20")).await.unwrap(), "task");
    for namespace in ["other", ""] {
        let error = ask(Some(namespace), Some("1.0")).await.unwrap_err();
        assert!(
            error
                .failure()
                .is_some_and(|f| f.class() == "UnsupportedVersion")
        );
    }
    // Every endpoint of the interface is asked before the method counts as missing.
    let client = RpcClient::new(as_dyn(&transport), Target::new(TOPIC).version("2.0"));
    let error = client
        .call(&admin(), "nothing", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.failure().map(Failure::class), Some("NoSuchMethod"));
}

#[tokio::test]
async fn a_cap_is_checked_before_sending() {
    let transport = transport();
    let (demo, mut seen) = Demo::new("a");
    let _server = serve(&transport, "h", &demo).await;
    let capped = client(&transport).with_version_cap(Version::new(1, 2));
    for (version, fits) in [
        ("1.0", true),
        ("1.2", true),
        ("1.3", false),
        ("2.0", false),
        ("1.2.1", false),
    ] {
        assert_eq!(capped.can_send_version(Some(version)), fits, "{version}");
        let sent = capped
            .prepare()
            .version(version)
            .cast(&admin(), "name", json!({}))
            .await;
        match fits {
            true => drop((sent.unwrap(), seen.recv().await.unwrap())),
            false => assert_eq!(sent.unwrap_err().code(), "rpc/version-cap"),
        }
    }
    // A message without version fits no cap; without a cap everything fits.
    assert!(!capped.can_send_version(None));
    assert_eq!(
        capped
            .cast(&admin(), "name", json!({}))
            .await
            .unwrap_err()
            .code(),
        "rpc/version-cap"
    );
    assert!(client(&transport).can_send_version(Some("77.0")));
    let raised = capped
        .prepare()
        .version_cap(Version::new(1, 9))
        .version("1.5");
    raised.cast(&admin(), "name", json!({})).await.unwrap();
    let bad = client(&transport).prepare().version("one");
    let error = bad.cast(&admin(), "name", json!({})).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "version `one` is not of the form `major.minor`"
    );
}
