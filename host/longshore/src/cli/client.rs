//! HTTP to the API of a running host: requests as JSON, failures as `Failure`.
//!
//! Bounds: 10 s to connect, 60 s per request, 16 MiB per answer. Must not know what commands ask
//! for. An answer that says why it failed is repeated, with the code it carries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use longshore_loader::diagnostic::escape;
use serde_json::Value as Json;
use ureq::http::Response;
use ureq::{Agent, Body, Timeout};

use super::exit::Exit;
use super::failure::Failure;
use crate::codes;
use crate::config::address::Listen;

/// The variable with the URL of the API; it beats `api.listen`.
pub const API_VARIABLE: &str = "LONGSHORE_API";
/// The variable with the token that is sent.
pub const TOKEN_VARIABLE: &str = "LONGSHORE_TOKEN";
/// Longest answer, in bytes.
pub const ANSWER_BYTES_MAX: u64 = 16 << 20;

const CONNECT_MAX: Duration = Duration::from_secs(10);
const REQUEST_MAX: Duration = Duration::from_secs(60);

/// A client of one host.
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
}

impl Client {
    /// A client of the API at `base`, an `http://` URL.
    ///
    /// # Errors
    /// `api/bad-address`.
    pub fn new(base: &str, token: Option<String>) -> Result<Client, Failure> {
        Client::within(base, token, REQUEST_MAX)
    }

