//! What the host manager is told of the records and of computes' messages: nodes, services, aggregates, instances.
//!
//! Must not choose hosts. Used by the manager, before and between selections.

pub(super) mod aggregates;
pub(super) mod choices;
pub(super) mod instance_info;
pub(super) mod instances;
pub(super) mod node_uuids;
pub(super) mod refresh;
