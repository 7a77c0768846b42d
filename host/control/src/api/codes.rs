//! The error codes of the web API, spelled here and nowhere else.
//!
//! A code never changes its meaning; the texts beside it may improve. The program's `explain`
//! command joins this table with those of the other parts.

pub use longshore_objects::codes::Code;

pub(crate) const BAD_JSON: &str = "api/bad-json";
pub(crate) const BAD_FIELD: &str = "api/bad-field";
pub(crate) const UNKNOWN_FIELD: &str = "api/unknown-field";
pub(crate) const BAD_QUERY: &str = "api/bad-query";
pub(crate) const BAD_REFERENCE: &str = "api/bad-reference";
pub(crate) const IMAGE_FILE: &str = "api/image-file";
pub(crate) const BAD_ACTION: &str = "api/unknown-action";
pub(crate) const NOT_SERVED: &str = "api/not-implemented";
pub(crate) const NOT_FOUND: &str = "api/not-found";
pub(crate) const NO_PATH: &str = "api/no-such-path";
pub(crate) const METHOD: &str = "api/wrong-method";
pub(crate) const VERSION: &str = "api/version";
pub(crate) const EXISTS: &str = "api/exists";
pub(crate) const AGGREGATE: &str = "api/aggregate-rule";
pub(crate) const OVER_QUOTA: &str = "quota/exceeded";
pub(crate) const STATE: &str = "api/wrong-state";
pub(crate) const TOO_LARGE: &str = "api/body-too-large";
pub(crate) const SLOW_BODY: &str = "api/slow-body";
pub(crate) const BUSY: &str = "api/busy";
pub(crate) const PANICKED: &str = "api/panicked";
pub(crate) const CANNOT_LISTEN: &str = "service/cannot-listen";
pub(crate) const CUT_SHORT: &str = "api/drain-cut-short";
pub(crate) const NOT_BOUND: &str = "api/already-started";

/// Every code which the web API can report, besides those of the store and of RPC.
pub const TABLE: &[Code] = &[
    Code {
        code: BAD_JSON,
        title: "the body of the request is not the JSON object that is expected",
        cause: "the body is empty, is cut off, or is not JSON",
        cure: "send one JSON object, with `Content-Type: application/json`",
    },
    Code {
        code: BAD_FIELD,
        title: "a member of the request has a value that is not allowed",
        cause: "it is missing, has the wrong type, or is out of its range",
        cure: "correct the member which the message names",
    },
    Code {
        code: UNKNOWN_FIELD,
        title: "the request has a member that is not known here",
        cause: "it is misspelled, or belongs to a later microversion of the API",
        cure: "remove the member, or correct its name; the API is version 2.1",
    },
    Code {
        code: BAD_QUERY,
        title: "a query parameter is not understood",
        cause: "its name is not known, or its value is out of range",
        cure: "correct the parameter which the message names",
    },
    Code {
        code: BAD_REFERENCE,
        title: "the request refers to something that cannot be used",
        cause: "there is no such flavor, image or key pair, or it does not fit the request",
        cure: "list what there is, and use an identifier from the list",
    },
    Code {
        code: IMAGE_FILE,
        title: "the file of an image cannot be used",
        cause: "the path is not absolute, or there is no regular file at it on this host",
        cure: "give the absolute path of an existing file as `location`",
    },
    Code {
        code: BAD_ACTION,
        title: "there is no such action",
        cause: "the body of the request names none, several, or an unknown one",
        cure: "send exactly one action, such as `{\"os-start\": null}`",
    },
    Code {
        code: NOT_SERVED,
        title: "this part of the API is not implemented",
        cause: "no driver or service of this release can do it",
        cure: "do without it; what is served is listed in the operator guide",
    },
    Code {
        code: NOT_FOUND,
        title: "the record which the path names does not exist",
        cause: "it was deleted, or the identifier is wrong",
        cure: "list the records of that kind and use an identifier from the list",
    },
    Code {
        code: NO_PATH,
        title: "the API has no such path",
        cause: "the URL is misspelled, or belongs to a part that is not served",
        cure: "start at `/`, which lists the versions of the API",
    },
    Code {
        code: METHOD,
        title: "the path does not take this HTTP method",
        cause: "the path is right, the method is not",
        cure: "use one of the methods in the `Allow` header of the answer",
    },
    Code {
        code: VERSION,
        title: "the microversion asked for is not served",
        cause: "a client asked for another version than 2.1",
        cure: "ask for `2.1` or `latest`, or for none",
    },
    Code {
        code: EXISTS,
        title: "a record with this name or identifier exists already",
        cause: "the same request came twice, or the name is taken",
        cure: "use the existing record, or choose another name",
    },
    Code {
        code: AGGREGATE,
        title: "a rule of aggregates does not allow this",
        cause: "a host would be in two zones, a zone would have no name, or an aggregate has hosts",
        cure: "take the hosts out of the other aggregate, or of this one, first",
    },
    Code {
        code: OVER_QUOTA,
        title: "the request would have more of something than its project may have",
        cause: "there are as many as allowed already, or the request asks for too many at once",
        cure: "delete what is not needed, ask for fewer, or let the operator allow more",
    },
    Code {
        code: STATE,
        title: "the instance is in a state that does not allow this",
        cause: "another operation is running, or the instance is already what was asked for",
        cure: "look at the instance's state; repeat the request when it allows it",
    },
    Code {
        code: TOO_LARGE,
        title: "the body of the request is too large",
        cause: "it is longer than 114,688 bytes",
        cure: "send less in one request",
    },
    Code {
        code: SLOW_BODY,
        title: "the body of the request did not arrive in time",
        cause: "the client stopped sending, or the network is slow",
        cure: "send the request again",
    },
    Code {
        code: BUSY,
        title: "too many requests are in work",
        cause: "clients ask faster than the service answers",
        cure: "repeat the request after the seconds of the `Retry-After` header",
    },
    Code {
        code: PANICKED,
        title: "a request ended in a panic",
        cause: "a bug of the API; the request may have been carried out in part",
        cure: "report it with the request id and the log of the service",
    },
    Code {
        code: CANNOT_LISTEN,
        title: "the address of the API cannot be listened on",
        cause: "another program uses the port, or the address is not one of this machine",
        cure: "stop the other program, or set another `api.listen`",
    },
    Code {
        code: CUT_SHORT,
        title: "requests did not finish within the grace period",
        cause: "a client or the database was slow while the service was stopping",
        cure: "raise the grace period; clients see a closed connection and may repeat",
    },
    Code {
        code: NOT_BOUND,
        title: "the API was started twice",
        cause: "its listening socket is given away at the first start",
        cure: "bind a new socket first; this is a fault of the program that starts it",
    },
];

/// The row of a code of this table.
pub(crate) fn row(code: &str) -> Option<&'static Code> {
    TABLE.iter().find(|row| row.code == code)
}