    /// As `new`; a request may take this long.
    ///
    /// # Errors
    /// As `new`.
    pub fn within(
        base: &str,
        token: Option<String>,
        request_max: Duration,
    ) -> Result<Client, Failure> {
        let base = base.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") || base.len() == "http://".len() {
            return Err(bad_address(
                Exit::Configuration,
                &base,
                "it is not an `http://` URL",
            ));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_MAX.min(request_max)))
            .timeout_global(Some(request_max))
            .build()
            .new_agent();
        Ok(Client { agent, base, token })
    }

    /// The URL for an address that the configuration says.
    ///
    /// # Errors
    /// `api/bad-address` for a unix socket or port 0.
    pub fn url_of(listen: &Listen) -> Result<String, Failure> {
        let Listen::Tcp(address) = listen else {
            let why = "commands reach the API over TCP only";
            return Err(bad_address(Exit::Unreachable, &listen.to_string(), why));
        };
        if address.port() == 0 {
            let why = "port 0 stands for any free port";
            return Err(bad_address(Exit::Unreachable, &listen.to_string(), why));
        }
        let mut address = *address;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            });
        }
        Ok(format!("http://{address}"))
    }

    /// GET. An empty body is `null`.
    ///
    /// # Errors
    /// Any but a 2xx answer, and what `api/…` says.
    pub fn get(&self, path: &str) -> Result<Json, Failure> {
        let mut request = self.agent.get(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("X-Auth-Token", token);
        }
        self.answer("GET", path, request.call())
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// As `get`.
    pub fn post(&self, path: &str, body: &Json) -> Result<Json, Failure> {
        let mut request = self.agent.post(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("X-Auth-Token", token);
        }
        self.answer("POST", path, request.send_json(body))
    }

    /// PUT with a JSON body.
    ///
    /// # Errors
    /// As `get`.
    pub fn put(&self, path: &str, body: &Json) -> Result<Json, Failure> {
        let mut request = self.agent.put(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("X-Auth-Token", token);
        }
        self.answer("PUT", path, request.send_json(body))
    }

    /// DELETE.
    ///
    /// # Errors
    /// As `get`.
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        let mut request = self.agent.delete(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("X-Auth-Token", token);
        }
        self.answer("DELETE", path, request.call()).map(|_| ())
    }

    /// GET; nothing if the answer is 404.
    ///
    /// # Errors
    /// As `get`.
    pub fn find(&self, path: &str) -> Result<Option<Json>, Failure> {
        match self.get(path) {
            Ok(json) => Ok(Some(json)),
            Err(failure) if failure.not_found => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn answer(
        &self,
        method: &str,
        path: &str,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<Json, Failure> {
        let mut answer = answer.map_err(|e| self.unreachable(&e))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let bytes = body.read_to_vec().map_err(|e| match e {
            ureq::Error::BodyExceedsLimit(_) => {
                self.bad_answer(method, path, "the answer is longer than 16 MiB")
            }
            e => self.unreachable(&e),
        })?;
        let json = if bytes.is_empty() {
            Ok(Json::Null)
        } else {
            serde_json::from_slice(&bytes)
        };
        match json {
            Ok(json) if (200..300).contains(&status) => Ok(json),
            Ok(json) => Err(refused(method, path, status, &json)),
            Err(_) if (200..300).contains(&status) => {
                Err(self.bad_answer(method, path, "the answer is not JSON"))
            }
            Err(_) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                Err(refused(method, path, status, &Json::String(text)))
            }
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let base = escape(&self.base);
        let exit = match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => Exit::Unreachable,
            ureq::Error::Timeout(_) => Exit::TimedOut,
            _ => Exit::Unreachable,
        };
        Failure::new(
            exit,
            codes::UNREACHABLE,
            format!("the API at `{base}` does not answer"),
        )
        .why(escape(&error.to_string()))
        .help(format!(
            "start a host with `longshore up`, or set `{API_VARIABLE}` to its URL"
        ))
    }

    /// An answer that longshore would not give.
    pub fn bad_answer(&self, method: &str, path: &str, why: &str) -> Failure {
        let what = format!("cannot use the answer to `{method} {}`", escape(path));
        Failure::new(Exit::Unreachable, codes::BAD_ANSWER, what)
            .why(why)
            .help(format!(
                "check that a longshore host answers at `{}`",
                escape(&self.base)
            ))
    }
}

fn bad_address(exit: Exit, address: &str, why: &str) -> Failure {
    let what = format!("cannot use `{}` as the address of the API", escape(address));
    Failure::new(exit, codes::BAD_ADDRESS, what)
        .why(why)
        .help(format!(
            "set `{API_VARIABLE}` to a URL such as `http://127.0.0.1:8774`"
        ))
}

/// The failure that an answer describes: `{"itemNotFound": {"code", "message", "longshore":
/// {"code", "why", "do"}}}`.
fn refused(method: &str, path: &str, status: u16, body: &Json) -> Failure {
    let inner = body.as_object().and_then(|o| o.values().next());
    let text = |value: Option<&Json>| value.and_then(Json::as_str).map(escape);
    let ours = inner.and_then(|i| i.get("longshore"));
    let part = |name: &str| text(ours.and_then(|o| o.get(name)));
    let message = text(inner.and_then(|i| i.get("message")));
    let code = part("code").unwrap_or_else(|| codes::REFUSED.to_owned());
    let exit = match status {
        502 | 503 => Exit::Unreachable,
        408 | 504 => Exit::TimedOut,
        _ => Exit::Failed,
    };
    let asked = format!("`{method} {}`", escape(path));
    let what = message.unwrap_or_else(|| format!("{asked} was refused"));
    let mut failure = Failure::new(exit, &code, what);
    failure.not_found = status == 404;
    let why = part("why").unwrap_or_else(|| format!("the API answered {status} to {asked}"));
    let help = part("do").unwrap_or_else(|| match status {
        401 => format!("set `{TOKEN_VARIABLE}` to a token of this host"),
        404 => "list what exists, and correct the name".to_owned(),
        409 => "wait until it has another state, or look at it first".to_owned(),
        429 | 503 => "try again later".to_owned(),
        400..=499 => "correct what the message names".to_owned(),
        _ => "see the log of the host".to_owned(),
    });
    failure.why(why).help(help)
}

/// Text as one segment of a path or value of a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
