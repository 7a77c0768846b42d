//! NUMA cells of hosts and of guests, as JSON texts describe them, and whether one guest cell fits one host cell. Knows
//! nothing of other cells: who goes where is `placing`'s, which processors a guest gets for itself `pinning`'s.

use super::members::{cells, integer, list, set, text, Members};
use super::placing::{CellUse, Placement};
use super::Ratios;
use crate::{DriverError, Json, RequestSpec};
use std::fmt;

const KB_PER_MB: i64 = 1024;

/// What a guest writes in place of a page size: the smallest pages there are.
const PAGES_SMALL: i64 = -1;
/// Any but the smallest.
const PAGES_LARGE: i64 = -2;
/// Any at all, the largest preferred.
const PAGES_ANY: i64 = -3;

/// The cells of a host, and what is used of them.
#[derive(Clone, Debug, PartialEq)]
pub struct HostCells {
    pub(super) cells: Vec<HostCell>,
    /// What else the text has, to be written again.
    rest: Members,
}

/// A cell of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct HostCell {
    pub(super) id: i64,
    cpus: Vec<i64>,
    pinned_cpus: Vec<i64>,
    /// The threads of each core; empty when cores have one.
    pub(super) siblings: Vec<Vec<i64>>,
    memory_mb: i64,
    memory_used_mb: i64,
    cpus_used: i64,
    pages: Vec<Pages>,
    /// As they were read.
    members: Members,
}

/// Memory pages of one size.
#[derive(Clone, Debug, PartialEq)]
struct Pages {
    size_kb: i64,
    total: i64,
    used: i64,
    reserved: i64,
    members: Members,
}

/// How the processors of a guest cell are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// On threads of the same core where that can be had.
    Prefer,
    /// On threads of the same core.
    Require,
    /// Each alone on a core.
    Isolate,
}

/// A cell of a guest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GuestCell {
    pub(super) cpus: usize,
    memory_mb: i64,
    pub(super) is_pinned: bool,
    pub(super) threads: Threads,
    /// The page size, KB, or one of the words above; nothing for the host's usual pages.
    page_size: Option<i64>,
}

/// The cells of a guest: at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestCells {
    pub(super) cells: Vec<GuestCell>,
    /// The emulator wants a processor of its own.
    pub(super) is_emulator_isolated: bool,
}

impl GuestCells {
    /// The cells that a request asks for; nothing when it asks for none.
    ///
    /// # Errors
    /// When they cannot be read: an instance must not be placed without what it wants.
    pub fn of(request: &RequestSpec) -> Result<Option<Self>, DriverError> {
        let wanted = match request.numa_topology() {
            None | Some("") => return Ok(None),
            Some(wanted) => wanted,
        };
        let (cells, rest) = cells(wanted).ok_or_else(|| {
            let hint = r#"write them as `{"cells": [{"cpuset": [0], "memory": 512}]}`"#;
            DriverError::invalid("the request's NUMA cells cannot be read").hint(hint)
        })?;
        let guest = Self {
            cells: cells.iter().map(GuestCell::of).collect(),
            is_emulator_isolated: text(&rest, "emulator_threads_policy") == Some("isolate"),
        };
        Ok(Some(guest).filter(|guest| !guest.cells.is_empty()))
    }
}

impl HostCells {
    /// The cells of a host; nothing when it has none, or they cannot be read.
    pub fn parse(text: &str) -> Option<Self> {
        let (cells, rest) = cells(text)?;
        let cells: Vec<HostCell> = cells.into_iter().map(HostCell::of).collect();
        Some(Self { cells, rest }).filter(|host| !host.cells.is_empty())
    }

    /// Whether some of its cores have several threads.
    pub fn has_siblings(&self) -> bool {
        self.cells.iter().any(HostCell::has_siblings)
    }

    /// Counts what a guest uses in its place.
    pub fn take(&mut self, placement: &Placement) {
        self.count(placement, 1);
    }

