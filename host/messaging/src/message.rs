//! Messages as bytes: the envelope `{"oslo.version": "2.0", "oslo.message": "<json>"}` and what is
//! inside it.
//!
//! The decoder is total over bytes and follows what deployed peers accept: a message whose routing
//! part can be read but whose call is malformed is answered with a failure, anything worse is
//! dropped by the server with a log line. Nothing here knows queues or endpoints.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::context::{MEMBER_PREFIX, RequestContext};
use crate::error::RpcError;
use crate::failure::Failure;
use crate::version::{Version, VersionFault};

/// Largest message, in bytes of the envelope; a broker's usual limit.
pub const MESSAGE_LEN_MAX: usize = 16 * 1024 * 1024;

const ENVELOPE_VERSION: &str = "2.0";
const VERSION_KEY: &str = "oslo.version";
const MESSAGE_KEY: &str = "oslo.message";

/// A request on its way out.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingRequest<'a> {
    /// The method to run.
    pub method: &'a str,
    /// Its arguments: an object; null is written as an empty one.
    pub args: &'a Value,
    /// Interface namespace.
    pub namespace: Option<&'a str>,
    /// Interface version.
    pub version: Option<&'a str>,
    /// For a call: message id and reply queue.
    pub reply_to: Option<(&'a str, &'a str)>,
    /// New for every message.
    pub unique_id: &'a str,
    /// Who asks.
    pub context: &'a RequestContext,
}

/// Where the answer of a call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    /// Id the caller waits for.
    pub msg_id: String,
    /// Its reply queue.
    pub queue: String,
}

/// What a request wants to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Its arguments, always an object.
    pub args: Value,
    /// Interface namespace.
    pub namespace: Option<String>,
    /// Interface version, `1.0` if the message has none.
    pub version: Version,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct IncomingRequest {
    /// Id for the suppression of duplicates.
    pub unique_id: Option<String>,
    /// None for casts.
    pub reply_to: Option<ReplyTo>,
    /// Who asks.
    pub context: RequestContext,
    /// What to run, or the failure to answer with.
    pub call: Result<Call, Failure>,
}

/// The answer of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Id of the call.
    pub msg_id: String,
    /// The value or the failure.
    pub result: Result<Value, Failure>,
    /// False if more messages follow for this call.
    pub ending: bool,
}

/// Bytes that are no message, with the reason for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable(pub String);

impl Serialize for OutgoingRequest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", self.method)?;
        match self.args {
            Value::Null => map.serialize_entry("args", &Map::new())?,
            args => map.serialize_entry("args", args)?,
        }
        if let Some(namespace) = self.namespace {
            map.serialize_entry("namespace", namespace)?;
        }
        if let Some(version) = self.version {
            map.serialize_entry("version", version)?;
        }
        if let Some((msg_id, reply_q)) = self.reply_to {
            map.serialize_entry("_msg_id", msg_id)?;
            map.serialize_entry("_reply_q", reply_q)?;
            map.serialize_entry("_timeout", &())?;
        }
        map.serialize_entry("_unique_id", self.unique_id)?;
        self.context
            .members(|key, value| map.serialize_entry(key, value))?;
        map.end()
    }
}

impl OutgoingRequest<'_> {
    /// The bytes to publish.
    ///
    /// # Errors
    /// `rpc/bad-arguments` when `args` is no object, `rpc/too-large`.
    pub fn encode(&self) -> Result<Vec<u8>, RpcError> {
        let bad_arguments = || RpcError::BadArguments {
            method: self.method.to_owned(),
        };
        if !matches!(self.args, Value::Null | Value::Object(_)) {
            return Err(bad_arguments());
        }
        let body = serde_json::to_string(self)
            .ok()
            .and_then(|inner| wrap(&inner));
        bounded(body.ok_or_else(bad_arguments)?, self.method)
    }
}

impl Reply {
    /// The bytes to publish to the reply queue.
    ///
    /// # Errors
    /// `rpc/too-large`; `rpc/bad-reply` if the value cannot be written as JSON.
    pub fn encode(&self, unique_id: &str) -> Result<Vec<u8>, RpcError> {
        let unwritable = || RpcError::BadReply {
            problem: "it is not JSON".to_owned(),
        };
        let (result, failure) = match &self.result {
            Ok(value) => (value, None),
            Err(failure) => (
                &Value::Null,
                Some(failure.to_wire().map_err(|_| unwritable())?),
            ),
        };
        let inner = ReplyWire {
            result,
            failure,
            ending: self.ending,
            msg_id: &self.msg_id,
            unique_id,
        };
        let body = serde_json::to_string(&inner)
            .ok()
            .and_then(|inner| wrap(&inner));
        bounded(body.ok_or_else(unwritable)?, "the reply")
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// Outer: the message cannot be assigned to a call. Inner: the call it belongs to cannot be
    /// answered with it; its id is given.
    pub fn decode(body: &[u8]) -> Result<Self, (Option<String>, Undecodable)> {
        let mut inner = unwrap(body).map_err(|reason| (None, reason))?;
        let Some(Value::String(msg_id)) = inner.remove("_msg_id") else {
            return Err((None, Undecodable("`_msg_id` is missing".to_owned())));
        };
        let failed = |reason: &str| (Some(msg_id.clone()), Undecodable(reason.to_owned()));
        let result = match inner.remove("failure") {
            None => return Err(failed("`failure` is missing")),
            Some(Value::Null) => Ok(inner.remove("result").unwrap_or_default()),
            Some(Value::String(text)) => Err(Failure::from_wire(&text)
                .map_err(|_| failed("`failure` is no object with `class` and `module`"))?),
            Some(_) => return Err(failed("`failure` is not a string")),
        };
        let ending = inner.get("ending") == Some(&Value::Bool(true));
        Ok(Self {
            msg_id,
            result,
            ending,
        })
    }
}

#[derive(serde::Serialize)]
struct ReplyWire<'a> {
    result: &'a Value,
    failure: Option<String>,
    ending: bool,
    #[serde(rename = "_msg_id")]
    msg_id: &'a str,
    #[serde(rename = "_unique_id")]
    unique_id: &'a str,
}

