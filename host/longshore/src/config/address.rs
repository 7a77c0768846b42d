//! Addresses in the configuration: where the API listens, the broker, the database.
//!
//! Parsing only, nothing is connected. A reason for refusal never repeats a password. Called by
//! `resolved`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use longshore_loader::diagnostic::{escape, nearest};

/// Where the API listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address; port 0 takes any free port.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// Only this machine can connect.
    pub fn is_local(&self) -> bool {
        match self {
            Listen::Tcp(address) => address.ip().is_loopback(),
            Listen::Unix(_) => true,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp(address) => address.fmt(f),
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// How services reach each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Within the process.
    Memory,
    /// A RabbitMQ broker.
    Rabbit(Broker),
}

/// The address of a broker.
#[derive(Clone, PartialEq, Eq)]
pub struct Broker {
    /// User.
    pub user: String,
    /// Password; `Debug` hides it.
    pub password: String,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Virtual host, without the slash before it.
    pub vhost: String,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broker {
            user,
            password: _,
            host,
            port,
            vhost,
        } = self;
        write!(f, "rabbit://{user}:***@{host}:{port}/{vhost}")
    }
}

/// Which database.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL URL, with its password; `Debug` hides it.
    Postgres(String),
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Database::Postgres(url) => f.write_str(&escape(url)),
        }
    }
}

/// Why an address cannot be used, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Why.
    pub why: String,
    /// What to do.
    pub help: String,
}

fn unusable(why: impl Into<String>, help: &str) -> Unusable {
    Unusable {
        why: why.into(),
        help: help.to_owned(),
    }
}

/// Reads the address of a host, without a port.
///
/// # Errors
/// That it is none.
pub fn ip(text: &str) -> Result<IpAddr, Unusable> {
    text.parse().map_err(|_| {
        let form = "write an address of this machine, for example `192.0.2.7`";
        unusable("it is no IP address", form)
    })
}

/// Reads `ADDRESS:PORT` or `unix:PATH`.
///
/// # Errors
/// Which part is wrong.
pub fn listen(text: &str) -> Result<Listen, Unusable> {
    let form = "write `ADDRESS:PORT`, for example `127.0.0.1:8774`, or `unix:PATH`";
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.is_empty() {
            Err(unusable("the path of the socket is missing", form))
        } else {
            Ok(Listen::Unix(PathBuf::from(path)))
        };
    }
    let Some((host, port_text)) = text.rsplit_once(':') else {
        return Err(unusable("it has no port", form));
    };
    let port = port(port_text)?;
    let host = host
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(host);
    let address = match host {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => host
            .parse()
            .map_err(|_| unusable(format!("`{}` is not an IP address", escape(host)), form))?,
    };
    Ok(Listen::Tcp(SocketAddr::new(address, port)))
}

fn port(text: &str) -> Result<u16, Unusable> {
    let help = "write a port between 0 and 65535";
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if is_number => Ok(port),
        _ if is_number => Err(unusable("a port is at most 65535", help)),
        _ => Err(unusable("the port is not a number", help)),
    }
}

/// Reads `memory://` or `rabbit://USER:PASSWORD@HOST:PORT/VHOST`.
///
/// # Errors
/// Which part is wrong; never with the password.
pub fn transport(text: &str) -> Result<Transport, Unusable> {
    let form = "write `memory://` or `rabbit://USER:PASSWORD@HOST:PORT/VHOST`";
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(unusable("it is not a URL", form));
    };
    match scheme {
        "memory" if rest.is_empty() || rest == "/" => Ok(Transport::Memory),
        "memory" => Err(unusable("nothing follows `memory://`", form)),
        "rabbit" | "amqp" => broker(rest).map(Transport::Rabbit),
        _ => Err(unknown_scheme(scheme, &["memory", "rabbit", "amqp"], form)),
    }
}

fn broker(rest: &str) -> Result<Broker, Unusable> {
    const PORT: u16 = 5672;
    let form = "write `rabbit://USER:PASSWORD@HOST:PORT/VHOST`";
    // The last `@` counts: a password may hold one.
    let (user_part, address) = match rest.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, rest),
    };
    let (server, vhost) = address.split_once('/').unwrap_or((address, ""));
    let (host, port) = match server.rsplit_once(':') {
        Some((host, text)) if !host.ends_with(':') => (host, port(text)?),
        _ => (server, PORT),
    };
    if host.is_empty() {
        return Err(unusable("the host is missing", form));
    }
    let (user, password) = match user_part {
        Some(part) => part.split_once(':').unwrap_or((part, "")),
        None => ("guest", "guest"),
    };
    let vhost = if vhost.is_empty() { "/" } else { vhost };
    Ok(Broker {
        user: decoded(user)?,
        password: decoded(password)?,
        host: host.to_owned(),
        port,
        vhost: decoded(vhost)?,
    })
}

/// Reads `sqlite://PATH` or a PostgreSQL URL.
///
/// # Errors
/// Which part is wrong; never with the password.
pub fn database(text: &str) -> Result<Database, Unusable> {
    let form = "write `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME`";
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(unusable("it is not a URL", form));
    };
    match scheme {
        "sqlite" if rest.is_empty() => Err(unusable("the path of the file is missing", form)),
        "sqlite" => Ok(Database::Sqlite(PathBuf::from(rest))),
        "postgres" | "postgresql" => {
            let server = rest.rsplit_once('@').map_or(rest, |(_, server)| server);
            let server = server.split(['/', '?']).next().unwrap_or(server);
            if let Some((_, text)) = server.rsplit_once(':') {
                port(text)?;
            }
            Ok(Database::Postgres(text.to_owned()))
        }
        _ => Err(unknown_scheme(
            scheme,
            &["sqlite", "postgres", "postgresql"],
            form,
        )),
    }
}

fn unknown_scheme(scheme: &str, known: &[&str], form: &str) -> Unusable {
    let why = format!("`{}://` is not known", escape(scheme));
    match nearest(scheme, known.iter().copied()) {
        Some(near) => unusable(why, &format!("did you mean `{near}://`?")),
        None => unusable(why, form),
    }
}

/// Undoes `%41`.
fn decoded(text: &str) -> Result<String, Unusable> {
    let bad = || {
        unusable(
            "a `%` is not followed by two hex digits",
            "write `%25` for `%`",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().ok_or_else(bad)?, rest.next().ok_or_else(bad)?];
        let digit = |b: u8| char::from(b).to_digit(16).ok_or_else(bad);
        let value = digit(digits[0])? * 16 + digit(digits[1])?;
        bytes.push(u8::try_from(value).map_err(|_| bad())?);
    }
    String::from_utf8(bytes).map_err(|_| unusable("it is not UTF-8 after decoding", "correct it"))
}
