//! The code tables of all crates, joined.
//!
//! Each crate spells its own codes; this is the only place that knows all tables. Read by the
//! command `explain` and by the test that each code exists once.

use crate::codes::{self, Code};

/// Every code that the program can report, sorted.
pub fn all_codes() -> Vec<Code> {
    let mut all: Vec<Code> = Vec::new();
    all.extend(codes::TABLE);
    all.extend(longshore_loader::codes::TABLE);
    // The other crates must not depend on the loader, so each has a type of its own.
    all.extend(longshore_messaging::codes::TABLE.iter().map(|c| Code {
        code: c.code,
        title: c.title,
        cause: c.cause,
        cure: c.cure,
    }));
    all.extend(longshore_service::codes::TABLE.iter().map(|c| Code {
        code: c.code,
        title: c.title,
        cause: c.cause,
        cure: c.cure,
    }));
    let objects = longshore_objects::codes::TABLE.iter();
    all.extend(objects.chain(longshore_store::codes::TABLE).map(|c| Code {
        code: c.code,
        title: c.title,
        cause: c.cause,
        cure: c.cure,
    }));
    all.sort_unstable_by_key(|c| c.code);
    all
}
