//! Versioned objects of the control plane.
//!
//! Each object knows which of its fields are set and changed, has a wire form with a version, and
//! saves itself through [`ObjectApi`] without knowing whether the database is in this process or
//! behind the conductor. Must not know async runtimes, SQL or I/O. Used by every service.
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod base;
pub mod codes;
pub mod compute_node;
pub mod error;
pub mod field;
pub mod flavor;
pub mod image_meta;
pub mod instance;
pub mod instance_fault;
pub mod instance_group;
pub mod instance_list;
mod macros;
pub mod primitive;
pub mod remotable;
pub mod request_spec;
pub mod selection;
pub mod service;
pub mod state;
pub mod transition;

pub use aggregate::{Aggregate, AggregateList, MetadataUpdates, ZONE_KEY};
pub use base::{VersionedObject, WHAT_CHANGED};
pub use compute_node::{ComputeNode, ComputeNodeList};
pub use error::{Conflict, ObjectError};
pub use flavor::{Flavor, FlavorList};
pub use image_meta::{ImageMeta, ImageMetaList};
pub use instance::Instance;
pub use instance_fault::{InstanceFault, InstanceFaultList};
pub use instance_group::{InstanceGroup, InstanceGroupList};
pub use instance_list::InstanceList;
pub use primitive::{DateTime, now, object_name};
pub use remotable::{Expected, ObjectApi};
pub use request_spec::{Destination, RequestSpec, SchedulerLimits, SchedulerRetries};
pub use selection::Selection;
pub use service::{Service, ServiceList};
pub use state::{PowerState, TaskState, VmState, status};
pub use transition::{Operation, accept};
