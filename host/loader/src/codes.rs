//! Every error code of this crate: the areas `map`, `plugin`, `abi` and `driver`.
//!
//! A code is spelled here once and nowhere else; other files use the constants. A code never
//! changes its meaning, its texts may improve. `TABLE` feeds `longshore explain` and the
//! generated `ERRORS.md`. This file must not know where a code is raised.

use crate::spanned::AreaCodes;

/// One stable error code with its long texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `area/slug`, stable for ever.
    pub code: &'static str,
    /// What the code stands for, in half a line.
    pub title: &'static str,
    /// How it comes about.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

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
    MAP_NOT_FOUND = "map/not-found", "the plugin map does not exist",
        "the file named by `--plugins`, `host.plugins` or `LONGSHORE_MAP` is not there",
        "correct the path, or write the file; without a name a missing map is an empty map";
    MAP_UNREADABLE = "map/unreadable", "a map file cannot be read",
        "the path is a directory or a device, or the service user may not read it",
        "name a regular file and make it readable for the service user";
    MAP_ENCODING = "map/encoding", "a map file is not UTF-8 text",
        "the file holds bytes that are not UTF-8, is UTF-16, or holds NUL bytes",
        "save the file as UTF-8";
    MAP_SYNTAX = "map/syntax", "a map file is not valid TOML",
        "a quote, bracket, comma or `=` is missing or misplaced",
        "correct the marked place; texts need double quotes";
    MAP_TOO_LARGE = "map/too-large", "a map file exceeds a limit",
        "more than 1 MiB, 10 000 keys, 32 levels, 1 000 drop-in files or items of a variable",
        "split the map into drop-ins, or remove what is not used";
    MAP_DUPLICATE = "map/duplicate", "a key or table is given twice in one file",
        "TOML allows each key and each table once per file",
        "keep one; several entry points of one name are written as an array";
    MAP_UNSUPPORTED_FORMAT = "map/unsupported-format", "the map is in a newer format",
        "`[longshore] format` names a format that this host does not read",
        "use `format = 1`, or a newer host";
    MAP_UNQUOTED_NAMESPACE = "map/unquoted-namespace", "a dotted name is not quoted",
        "without quotes TOML reads dots as nested tables",
        "put the whole name in quotes: `[\"longshore.virt.driver\"]`";
    MAP_UNKNOWN_KEY = "map/unknown-key", "a key is not known",
        "the key is misspelled, or belongs to another table",
        "use one of the keys that the message lists";
    MAP_WRONG_TYPE = "map/wrong-type", "a value has the wrong type or range",
        "for example a number in quotes, or a text where a list belongs",
        "write the value as the message says";
    MAP_BASE_ONLY_KEY = "map/base-only-key", "a key is allowed in the base map only",
        "`search`, `include` and `format` in a drop-in would change how drop-ins are found",
        "move the key to the base map";
    MAP_BAD_ENTRY = "map/bad-entry", "an entry does not say what it is",
        "an entry needs exactly one of `lib`, `alias`, `patch`; an alias takes no other keys",
        "give exactly one of the three";
    MAP_NOTHING_TO_PATCH = "map/nothing-to-patch", "a patch hits no entry, or several",
        "`patch = true` changes the one entry of that name from earlier files",
        "correct the name, or write a whole entry";
    MAP_ENVIRONMENT_REFUSED = "map/environment-refused", "an environment variable was ignored",
        "the namespace has `env = false`, or the process runs with raised rights",
        "change the map instead";
    MAP_OVERRIDES_NOTHING = "map/overrides-nothing", "an override replaces nothing",
        "`override = true` found no earlier entry of that name",
        "correct the name, or remove `override`";
    MAP_BAD_ENVIRONMENT = "map/bad-environment", "an environment variable cannot be read",
        "an item is not `NAMESPACE/NAME` or `NAMESPACE/NAME=TARGET`",
        "correct the variable; items are separated by `;`";
    MAP_UNKNOWN_ALIAS = "map/unknown-alias", "an alias names no entry",
        "the name in `alias` is not in the same namespace of the map",
        "correct the name";
    MAP_ALIAS_CYCLE = "map/alias-cycle", "aliases form a circle",
        "following the aliases leads back to the first one",
        "let one of them name a real entry";
    MAP_BAD_NAME = "map/bad-name", "a name or target is not valid",
        "empty, over 255 bytes, with control characters, or leaving the search path by `..`",
        "correct the name; for a library elsewhere write its absolute path";
    MAP_UNKNOWN_DEFAULT = "map/unknown-default", "a policy names an unknown entry",
        "`default`, `only` or `disabled` names an entry that the namespace does not have",
        "correct the name";
    MAP_OVERWRITTEN_POLICY = "map/overwritten-policy", "a policy key is set in two files",
        "the later file wins",
        "keep one of the two";

    PLUGIN_NO_ENTRIES = "plugin/no-entries", "a namespace has no extensions",
        "the caller asked for at least one, and the map has none there, or none could be used",
        "add an entry to the namespace, or see `longshore plugin list --why`";
    PLUGIN_ASKED_TWICE = "plugin/asked-twice", "a name is asked for twice",
        "a list of names that stands for an order holds one of them twice",
        "name it once";
    PLUGIN_CHECK_FAILED = "plugin/check-failed", "a check of an extension failed",
        "the program's own check of the entry point gave an error instead of yes or no",
        "see the error; the check belongs to the program, not to the plugin";
    PLUGIN_NOT_FOUND = "plugin/not-found", "a plugin file does not exist",
        "the library is in none of the search directories, or a link leads nowhere",
        "install the file, or correct `lib` or `[longshore] search`";
    PLUGIN_NOT_A_FILE = "plugin/not-a-file", "a plugin path is not a regular file",
        "the path is a directory, a pipe, a socket or a device",
        "name the `.so` file itself";
    PLUGIN_UNREADABLE = "plugin/unreadable", "a plugin file cannot be read",
        "the service user may not read it, or the file system does not answer",
        "make it readable for the service user";
    PLUGIN_NOT_ELF = "plugin/not-elf", "a file is not a shared library",
        "the file is empty, a text, or an archive",
        "build with `crate-type = [\"cdylib\"]` and copy the `.so` again";
    PLUGIN_TOO_LARGE = "plugin/too-large", "a plugin file is over the limit",
        "the file is larger than 256 MiB",
        "strip its debug information";
    PLUGIN_TOO_MANY_FILES = "plugin/too-many-files", "a directory holds too many files",
        "a scan stops at 1 000 libraries",
        "scan a smaller directory";
    PLUGIN_TRUNCATED = "plugin/truncated", "a plugin file is cut off",
        "the file ends before the parts that its header promises",
        "copy it again, with a rename at the end";
    PLUGIN_MALFORMED = "plugin/malformed", "a plugin file contradicts itself",
        "a size or place in its header points outside the file",
        "build it again";
    PLUGIN_CHANGING = "plugin/changing", "a plugin file changed while it was read",
        "something was writing the file at the same time",
        "install with a rename, not with a copy in place";
    PLUGIN_WRONG_ARCH = "plugin/wrong-arch", "a plugin is built for another machine",
        "the file's machine, word size or byte order is not this host's",
        "build it with the host's `--target`";
    PLUGIN_WRONG_LIBC = "plugin/wrong-libc", "a plugin needs another C library",
        "it was linked against musl, or for another system",
        "build it for the host's target";
    PLUGIN_NOT_A_LIBRARY = "plugin/not-a-library", "an ELF file is not a shared library",
        "it is an executable, an object file or a core dump",
        "build with `crate-type = [\"cdylib\"]`";
    PLUGIN_MISSING_LIBRARY = "plugin/missing-library", "a needed library is absent",
        "the plugin is linked against a library that this host does not have",
        "install the library, or link it statically";
    PLUGIN_MISSING_SYMBOL = "plugin/missing-symbol", "a symbol is defined nowhere",
        "the plugin uses a function that no library on this host provides",
        "link the library that defines it";
    PLUGIN_LIBC_TOO_OLD = "plugin/libc-too-old", "a plugin needs a newer C library",
        "it was built on a system newer than this host",
        "build on the oldest system that you support";
    PLUGIN_NOT_SELF_CONTAINED = "plugin/not-self-contained", "a plugin looks beside itself",
        "it uses `$ORIGIN` or a relative path, and plugins run from sealed memory",
        "link the library statically, or install it";
    PLUGIN_UNSAFE_LAYOUT = "plugin/unsafe-layout", "a plugin asks for unsafe memory",
        "executable stack, text relocations, static TLS, or writable code",
        "remove `-z execstack` or mark assembly with `.note.GNU-stack`; build with `-fPIC`";
    PLUGIN_REFUSED_BY_LOADER = "plugin/refused-by-loader", "the system loader refused a plugin",
        "the file passed inspection, the dynamic linker would still not take it",
        "read its words in the message; build the plugin again on a clean target";
    PLUGIN_NO_ENTRY = "plugin/no-entry", "a library is not a longshore plugin",
        "it carries no longshore note",
        "write `export_plugin!{…}` in its `lib.rs`";
    PLUGIN_BAD_METADATA = "plugin/bad-metadata", "a plugin describes itself badly",
        "a name, version or entry point in its note is not valid, or comes twice",
        "correct what the message names and build it again";
    PLUGIN_UNSTABLE_METADATA = "plugin/unstable-metadata", "a plugin changes its answers",
        "what the code says differs from the note, or from one reading to the next",
        "build it again on a clean target";
    PLUGIN_NO_SUCH_DRIVER = "plugin/no-such-driver", "no such entry point",
        "the map or the file holds no entry point of that name",
        "use one of the names that the message lists";
    PLUGIN_CONFLICT = "plugin/conflict", "two entry points share one name",
        "several entries of one name are enabled where one is needed",
        "disable one, set `override`, or set the policy `conflicts`";
    PLUGIN_DISABLED = "plugin/disabled", "an entry point is switched off",
        "the map, its policy or the environment disables it",
        "enable it at the place that the message names";
    PLUGIN_UNTRUSTED = "plugin/untrusted", "a plugin file may have been tampered with",
        "others may write it or a directory above it, or its digest is not the pinned one",
        "correct owner and mode, or pin the digest of the new file";
    PLUGIN_WRONG_VERSION = "plugin/wrong-version", "a plugin has another version than asked for",
        "the map's `version` requirement does not hold",
        "install a matching build, or change the requirement";
    PLUGIN_WRONG_KIND = "plugin/wrong-kind", "a driver is of another kind",
        "the entry point implements another trait than its namespace needs",
        "move the entry to the namespace of its kind";
    PLUGIN_LOCK_SYNTAX = "plugin/lock-syntax", "the plugin lock is not valid TOML",
        "`plugins.lock` was edited or merged by hand, was cut off, or is not a lock",
        "write it anew with `longshore plugin lock`";
    PLUGIN_LOCK_INVALID = "plugin/lock-invalid", "the plugin lock does not say what a lock says",
        "a key is missing, unknown, of another type, or a digest stands there twice",
        "write it anew with `longshore plugin lock`";
    PLUGIN_LOCK_UNREADABLE = "plugin/lock-unreadable", "the plugin lock cannot be read or written",
        "`plugins.lock` is not a regular file, or its owner, mode or directory forbids it",
        "make it a regular file that the service user may read, or remove it";
    PLUGIN_LOCK_UNSUPPORTED = "plugin/lock-unsupported", "the plugin lock is in a newer format",
        "a newer host has written it",
        "use that host, or write the lock anew with this one";
    PLUGIN_LOCK_OUTDATED = "plugin/lock-outdated", "the plugin lock is not what the map gives",
        "the map or a plugin file was changed after the lock was written",
        "look at each change, then run `longshore plugin lock`";
    PLUGIN_CANNOT_STAGE = "plugin/cannot-stage", "a plugin cannot be sealed in memory",
        "the kernel forbids it and the fallback directory is full, read-only or mounted noexec",
        "set `[plugins] stage_dir` to a directory that allows execution";
    PLUGIN_QUARANTINED = "plugin/quarantined", "a plugin is locked out",
        "it failed repeatedly",
        "mend it, then run `longshore plugin quarantine release`";
    PLUGIN_KEPT_OLD = "plugin/kept-old", "a switch failed and the old driver went on",
        "the new driver could not be built or was not ready",
        "read the cause in the message; nothing changed";
    PLUGIN_SHARED_LIBRARY = "plugin/shared-library", "a library is already loaded in another build",
        "two plugins need libraries of one name; the first loaded wins",
        "link the library statically";
    PLUGIN_ODD_EXPORTS = "plugin/odd-exports", "a plugin exports symbols it should not",
        "names such as `malloc` or `main` are visible outside",
        "hide them with a version script";
    PLUGIN_EARLY_THREADS = "plugin/early-threads", "a plugin starts threads when loaded",
        "a constructor of the library starts them before any driver is built",
        "start threads in the driver's constructor";

    PLUGIN_CRASHED_IN_VETTING = "plugin/crashed-in-vetting", "a plugin crashed when it was tried",
        "the process in which it is tried before use was killed by a signal, or its answer was forged",
        "read the last output in the message; report it to the plugin's author";
    PLUGIN_EXITED_IN_VETTING = "plugin/exited-in-vetting", "a plugin ended the process when it was tried",
        "its code called `exit`; in the host it would have ended the host",
        "report it to the plugin's author";
    PLUGIN_HUNG_IN_VETTING = "plugin/hung-in-vetting", "a plugin gave no answer when it was tried",
        "loading it or building its driver took longer than the limit, or all the processor time allowed",
        "see what it waits for; a driver is built without waiting, and `ready` is where it may ask others";
    PLUGIN_LEFT_PROCESSES = "plugin/left-processes", "a plugin leaves processes behind",
        "processes that it started while it was loaded or built were alive when its driver was gone",
        "let the driver end what it starts when it is dropped, or start it outside of longshore";
    PLUGIN_CHANGES_PROCESS = "plugin/changes-process", "a plugin changes the process",
        "signals, working directory, environment, limits or the like differed after it was tried",
        "leave them to the host: the whole process shares them";
    PLUGIN_CANNOT_VET = "plugin/cannot-vet", "a plugin could not be tried",
        "the process in which plugins are tried could not be started or was killed from outside",
        "read the cause in the message; `vet = \"never\"` loads plugins untried";

    ABI_BAD_HEADER = "abi/bad-header", "the longshore note or header is damaged",
        "the note is not readable, comes twice, or there is no entry symbol behind it",
        "build it again with the same `longshore-plugin-api` on a clean target";
    ABI_VERSION = "abi/version", "a plugin speaks another plugin-api version",
        "its major version differs, or its minor version is newer than the host's",
        "build it against the host's version, or use a newer host";
    ABI_LAYOUT = "abi/layout", "types differ in memory",
        "the plugin was built with a changed or mixed `longshore-plugin-api`",
        "keep one `longshore-plugin-api` in its lock file: `cargo tree -d`";
    ABI_PANIC_ABORT = "abi/panic-abort", "a panic in the plugin would end the host",
        "it was built with `panic = \"abort\"`",
        "set `panic = \"unwind\"` in its profile and build it again";

    DRIVER_PANICKED = "driver/panicked", "a driver panicked",
        "its code ran into a bug; the call failed, the host goes on",
        "report the text of the panic to the driver's author";
    DRIVER_FAILED = "driver/failed", "a driver could not be created",
        "its constructor returned an error",
        "read the driver's words in the message";
    DRIVER_TIMEOUT = "driver/timeout", "a driver did not answer in time",
        "the call passed its deadline and was abandoned",
        "look at what it waits for";
    DRIVER_REENTRANT = "driver/reentrant", "a driver called back into itself",
        "a driver used the host from inside a call in a way that would deadlock",
        "report it to the driver's author";
    DRIVER_BAD_VALUE = "driver/bad-value", "a driver returned a value that cannot be",
        "the value was checked at the bridge and refused",
        "report it to the driver's author";
    DRIVER_CONTRADICTION = "driver/contradiction", "a driver contradicts itself",
        "it claims a capability and answers not-supported",
        "report it to the driver's author";
    DRIVER_LEAKS = "driver/leaks", "a driver keeps what it should return",
        "far more threads or descriptors are there than before it was built, or than when it was dropped",
        "report it to the driver's author; a restart gives them back";
    DRIVER_CHANGED_PROCESS = "driver/changed-process", "a driver changed the process",
        "signals, directory, umask, limits, environment, rights or standard streams differ from before its code ran",
        "report it to the driver's author; what could be put back is as it was, for the rest restart the host without it";
    DRIVER_UNKNOWN_SETTING = "driver/unknown-setting", "a driver has no such setting",
        "a key under `settings` is not in the schema that the plugin carries",
        "use one of the settings that `longshore plugin show` lists";
    DRIVER_BAD_SETTING = "driver/bad-setting", "a setting has a wrong value",
        "its type or range is not what the plugin's schema asks for",
        "write the value as the message says";
    DRIVER_MISSING_SETTING = "driver/missing-setting", "a required setting is absent",
        "the plugin's schema marks it as required",
        "add it under `settings` of the entry";
}

/// The codes that reading a map file as TOML may raise.
pub const MAP_AREA: AreaCodes = AreaCodes {
    syntax: MAP_SYNTAX,
    encoding: MAP_ENCODING,
    duplicate: MAP_DUPLICATE,
    too_large: MAP_TOO_LARGE,
    unknown_key: MAP_UNKNOWN_KEY,
    wrong_type: MAP_WRONG_TYPE,
};

/// The codes that reading a lock as TOML may raise.
pub const LOCK_AREA: AreaCodes = AreaCodes {
    syntax: PLUGIN_LOCK_SYNTAX,
    encoding: PLUGIN_LOCK_SYNTAX,
    duplicate: PLUGIN_LOCK_SYNTAX,
    too_large: PLUGIN_LOCK_INVALID,
    unknown_key: PLUGIN_LOCK_INVALID,
    wrong_type: PLUGIN_LOCK_INVALID,
};
