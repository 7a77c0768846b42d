//! Every error code of this crate, spelled once: the area `config`, the part of `api` that a
//! client meets, the part of `schedule` that a simulation meets, and that a driver is slow.
//!
//! A code never changes its meaning, its texts may improve. Must not know where a code is raised.
//! `explain` joins this table with those of the other crates.

pub use longshore_loader::codes::Code;
use longshore_loader::spanned::AreaCodes;

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal, $cause:literal, $cure:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $title, ".")]
            pub const $name: &str = $code;
        )*
        /// All codes of this crate, by area.
        pub const TABLE: &[Code] = &[
            $(Code { code: $code, title: $title, cause: $cause, cure: $cure },)*
        ];
    };
}

codes! {
    NOT_FOUND = "config/not-found", "a file that was named does not exist",
        "`--config`, `--plugins` or `host.plugins` names a file that is not there",
        "correct the name; without `--config` a missing file means the defaults";
    UNREADABLE = "config/unreadable", "the configuration cannot be read",
        "the path is a directory, a pipe or a device, or the user may not read it",
        "name a regular file of at most 1 MiB, and make it readable";
    ENCODING = "config/encoding", "the configuration is not UTF-8 text",
        "the file holds bytes that are not UTF-8, is UTF-16, or holds NUL bytes",
        "save the file as UTF-8; a byte-order mark is accepted";
    SYNTAX = "config/syntax", "the configuration is not valid TOML",
        "a quote, a bracket or a `=` is missing or misplaced, or the file is of another format",
        "correct the marked place; texts need double quotes: `virt = \"fake\"`";
    DUPLICATE = "config/duplicate", "something is given twice",
        "a key or table stands twice in one file, or a name twice in one list",
        "keep one of the two";
    TOO_LARGE = "config/too-large", "the configuration exceeds a limit",
        "more than 1 MiB, 10 000 keys or 32 levels, or too many variables",
        "name the right file, or remove what does not belong there";
    UNKNOWN_KEY = "config/unknown-key", "a table or key is not known",
        "it is misspelled, stands in the wrong table, or belongs to another release",
        "`longshore config show` prints every key with its value";
    RENAMED = "config/renamed", "a key has another name now",
        "the key is spelled as in an older release or in Nova; its value is used for now",
        "use the new name: a later release refuses the old one";
    WRONG_TYPE = "config/wrong-type", "a value is of another type",
        "a text stands where a number or a list belongs, or the other way round",
        "write the value as the message shows it";
    OUT_OF_RANGE = "config/out-of-range", "a number is outside its limits",
        "it is too small or too large for the key, infinite, or not a number",
        "write a number within the limits that the message names";
    BAD_VALUE = "config/bad-value", "a value has the right type and is not valid",
        "a word that is not offered, an address or URL that cannot be used, an unknown unit, \
         or an environment variable whose value does not fit its key",
        "correct the marked part; the message lists what is allowed";
    CONTRADICTION = "config/contradiction", "two choices exclude each other",
        "for example a service of its own process with a transport that stays in the process",
        "change one of the two";
    ODD = "config/odd", "something is accepted and probably not meant",
        "for example no filters at all, or a weigher that prefers less",
        "nothing, if it is meant";
    DRIVER_IN_USE = "config/driver-in-use", "another virt driver has instances",
        "`compute.virt` was changed while instances of the old driver exist; the new driver would not know them",
        "delete those instances, or set `compute.virt` back";
    STATE_DIR = "service/state-dir", "the state directory cannot be used",
        "it cannot be made, or this user may not write there",
        "make it writable, or set `host.state_dir` to another directory";
    ALREADY_RUNNING = "service/already-running", "another process runs on the same state directory",
        "a host was started twice with one `host.state_dir`",
        "stop the other one, or give each its own state directory";
    NO_OUTPUT = "service/no-output", "the standard streams cannot be used",
        "this process may have no more descriptors or threads, of which what drivers print needs six and two",
        "raise its limits of open files and threads";
    NOT_SUPPORTED_HERE = "service/not-supported-here", "this release cannot do what is configured",
        "the configuration names a transport, database or address that comes with a later release",
        "use `memory://`, a `sqlite://` database and a TCP address";
    UNREACHABLE = "api/unreachable", "the API does not answer",
        "no host is running, it listens elsewhere, or something on the way refuses",
        "start one with `longshore up`, or set `api.listen` or `LONGSHORE_API` to its address";
    BAD_ADDRESS = "api/bad-address", "the API's address cannot be used",
        "`LONGSHORE_API` is no `http://` URL, or `api.listen` is a unix socket or port 0",
        "set `LONGSHORE_API` to a URL such as `http://127.0.0.1:8774`";
    BAD_ANSWER = "api/bad-answer", "what answered is not the API of longshore",
        "the answer is not JSON, too large, or lacks what it must have",
        "check that the address is that of a longshore host of this release";
    REFUSED = "api/refused", "the API refused a request",
        "the host gave a reason and no code of its own; the message repeats the reason",
        "follow the reason; the host's log says more";
    UNKNOWN_NAME = "api/unknown-name", "nothing has that name or id",
        "the server, flavor, image or host does not exist, or is spelled otherwise",
        "list what exists, for example with `longshore server list`";
    AMBIGUOUS_NAME = "api/ambiguous-name", "several things have that name",
        "names need not be unique; the message lists the ids",
        "use the id instead of the name";
    DRIVER_SLOW = "driver/slow", "a driver of the scheduler is slow",
        "it takes more time than all the scheduler's other drivers together, more than 1 ms a call: it waits for \
         something, such as a network or a disk, or computes much",
        "see its calls with `longshore plugin show NAMESPACE NAME`, and ask its author, or do without it";
    SERVER_ERROR = "api/server-error", "a server went to ERROR",
        "the operation failed on its host, or no host could take the server",
        "the fault says why; `longshore server show` repeats it";
    WAIT_TIMEOUT = "api/wait-timeout", "waiting took longer than allowed",
        "the operation goes on; only the waiting ended",
        "look again with `longshore server show`, or give `--timeout` more seconds";
    BAD_ARGUMENT = "api/bad-argument", "an argument of a command cannot be used",
        "for example `--hint` or `--property` without `=`, or an unknown code for `explain`",
        "write it as the message shows";
    INPUT_UNREADABLE = "schedule/input-unreadable", "a file for a simulation cannot be read",
        "it is not there, is not called `.toml`, `.json` or `.csv`, or is too large for its format",
        "name a file that can be read; CSV may be of any length";
    INPUT_SYNTAX = "schedule/input-syntax", "a file for a simulation is not what its name says",
        "it is not TOML, JSON or CSV, or not UTF-8 text",
        "correct the marked place";
    BAD_ROW = "schedule/bad-row", "a host or a request of a simulation cannot be right",
        "a field is misspelled, missing, of another type or beyond its limits",
        "correct the marked field; docs/simulate.md lists all of them";
    EMPTY_INPUT = "schedule/empty-input", "there is nothing to simulate",
        "a file holds no hosts or no requests, or a host twice",
        "write at least one of each, with names of their own";
    OUTPUT_UNWRITABLE = "schedule/output-unwritable", "a result of a simulation cannot be written",
        "the directory of `--svg` or `--placements` is missing, full, or this user may not write there",
        "name a file that can be written";
}

/// The codes for what the TOML reader finds. The only values it judges itself are numbers of more
/// than 64 bits, so its `wrong_type` is a range.
pub const AREA: AreaCodes = AreaCodes {
    syntax: SYNTAX,
    encoding: ENCODING,
    duplicate: DUPLICATE,
    too_large: TOO_LARGE,
    unknown_key: UNKNOWN_KEY,
    wrong_type: OUT_OF_RANGE,
};
