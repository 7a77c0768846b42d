//! What every request passes before its handler, and every answer behind it.
//!
//! Bounds the requests in work, gives each an identifier, agrees on the microversion, takes the
//! project out of the path, and turns a panic into an answer. A request that was taken is carried
//! through, even if its client goes away. Must not know any handler.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::caller::Caller;
use super::codes;
use super::error::ApiError;

/// The only microversion served.
pub(crate) const VERSION: &str = "2.1";
const PREFIX: &str = "/v2.1";
/// First segments behind the version; anything else before one of them is a project.
const RESOURCES: &[&str] = &["servers", "flavors", "os-hypervisors", "os-services"];
const COMPUTE_ID: HeaderName = HeaderName::from_static("x-compute-request-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");
const NEW_VERSION: HeaderName = HeaderName::from_static("openstack-api-version");
const OLD_VERSION: HeaderName = HeaderName::from_static("x-openstack-nova-api-version");

/// Counts the requests in work.
pub(crate) struct Gate {
    free: Arc<Semaphore>,
    in_flight_max: usize,
}

impl Gate {
    /// A gate that lets in so many requests at a time, at least one.
    pub(crate) fn new(in_flight_max: usize) -> Arc<Self> {
        let in_flight_max = in_flight_max.clamp(1, Semaphore::MAX_PERMITS);
        let free = Arc::new(Semaphore::new(in_flight_max));
        Arc::new(Self {
            free,
            in_flight_max,
        })
    }

    /// Waits until no request is in work; none is let in afterwards.
    pub(crate) async fn idle(&self) {
        let all = u32::try_from(self.in_flight_max).unwrap_or(u32::MAX);
        if let Ok(all) = self.free.acquire_many(all).await {
            all.forget();
        }
    }
}

/// The gate itself, around the whole router.
pub(crate) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let caller = Caller::of(request.headers());
    let id = caller.ctx.request_id.clone();
    let versioned = is_below(request.uri().path(), PREFIX);
    let answer = admit(&gate, caller, request, next).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(COMPUTE_ID, id.clone());
        headers.insert(REQUEST_ID, id);
    }
    if versioned {
        headers.insert(NEW_VERSION, HeaderValue::from_static("compute 2.1"));
        headers.insert(OLD_VERSION, HeaderValue::from_static(VERSION));
        let both = "OpenStack-API-Version, X-OpenStack-Nova-API-Version";
        headers.insert(header::VARY, HeaderValue::from_static(both));
    }
    response
}

async fn admit(
    gate: &Gate,
    caller: Caller,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    // Whoever watches the process must be answered under load too.
    if request.uri().path() == "/healthz" {
        return Ok(next.run(request).await);
    }
    if !is_text(request.uri().path()) {
        return Err(ApiError::no_path(request.uri().path()));
    }
    let place = Arc::clone(&gate.free).try_acquire_owned();
    let place = place.map_err(|_| ApiError::busy(gate.in_flight_max))?;
    if is_below(request.uri().path(), PREFIX) {
        agree(request.headers())?;
        if let Some(uri) = without_project(request.uri()) {
            *request.uri_mut() = uri;
        }
    }
    let request_id = caller.ctx.request_id.clone();
    request.extensions_mut().insert(caller);
    // A task of its own: a client that hangs up between the write of a state and the message that
    // follows it must not leave the one without the other.
    let work = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(place);
        response
    });
    work.await.map_err(|error| {
        tracing::error!(code = codes::PANICKED, request_id, why = %error, "a request panicked");
        ApiError::panicked()
    })
}

/// Whether a path is UTF-8 once its `%` escapes are read; nothing has a name that is not.
fn is_text(path: &str) -> bool {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| first == b'%');
        let escaped = escaped.and_then(|two| std::str::from_utf8(two).ok());
        match escaped.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => (bytes.push(byte), rest = &behind[2..]),
            None => (bytes.push(first), rest = behind),
        };
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Agrees on a microversion: ours, or none.
fn agree(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let new = text(NEW_VERSION).and_then(|services| {
        let of_compute = |one: &str| Some(one.trim().strip_prefix("compute ")?.trim().to_owned());
        services.split(',').find_map(of_compute)
    });
    let asked = new.or_else(|| text(OLD_VERSION).map(|text| text.trim().to_owned()));
    match asked.as_deref() {
        None | Some("latest" | VERSION) => Ok(()),
        Some(other) if is_version(other) => Err(ApiError::version(other)),
        Some(other) => {
            let shown: String = other.chars().take(80).collect();
            let message = format!(
                "API Version String {shown} is of invalid format. Must be of format \
                 MajorNum.MinorNum."
            );
            Err(ApiError::bad(codes::VERSION, message))
        }
    }
}

fn is_version(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(major, minor)| number(major) && number(minor))
}

/// `/v2.1/{project}/servers…` becomes `/v2.1/servers…`.
fn without_project(uri: &Uri) -> Option<Uri> {
    let (project, rest) = uri.path().strip_prefix("/v2.1/")?.split_once('/')?;
    let resource = rest.split('/').next().unwrap_or("");
    if RESOURCES.contains(&project) || !RESOURCES.contains(&resource) {
        return None;
    }
    let query = uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    format!("{PREFIX}/{rest}{query}").parse().ok()
}
