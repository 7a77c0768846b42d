//! NUMA cells: those of a host, which are the text of the table's column `numa_topology`, those of a guest, which are a
//! request's, and who goes where.
//!
//! A filter asks whether a guest has a [place](HostCells::place); a host manager also [takes](HostCells::take) it and
//! [gives it back](HostCells::give_back). Both read the same texts by the same rules, which are those of Nova's Pike
//! release: a guest cell gets a host cell of its own, with processors, memory, pages and devices.
//!
//! ```
//! use longshore_plugin_api::{numa, pci, RequestFields, RequestSpec};
//!
//! let mut host = numa::HostCells::parse(r#"{"cells": [{"id": 0, "cpuset": [0, 1], "memory": 1024}]}"#).unwrap();
//! let request = RequestSpec::from(RequestFields {
//!     numa_topology: Some(r#"{"cells": [{"cpuset": [0, 1], "memory": 512}]}"#.to_owned()),
//!     ..RequestFields::default()
//! });
//! let guest = numa::GuestCells::of(&request).unwrap().unwrap();
//! let ratios = Some(numa::Ratios { cpu: 1.0, ram: 1.0 });
//! let place = |host: &numa::HostCells| host.place(&guest, ratios, &pci::Pools::default(), &pci::Requests::default());
//!
//! let placement = place(&host).expect("there is room for one");
//! host.take(&placement);
//! assert!(place(&host).is_none());
//! assert!(host.to_string().contains(r#""memory_usage":512"#));
//! ```

mod cells;
mod members;
mod pinning;
mod placing;
#[cfg(test)]
mod tests;

pub use cells::{GuestCells, HostCells};
pub use placing::Placement;

/// How much of a cell may be promised per unit that exists. Processors that a guest has for itself, and the memory beside
/// them, are never promised twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratios {
    /// Processors.
    pub cpu: f64,
    /// Memory.
    pub ram: f64,
}
