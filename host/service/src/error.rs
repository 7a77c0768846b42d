//! A service, or a part of one, failed: code, what failed, and the cause behind it.
//!
//! Managers make these with their own area's codes. A failure during a start is wrapped with the
//! service and the step, and keeps the code of its cause, which says more.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use longshore_messaging::RpcError;

/// An error of a service. Cheap to move, not to clone.
#[derive(Debug)]
pub struct ServiceError {
    code: Cow<'static, str>,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ServiceError {
    /// An error with its stable code, `area/slug`.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Hangs the cause behind the error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What to do: the error's own hint, else that of this crate's code table.
    pub fn hint(&self) -> Option<&str> {
        let table = || crate::codes::TABLE.iter().find(|row| row.code == self.code);
        self.hint.as_deref().or_else(|| table().map(|row| row.cure))
    }

    /// Names the service and the step of its start that failed.
    pub(crate) fn at_start(self, service: &str, host: &str, step: &str) -> Self {
        Self {
            code: self.code.clone(),
            message: format!("cannot start `{service}` on `{host}`: `{step}` failed"),
            hint: self.hint.clone(),
            source: Some(Box::new(self)),
        }
    }

    /// The error and its causes on one line, for a log.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            next = cause.source();
        }
        line
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<RpcError> for ServiceError {
    fn from(error: RpcError) -> Self {
        let hint = error.hint();
        let made = Self::new(error.code().to_owned(), error.to_string());
        if hint.is_empty() {
            made
        } else {
            made.with_hint(hint)
        }
    }
}
