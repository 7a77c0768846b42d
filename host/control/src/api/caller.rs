//! `Caller`: who asks, in which request, and under which address.
//!
//! Made by the gate, taken by handlers. Must not know any handler.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use longshore_messaging::RequestContext;

/// Project and user of every request as long as there is no authentication.
const NOBODY: &str = "admin";
/// Longest host name with port that is repeated in links.
const HOST_LEN_MAX: usize = 262;

/// What a handler may know of the request besides path, query and body.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Travels with every message that the request causes.
    pub(crate) ctx: RequestContext,
    /// Address of the API for links, such as `http://127.0.0.1:8774`.
    pub(crate) base: String,
}

impl Caller {
    /// Without authentication everybody is the administrator.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut ctx = RequestContext::new(NOBODY, NOBODY);
        ctx.is_admin = true;
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = host.filter(|host| is_host(host)).unwrap_or("localhost");
        let base = format!("http://{host}");
        Self { ctx, base }
    }

    /// Links of a record: to itself, and without version as a bookmark.
    pub(crate) fn links(&self, path: &str) -> serde_json::Value {
        serde_json::json!([
            { "rel": "self", "href": format!("{}/v2.1/{path}", self.base) },
            { "rel": "bookmark", "href": format!("{}/{path}", self.base) },
        ])
    }
}

/// The header is the client's word: only what can be a name or an address is put into links.
fn is_host(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (1..=HOST_LEN_MAX).contains(&host.len()) && host.bytes().all(plain)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or_else(|| Self::of(&parts.headers)))
    }
}
