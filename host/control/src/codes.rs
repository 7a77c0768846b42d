//! The error codes of this crate, spelled here and nowhere else in it.
//!
//! A code never changes its meaning; the texts beside it may improve. The program's `explain`
//! command joins this table with those of the other crates. Codes of drivers that the loader
//! reports too are explained in the loader's table; they are named here without a row.

pub use longshore_objects::codes::Code;

/// Explained by the loader's table.
pub(crate) const DRIVER_PANICKED: &str = "driver/panicked";
/// Explained by the loader's table.
pub(crate) const DRIVER_TIMEOUT: &str = "driver/timeout";
/// Explained by the loader's table.
pub(crate) const DRIVER_BAD_VALUE: &str = "driver/bad-value";
/// Explained by the loader's table.
pub(crate) const DRIVER_CONTRADICTION: &str = "driver/contradiction";

pub(crate) const DRIVER_REFUSED: &str = "driver/refused";
pub(crate) const DRIVER_BUSY: &str = "driver/busy";
pub(crate) const DRIVER_FENCED: &str = "driver/fenced";
pub(crate) const NO_VALID_HOST: &str = "schedule/no-valid-host";
pub(crate) const MAX_ATTEMPTS: &str = "schedule/max-attempts";
pub(crate) const BAD_SPEC: &str = "schedule/bad-spec";
pub(crate) const UNSUPPORTED_POLICY: &str = "schedule/unsupported-policy";
pub(crate) const GROUP_POLICY: &str = "schedule/group-policy";
pub(crate) const BUSY: &str = "schedule/busy";
pub(crate) const NO_CAPACITY: &str = "schedule/claim-failed";
pub(crate) const GUEST_GONE: &str = "driver/guest-gone";
pub(crate) const CONDUCTOR_AWAY: &str = "service/conductor-away";

/// Every code that only this crate can report.
pub const TABLE: &[Code] = &[
    Code {
        code: DRIVER_REFUSED,
        title: "a driver answered a call with an error",
        cause: "the driver could not do what was asked; its own words follow the code",
        cure: "read the driver's text, put right what it names, then repeat the operation",
    },
    Code {
        code: DRIVER_BUSY,
        title: "all places for blocking driver calls are taken",
        cause: "drivers answer slowly or are stuck, so calls wait for a place until they expire",
        cure: "look for abandoned calls in the log, and restart the service if a driver is stuck",
    },
    Code {
        code: DRIVER_FENCED,
        title: "a driver is kept from being called",
        cause: "it panicked as often as `plugins.panic_limit` allows, or calls of it do not come back",
        cure: "see what it did in the log; it is tried again by itself, after 10 s at first and 10 min at most",
    },
    Code {
        code: GUEST_GONE,
        title: "the driver no longer has the guest of an instance",
        cause: "the guest was removed behind the host's back, or its files were lost",
        cure: "delete the instance and create it again",
    },
    Code {
        code: NO_VALID_HOST,
        title: "no host can take the instance",
        cause: "each host was taken out by a filter, or no host is up at all",
        cure: "read which filter took the last hosts, then add hosts or ask for less",
    },
    Code {
        code: MAX_ATTEMPTS,
        title: "building was tried on as many hosts as allowed",
        cause: "each host that was chosen failed to build the instance",
        cure: "read the last exception in the fault, repair those hosts, then create it again",
    },
    Code {
        code: NO_CAPACITY,
        title: "the chosen host has too little left",
        cause: "other instances took the resources between the choice and the claim",
        cure: "nothing: the instance goes to another host; add hosts if it happens often",
    },
    Code {
        code: BAD_SPEC,
        title: "a request or a record has a value that cannot be",
        cause: "a number is negative or too large, or a field is missing",
        cure: "correct the flavor or request that is named, then create the instance again",
    },
    Code {
        code: UNSUPPORTED_POLICY,
        title: "nothing honours the policy of the server group",
        cause: "the filter or weigher that the policy needs is not enabled",
        cure: "add it to `scheduler.enabled_filters` or `scheduler.weighers`, then create it again",
    },
    Code {
        code: GROUP_POLICY,
        title: "the chosen host does not suit the policy of the server group",
        cause: "another member was placed between the choice and the build",
        cure: "nothing: the instance goes to another host; add hosts if it happens often",
    },
    Code {
        code: BUSY,
        title: "the scheduler did not take the request: too many wait, or they took too long",
        cause: "requests arrive faster than the scheduler's drivers answer, or one of them hangs",
        cure: "wait and repeat; if it stays so, look for a slow filter or weigher",
    },
    Code {
        code: CONDUCTOR_AWAY,
        title: "no conductor answers",
        cause: "the conductor is not running, or the broker between is down",
        cure: "look for the conductor's errors in the log, then start the host again",
    },
];
