//! SQLite: opening, writing in groups, and the statements of each table.
//!
//! One file per table; each holds every statement on that table, as functions over a connection.
//! Must not know who asks. Used by the `Store` facade.

pub(crate) mod aggregates;
pub(crate) mod compute_nodes;
pub(crate) mod faults;
pub(crate) mod flavors;
pub(crate) mod images;
pub(crate) mod instance_groups;
pub(crate) mod instances;
pub(crate) mod look;
pub(crate) mod open;
pub(crate) mod request_specs;
pub(crate) mod services;
pub(crate) mod table;
pub(crate) mod writer;
