//! The API on a socket: taken ports, bounds, and a stop that loses no answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use longshore_control::api::{ApiConfig, ApiService, Readiness, ReadyItem, bind, router};
use longshore_messaging::MemoryTransport;
use longshore_service::{Drain, Launchable};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::support::{parts, request};

const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

async fn service(dir: &TempDir) -> ApiService {
    let transport = Arc::new(MemoryTransport::new());
    let parts = parts(dir, transport, Vec::new(), ApiConfig::default()).await;
    bind(FREE).await.unwrap().serve(parts)
}

async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("GET {path} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = bind(FREE).await.unwrap();
    let address = taken.address();
    let error = bind(address).await.unwrap_err();
    assert_eq!(error.code(), "service/cannot-listen");
    assert!(
        error.to_string().contains(&format!("`{address}`")),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("api.listen"));
}

#[tokio::test]
async fn it_serves_and_stops_beside_idle_connections() {
    let dir = TempDir::new().unwrap();
    let api = service(&dir).await;
    api.start().await.unwrap();
    let twice = api.start().await.unwrap_err();
    assert_eq!(twice.code(), "api/already-started");
    assert!(
        ask(api.address(), "/healthz")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let mut half = TcpStream::connect(api.address()).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    let (trigger, drain) = Drain::new();
    trigger.start(Duration::from_secs(60));
    api.stop(&drain).await.unwrap();
    assert!(TcpStream::connect(api.address()).await.is_err());
    api.stop(&drain).await.unwrap();
}

/// Readiness that answers when the test lets it.
struct Held {
    entered: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

#[async_trait]
impl Readiness for Held {
    async fn items(&self) -> Vec<ReadyItem> {
        self.entered.add_permits(1);
        self.released.acquire().await.unwrap().forget();
        Vec::new()
    }
}

#[tokio::test]
async fn a_request_in_work_is_answered_during_a_stop() {
    let dir = TempDir::new().unwrap();
    let (entered, released) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let mut parts = parts(&dir, Arc::default(), Vec::new(), ApiConfig::default()).await;
    parts.readiness = Arc::new(Held {
        entered: Arc::clone(&entered),
        released: Arc::clone(&released),
    });
    let api = bind(FREE).await.unwrap().serve(parts);
    api.start().await.unwrap();
    let asked = tokio::spawn(ask(api.address(), "/readyz"));
    entered.acquire().await.unwrap().forget();
    let (trigger, drain) = Drain::new();
    trigger.start(Duration::from_secs(60));
    let stop = api.stop(&drain);
    let answer = async {
        released.add_permits(1);
        asked.await.unwrap()
    };
    let (stopped, answer) = tokio::join!(stop, answer);
    stopped.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_stop_that_is_cut_short_says_so() {
    let dir = TempDir::new().unwrap();
    let (entered, released) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let mut parts = parts(&dir, Arc::default(), Vec::new(), ApiConfig::default()).await;
    parts.readiness = Arc::new(Held {
        entered: Arc::clone(&entered),
        released,
    });
    let api = bind(FREE).await.unwrap().serve(parts);
    api.start().await.unwrap();
    let asked = tokio::spawn(ask(api.address(), "/readyz"));
    entered.acquire().await.unwrap().forget();
    let (trigger, drain) = Drain::new();
    trigger.start(Duration::from_millis(1));
    assert_eq!(
        api.stop(&drain).await.unwrap_err().code(),
        "api/drain-cut-short"
    );
    asked.abort();
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_back() {
    let dir = TempDir::new().unwrap();
    let (entered, released) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let config = ApiConfig {
        in_flight_max: 1,
        ..ApiConfig::default()
    };
    let mut parts = parts(&dir, Arc::default(), Vec::new(), config).await;
    parts.readiness = Arc::new(Held {
        entered: Arc::clone(&entered),
        released: Arc::clone(&released),
    });
    let router = router(parts);
    let get = |path: &str| router.clone().oneshot(request("GET", path, Body::empty()));
    let held = tokio::spawn(get("/readyz"));
    entered.acquire().await.unwrap().forget();
    let refused = get("/v2.1/servers").await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(get("/healthz").await.unwrap().status(), 200);
    released.add_permits(1);
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    assert_eq!(get("/v2.1/servers").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    struct Broken;
    #[async_trait]
    impl Readiness for Broken {
        async fn items(&self) -> Vec<ReadyItem> {
            panic!("told to");
        }
    }
    let dir = TempDir::new().unwrap();
    let mut parts = parts(&dir, Arc::default(), Vec::new(), ApiConfig::default()).await;
    parts.readiness = Arc::new(Broken);
    let asked = request("GET", "/readyz", Body::empty());
    let response = router(parts).oneshot(asked).await.unwrap();
    assert_eq!(response.status(), 500);
    assert!(response.headers().contains_key("x-compute-request-id"));
}
