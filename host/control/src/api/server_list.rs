//! The list of servers: filters, pages, and the link to the next page.
//!
//! What the database can filter it does; the rest is compared here, page by page, within a bound.
//! Must not know the shape of a server. Called by the router.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use longshore_objects::state::vm_states_of_status;
use longshore_objects::{Instance, InstanceFault, ObjectError, VmState};
use longshore_store::{InstanceQuery, LIST_MAX, Store, StoreError};
use regex_lite::Regex;
use serde_json::{Value, json};

use super::caller::Caller;
use super::codes;
use super::config::{SCAN_PAGES_MAX, TEXT_LEN_MAX};
use super::error::{Answer, ApiError};
use super::manager::ApiManager;
use super::query::{Page, Parameters, no_marker};
use super::server_view::{detail, shows_fault, status_of, summary};
use super::zones::Zones;

/// Parameters of OpenStack's clients that mean here what is done anyway.
const WITHOUT_EFFECT: &[&str] = &["all_tenants"];
const PATTERN: &[char] = &[
    '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
];

type Api = State<Arc<ApiManager>>;

/// `GET /v2.1/servers`
pub(crate) async fn brief(State(api): Api, caller: Caller, query: Parameters) -> Answer {
    let (servers, next) = read(&api.store, query).await?;
    let views = servers.iter().map(|one| summary(one, &caller)).collect();
    Ok(answer(
        views,
        next,
        &format!("{}/v2.1/servers", caller.base),
    ))
}

/// `GET /v2.1/servers/detail`
pub(crate) async fn full(State(api): Api, caller: Caller, query: Parameters) -> Answer {
    let (servers, next) = read(&api.store, query).await?;
    let failed = servers.iter().filter(|one| shows_fault(one));
    let failed: Vec<String> = failed.map(|one| one.uuid().to_owned()).collect();
    let faults = match failed.is_empty() {
        true => Vec::new(),
        false => api.store.latest_faults(&failed).await?,
    };
    let faults: HashMap<&str, &InstanceFault> = faults
        .iter()
        .map(|fault| (fault.instance_uuid(), fault))
        .collect();
    let zones = Zones::of_instances(&api, &servers).await?;
    let view = |one: &Instance| detail(one, faults.get(one.uuid()).copied(), &zones, &caller);
    let views = servers.iter().map(view).collect();
    Ok(answer(
        views,
        next,
        &format!("{}/v2.1/servers/detail", caller.base),
    ))
}

/// The parameters as they came, and the marker of the next page.
type Next = Option<(Parameters, String)>;

fn answer(views: Vec<Value>, next: Next, url: &str) -> axum::response::Response {
    let mut body = json!({ "servers": views });
    if let Some((query, marker)) = next {
        body["servers_links"] = query.next_links(url, &marker);
    }
    Json(body).into_response()
}

async fn read(store: &Store, mut query: Parameters) -> Result<(Vec<Instance>, Next), ApiError> {
    let page = query.page()?;
    let filters = Filters::read(&mut query)?;
    query.finish()?;
    let Some(filters) = filters else {
        return Ok((Vec::new(), None));
    };
    let (servers, marker) = filters.page(store, page).await?;
    Ok((servers, marker.map(|marker| (query, marker))))
}

/// What the servers of a list have in common.
struct Filters {
    /// What the database compares.
    query: InstanceQuery,
    name: Option<NamePattern>,
    statuses: Option<Vec<String>>,
    reservation: Option<String>,
    flavor: Option<String>,
    image: Option<String>,
}

impl Filters {
    /// None if nothing can match.
    fn read(query: &mut Parameters) -> Result<Option<Self>, ApiError> {
        query.ignore(WITHOUT_EFFECT);
        sorted_as_always(query)?;
        let mut filters = Self {
            query: InstanceQuery {
                host: query.take("host"),
                deleted: query.flag("deleted")?.unwrap_or(false),
                ..InstanceQuery::default()
            },
            name: None,
            statuses: None,
            reservation: query.take("reservation_id"),
            flavor: query.take("flavor"),
            image: query.take("image"),
        };
        for parameter in ["tenant_id", "project_id"] {
            filters.query.project_id = query.take(parameter).or(filters.query.project_id);
        }
        if let Some(name) = query.take("name") {
            filters.by_name(name)?;
        }
        let statuses = query.all("status");
        let possible = statuses.is_empty() || filters.by_status(statuses);
        Ok(possible.then_some(filters))
    }