impl IncomingRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Undecodable`] when nobody can be answered.
    pub fn decode(body: &[u8]) -> Result<Self, Undecodable> {
        let mut fields = Map::new();
        let mut context = Map::new();
        for (key, value) in unwrap(body)? {
            match key.strip_prefix(MEMBER_PREFIX) {
                Some(key) => context.insert(key.to_owned(), value),
                None => fields.insert(key, value),
            };
        }
        let mut text = |key: &str| match fields.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let reply_to = text("_msg_id").zip(text("_reply_q"));
        Ok(Self {
            unique_id: text("_unique_id"),
            reply_to: reply_to.map(|(msg_id, queue)| ReplyTo { msg_id, queue }),
            context: RequestContext::from_map(context),
            call: read_call(fields),
        })
    }
}

/// Takes the call out of a request's members. The failures have the classes that peers know.
fn read_call(mut fields: Map<String, Value>) -> Result<Call, Failure> {
    let Some(Value::String(method)) = fields.remove("method") else {
        return Err(Failure::bad_request(
            "TypeError",
            "`method` is missing or no string",
        ));
    };
    let args = match fields.remove("args") {
        None => Value::Object(Map::new()),
        Some(args @ Value::Object(_)) => args,
        Some(_) => {
            return Err(Failure::bad_request(
                "AttributeError",
                "`args` is no object",
            ));
        }
    };
    let namespace = match fields.remove("namespace") {
        None | Some(Value::Null) => None,
        Some(Value::String(namespace)) => Some(namespace),
        Some(_) => {
            return Err(Failure::bad_request(
                "TypeError",
                "`namespace` is no string",
            ));
        }
    };
    let version = match fields.remove("version") {
        None => Version::DEFAULT,
        Some(Value::String(text)) => Version::parse(&text).map_err(|fault| match fault {
            VersionFault::MissingMinor => {
                Failure::bad_request("IndexError", "`version` has no minor number")
            }
            VersionFault::NotANumber => {
                Failure::bad_request("ValueError", "`version` is not made of numbers")
            }
        })?,
        Some(Value::Null) => return Err(Failure::unsupported_version("None", &method)),
        Some(_) => {
            return Err(Failure::bad_request(
                "AttributeError",
                "`version` is no string",
            ));
        }
    };
    Ok(Call {
        method,
        args,
        namespace,
        version,
    })
}

/// Puts the envelope around a serialised message.
fn wrap(inner: &str) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(inner.len() + inner.len() / 4 + 48);
    body.extend_from_slice(br#"{"oslo.version":"2.0","oslo.message":"#);
    serde_json::to_writer(&mut body, inner).ok()?;
    body.push(b'}');
    Some(body)
}

fn bounded(body: Vec<u8>, method: &str) -> Result<Vec<u8>, RpcError> {
    match body.len() {
        len if len > MESSAGE_LEN_MAX => Err(RpcError::TooLarge {
            method: method.to_owned(),
            len,
        }),
        _ => Ok(body),
    }
}

/// Takes the envelope off. A body without one is the message itself, as the oldest peers send it.
fn unwrap(body: &[u8]) -> Result<Map<String, Value>, Undecodable> {
    let refuse = |reason: &str| Err(Undecodable(reason.to_owned()));
    if body.len() > MESSAGE_LEN_MAX {
        return refuse("it is larger than a message may be");
    }
    let mut outer = object(body)?;
    match outer.remove(VERSION_KEY) {
        None => return Ok(outer),
        Some(Value::String(version)) if version == ENVELOPE_VERSION => {}
        Some(_) => return refuse("the envelope's version is not `2.0`"),
    }
    match outer.remove(MESSAGE_KEY) {
        Some(Value::String(inner)) => object(inner.as_bytes()),
        _ => refuse("the envelope's message is no string"),
    }
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Undecodable> {
    serde_json::from_slice(body)
        .map_err(|error| Undecodable(format!("it is no JSON object: {error}")))
}
