//! Who asks, and in which request: the context that travels with every message.
//!
//! On the wire each top-level key is a member `_context_<key>` of the message. Keys this host does
//! not know are kept and passed on, so a newer peer loses nothing on the way through.

use serde_json::{Map, Value};
use uuid::Uuid;

/// Prefix of the members that carry the context.
pub(crate) const MEMBER_PREFIX: &str = "_context_";

const REQUEST_ID: &str = "request_id";
const USER_ID: &str = "user_id";
const PROJECT_ID: &str = "project_id";
const IS_ADMIN: &str = "is_admin";

/// The identity and the request on whose behalf a method runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestContext {
    /// `req-<uuid>`; one per request of a user, the same in every service it passes.
    pub request_id: String,
    /// The user, if one is known.
    pub user_id: Option<String>,
    /// The user's project, if one is known.
    pub project_id: Option<String>,
    /// May do everything.
    pub is_admin: bool,
    /// All other keys, kept as they came.
    pub extra: Map<String, Value>,
}

impl RequestContext {
    /// A user of a project, with a new request id.
    pub fn new(project_id: impl Into<String>, user_id: impl Into<String>) -> Self {
        Self {
            user_id: Some(user_id.into()),
            project_id: Some(project_id.into()),
            is_admin: false,
            ..Self::admin()
        }
    }

    /// The host itself: no user, every right, a new request id.
    pub fn admin() -> Self {
        Self {
            request_id: new_request_id(),
            user_id: None,
            project_id: None,
            is_admin: true,
            extra: Map::new(),
        }
    }

    /// The keys and values as they go on the wire, prefix not included.
    pub fn to_map(&self) -> Map<String, Value> {
        let mut map = self.extra.clone();
        map.insert(REQUEST_ID.into(), self.request_id.clone().into());
        map.insert(USER_ID.into(), self.user_id.clone().into());
        map.insert(PROJECT_ID.into(), self.project_id.clone().into());
        map.insert(IS_ADMIN.into(), self.is_admin.into());
        map
    }

    /// The reverse of [`to_map`](Self::to_map). Anything that is not plainly `true` gives no
    /// rights; a message without a request id gets a new one, so that every log line has one.
    pub fn from_map(mut map: Map<String, Value>) -> Self {
        let mut text = |key: &str| match map.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        Self {
            request_id: text(REQUEST_ID).unwrap_or_else(new_request_id),
            user_id: text(USER_ID),
            project_id: text(PROJECT_ID),
            is_admin: map.remove(IS_ADMIN) == Some(Value::Bool(true)),
            extra: map,
        }
    }

    /// Calls `member` with each wire member and its value; used by the encoder, which thereby
    /// needs no copy of the context.
    pub(crate) fn members<E>(
        &self,
        mut member: impl FnMut(&str, &Value) -> Result<(), E>,
    ) -> Result<(), E> {
        member(
            "_context_request_id",
            &Value::from(self.request_id.as_str()),
        )?;
        member("_context_user_id", &Value::from(self.user_id.as_deref()))?;
        member(
            "_context_project_id",
            &Value::from(self.project_id.as_deref()),
        )?;
        member("_context_is_admin", &Value::from(self.is_admin))?;
        for (key, value) in &self.extra {
            if ![REQUEST_ID, USER_ID, PROJECT_ID, IS_ADMIN].contains(&key.as_str()) {
                member(&format!("{MEMBER_PREFIX}{key}"), value)?;
            }
        }
        Ok(())
    }
}

fn new_request_id() -> String {
    format!("req-{}", Uuid::new_v4())
}
