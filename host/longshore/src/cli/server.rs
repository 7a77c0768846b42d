//! `longshore server …`: boot, list, show, delete, start, stop, reboot.
//!
//! Talks to the API only. What is printed is the contract's flat shape, made from OpenStack's
//! server object. Called by `cli::run`.

use std::collections::HashMap;
use std::time::Duration;

use longshore_loader::diagnostic::escape;
use serde_json::{Map, Value as Json, json};

use super::Context;
use super::args::{Server, ServerAction, ServerCreate, Wait};
use super::client::{Client, encoded};
use super::exit::Exit;
use super::failure::Failure;
use super::layout::wrapped;
use super::names::{self, choose, text};
use super::render::{Screen, cell};
use super::wait::{Patience, Until, wait};
use crate::codes;

/// The image of servers that start from nothing.
const NO_IMAGE: &str = "none";

pub(crate) fn run(context: &mut Context<'_>, command: Server) -> Result<Exit, Failure> {
    match command {
        Server::Create(args) => create(context, &args),
        Server::List => list(context),
        Server::Show { server } => show(context, &server),
        Server::Delete { servers, wait } => delete(context, &servers, &wait),
        Server::Start(args) => act(context, &args, &json!({"os-start": null}), "ACTIVE"),
        Server::Stop(args) => act(context, &args, &json!({"os-stop": null}), "SHUTOFF"),
        Server::Reboot { action, hard } => {
            let kind = if hard { "HARD" } else { "SOFT" };
            let body = json!({"reboot": {"type": kind}});
            act(context, &action, &body, "ACTIVE")
        }
    }
}

fn create(context: &mut Context<'_>, args: &ServerCreate) -> Result<Exit, Failure> {
    let hints = names::pairs("--hint", &args.hints)?;
    let client = context.client()?;
    let body = boot_request(&client, args, hints)?;
    let answer = client.post("/v2.1/servers", &body)?;
    let mut servers = created(&client, &answer)?;
    if args.wait.wait {
        let patience = patience(context, &args.wait);
        servers = wait(&client, servers, Until::Status("ACTIVE"), patience)?;
    }
    let known = Known::ask(&client);
    let shapes: Vec<Json> = servers.iter().map(|s| known.shape(s)).collect();
    match shapes.as_slice() {
        [one] if args.count == 1 => context.screen.result(one, |screen| details(screen, one)),
        several => {
            let all = Json::from(several);
            context.screen.result(&all, |screen| rows(screen, several));
        }
    }
    // Without `--wait` a server that is in ERROR already is only shown.
    if args.wait.wait {
        without_errors(&shapes)
    } else {
        Ok(Exit::Done)
    }
}

/// The body of `POST /v2.1/servers`.
fn boot_request(
    client: &Client,
    args: &ServerCreate,
    hints: Map<String, Json>,
) -> Result<Json, Failure> {
    let flavors = names::all(client, "/v2.1/flavors/detail", "flavors")?;
    let flavor = choose("flavor", &args.flavor, &flavors)?;
    let images = names::all(client, "/v2/images", "images")?;
    let image = match &args.image {
        Some(image) => Some(choose("image", image, &images)?),
        None => choose("image", NO_IMAGE, &images).ok(),
    };
    let mut server = json!({
        "name": args.name,
        "flavorRef": text(flavor, "id"),
        "min_count": args.count,
        "max_count": args.count,
    });
    if let Some(image) = image {
        server["imageRef"] = json!(text(image, "id"));
    }
    if let Some(zone) = &args.az {
        server["availability_zone"] = json!(zone);
    }
    if args.count > 1 {
        server["return_reservation_id"] = json!(true);
    }
    let mut body = json!({ "server": server });
    if !hints.is_empty() {
        body["os:scheduler_hints"] = Json::Object(hints);
    }
    Ok(body)
}

/// The servers that a request made: one by its id, several by their reservation.
fn created(client: &Client, answer: &Json) -> Result<Vec<Json>, Failure> {
    let reservation = answer
        .get("reservation_id")
        .or_else(|| answer.pointer("/server/reservation_id"));
    if let Some(reservation) = reservation.and_then(Json::as_str) {
        let query = encoded(reservation);
        let path = format!("/v2.1/servers/detail?reservation_id={query}");
        let mut servers = names::all(client, &path, "servers")?;
        servers.sort_by_key(|s| natural(text(s, "name")));
        return Ok(servers);
    }
    match answer.pointer("/server/id").and_then(Json::as_str) {
        Some(id) => Ok(vec![by_id(client, id)?]),
        None => Err(client.bad_answer("POST", "/v2.1/servers", "it has no id of the server")),
    }
}