    fn by_name(&mut self, name: String) -> Result<(), ApiError> {
        if name.chars().count() > TEXT_LEN_MAX {
            let message = format!("The name has more than {TEXT_LEN_MAX} characters");
            return Err(ApiError::bad(codes::BAD_QUERY, message));
        }
        let inner = name
            .strip_prefix('^')
            .and_then(|name| name.strip_suffix('$'));
        match inner {
            _ if !name.contains(PATTERN) => self.query.name_contains = Some(name),
            Some(inner) if !inner.contains(PATTERN) => self.query.name = Some(inner.to_owned()),
            _ => self.name = Some(NamePattern::new(name)),
        }
        Ok(())
    }

    /// Whether there are such statuses.
    fn by_status(&mut self, statuses: Vec<String>) -> bool {
        let wanted: Vec<String> = statuses
            .iter()
            .map(|one| one.to_ascii_uppercase())
            .collect();
        if wanted.iter().any(|one| one == "DELETED") {
            self.query.deleted = true;
            self.statuses = Some(wanted);
            return true;
        }
        let vm_states: Vec<VmState> = wanted
            .iter()
            .flat_map(|one| vm_states_of_status(one))
            .collect();
        let possible = !vm_states.is_empty();
        self.query.vm_states = Some(vm_states);
        self.statuses = Some(wanted);
        possible
    }

    fn compares_here(&self) -> bool {
        let texts = [&self.reservation, &self.flavor, &self.image];
        self.name.is_some() || self.statuses.is_some() || texts.iter().any(|one| one.is_some())
    }

    fn matches(&self, instance: &Instance) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let name = instance.display_name().unwrap_or("");
        let status = status_of(instance);
        self.name
            .as_ref()
            .is_none_or(|pattern| pattern.matches(name))
            && self
                .statuses
                .as_ref()
                .is_none_or(|all| all.iter().any(|one| one == status))
            && is(&self.reservation, instance.reservation_id())
            && is(&self.flavor, Some(instance.flavor().flavorid()))
            && is(&self.image, instance.image_ref())
    }

    /// A page, and the marker of the next one if there may be more.
    async fn page(
        self,
        store: &Store,
        page: Page,
    ) -> Result<(Vec<Instance>, Option<String>), ApiError> {
        let mut found: Vec<Instance> = Vec::new();
        let mut query = self.query.clone();
        query.marker = page.marker;
        let rows_max = match self.compares_here() {
            true => LIST_MAX,
            false => u32::try_from(page.limit).unwrap_or(LIST_MAX).min(LIST_MAX),
        };
        query.limit = Some(rows_max);
        for _ in 0..if page.limit == 0 { 0 } else { SCAN_PAGES_MAX } {
            let rows = store
                .instances(&query)
                .await
                .map_err(|error| unread(error, &query))?;
            let last_page = rows.len() < rows_max as usize;
            for row in rows {
                query.marker = Some(row.uuid().to_owned());
                if self.matches(&row) {
                    found.push(row);
                    if found.len() == page.limit {
                        return Ok((found, query.marker));
                    }
                } else if self.is_past(&found, &row) {
                    return Ok((found, None));
                }
            }
            if last_page {
                return Ok((found, None));
            }
        }
        Ok((found, query.marker.filter(|_| page.limit > 0)))
    }

    /// The instances of one reservation are written together, so they stand together.
    fn is_past(&self, found: &[Instance], row: &Instance) -> bool {
        let wanted = self.reservation.as_deref();
        !found.is_empty() && wanted.is_some() && row.reservation_id() != wanted
    }
}

fn unread(error: StoreError, query: &InstanceQuery) -> ApiError {
    match (&error, &query.marker) {
        (StoreError::Object(ObjectError::NotFound(..)), Some(marker)) => no_marker(marker),
        _ => error.into(),
    }
}

/// There is one order: the newest first.
fn sorted_as_always(query: &mut Parameters) -> Result<(), ApiError> {
    let refused = |name: &str, value: &str, only: &str| {
        let shown: String = value.chars().take(80).collect();
        let message = format!(
            "Invalid input for query parameters {name}. Value: {shown}. Only {only} is supported."
        );
        Err(ApiError::bad(codes::BAD_QUERY, message))
    };
    for (name, only) in [("sort_key", "created_at"), ("sort_dir", "desc")] {
        for value in query.all(name) {
            if value != only {
                return refused(name, &value, only);
            }
        }
    }
    Ok(())
}

/// A regular expression, or the text itself: a name such as `web+1` must be found as it is.
struct NamePattern {
    regex: Option<Regex>,
    text: String,
}

impl NamePattern {
    fn new(text: String) -> Self {
        let regex = Regex::new(&text).ok();
        Self { regex, text }
    }

    fn matches(&self, name: &str) -> bool {
        let by_regex = self
            .regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(name));
        by_regex || name.contains(&self.text)
    }
}
