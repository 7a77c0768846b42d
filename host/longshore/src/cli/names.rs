//! From what people type, an id or a name, to the one thing that is meant.
//!
//! An id beats a name. Names need not be unique: then the ids are listed. Called by the commands
//! that talk to the API.

use longshore_loader::diagnostic::{escape, nearest, quoted_list};
use serde_json::{Map, Value as Json};

use super::client::{Client, encoded};
use super::exit::Exit;
use super::failure::Failure;
use super::render::cell;
use crate::codes;

/// Most pages of a list; of 1 000 items each.
const PAGES_MAX: usize = 1_000;
/// Most ids in the message about an ambiguous name.
const IDS_SHOWN_MAX: usize = 10;

/// A text of an object, empty if absent.
pub(crate) fn text<'j>(object: &'j Json, key: &str) -> &'j str {
    object.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// All items of a list that the API gives in pages.
pub(crate) fn all(client: &Client, path: &str, key: &str) -> Result<Vec<Json>, Failure> {
    let mut items: Vec<Json> = Vec::new();
    let mut page = path.to_owned();
    for _ in 0..PAGES_MAX {
        let mut answer = client.get(&page)?;
        let Some(Json::Array(more)) = answer.get_mut(key).map(Json::take) else {
            let why = format!("it has no list `{key}`");
            return Err(client.bad_answer("GET", &page, &why));
        };
        let links = format!("{key}_links");
        let has_next = answer
            .get(&links)
            .and_then(Json::as_array)
            .is_some_and(|links| links.iter().any(|l| l.get("rel") == Some(&"next".into())));
        let goes_on = has_next && !more.is_empty();
        items.extend(more);
        let Some(last) = items.last().filter(|_| goes_on) else {
            return Ok(items);
        };
        let sign = if path.contains('?') { '&' } else { '?' };
        page = format!("{path}{sign}marker={}", encoded(text(last, "id")));
    }
    Ok(items)
}

/// The one of `items` that `wanted` means. `kind` is `flavor`, `image` …
pub(crate) fn choose<'j>(kind: &str, wanted: &str, items: &'j [Json]) -> Result<&'j Json, Failure> {
    // Some ids are numbers.
    if let Some(item) = items.iter().find(|i| cell(&i["id"]) == wanted) {
        return Ok(item);
    }
    let named: Vec<&Json> = items.iter().filter(|i| text(i, "name") == wanted).collect();
    let shown = escape(wanted);
    match named.as_slice() {
        [only] => Ok(only),
        [] => {
            let names: Vec<&str> = items.iter().map(|i| text(i, "name")).collect();
            Err(unknown(kind, wanted, &names))
        }
        several => {
            let ids: Vec<String> = several.iter().map(|i| cell(&i["id"])).collect();
            let listed = quoted_list(&ids[..ids.len().min(IDS_SHOWN_MAX)]);
            let more = match ids.len().saturating_sub(IDS_SHOWN_MAX) {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            let count = several.len();
            let what = format!("{count} {kind}s are called `{shown}`");
            Err(Failure::new(Exit::Failed, codes::AMBIGUOUS_NAME, what)
                .why(format!("they are {listed}{more}"))
                .help("use the id of the one that is meant"))
        }
    }
}

/// The failure that nothing has the name.
pub(crate) fn unknown(kind: &str, wanted: &str, names: &[&str]) -> Failure {
    let what = format!("no {kind} `{}`", escape(wanted));
    let help = match nearest(wanted, names.iter().copied()) {
        Some(near) => format!("did you mean `{}`?", escape(near)),
        None => format!("run `longshore {kind} list` to see all"),
    };
    Failure::new(Exit::Failed, codes::UNKNOWN_NAME, what)
        .why(format!("no {kind} has that id or name"))
        .help(help)
}

/// The properties of an object as they are typed, comma separated.
pub(crate) fn properties_text(object: &Json) -> String {
    let pairs = object["properties"].as_object().into_iter().flatten();
    let pairs = pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    pairs.collect::<Vec<_>>().join(", ")
}

/// `K=V` texts as an object; a key that is given several times gets a list.
pub(crate) fn pairs(flag: &str, texts: &[String]) -> Result<Map<String, Json>, Failure> {
    let mut out = Map::new();
    for pair in texts {
        let Some((key, value)) = pair.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            let what = format!("cannot read `{flag} {}`", escape(pair));
            return Err(Failure::new(Exit::Usage, codes::BAD_ARGUMENT, what)
                .why("a key and a value are needed, with `=` between them")
                .help(format!("write `{flag} KEY=VALUE`")));
        };
        let value = Json::from(value);
        match out.get_mut(key) {
            None => {
                out.insert(key.to_owned(), value);
            }
            Some(Json::Array(list)) => list.push(value),
            Some(one) => *one = Json::Array(vec![one.take(), value]),
        }
    }
    Ok(out)
}