    /// The opposite of [`take`](HostCells::take).
    pub fn give_back(&mut self, placement: &Placement) {
        self.count(placement, -1);
    }

    fn count(&mut self, placement: &Placement, sign: i64) {
        for taken in &placement.cells {
            let mut cells = self.cells.iter_mut();
            if let Some(cell) = cells.find(|cell| cell.id == taken.cell) {
                cell.count(taken, sign);
            }
        }
    }
}

/// The text that the column `numa_topology` has for these cells.
impl fmt::Display for HostCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut topology = self.rest.clone();
        let cells = self.cells.iter().map(HostCell::to_json);
        topology.insert("cells".to_owned(), Json::List(cells.collect()));
        Json::Table(topology).fmt(f)
    }
}

impl Pages {
    fn of(members: Members) -> Self {
        Self {
            size_kb: integer(&members, "size_kb"),
            total: integer(&members, "total"),
            used: integer(&members, "used"),
            reserved: integer(&members, "reserved"),
            members,
        }
    }

    fn free(&self) -> i64 {
        let free = self.total.saturating_sub(self.used);
        free.saturating_sub(self.reserved)
    }
}

impl HostCell {
    fn of(members: Members) -> Self {
        let core = |core: &Json| match core {
            Json::List(threads) => set(threads),
            _ => Vec::new(),
        };
        let pages = |pages: &Json| match pages {
            Json::Table(pages) => Some(Pages::of(pages.clone())),
            _ => None,
        };
        Self {
            id: integer(&members, "id"),
            cpus: set(list(&members, "cpuset")),
            pinned_cpus: set(list(&members, "pinned_cpus")),
            siblings: list(&members, "siblings").iter().map(core).collect(),
            memory_mb: integer(&members, "memory"),
            memory_used_mb: integer(&members, "memory_usage"),
            cpus_used: integer(&members, "cpu_usage"),
            pages: list(&members, "mempages")
                .iter()
                .filter_map(pages)
                .collect(),
            members,
        }
    }

    fn to_json(&self) -> Json {
        let mut members = self.members.clone();
        let mut put = |key: &str, value| members.insert(key.to_owned(), value);
        let pages = |pages: &Pages| {
            let mut members = pages.members.clone();
            members.insert("used".to_owned(), Json::Integer(pages.used));
            Json::Table(members)
        };
        let pinned = self.pinned_cpus.iter().copied().map(Json::Integer);
        put("cpu_usage", Json::Integer(self.cpus_used));
        put("memory_usage", Json::Integer(self.memory_used_mb));
        put("pinned_cpus", Json::List(pinned.collect()));
        put(
            "mempages",
            Json::List(self.pages.iter().map(pages).collect()),
        );
        Json::Table(members)
    }

    /// Adds what a guest cell uses, or with a negative sign takes it off.
    fn count(&mut self, taken: &CellUse, sign: i64) {
        let add = |used: i64, amount: i64| used.saturating_add(amount.saturating_mul(sign)).max(0);
        self.cpus_used = add(self.cpus_used, taken.cpus);
        self.memory_used_mb = add(self.memory_used_mb, taken.memory_mb);
        if let Some((size_kb, n)) = taken.pages {
            for pages in self.pages.iter_mut().filter(|p| p.size_kb == size_kb) {
                pages.used = add(pages.used, n);
            }
        }
        self.pinned_cpus
            .retain(|cpu| !taken.pinned_cpus.contains(cpu));
        if sign > 0 {
            self.pinned_cpus.extend(&taken.pinned_cpus);
            self.pinned_cpus.sort_unstable();
        }
    }

    pub(super) fn free_cpus(&self) -> Vec<i64> {
        let is_free = |cpu: &&i64| self.pinned_cpus.binary_search(cpu).is_err();
        self.cpus.iter().filter(is_free).copied().collect()
    }

    /// Whether its cores have several threads.
    pub(super) fn has_siblings(&self) -> bool {
        !self.siblings.is_empty()
    }

