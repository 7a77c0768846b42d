//! `BootRequest`: what `POST /servers` asks for, checked as far as it can be without the database.
//!
//! Must not read anything but the body. Used by the handler of servers; carried out by `boot.rs`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::codes;
use super::config::{PAIRS_MAX, TEXT_LEN_MAX, USER_DATA_LEN_MAX};
use super::error::ApiError;
use super::input::{JsonBody, Members};

/// Scheduler hints, by key.
pub(crate) type Hints = BTreeMap<String, Vec<String>>;

/// Both names of the hints, the older one second.
const HINTS: [&str; 2] = ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"];
/// Wishes that cannot be met here, and are refused rather than forgotten.
const NOT_MET: [&str; 3] = [
    "block_device_mapping",
    "block_device_mapping_v2",
    "personality",
];

/// Instances that are asked for.
#[derive(Debug)]
pub(crate) struct BootRequest {
    pub(crate) name: String,
    /// Identifier or name of the flavor.
    pub(crate) flavor: String,
    /// Identifier or name of the image, if one is named.
    pub(crate) image: Option<String>,
    /// How many.
    pub(crate) count: i64,
    /// Answer with the reservation, not with the first server.
    pub(crate) return_reservation: bool,
    pub(crate) zone: Zone,
    pub(crate) hints: Hints,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) user_data: Option<String>,
    pub(crate) config_drive: bool,
    pub(crate) auto_disk: bool,
    pub(crate) access_ip_v4: Option<String>,
    pub(crate) access_ip_v6: Option<String>,
}

/// `zone`, `zone:host` or `zone:host:node`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) zone: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) node: Option<String>,
}

impl BootRequest {
    /// Reads and checks the body.
    ///
    /// # Errors
    /// 400, naming the member.
    pub(crate) fn read(body: JsonBody, count_max: i64) -> Result<Self, ApiError> {
        let mut body = Members::of_body(body);
        let hints = hints(&mut body)?;
        let mut server = body.object("server")?;
        body.finish()?;
        let name = server.name("name")?;
        let flavor = reference(&mut server, "flavorRef")?;
        let image = reference(&mut server, "imageRef")?;
        let count = count(&mut server, count_max)?;
        networks(&mut server)?;
        not_met(&mut server)?;
        // No password is set in the guest, so none is promised in the answer.
        server.text("adminPass", 0, TEXT_LEN_MAX)?;
        let request = Self {
            name: server.required("name", name)?,
            flavor: server.required("flavorRef", flavor)?,
            image: image.filter(|image| !image.is_empty()),
            count,
            return_reservation: server.boolean("return_reservation_id")?.unwrap_or(false),
            zone: zone(&mut server)?,
            hints,
            metadata: server.texts("metadata", PAIRS_MAX, TEXT_LEN_MAX)?,
            security_groups: security_groups(&mut server)?,
            user_data: user_data(&mut server)?,
            config_drive: server.boolean("config_drive")?.unwrap_or(false),
            auto_disk: auto_disk(&mut server)?,
            access_ip_v4: address(&mut server, "accessIPv4", IpAddr::is_ipv4)?,
            access_ip_v6: address(&mut server, "accessIPv6", IpAddr::is_ipv6)?,
        };
        server.finish()?;
        Ok(request)
    }
}

/// An identifier or name, a number as identifier, or a link that ends in the identifier.
fn reference(server: &mut Members, member: &str) -> Result<Option<String>, ApiError> {
    let text = match server.take(member) {
        None => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => return Err(server.refuse(member, &other, "A string is expected.")),
    };
    let is_link = text.starts_with("http://") || text.starts_with("https://");
    let id = match text.trim_end_matches('/').rsplit('/').next() {
        Some(last) if is_link => last,
        _ => text.as_str(),
    };
    if id.chars().count() > TEXT_LEN_MAX {
        let reason = format!("At most {TEXT_LEN_MAX} characters are allowed.");
        return Err(server.refuse(member, &Value::from(id), &reason));
    }
    Ok(Some(id.to_owned()))
}

/// As many as allowed: fewer than `max_count` are made only when a quota says so.
fn count(server: &mut Members, count_max: i64) -> Result<i64, ApiError> {
    let least = server.integer("min_count", 1, count_max)?;
    let most = server.integer("max_count", 1, count_max)?;
    let least = least.unwrap_or(1);
    let count = most.unwrap_or(least);
    if least > count {
        let reason = format!("min_count must be <= max_count, which is {count}.");
        return Err(server.refuse("min_count", &Value::from(least), &reason));
    }
    Ok(count)
}

fn zone(server: &mut Members) -> Result<Zone, ApiError> {
    let Some(text) = server.text("availability_zone", 0, TEXT_LEN_MAX)? else {
        return Ok(Zone::default());
    };
    let mut parts = text
        .split(':')
        .map(|part| Some(part.to_owned()).filter(|p| !p.is_empty()));
    let zone = Zone {
        zone: parts.next().flatten(),
        host: parts.next().flatten(),
        node: parts.next().flatten(),
    };
    if parts.next().is_some() {
        let reason = "`zone`, `zone:host` or `zone:host:node` is expected.";
        return Err(server.refuse("availability_zone", &Value::from(text), reason));
    }
    Ok(zone)
}