/// `web-2` before `web-10`.
fn natural(name: &str) -> (String, u64) {
    match name.rsplit_once('-') {
        Some((stem, number)) => (stem.to_owned(), number.parse().unwrap_or_default()),
        None => (name.to_owned(), 0),
    }
}

fn list(context: &mut Context<'_>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let servers = names::all(&client, "/v2.1/servers/detail", "servers")?;
    let known = Known::ask(&client);
    let shapes: Vec<Json> = servers.iter().map(|s| known.shape(s)).collect();
    let all = Json::from(shapes.as_slice());
    context.screen.result(&all, |screen| rows(screen, &shapes));
    Ok(Exit::Done)
}

fn show(context: &mut Context<'_>, wanted: &str) -> Result<Exit, Failure> {
    let client = context.client()?;
    let server = find(&client, wanted)?;
    let shape = Known::ask(&client).shape(&server);
    context
        .screen
        .result(&shape, |screen| details(screen, &shape));
    Ok(Exit::Done)
}

fn delete(context: &mut Context<'_>, wanted: &[String], args: &Wait) -> Result<Exit, Failure> {
    let client = context.client()?;
    let mut servers: Vec<Json> = Vec::with_capacity(wanted.len());
    // All are looked up first: a typing slip in the last name must not delete the others.
    for name in wanted {
        let server = find(&client, name)?;
        if !servers.iter().any(|s| text(s, "id") == text(&server, "id")) {
            servers.push(server);
        }
    }
    for server in &servers {
        client.delete(&format!("/v2.1/servers/{}", encoded(text(server, "id"))))?;
    }
    let named = |s: &Json| json!({"id": text(s, "id"), "name": text(s, "name")});
    let result: Vec<Json> = servers.iter().map(named).collect();
    let mut left = Vec::new();
    if args.wait {
        let patience = patience(context, args);
        left = wait(&client, servers, Until::Gone, patience)?;
    }
    let word = if args.wait { "deleted" } else { "deleting" };
    let line = |s: &Json| format!("{word} `{}` ({})", escape(text(s, "name")), text(s, "id"));
    let lines: Vec<String> = result.iter().map(line).collect();
    context
        .screen
        .result(&Json::from(result), |_| lines.join("\n"));
    let known = Known::default();
    let left: Vec<Json> = left.iter().map(|s| known.shape(s)).collect();
    without_errors(&left)
}

/// Start, stop or reboot.
fn act(
    context: &mut Context<'_>,
    args: &ServerAction,
    body: &Json,
    goal: &'static str,
) -> Result<Exit, Failure> {
    let client = context.client()?;
    let server = find(&client, &args.server)?;
    let id = text(&server, "id").to_owned();
    client.post(&format!("/v2.1/servers/{}/action", encoded(&id)), body)?;
    let now = if args.wait.wait {
        let patience = patience(context, &args.wait);
        wait(&client, vec![server], Until::Status(goal), patience)?
    } else {
        vec![by_id(&client, &id)?]
    };
    let known = Known::ask(&client);
    let shapes: Vec<Json> = now.iter().map(|s| known.shape(s)).collect();
    let one = shapes.first().cloned().unwrap_or(Json::Null);
    context.screen.result(&one, |screen| details(screen, &one));
    if args.wait.wait {
        without_errors(&shapes)
    } else {
        Ok(Exit::Done)
    }
}

fn patience(context: &Context<'_>, args: &Wait) -> Patience {
    Patience {
        timeout: Duration::from_secs(args.timeout),
        shown: context.screen.shows_progress(),
    }
}

/// A server by id or name.
fn find(client: &Client, wanted: &str) -> Result<Json, Failure> {
    if is_id(wanted)
        && let Some(mut answer) = client.find(&format!("/v2.1/servers/{}", encoded(wanted)))?
    {
        return Ok(answer["server"].take());
    }
    let servers = names::all(client, "/v2.1/servers/detail", "servers")?;
    choose("server", wanted, &servers).cloned()
}

fn by_id(client: &Client, id: &str) -> Result<Json, Failure> {
    let mut answer = client.get(&format!("/v2.1/servers/{}", encoded(id)))?;
    Ok(answer["server"].take())
}

