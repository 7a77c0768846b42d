//! Query parameters: names that are known, paging, and links to the next page.
//!
//! Must not know what is listed. Used by the handlers of lists.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::codes;
use super::config::PAGE_LEN_MAX;
use super::error::ApiError;

/// The parameters of a request, in order, each read once.
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
    /// As it was sent, for links.
    raw: String,
}

/// Which part of a list is wanted.
pub(crate) struct Page {
    /// Most items.
    pub(crate) limit: usize,
    /// The last item of the page before.
    pub(crate) marker: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let raw = parts.uri.query().unwrap_or("").to_owned();
        let pairs = Query::try_from_uri(&parts.uri).map_or_else(|_| Vec::new(), |query| query.0);
        Ok(Self { pairs, raw })
    }
}

fn bad(name: &str, value: &str, reason: &str) -> ApiError {
    let shown: String = value.chars().take(80).collect();
    let message = format!("Invalid input for query parameters {name}. Value: {shown}. {reason}");
    ApiError::bad(codes::BAD_QUERY, message).because(format!("`{name}`: {reason}"))
}

impl Parameters {
    /// All values of a parameter.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        let (taken, kept) = std::mem::take(&mut self.pairs)
            .into_iter()
            .partition(|(key, _)| key == name);
        self.pairs = kept;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// The last value of a parameter.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.all(name).pop()
    }

    /// A parameter that is true or false.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(bad(name, &value, "`true` or `false` is expected.")),
        }
    }

    /// A parameter that is a number, at least 0.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let refused = || bad(name, &value, "A whole number, at least 0, is expected.");
        value.parse().map(Some).map_err(|_| refused())
    }

    /// `limit` and `marker`; a limit above the bound counts as the bound.
    pub(crate) fn page(&mut self) -> Result<Page, ApiError> {
        let limit = self.number("limit")?.map_or(PAGE_LEN_MAX, |limit| {
            usize::try_from(limit)
                .unwrap_or(usize::MAX)
                .min(PAGE_LEN_MAX)
        });
        let marker = self.take("marker");
        Ok(Page { limit, marker })
    }

    /// Takes parameters which have no effect here, whatever their value.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.pairs.retain(|(key, _)| !names.contains(&key.as_str()));
    }

    /// Refuses what was not asked for: a filter that is ignored would show too much.
    pub(crate) fn finish(&self) -> Result<(), ApiError> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, value)) => Err(bad(name, value, "No such parameter is known.")),
        }
    }

    /// A link to the page behind `marker`, with the other parameters as they are.
    pub(crate) fn next_links(&self, url: &str, marker: &str) -> Value {
        let others = self.raw.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or("");
            !name.is_empty() && name != "marker"
        });
        let mut query: Vec<&str> = others.collect();
        let marker = format!("marker={}", encoded(marker));
        query.push(&marker);
        json!([{ "href": format!("{url}?{}", query.join("&")), "rel": "next" }])
    }
}

/// The items of a list that is read whole, cut to the page.
pub(crate) fn cut<T>(
    items: Vec<T>,
    page: &Page,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, ApiError> {
    let start = match &page.marker {
        None => 0,
        Some(marker) => match items.iter().position(|item| id(item) == marker) {
            Some(at) => at + 1,
            None => return Err(no_marker(marker)),
        },
    };
    Ok(items.into_iter().skip(start).take(page.limit).collect())
}

/// The marker names nothing.
pub(crate) fn no_marker(marker: &str) -> ApiError {
    let message = format!("marker [{marker}] not found");
    ApiError::bad(codes::BAD_QUERY, message).because("nothing has the identifier of the marker")
}

/// Text as one value of a query or one segment of a path.
pub(crate) fn encoded(text: &str) -> String {
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
