//! PCI devices and NUMA cells: what a request takes of a node's beside its amounts. They are JSON texts of the report, so
//! taking some writes a new text. How devices and cells are matched is the plugin API's. Called by `consumption`.

use crate::facts::Facts;
use longshore_plugin_api::{numa, pci, Column, DriverError, RequestSpec};

/// What one request holds of a node.
#[derive(Debug, Default)]
pub(crate) struct Held {
    devices: pci::Devices,
    cells: Option<numa::Placement>,
}

impl Held {
    /// Whether there is anything.
    pub(crate) fn is_some(&self) -> bool {
        self.cells.is_some() || !self.devices.is_empty()
    }
}

/// What came of taking.
#[derive(Debug, Default)]
pub(crate) struct Taking {
    pub(crate) held: Held,
    /// What the request wants and the node does not have: a forced host is not filtered.
    pub(crate) missing: Option<&'static str>,
}

/// Takes what a request wants, as far as the node has it.
///
/// # Errors
/// When the request cannot be read; nothing is taken then.
pub(crate) fn take(facts: &mut Facts, request: &RequestSpec) -> Result<Taking, DriverError> {
    let guest = numa::GuestCells::of(request)?;
    let requests = pci::Requests::of(request)?;
    if guest.is_none() && requests.is_empty() {
        return Ok(Taking::default());
    }
    let mut pools = pci::Pools::parse(facts.text(Column::PciDevicePools)).unwrap_or_default();
    let mut host = numa::HostCells::parse(facts.text(Column::NumaTopology));
    let placement = match (&guest, &host) {
        (Some(guest), Some(host)) => {
            let place = |ratios| host.place(guest, ratios, &pools, &requests);
            // A forced host is not filtered, and may be over-committed.
            place(Some(facts.numa_ratios())).or_else(|| place(None))
        }
        _ => None,
    };
    let cells = placement.as_ref().map(numa::Placement::cells);
    let devices = match pools.take(&requests, cells.as_deref()) {
        Some(devices) => devices,
        None => {
            return Ok(Taking {
                missing: Some("free PCI devices for the request"),
                ..Taking::default()
            })
        }
    };
    let mut taking = Taking::default();
    if !devices.is_empty() {
        facts.set_text(Column::PciDevicePools, pools.to_string());
        taking.held.devices = devices;
    }
    match (placement, &mut host) {
        (Some(placement), Some(host)) => {
            host.take(&placement);
            facts.set_text(Column::NumaTopology, host.to_string());
            taking.held.cells = Some(placement);
        }
        _ if guest.is_some() => taking.missing = Some("NUMA cells for the guest's"),
        _ => {}
    }
    Ok(taking)
}

/// Gives back what was taken.
pub(crate) fn give_back(facts: &mut Facts, held: &Held) {
    if !held.devices.is_empty() {
        let pools = pci::Pools::parse(facts.text(Column::PciDevicePools));
        let mut pools = pools.unwrap_or_default();
        pools.give_back(&held.devices);
        facts.set_text(Column::PciDevicePools, pools.to_string());
    }
    if let Some(placement) = &held.cells {
        if let Some(mut host) = numa::HostCells::parse(facts.text(Column::NumaTopology)) {
            host.give_back(placement);
            facts.set_text(Column::NumaTopology, host.to_string());
        }
    }
}