    /// The most threads that one of its cores has.
    pub(super) fn threads_max(&self) -> usize {
        self.siblings.iter().map(Vec::len).max().unwrap_or(1)
    }

    /// What a guest cell uses here, with `reserved` processors more for its emulator; nothing when it does not fit.
    /// Without ratios cells are promised without end, but no guest may over-commit a cell alone. Leaves in the guest
    /// cell the page size that was found: Nova keeps it for every later try.
    pub(super) fn fit(
        &self,
        guest: &mut GuestCell,
        reserved: usize,
        ratios: Option<Ratios>,
    ) -> Option<CellUse> {
        if guest.memory_mb > self.memory_mb || guest.cpus + reserved > self.cpus.len() {
            return None;
        }
        let pinned_cpus = if guest.is_pinned {
            let free_memory = self.memory_mb.saturating_sub(self.memory_used_mb);
            if free_memory < guest.memory_mb {
                return None;
            }
            self.pins(guest, reserved)?
        } else if self.shares(guest, ratios) {
            Vec::new()
        } else {
            return None;
        };
        let isolates = guest.threads == Threads::Isolate && self.has_siblings();
        let threads = if isolates { self.threads_max() } else { 1 };
        let reserved = if guest.is_pinned { reserved } else { 0 };
        Some(CellUse {
            cell: self.id,
            pages: self.find_pages(guest)?,
            memory_mb: guest.memory_mb,
            cpus: (guest.cpus * threads + reserved) as i64,
            pinned_cpus,
        })
    }

    fn shares(&self, guest: &GuestCell, ratios: Option<Ratios>) -> bool {
        let memory = self.memory_used_mb.saturating_add(guest.memory_mb) as f64;
        let cpus = self.cpus_used.saturating_add(guest.cpus as i64) as f64;
        ratios.map_or(true, |ratios| {
            memory <= self.memory_mb as f64 * ratios.ram
                && cpus <= self.cpus.len() as f64 * ratios.cpu
        })
    }

    /// The size and number of the pages that the guest gets, if it asks for some: `Some(None)` when it does not.
    fn find_pages(&self, guest: &mut GuestCell) -> Option<Option<(i64, i64)>> {
        let wanted = match guest.page_size {
            None | Some(0) => return Some(None),
            Some(wanted) => wanted,
        };
        let mut sizes: Vec<i64> = self.pages.iter().map(|pages| pages.size_kb).collect();
        sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
        let smallest = sizes.len().saturating_sub(1);
        let of_words = match wanted {
            PAGES_SMALL => &sizes[smallest..],
            PAGES_LARGE => &sizes[..smallest],
            PAGES_ANY => &sizes[..],
            _ => std::slice::from_ref(&wanted),
        };
        let memory_kb = guest.memory_mb.saturating_mul(KB_PER_MB);
        let mut of_words = of_words.iter().copied();
        let found = of_words.find(|&size| self.holds(size, memory_kb))?;
        guest.page_size = Some(found);
        Some(Some((found, memory_kb / found)))
    }

    /// Whether there is memory enough in pages of a size, which must divide it.
    fn holds(&self, size_kb: i64, memory_kb: i64) -> bool {
        let mut pages = self.pages.iter().filter(|pages| pages.size_kb == size_kb);
        pages.next().map_or(false, |pages| {
            size_kb > 0
                && memory_kb <= pages.free().saturating_mul(size_kb)
                && memory_kb % size_kb == 0
        })
    }
}

impl GuestCell {
    fn of(cell: &Members) -> Self {
        Self {
            cpus: set(list(cell, "cpuset")).len(),
            memory_mb: integer(cell, "memory"),
            is_pinned: text(cell, "cpu_policy") == Some("dedicated"),
            threads: match text(cell, "cpu_thread_policy") {
                Some("require") => Threads::Require,
                Some("isolate") => Threads::Isolate,
                _ => Threads::Prefer,
            },
            page_size: match cell.get("pagesize") {
                Some(Json::Integer(size)) => Some(*size),
                _ => None,
            },
        }
    }
}
