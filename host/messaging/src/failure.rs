//! What a method that failed sends back: class, module, message and what rebuilds it.
//!
//! The wire form is the JSON text of an object, so that services written in Python recognise
//! their own exceptions by (module, class). The stable code of this program travels in `kwargs`.
//! Endpoints make failures; callers get them inside [`RpcError::Remote`](crate::RpcError::Remote).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::codes;

/// Module of failures that callers know as the compute service's own exceptions.
pub const MODULE_NOVA: &str = "nova.exception";
/// Module of Python's built-in exceptions.
pub const MODULE_BUILTINS: &str = "builtins";
/// Module of what the dispatcher itself reports.
pub const MODULE_DISPATCHER: &str = "oslo_messaging.rpc.dispatcher";
/// Module of what the messaging layer reports, such as a timeout.
pub const MODULE_MESSAGING: &str = "oslo_messaging.exceptions";

/// Key of `kwargs` under which the stable code travels.
const CODE_KEY: &str = "code";
/// Suffix that marks a class rebuilt from another peer's failure.
const REMOTE_SUFFIX: &str = "_Remote";

/// A failure of a method, as it goes on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    // Boxed: a `Result<_, Failure>` passes through every layer and should stay small.
    detail: Box<Detail>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Detail {
    class: String,
    module: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    tb: Vec<String>,
    #[serde(default)]
    args: Vec<Value>,
    #[serde(default)]
    kwargs: Map<String, Value>,
}

impl Failure {
    /// A failure of `class` in the module [`MODULE_NOVA`].
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        let detail = Detail {
            class: class.into(),
            module: MODULE_NOVA.to_owned(),
            args: vec![Value::from(message.as_str())],
            message,
            tb: Vec::new(),
            kwargs: Map::new(),
        };
        Self {
            detail: Box::new(detail),
        }
    }

    /// A failure of one of Python's built-in classes, such as `TypeError`.
    pub fn builtin(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(class, message).with_module(MODULE_BUILTINS)
    }

    /// Names another module.
    #[must_use]
    pub fn with_module(mut self, module: impl Into<String>) -> Self {
        self.detail.module = module.into();
        self
    }

    /// Adds the stable code, `area/slug`.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        self.with_kwarg(CODE_KEY, code.into())
    }

    /// Adds one keyword argument of the exception's constructor.
    #[must_use]
    pub fn with_kwarg(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.detail.kwargs.insert(key.into(), value.into());
        self
    }

    /// Class of the exception, for example `NoValidHost`.
    pub fn class(&self) -> &str {
        &self.detail.class
    }

    /// Module of the class.
    pub fn module(&self) -> &str {
        &self.detail.module
    }

    /// What happened, in the words of the side that failed; not escaped.
    pub fn message(&self) -> &str {
        &self.detail.message
    }

    /// Lines of the traceback, if the peer sends one.
    pub fn traceback(&self) -> &[String] {
        &self.detail.tb
    }

    /// Positional arguments of the exception.
    pub fn args(&self) -> &[Value] {
        &self.detail.args
    }

    /// Keyword arguments of the exception.
    pub fn kwargs(&self) -> &Map<String, Value> {
        &self.detail.kwargs
    }

    /// The stable code, if the failure carries one. Peers in Python put HTTP status numbers under
    /// the same key; those are no codes.
    pub fn code(&self) -> Option<&str> {
        self.detail.kwargs.get(CODE_KEY).and_then(Value::as_str)
    }

    /// Whether this is `module.class`.
    pub fn is(&self, module: &str, class: &str) -> bool {
        self.module() == module && self.class() == class
    }

    pub(crate) fn no_such_method(method: &str) -> Self {
        Self::new(
            "NoSuchMethod",
            format!("Endpoint does not support RPC method {method}"),
        )
        .with_module(MODULE_DISPATCHER)
        .with_code(codes::NO_SUCH_METHOD)
    }

    pub(crate) fn unsupported_version(version: &str, method: &str) -> Self {
        let message =
            format!("Endpoint does not support RPC version {version}. Attempted method: {method}");
        Self::new("UnsupportedVersion", message)
            .with_module(MODULE_DISPATCHER)
            .with_code(codes::UNSUPPORTED_VERSION)
    }

    pub(crate) fn bad_request(class: &str, message: impl Into<String>) -> Self {
        Self::builtin(class, message).with_code(codes::BAD_REQUEST)
    }

    pub(crate) fn panicked(method: &str, text: &str) -> Self {
        Self::builtin(
            "RuntimeError",
            format!("method `{method}` panicked: {text}"),
        )
        .with_code(codes::PANICKED)
    }

    /// The text that the reply's `failure` member holds.
    ///
    /// # Errors
    /// Only if JSON cannot be written.
    pub(crate) fn to_wire(&self) -> serde_json::Result<String> {
        let (class, module) = (self.class(), self.module());
        let plain = (
            class.strip_suffix(REMOTE_SUFFIX),
            module.strip_suffix(REMOTE_SUFFIX),
        );
        // A failure passed on from a third service is again what it was at its origin.
        let (Some(class), Some(module)) = plain else {
            return serde_json::to_string(&self.detail);
        };
        let (class, module) = (class.to_owned(), module.to_owned());
        serde_json::to_string(&Detail {
            class,
            module,
            ..(*self.detail).clone()
        })
    }

    /// Reads the text of a reply's `failure` member. `exceptions` is the name Python 2 peers have
    /// for the built-in module.
    ///
    /// # Errors
    /// When the text is no JSON object with `class` and `module`.
    pub(crate) fn from_wire(text: &str) -> serde_json::Result<Self> {
        let mut detail: Box<Detail> = serde_json::from_str(text)?;
        if detail.module == "exceptions" {
            detail.module = MODULE_BUILTINS.to_owned();
        }
        Ok(Self { detail })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = crate::error::one_line(self.message());
        write!(f, "`{}`: {line}", crate::error::one_line(self.class()))
    }
}
