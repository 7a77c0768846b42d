//! `StoreError`: what failed, why, and what to do.
//!
//! Conditions that a caller decides on (not found, conflict) are object errors; everything the
//! database itself does is a fault with a code. Must not know RPC. Returned by every verb.

use std::fmt;
use std::sync::Arc;

use longshore_objects::ObjectError;

use crate::codes;

/// Failure of a verb of the store.
#[derive(Clone, Debug)]
pub enum StoreError {
    /// The verb's own condition does not hold: not found, exists already, conflict.
    Object(ObjectError),
    /// The database failed.
    Fault(Fault),
}

/// Failure of the database.
#[derive(Clone, Debug)]
pub struct Fault {
    code: &'static str,
    what: String,
    why: String,
    source: Option<Arc<sqlx::Error>>,
}

impl StoreError {
    pub(crate) fn fault(
        code: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self::Fault(Fault {
            code,
            what: what.into(),
            why: why.into(),
            source: None,
        })
    }

    /// A failure of `what`, classified by the database's own report.
    pub(crate) fn database(what: &str, error: sqlx::Error) -> Self {
        let (code, why) = classify(&error);
        let source = Some(Arc::new(error));
        Self::Fault(Fault {
            code,
            what: what.to_owned(),
            why,
            source,
        })
    }

    /// The stable code, `area/slug`.
    pub fn code(&self) -> &str {
        match self {
            Self::Object(error) => error.code(),
            Self::Fault(fault) => fault.code,
        }
    }

    /// The cause alone, without what failed and what to do about it.
    pub fn why(&self) -> String {
        match self {
            Self::Object(error) => error.to_string(),
            Self::Fault(fault) => fault.why.to_string(),
        }
    }

    /// What to do about it; empty for conditions, which the caller decides on.
    pub fn cure(&self) -> &'static str {
        codes::cure(self.code())
    }
}

fn classify(error: &sqlx::Error) -> (&'static str, String) {
    match error {
        sqlx::Error::Database(report) => {
            let result = report
                .code()
                .and_then(|code| code.parse().ok())
                .unwrap_or(1);
            (codes::of_sqlite(result), report.message().to_owned())
        }
        sqlx::Error::Io(cause) => (codes::IO, cause.to_string()),
        sqlx::Error::PoolTimedOut => (codes::READERS, "all readers are busy".to_owned()),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            (codes::CLOSED, "the connection is closed".to_owned())
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            (codes::BAD_ROW, error.to_string())
        }
        other => (codes::FAILED, other.to_string()),
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => error.fmt(f),
            Self::Fault(fault) => {
                let Fault { what, why, .. } = fault;
                write!(f, "cannot {what}: {why} (do: {})", self.cure())
            }
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Object(error) => std::error::Error::source(error),
            Self::Fault(fault) => fault.source.as_ref().map(|cause| cause.as_ref() as _),
        }
    }
}

impl From<ObjectError> for StoreError {
    fn from(error: ObjectError) -> Self {
        Self::Object(error)
    }
}

impl From<StoreError> for ObjectError {
    fn from(error: StoreError) -> Self {
        let (code, text) = (error.code().to_owned(), error.to_string());
        match error {
            StoreError::Object(error) => error,
            StoreError::Fault(_) => Self::Store { code, text },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_results_have_the_code_an_operator_can_act_on() {
        let rows = [
            (5, codes::LOCKED),
            (517, codes::LOCKED),
            (8, codes::CANNOT_WRITE),
            (14, codes::CANNOT_WRITE),
            (266, codes::IO),
            (11, codes::CORRUPT),
            (26, codes::CORRUPT),
            (13, codes::FULL),
            (1, codes::FAILED),
        ];
        for (result, code) in rows {
            assert_eq!(codes::of_sqlite(result), code, "{result}");
        }
    }

    #[test]
    fn a_fault_crosses_the_wire_with_its_code() {
        let fault = StoreError::database("read a flavor", sqlx::Error::PoolTimedOut);
        assert_eq!(fault.code(), "store/readers-busy");
        let error = ObjectError::from(fault.clone());
        assert_eq!(
            (error.code(), error.to_string()),
            ("store/readers-busy", fault.to_string())
        );
        assert!(
            fault.to_string().contains("(do: ask for fewer rows"),
            "{fault}"
        );
    }
}
