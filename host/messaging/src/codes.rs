//! The error codes of the `rpc` area, spelled here and nowhere else in the crate.
//!
//! A code never changes its meaning; the texts beside it may improve. The program's `explain`
//! command joins this table with those of the other crates.

/// One row of a code table: what `longshore explain` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable name, `area/slug`.
    pub code: &'static str,
    /// One line that names the fault.
    pub title: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

pub(crate) const TIMEOUT: &str = "rpc/timeout";
pub(crate) const BACKPRESSURE: &str = "rpc/backpressure";
pub(crate) const REMOTE: &str = "rpc/remote";
pub(crate) const VERSION_CAP: &str = "rpc/version-cap";
pub(crate) const BAD_VERSION: &str = "rpc/bad-version";
pub(crate) const INVALID_TARGET: &str = "rpc/invalid-target";
pub(crate) const BAD_ARGUMENTS: &str = "rpc/bad-arguments";
pub(crate) const TOO_LARGE: &str = "rpc/too-large";
pub(crate) const BAD_REPLY: &str = "rpc/bad-reply";
pub(crate) const NO_REPLY_QUEUE: &str = "rpc/no-reply-queue";
pub(crate) const CLOSED: &str = "rpc/closed";
pub(crate) const NO_SUCH_METHOD: &str = "rpc/no-such-method";
pub(crate) const UNSUPPORTED_VERSION: &str = "rpc/unsupported-version";
pub(crate) const BAD_REQUEST: &str = "rpc/bad-request";
pub(crate) const PANICKED: &str = "rpc/panicked";

/// Every code this crate can report.
pub const TABLE: &[Code] = &[
    Code {
        code: TIMEOUT,
        title: "no reply came in time",
        cause: "the server is down, overloaded, or the method runs longer than the call's timeout",
        cure: "check that the service is up with `longshore service list`, or raise \
               `rpc_response_timeout`",
    },
    Code {
        code: BACKPRESSURE,
        title: "a queue or the table of waiting calls is full",
        cause: "messages arrive faster than the servers of that topic take them, or none runs",
        cure: "start or unblock a server of the named topic, then send again; nothing was queued",
    },
    Code {
        code: REMOTE,
        title: "the called method failed",
        cause: "the server answered with a failure that carries no code of its own",
        cure: "read the failure's class and message, and the server's log for its request id",
    },
    Code {
        code: VERSION_CAP,
        title: "the message version is above the version cap",
        cause: "an upgrade level pins the service to a version older than the message needs",
        cure: "raise the cap once all servers are upgraded, or send an older message version",
    },
    Code {
        code: BAD_VERSION,
        title: "a version is not of the form `major.minor`",
        cause: "a target or a cap was given text that does not parse",
        cure: "write two or three numbers separated by dots, for example `4.17`",
    },
    Code {
        code: INVALID_TARGET,
        title: "the target does not fit the operation",
        cause: "the topic is missing, or a call was addressed to all servers of a topic",
        cure: "set the topic; use a cast for fanout",
    },
    Code {
        code: BAD_ARGUMENTS,
        title: "the arguments are not an object",
        cause: "arguments travel by name, so only a JSON object or null can be sent",
        cure: "pass the arguments as an object, for example `{\"instance\": …}`",
    },
    Code {
        code: TOO_LARGE,
        title: "a message exceeds the size limit",
        cause: "the arguments or the result serialise to more bytes than a message may have",
        cure: "page the request; results of unbounded length need a limit and a marker",
    },
    Code {
        code: BAD_REPLY,
        title: "a reply could not be read",
        cause: "the server speaks another dialect, or the message was damaged",
        cure: "compare the versions of both sides; the message names the member that is wrong",
    },
    Code {
        code: NO_REPLY_QUEUE,
        title: "the caller's reply queue is gone",
        cause: "the caller ended before its answer was ready",
        cure: "nothing to do on the server; the caller's own log says why it ended",
    },
    Code {
        code: CLOSED,
        title: "the transport is closed",
        cause: "the connection ended, or the process is stopping",
        cure: "check the broker and `[transport] url`; during a stop this is expected",
    },
    Code {
        code: NO_SUCH_METHOD,
        title: "the endpoint has no such method",
        cause: "the caller is newer or older than the server, or the name starts with `_`",
        cure: "compare the versions of both sides, and use the version cap during an upgrade",
    },
    Code {
        code: UNSUPPORTED_VERSION,
        title: "no endpoint serves this namespace and version",
        cause: "the message asks for another major version, a later minor, or another namespace",
        cure: "upgrade the server first, or set the caller's upgrade level",
    },
    Code {
        code: BAD_REQUEST,
        title: "a request has no valid method, arguments or version",
        cause: "the peer does not follow the message format",
        cure: "compare the peer's message with the documented members",
    },
    Code {
        code: PANICKED,
        title: "a method panicked",
        cause: "a bug in the service; the server goes on serving other messages",
        cure: "report it with the server's log; the call may be tried again",
    },
];
