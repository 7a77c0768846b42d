//! `ApiError`: a failure as the client sees it, OpenStack's error body with our code inside.
//!
//! The status belongs to the error from the start; the text for the client is one line. Causes go
//! to the log only. Must not know any handler. Made everywhere in the API.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use longshore_messaging::RpcError;
use longshore_objects::ObjectError;
use longshore_store::StoreError;
use serde_json::json;

use super::codes;

/// Longest message for a client, in characters.
const MESSAGE_LEN_MAX: usize = 1_024;
/// What a client that comes too early waits, in seconds.
const RETRY_AFTER_S: &str = "1";

/// A request that failed.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    why: Option<String>,
    cure: Option<String>,
}

pub(crate) type Answer = Result<Response, ApiError>;

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: Cow::Borrowed(code),
            message: one_line(&message.into()),
            why: None,
            cure: None,
        }
    }

    /// 400 with one of the codes of bad requests.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 400 for a member with a bad value; `field` is its path in the body.
    pub(crate) fn field(field: &str, value: &serde_json::Value, reason: &str) -> Self {
        let shown: String = value.to_string().chars().take(80).collect();
        let message =
            format!("Invalid input for field/attribute {field}. Value: {shown}. {reason}");
        Self::bad(codes::BAD_FIELD, message).because(format!("`{field}`: {reason}"))
    }

    /// 403.
    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404 for a record.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, codes::NOT_FOUND, message)
    }

    /// 404 for a path.
    pub(crate) fn no_path(path: &str) -> Self {
        let message = format!("The resource could not be found: {path}");
        Self::new(StatusCode::NOT_FOUND, codes::NO_PATH, message)
    }

    /// 405.
    pub(crate) fn method(method: &str, path: &str) -> Self {
        let message = format!("The method {method} is not allowed for {path}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, codes::METHOD, message)
    }

    /// 406 for a microversion out of range.
    pub(crate) fn version(asked: &str) -> Self {
        let message = format!(
            "Version {asked} is not supported by the API. Minimum is 2.1 and maximum is 2.1."
        );
        Self::new(StatusCode::NOT_ACCEPTABLE, codes::VERSION, message)
    }

    /// 408.
    pub(crate) fn slow_body() -> Self {
        let message = "The body of the request did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, codes::SLOW_BODY, message)
    }

    /// 409 with one of the codes of conflicts.
    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 413.
    pub(crate) fn too_large() -> Self {
        let message = "Request is too large";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, codes::TOO_LARGE, message)
    }

    /// 500 after a panic, whose text is logged by the caller.
    pub(crate) fn panicked() -> Self {
        let message = "Unexpected API error; the request id finds it in the service's log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, codes::PANICKED, message)
    }

    /// 501.
    pub(crate) fn not_served(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, codes::NOT_SERVED, message)
    }

    /// 503 for a reached bound.
    pub(crate) fn busy(in_flight_max: usize) -> Self {
        let message = format!("The service is busy: {in_flight_max} requests are in work");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, codes::BUSY, message)
    }

    /// Says why, when the code's own cause is too general.
    #[must_use]
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(one_line(&why.into()));
        self
    }

    /// Says what to do, when the code's own cure is too general.
    #[must_use]
    pub(crate) fn with_cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(one_line(&cure.into()));
        self
    }

    fn name(&self) -> &'static str {
        match self.status.as_u16() {
            400 => "badRequest",
            403 => "forbidden",
            404 => "itemNotFound",
            405 => "badMethod",
            409 => "conflictingRequest",
            413 => "overLimit",
            501 => "notImplemented",
            503 => "serviceUnavailable",
            _ => "computeFault",
        }
    }
}

/// The present error texts of other layers hold whole sentences and peers' text: one line only.
fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).take(MESSAGE_LEN_MAX).collect()
}

/// A fault of the database; conditions must be told apart by the handler before this.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let code = error.code().to_owned();
        match &error {
            StoreError::Object(ObjectError::InstanceNotFound(uuid)) => {
                return Self::not_found(format!("Instance {uuid} could not be found."));
            }
            StoreError::Object(
                ObjectError::UnexpectedTaskState(_)
                | ObjectError::UnexpectedDeletingTaskState(_)
                | ObjectError::InstanceUpdateConflict(_),
            ) => return Self::conflict(codes::STATE, error.to_string()),
            StoreError::Object(_) | StoreError::Fault(_) => {}
        }
        tracing::error!(code, why = %error, "a request failed in the database");
        let message = "The database could not do what the request needs";
        Self {
            code: Cow::Owned(code),
            cure: Some(error.cure().to_owned()).filter(|cure| !cure.is_empty()),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, codes::BUSY, message)
        }
        .because(error.to_string())
    }
}

/// A message to another service that was not sent.
impl From<RpcError> for ApiError {
    fn from(error: RpcError) -> Self {
        let code = error.code().to_owned();
        tracing::error!(code, why = %error, "a request could not be handed on");
        let message = "The request could not be handed on to the service that carries it out";
        Self {
            code: Cow::Owned(code),
            cure: Some(error.hint().to_owned()).filter(|cure| !cure.is_empty()),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, codes::BUSY, message)
        }
        .because(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let name = self.name();
        let row = codes::row(&self.code);
        let why = self.why.or_else(|| row.map(|row| row.cause.to_owned()));
        let cure = self.cure.or_else(|| row.map(|row| row.cure.to_owned()));
        let body = json!({ name: {
            "code": self.status.as_u16(),
            "message": self.message,
            "longshore": { "code": self.code, "why": why, "do": cure },
        }});
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let wait = HeaderValue::from_static(RETRY_AFTER_S);
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}
