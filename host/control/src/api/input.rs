//! Reading a JSON body member by member, so that every error names the member.
//!
//! No derive: a schema's own error would not say which member, what value, and what is allowed.
//! Must not know what the members mean. Used by every handler with a body.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::codes;
use super::config::{BODY_TIME_MAX, TEXT_LEN_MAX};
use super::error::ApiError;

/// The body of a request: one JSON object.
pub(crate) struct JsonBody(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let read = timeout(BODY_TIME_MAX, Bytes::from_request(request, state)).await;
        let bytes = match read {
            Err(_) => return Err(ApiError::slow_body()),
            Ok(Err(refused)) => return Err(unread(refused.into_response().status().as_u16())),
            Ok(Ok(bytes)) => bytes,
        };
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(malformed("it is JSON, but not an object")),
            Err(error) => Err(malformed(&error.to_string())),
        }
    }
}

fn unread(status: u16) -> ApiError {
    match status {
        413 => ApiError::too_large(),
        _ => malformed("the body ended early"),
    }
}

fn malformed(why: &str) -> ApiError {
    ApiError::bad(codes::BAD_JSON, "Malformed request body").because(why)
}

/// An object of the body which is read once: what was not asked for is refused at the end.
pub(crate) struct Members {
    path: String,
    members: Map<String, Value>,
}

impl Members {
    /// The whole body.
    pub(crate) fn of_body(JsonBody(members): JsonBody) -> Self {
        let path = String::new();
        Self { path, members }
    }

    /// The path of a member, as errors name it.
    pub(crate) fn path_of(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// An error about a member.
    pub(crate) fn refuse(&self, name: &str, value: &Value, reason: &str) -> ApiError {
        ApiError::field(&self.path_of(name), value, reason)
    }

    /// A member as it is; null counts as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// Names of the members that were not taken yet.
    pub(crate) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// A member that must be there.
    pub(crate) fn required<T>(&self, name: &str, found: Option<T>) -> Result<T, ApiError> {
        let missing = || self.refuse(name, &Value::Null, "It is required.");
        found.ok_or_else(missing)
    }

    /// A nested object that must be there.
    pub(crate) fn object(&mut self, name: &str) -> Result<Self, ApiError> {
        let path = self.path_of(name);
        let value = self.take(name);
        match self.required(name, value)? {
            Value::Object(members) => Ok(Self { path, members }),
            other => Err(self.refuse(name, &other, "An object is expected.")),
        }
    }

    /// A text of `len_min` to `len_max` characters, none of them a control character.
    pub(crate) fn text(
        &mut self,
        name: &str,
        len_min: usize,
        len_max: usize,
    ) -> Result<Option<String>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let Value::String(text) = &value else {
            return Err(self.refuse(name, &value, "A string is expected."));
        };
        let len = text.chars().count();
        if !(len_min..=len_max).contains(&len) {
            let reason = format!("Its length is {len}; {len_min} to {len_max} is allowed.");
            return Err(self.refuse(name, &value, &reason));
        }
        if text.contains(|c: char| c.is_control()) {
            return Err(self.refuse(name, &value, "Control characters are not allowed."));
        }
        Ok(Some(text.clone()))
    }

    /// A name: a text of 1 to 255 characters that neither starts nor ends with white space.
    pub(crate) fn name(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let found = self.text(name, 1, TEXT_LEN_MAX)?;
        match found {
            Some(text) if text.trim() != text => {
                let reason = "White space is not allowed at its start or end.";
                Err(self.refuse(name, &Value::from(text), reason))
            }
            found => Ok(found),
        }
    }

    /// A whole number from `min` to `max`; as OpenStack does, text of digits counts as one.
    pub(crate) fn integer(
        &mut self,
        name: &str,
        min: i64,
        max: i64,
    ) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => {
                let reason = format!("A whole number from {min} to {max} is expected.");
                Err(self.refuse(name, &value, &reason))
            }
        }
    }

    /// A boolean, or one of the texts that OpenStack takes for one.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let flag = match &value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        let refused = || self.refuse(name, &value, "`true` or `false` is expected.");
        flag.map(Some).ok_or_else(refused)
    }

    /// A map of texts with at most `pairs_max` pairs and values of at most `len_max` characters.
    pub(crate) fn texts(
        &mut self,
        name: &str,
        pairs_max: usize,
        len_max: usize,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        if self.take_absent(name) {
            return Ok(BTreeMap::new());
        }
        let mut inner = self.object(name)?;
        inner.pairs(pairs_max, len_max)
    }

    /// All members that are left, as texts.
    pub(crate) fn pairs(
        &mut self,
        pairs_max: usize,
        len_max: usize,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let found = self.pairs_or_nulls(pairs_max, len_max)?.into_iter();
        let pair = |(name, text)| Ok((String::clone(&name), self.required(&name, text)?));
        found.map(pair).collect()
    }

    /// All members that are left, as texts or nulls.
    pub(crate) fn pairs_or_nulls(
        &mut self,
        pairs_max: usize,
        len_max: usize,
    ) -> Result<BTreeMap<String, Option<String>>, ApiError> {
        let names = self.names();
        if names.len() > pairs_max {
            let reason = format!(
                "It has {} pairs; at most {pairs_max} are allowed.",
                names.len()
            );
            return Err(ApiError::field(
                &self.path,
                &Value::from(names.len()),
                &reason,
            ));
        }
        let mut pairs = BTreeMap::new();
        for name in names {
            self.check_key(&name)?;
            let found = self.text(&name, 0, len_max)?;
            pairs.insert(name, found);
        }
        Ok(pairs)
    }

    /// Refuses names that OpenStack does not take as keys of metadata.
    pub(crate) fn check_plain_keys(&self) -> Result<(), ApiError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_:. ".contains(c);
        let odd = |(name, _): &(&String, &Value)| !name.chars().all(plain);
        match self.members.iter().find(odd) {
            None => Ok(()),
            Some((name, value)) => {
                let reason = "Letters, digits, spaces and `-_:.` are allowed in a key.";
                Err(self.refuse(name, value, reason))
            }
        }
    }

    fn check_key(&self, key: &str) -> Result<(), ApiError> {
        let len = key.chars().count();
        if (1..=TEXT_LEN_MAX).contains(&len) {
            return Ok(());
        }
        let reason = format!("A key has {len} characters; 1 to {TEXT_LEN_MAX} are allowed.");
        Err(ApiError::field(&self.path, &Value::from(key), &reason))
    }

    /// Whether a member is absent or null; it is then gone.
    fn take_absent(&mut self, name: &str) -> bool {
        let absent = self.members.get(name).is_none_or(Value::is_null);
        if absent {
            self.members.remove(name);
        }
        absent
    }

    /// Refuses what was not asked for.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        let Some(name) = self.members.keys().next() else {
            return Ok(());
        };
        let path = self.path_of(name);
        let message = format!("Additional properties are not allowed: `{path}` was unexpected");
        let why = format!("`{path}` is not known in version 2.1");
        Err(ApiError::bad(codes::UNKNOWN_FIELD, message).because(why))
    }
}