/// Ids of servers are UUIDs.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Fails with the fault of the first server in ERROR.
fn without_errors(shapes: &[Json]) -> Result<Exit, Failure> {
    let mut failed = shapes.iter().filter(|s| text(s, "status") == "ERROR");
    let Some(first) = failed.next() else {
        return Ok(Exit::Done);
    };
    let more = match failed.count() {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    let name = escape(text(first, "name"));
    let fault = first.pointer("/fault/message").and_then(Json::as_str);
    let code = first
        .pointer("/fault/longshore/code")
        .and_then(Json::as_str);
    let what = format!("server `{name}` is in ERROR{more}");
    Err(
        Failure::new(Exit::Failed, code.unwrap_or(codes::SERVER_ERROR), what)
            .why(fault.map_or_else(|| "no fault was recorded".to_owned(), escape))
            .help(format!(
                "`longshore server show {name}` and the host's log say more; delete it with \
                 `longshore server delete {name}`"
            )),
    )
}

/// Names of flavors and images by id.
#[derive(Debug, Default)]
struct Known {
    flavors: HashMap<String, String>,
    images: HashMap<String, String>,
}

impl Known {
    /// Asks the API. Without an answer ids are shown: the names are a courtesy.
    fn ask(client: &Client) -> Known {
        let names = |path: &str, key: &str| {
            let items = names::all(client, path, key).unwrap_or_default();
            let pair = |i: &Json| (text(i, "id").to_owned(), text(i, "name").to_owned());
            items.iter().map(pair).collect()
        };
        Known {
            flavors: names("/v2.1/flavors/detail", "flavors"),
            images: names("/v2/images", "images"),
        }
    }

    /// The contract's shape of a server.
    fn shape(&self, server: &Json) -> Json {
        let get = |key: &str| server.get(key).cloned().unwrap_or(Json::Null);
        let reference = |key: &str, known: &HashMap<String, String>| {
            let inner = server.get(key)?;
            if let Some(name) = inner.get("original_name").and_then(Json::as_str) {
                return Some(name.to_owned());
            }
            let id = inner.get("id").and_then(Json::as_str)?;
            Some(known.get(id).cloned().unwrap_or_else(|| id.to_owned()))
        };
        json!({
            "id": get("id"),
            "name": get("name"),
            "status": get("status"),
            "task_state": get("OS-EXT-STS:task_state"),
            "vm_state": get("OS-EXT-STS:vm_state"),
            "power_state": get("OS-EXT-STS:power_state"),
            "host": get("OS-EXT-SRV-ATTR:host"),
            "availability_zone": get("OS-EXT-AZ:availability_zone"),
            "flavor": reference("flavor", &self.flavors),
            "image": reference("image", &self.images),
            "created": get("created"),
            "updated": get("updated"),
            "launched_at": get("OS-SRV-USG:launched_at"),
            "terminated_at": get("OS-SRV-USG:terminated_at"),
            "fault": get("fault"),
        })
    }
}

fn rows(screen: &Screen<'_>, shapes: &[Json]) -> String {
    const HEAD: &[&str] = &[
        "id",
        "name",
        "status",
        "task_state",
        "host",
        "flavor",
        "image",
    ];
    let head: Vec<&str> = HEAD.iter().map(|h| h.trim_end_matches("_state")).collect();
    let row = |s: &Json| HEAD.iter().map(|key| cell(&s[*key])).collect();
    let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
    screen.table(&head, &rows)
}

fn details(screen: &Screen<'_>, shape: &Json) -> String {
    const KEYS: &[&str] = &[
        "id",
        "name",
        "status",
        "task_state",
        "vm_state",
        "power_state",
        "host",
        "availability_zone",
        "flavor",
        "image",
        "created",
        "updated",
        "launched_at",
        "terminated_at",
    ];
    let mut out = screen.members(shape, KEYS);
    out.push_str(&fault(screen, &shape["fault"]));
    out
}

/// Why a server is in ERROR: the message, and below it the details line by line. Starts with a line break.
fn fault(screen: &Screen<'_>, fault: &Json) -> String {
    const INDENT: usize = 2;
    let Some(message) = fault.get("message") else {
        return String::new();
    };
    let mut out = String::new();
    let mut add = |before: usize, line: &str| {
        let lines = wrapped(&escape(line), screen.columns(), before + INDENT);
        let between = format!("\n{:1$}", "", before + INDENT);
        out.push_str(&format!("\n{:before$}{}", "", lines.join(&between)));
    };
    add(0, &format!("fault: {}", cell(message)));
    text(fault, "details")
        .lines()
        .for_each(|line| add(INDENT, line));
    out
}
