//! Where a message goes: topic, perhaps one server, perhaps all of them, and which interface.
//!
//! A plain value without behaviour; it must not know transports or queues. Clients hold one as
//! their base and vary it per message.

use std::fmt;

/// The destination of messages and the interface they speak.
///
/// ```
/// use longshore_messaging::Target;
/// let target = Target::new("compute").server("host1").version("4.17");
/// assert_eq!(target.to_string(), "<Target topic=compute, version=4.17, server=host1>");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// Queue name shared by all servers of a service.
    pub topic: String,
    /// One server of the topic, by host name.
    pub server: Option<String>,
    /// Every server of the topic; for casts only.
    pub fanout: bool,
    /// Interface namespace; none is a namespace of its own.
    pub namespace: Option<String>,
    /// Version messages carry unless they name another; none means the server's default, `1.0`.
    pub version: Option<String>,
}

impl Target {
    /// Any one server of `topic`.
    pub fn new(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            ..Self::default()
        }
    }

    /// Only the server of that name.
    #[must_use]
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }

    /// Every server of the topic.
    #[must_use]
    pub fn fanout(mut self, fanout: bool) -> Self {
        self.fanout = fanout;
        self
    }

    /// The interface's namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The version that messages carry by default.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{name}={value}"))
        };
        let topic = (!self.topic.is_empty()).then(|| format!("topic={}", self.topic));
        let fanout = self.fanout.then(|| "fanout=true".to_owned());
        let parts = [
            topic,
            some("namespace", &self.namespace),
            some("version", &self.version),
            some("server", &self.server),
            fanout,
        ];
        let set: Vec<String> = parts.into_iter().flatten().collect();
        write!(f, "<Target {}>", set.join(", "))
    }
}
