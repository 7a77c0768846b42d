//! The search for a place of every guest cell, each on a host cell of its own. Whether one cell fits another is in
//! `cells`, devices are in `pci`.

use super::cells::{GuestCells, HostCell, HostCells};
use super::Ratios;
use crate::pci::{Pools, Requests};

/// How many placements of one cell are tried per host. Beyond that there is no place: the number of orders of 16 cells
/// has 14 digits.
const TRIES_MAX: usize = 20_000;

/// Where the cells of a guest go, and what they use there.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    pub(super) cells: Vec<CellUse>,
}

/// What one guest cell uses of a host cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CellUse {
    /// The host cell's id.
    pub(super) cell: i64,
    pub(super) cpus: i64,
    pub(super) memory_mb: i64,
    /// Size, KB, and number.
    pub(super) pages: Option<(i64, i64)>,
    pub(super) pinned_cpus: Vec<i64>,
}

impl Placement {
    /// The ids of the host cells, in the order of the guest's cells.
    pub fn cells(&self) -> Vec<i64> {
        self.cells.iter().map(|taken| taken.cell).collect()
    }
}

impl HostCells {
    /// The first place for a guest in which every cell fits and the devices that it wants are near; nothing when there
    /// is none within 20,000 tries. Without ratios cells are promised without end, but for processors of one's own.
    pub fn place(
        &self,
        guest: &GuestCells,
        ratios: Option<Ratios>,
        pools: &Pools,
        requests: &Requests,
    ) -> Option<Placement> {
        let mut cells: Vec<&HostCell> = self.cells.iter().collect();
        if requests.is_empty() {
            // Cells with devices are kept for guests that want some.
            let with_devices = pools.cells();
            cells.sort_by_key(|cell| with_devices.contains(&cell.id));
        }
        let mut search = Search {
            cells,
            guest: guest.clone(),
            ratios,
            chosen: Vec::new(),
            tries: 0,
        };
        let devices = |cells: &[i64]| requests.is_empty() || pools.support(requests, Some(cells));
        if !search.rest(&devices) {
            return None;
        }
        let mut cells: Vec<CellUse> = search.chosen.into_iter().map(|(_, taken)| taken).collect();
        // As in Nova, a guest has processors of its own when all its cells want them.
        if !guest.cells.iter().all(|cell| cell.is_pinned) {
            cells.iter_mut().for_each(|taken| taken.pinned_cpus.clear());
        }
        Some(Placement { cells })
    }
}

struct Search<'c> {
    cells: Vec<&'c HostCell>,
    guest: GuestCells,
    ratios: Option<Ratios>,
    /// Which host cell each guest cell got so far, and what it uses there.
    chosen: Vec<(usize, CellUse)>,
    tries: usize,
}

impl Search<'_> {
    /// Places the guest cells that have no place yet, in every order there is until one will do.
    fn rest(&mut self, devices: &dyn Fn(&[i64]) -> bool) -> bool {
        let next = self.chosen.len();
        if next == self.guest.cells.len() {
            let ids: Vec<i64> = self.chosen.iter().map(|(_, taken)| taken.cell).collect();
            return devices(&ids);
        }
        for place in 0..self.cells.len() {
            if self.chosen.iter().any(|(taken, _)| *taken == place) {
                continue;
            }
            self.tries += 1;
            if self.tries > TRIES_MAX {
                return false;
            }
            // The emulator's processor is beside the first guest cell.
            let reserved = usize::from(self.guest.is_emulator_isolated && next == 0);
            let guest = &mut self.guest.cells[next];
            if let Some(taken) = self.cells[place].fit(guest, reserved, self.ratios) {
                self.chosen.push((place, taken));
                if self.rest(devices) {
                    return true;
                }
                self.chosen.pop();
            }
        }
        false
    }
}
