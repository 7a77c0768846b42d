//! A small API on a free port of this machine, which answers as a test tells it to.
//!
//! One thread, one request per connection. Must not know what the client is.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value as Json, json};

/// Where nobody answers: tests listen on another loopback address.
pub(crate) const NOBODY: &str = "http://127.255.255.254:9";

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// `GET /path?query`
    pub(crate) line: String,
    /// The body, `null` when empty.
    pub(crate) body: Json,
}

/// A running API.
pub(crate) struct Api {
    url: String,
    address: std::net::SocketAddr,
    stop: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Api {
    /// Answers each request with the status and body that `answer` gives.
    pub(crate) fn start(mut answer: impl FnMut(&Request) -> (u16, Json) + Send + 'static) -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (stopped, seen) = (Arc::clone(&stop), Arc::clone(&requests));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let Some(request) = read(&stream) else {
                    continue;
                };
                let (status, body) = answer(&request);
                seen.lock().unwrap().push(request);
                write(&mut stream, status, &body);
            }
        });
        Api {
            url: format!("http://{address}"),
            address,
            stop,
            requests,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The body of the first request with this line.
    pub(crate) fn body_of(&self, line: &str) -> Json {
        let requests = self.requests();
        let found = requests.into_iter().find(|r| r.line == line);
        found.unwrap_or_else(|| panic!("no request {line}")).body
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread from its wait for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.trim().strip_suffix(" HTTP/1.1")?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Json::Null);
    Some(Request { line, body })
}

fn write(stream: &mut TcpStream, status: u16, body: &Json) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}

/// A server object as OpenStack shows it.
pub(crate) fn server(id: &str, name: &str, status: &str) -> Json {
    json!({
        "id": id,
        "name": name,
        "status": status,
        "OS-EXT-STS:task_state": null,
        "OS-EXT-STS:vm_state": status.to_lowercase(),
        "OS-EXT-STS:power_state": 1,
        "OS-EXT-SRV-ATTR:host": "quay",
        "OS-EXT-AZ:availability_zone": "nova",
        "flavor": {"id": "1", "links": []},
        "image": {"id": "i-none", "links": []},
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:01Z",
    })
}

/// Flavors and images, which most commands ask for.
pub(crate) fn catalogue(line: &str) -> Option<(u16, Json)> {
    match line {
        "GET /v2.1/flavors/detail" => Some((
            200,
            json!({"flavors": [
                {"id": "1", "name": "m1.tiny", "ram": 512, "vcpus": 1, "disk": 1},
                {"id": "2", "name": "m1.small", "ram": 2048, "vcpus": 1, "disk": 20},
            ]}),
        )),
        "GET /v2.1/flavors/2/os-extra_specs" => {
            Some((200, json!({"extra_specs": {"ssd": "true"}})))
        }
        "GET /v2/images" => Some((
            200,
            json!({"images": [{"id": "i-none", "name": "none", "status": "active"}]}),
        )),
        _ => None,
    }
}

/// 404 in OpenStack's words.
pub(crate) fn not_found() -> (u16, Json) {
    (
        404,
        json!({"itemNotFound": {"code": 404, "message": "it could not be found"}}),
    )
}