/// Networks are not managed here: only what asks for none of ours is understood.
fn networks(server: &mut Members) -> Result<(), ApiError> {
    match server.take("networks") {
        None => Ok(()),
        Some(Value::String(text)) if text == "none" || text == "auto" => Ok(()),
        Some(Value::Array(list)) if list.is_empty() => Ok(()),
        Some(other) => {
            let reason = "Only `none`, `auto` or an empty list is supported.";
            Err(server.refuse("networks", &other, reason))
        }
    }
}

fn not_met(server: &mut Members) -> Result<(), ApiError> {
    for member in NOT_MET {
        match server.take(member) {
            None => {}
            Some(Value::Array(list)) if list.is_empty() => {}
            Some(other) => return Err(server.refuse(member, &other, "It is not supported.")),
        }
    }
    match server.text("key_name", 1, TEXT_LEN_MAX)? {
        None => Ok(()),
        Some(name) => {
            let why = format!("there is no key pair `{name}`: key pairs are not managed here");
            let error = ApiError::bad(codes::BAD_REFERENCE, "Invalid key_name provided.");
            Err(error.because(why).with_cure("leave `key_name` out"))
        }
    }
}

fn security_groups(server: &mut Members) -> Result<Vec<String>, ApiError> {
    let member = "security_groups";
    let Some(value) = server.take(member) else {
        return Ok(vec!["default".to_owned()]);
    };
    let name = |group: &Value| match group.as_object() {
        Some(group) if group.len() == 1 => Some(group.get("name")?.as_str()?.to_owned()),
        _ => None,
    };
    let groups = value.as_array().filter(|groups| groups.len() <= PAIRS_MAX);
    let names = groups.and_then(|groups| groups.iter().map(name).collect());
    let reason = "A list of objects such as {\"name\": \"default\"} is expected.";
    names.ok_or_else(|| server.refuse(member, &value, reason))
}

fn user_data(server: &mut Members) -> Result<Option<String>, ApiError> {
    let Some(text) = server.text("user_data", 0, USER_DATA_LEN_MAX)? else {
        return Ok(None);
    };
    let digits = text.trim_end_matches('=');
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    if text.len() % 4 == 0 && text.len() - digits.len() <= 2 && digits.bytes().all(base64) {
        return Ok(Some(text));
    }
    Err(server.refuse("user_data", &Value::from(text), "It is not base64."))
}

fn auto_disk(server: &mut Members) -> Result<bool, ApiError> {
    match server
        .text("OS-DCF:diskConfig", 1, TEXT_LEN_MAX)?
        .as_deref()
    {
        None | Some("MANUAL") => Ok(false),
        Some("AUTO") => Ok(true),
        Some(other) => {
            let reason = "`AUTO` or `MANUAL` is expected.";
            Err(server.refuse("OS-DCF:diskConfig", &Value::from(other), reason))
        }
    }
}

fn address(
    server: &mut Members,
    member: &str,
    fits: fn(&IpAddr) -> bool,
) -> Result<Option<String>, ApiError> {
    let text = server
        .text(member, 0, TEXT_LEN_MAX)?
        .filter(|text| !text.is_empty());
    match text.as_deref().map(str::parse) {
        None => Ok(None),
        Some(Ok(address)) if fits(&address) => Ok(Some(address.to_string())),
        Some(_) => {
            let reason = "An IP address of that version is expected.";
            Err(server.refuse(member, &Value::from(text), reason))
        }
    }
}

fn hints(body: &mut Members) -> Result<Hints, ApiError> {
    let mut hints = Hints::new();
    for member in HINTS {
        match body.take(member) {
            None => {}
            Some(Value::Object(given)) => add_hints(&mut hints, body, member, given)?,
            Some(other) => return Err(body.refuse(member, &other, "An object is expected.")),
        }
    }
    Ok(hints)
}

fn add_hints(
    hints: &mut Hints,
    body: &Members,
    member: &str,
    given: Map<String, Value>,
) -> Result<(), ApiError> {
    for (key, value) in given {
        let texts = match &value {
            Value::String(text) => Some(vec![text.clone()]),
            // A query is a tree of lists; it stays one text, for the filter that reads it.
            Value::Array(_) | Value::Object(_) if key == "query" => Some(vec![value.to_string()]),
            Value::Array(list) => list
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        let reason = "A string or a list of strings is expected.";
        let refused = || body.refuse(&format!("{member}.{key}"), &value, reason);
        let texts: Vec<String> = texts.ok_or_else(refused)?;
        hints.insert(key, texts);
        if hints.len() > PAIRS_MAX {
            let reason = format!("At most {PAIRS_MAX} hints are allowed.");
            return Err(body.refuse(member, &Value::from(hints.len()), &reason));
        }
    }
    Ok(())
}
