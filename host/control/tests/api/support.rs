//! `TestApi`: the router over a database in a directory of its own, and requests to it.
//!
//! Must not assert what a test is about.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use longshore_control::api::{ApiConfig, ApiParts, PluginView, Readiness, ReadyItem, router};
use longshore_messaging::{MemoryTransport, Route, Transport};
use longshore_objects::{Expected, Instance, Service, TaskState, VmState};
use longshore_store::{Options, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) struct TestApi {
    pub(crate) store: Store,
    pub(crate) transport: Arc<MemoryTransport>,
    pub(crate) router: Router,
    pub(crate) dir: TempDir,
}

/// An answer: status, headers, and the body as JSON (null if it is empty).
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) struct Items(pub(crate) Vec<ReadyItem>);

#[async_trait]
impl Readiness for Items {
    async fn items(&self) -> Vec<ReadyItem> {
        self.0.clone()
    }
}

struct TwoPlugins;

impl PluginView for TwoPlugins {
    fn list(&self) -> Value {
        json!([
            { "namespace": "longshore.virt.driver", "name": "fake", "state": "in_use" },
            { "namespace": "longshore.scheduler.filter", "name": "ram", "state": "loaded" },
        ])
    }

    fn show(&self, namespace: &str, name: &str) -> Option<Value> {
        let known = namespace == "longshore.virt.driver" && name == "fake";
        known.then(|| json!({ "name": "fake", "file": "liblongshore_virt_fake.so" }))
    }
}

pub(crate) async fn parts(
    dir: &TempDir,
    transport: Arc<MemoryTransport>,
    items: Vec<ReadyItem>,
    config: ApiConfig,
) -> ApiParts {
    let url = format!("sqlite://{}", dir.path().join("api.db").display());
    ApiParts {
        store: Store::open(&url, Options::default()).await.unwrap(),
        transport,
        readiness: Arc::new(Items(items)),
        plugins: Arc::new(TwoPlugins),
        config,
    }
}

impl TestApi {
    pub(crate) async fn new() -> Self {
        Self::with(MemoryTransport::new(), Vec::new(), ApiConfig::default()).await
    }

    pub(crate) async fn with(
        transport: MemoryTransport,
        items: Vec<ReadyItem>,
        config: ApiConfig,
    ) -> Self {
        let dir = TempDir::new().unwrap();
        let transport = Arc::new(transport);
        let parts = parts(&dir, Arc::clone(&transport), items, config).await;
        Self {
            store: parts.store.clone(),
            transport,
            router: router(parts),
            dir,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).unwrap(),
        };
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(request("GET", path, Body::empty())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(request("DELETE", path, Body::empty())).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(request("POST", path, body.to_string().into()))
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(request("PUT", path, body.to_string().into()))
            .await
    }

    /// Records a compute service on each of these hosts.
    pub(crate) async fn hosts(&self, names: &[&str]) {
        for name in names {
            let mut service = Service::new();
            service
                .set_host(*name)
                .set_binary("longshore-compute")
                .set_report_count(1);
            self.store.create_service(service).await.unwrap();
        }
    }

    /// Makes an aggregate of these hosts, in a zone if one is named, and gives its path.
    pub(crate) async fn aggregate(&self, name: &str, zone: Option<&str>, hosts: &[&str]) -> String {
        let body = json!({ "aggregate": { "name": name, "availability_zone": zone } });
        let reply = self.post("/v2.1/os-aggregates", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let path = format!("/v2.1/os-aggregates/{}", reply.body["aggregate"]["id"]);
        for host in hosts {
            let body = json!({ "add_host": { "host": host } });
            let reply = self.post(&format!("{path}/action"), &body).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
        path
    }

    /// Boots one server and gives its identifier.
    pub(crate) async fn boot(&self, name: &str) -> String {
        let body = json!({ "server": { "name": name, "flavorRef": "1" } });
        let reply = self.post("/v2.1/servers", &body).await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        reply.body["server"]["id"].as_str().unwrap().to_owned()
    }

    /// Puts a server into a state, as compute on host `one` would.
    pub(crate) async fn become_(&self, id: &str, vm: VmState, task: Option<TaskState>) -> Instance {
        let mut instance = self.store.instance(id).await.unwrap();
        instance
            .set_host("one")
            .set_node("node-1")
            .set_vm_state(vm)
            .set_task_state(task);
        let saved = self.store.save_instance(instance, Expected::any()).await;
        saved.unwrap()
    }

    /// Messages that wait for the compute service of host `one`.
    pub(crate) fn queued_for_one(&self) -> usize {
        self.transport.queue_len(&Route::Server {
            topic: "compute".to_owned(),
            server: "one".to_owned(),
        })
    }

    /// Messages that wait for a conductor.
    pub(crate) fn queued_for_conductor(&self) -> usize {
        let topic = "conductor".to_owned();
        self.transport.queue_len(&Route::Topic(topic))
    }

    /// Method and arguments of the next message for the compute service of host `one`.
    pub(crate) async fn next_for_one(&self) -> (String, Value) {
        let mut listener = self.transport.listen("compute", "one").await.unwrap();
        let bytes = listener.next().await.unwrap();
        let envelope: Value = serde_json::from_slice(&bytes).unwrap();
        let message = envelope["oslo.message"].as_str().unwrap();
        let mut message: Value = serde_json::from_str(message).unwrap();
        let method = message["method"].as_str().unwrap().to_owned();
        (method, message["args"].take())
    }
}

pub(crate) fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.header("Host", "api:8774").body(body).unwrap()
}

impl Reply {
    /// Asserts an error body, whole and with these, and gives its message.
    pub(crate) fn refused(&self, status: u16, name: &str, code: &str) -> &str {
        assert_eq!(self.status, status, "{}", self.body);
        let (found, error) = self.error();
        assert_eq!(
            (found, &error["code"]),
            (name, &json!(status)),
            "{}",
            self.body
        );
        assert_eq!(error["longshore"]["code"], code, "{}", self.body);
        for part in ["/message", "/longshore/why", "/longshore/do"] {
            let text = error.pointer(part).and_then(Value::as_str).unwrap_or("");
            assert!(!text.is_empty(), "`{part}` is missing: {}", self.body);
        }
        error["message"].as_str().unwrap()
    }

    /// Status and body, with identifiers, reservations and times replaced.
    pub(crate) fn shape(&self) -> (u16, Value) {
        let text = self.body.to_string();
        let patterns = [
            (
                "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
                "<uuid>",
            ),
            ("\"r-[0-9a-z]{8}\"", "\"<reservation>\""),
            ("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}", "<time>"),
        ];
        let replaced = patterns.iter().fold(text, |text, (pattern, by)| {
            let regex = regex_lite::Regex::new(pattern).unwrap();
            regex.replace_all(&text, *by).into_owned()
        });
        (
            self.status.as_u16(),
            serde_json::from_str(&replaced).unwrap(),
        )
    }

    /// The only member of an error body: its name and what is in it.
    pub(crate) fn error(&self) -> (&str, &Value) {
        let body = self.body.as_object().unwrap();
        assert_eq!(body.len(), 1, "{}", self.body);
        let (name, error) = body.iter().next().unwrap();
        (name, error)
    }
}
