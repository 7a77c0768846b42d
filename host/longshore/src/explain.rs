//! The code tables of all crates, joined.
//!
//! Each crate spells its own codes; this is the only place that knows all tables. Read by the
//! command `explain` and by the test that each code exists once.

use crate::codes::{self, Code};

/// Every code that the program can report, sorted.
pub fn all_codes() -> Vec<Code> {
    // The lower crates must not depend on the loader, so each family has a type of its own.
    macro_rules! rows {
        ($($table:path),*) => {
            [$($table),*].into_iter().flatten().map(|c| Code {
                code: c.code,
                title: c.title,
                cause: c.cause,
                cure: c.cure,
            })
        };
    }
    let mut all: Vec<Code> = [codes::TABLE, longshore_loader::codes::TABLE].concat();
    all.extend(rows!(
        longshore_messaging::codes::TABLE,
        longshore_service::codes::TABLE
    ));
    all.extend(rows!(
        longshore_objects::codes::TABLE,
        longshore_store::codes::TABLE,
        longshore_control::codes::TABLE,
        longshore_control::api::codes::TABLE
    ));
    all.sort_unstable_by_key(|c| c.code);
    all
}
