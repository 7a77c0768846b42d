//! NUMA cells of hosts and of guests, as JSON texts describe them, and whether one guest cell fits
//! one host cell. Knows nothing of other cells: who goes where is `numa_topology`'s.

use longshore_plugin_api::Json;
use std::collections::BTreeMap;

type Members = BTreeMap<String, Json>;

const KB_PER_MB: i64 = 1024;

/// What a guest writes in place of a page size: the smallest pages there are.
const PAGES_SMALL: i64 = -1;
/// Any but the smallest.
const PAGES_LARGE: i64 = -2;
/// Any at all, the largest preferred.
const PAGES_ANY: i64 = -3;

/// A cell of a host.
#[derive(Default)]
pub(crate) struct HostCell {
    pub(crate) id: i64,
    cpus: Vec<i64>,
    free_cpus: Vec<i64>,
    /// The threads of each core; empty when cores have one.
    siblings: Vec<Vec<i64>>,
    memory_mb: i64,
    memory_used_mb: i64,
    cpus_used: i64,
    pages: Vec<Pages>,
}

/// Memory pages of one size.
struct Pages {
    size_kb: i64,
    free: i64,
}

/// How the processors of a guest cell are placed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// On threads of the same core where that can be had.
    Prefer,
    /// On threads of the same core.
    Require,
    /// Each alone on a core.
    Isolate,
}

/// A cell of a guest.
#[derive(Clone)]
pub(crate) struct GuestCell {
    cpus: usize,
    memory_mb: i64,
    is_pinned: bool,
    threads: Threads,
    /// The page size, KB, or one of the words above; nothing for the host's usual pages.
    pub(crate) page_size: Option<i64>,
}

/// How much of a cell may be promised per unit that exists.
#[derive(Clone, Copy)]
pub(crate) struct Ratios {
    pub(crate) cpu: f64,
    pub(crate) ram: f64,
}

/// The cells of a topology, `{"cells": [...]}`, and what else it has; nothing when it is none.
fn cells(text: &str) -> Option<(Vec<Members>, Members)> {
    let mut topology = match Json::parse(text) {
        Ok(Json::Table(topology)) => topology,
        _ => return None,
    };
    let cells = match topology.remove("cells") {
        Some(Json::List(cells)) => cells,
        _ => return None,
    };
    let members = |cell| match cell {
        Json::Table(members) => Some(members),
        _ => None,
    };
    let cells: Option<Vec<Members>> = cells.into_iter().map(members).collect();
    Some((cells?, topology))
}

/// The cells of a host; nothing when it has none, or they cannot be read.
pub(crate) fn of_host(text: &str) -> Option<Vec<HostCell>> {
    let (cells, _) = cells(text)?;
    let cells: Vec<HostCell> = cells.iter().map(HostCell::of).collect();
    Some(cells).filter(|cells| !cells.is_empty())
}

/// The cells of a guest.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) cells: Vec<GuestCell>,
    /// The emulator wants a processor of its own.
    pub(crate) is_emulator_isolated: bool,
}

/// The cells of a guest; nothing when they cannot be read.
pub(crate) fn of_guest(text: &str) -> Option<Guest> {
    let (cells, rest) = cells(text)?;
    Some(Guest {
        cells: cells.iter().map(GuestCell::of).collect(),
        is_emulator_isolated: text_of(&rest, "emulator_threads_policy") == Some("isolate"),
    })
}

fn integer(members: &Members, key: &str) -> i64 {
    match members.get(key) {
        Some(Json::Integer(number)) => *number,
        _ => 0,
    }
}

fn text_of<'m>(members: &'m Members, key: &str) -> Option<&'m str> {
    match members.get(key) {
        Some(Json::Text(text)) => Some(text),
        _ => None,
    }
}

fn list<'m>(members: &'m Members, key: &str) -> &'m [Json] {
    match members.get(key) {
        Some(Json::List(items)) => items,
        _ => &[],
    }
}

/// Numbers without repetition, in order.
fn set(items: &[Json]) -> Vec<i64> {
    let number = |item: &Json| match item {
        Json::Integer(number) => Some(*number),
        _ => None,
    };
    let mut numbers: Vec<i64> = items.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

impl HostCell {
    fn of(cell: &Members) -> Self {
        let (cpus, pinned) = (set(list(cell, "cpuset")), set(list(cell, "pinned_cpus")));
        let mut free_cpus = cpus.clone();
        free_cpus.retain(|cpu| pinned.binary_search(cpu).is_err());
        let core = |core: &Json| match core {
            Json::List(threads) => set(threads),
            _ => Vec::new(),
        };
        let pages = |pages: &Json| match pages {
            Json::Table(pages) => Some(Pages {
                size_kb: integer(pages, "size_kb"),
                free: integer(pages, "total")
                    .saturating_sub(integer(pages, "used"))
                    .saturating_sub(integer(pages, "reserved")),
            }),
            _ => None,
        };
        Self {
            id: integer(cell, "id"),
            cpus,
            free_cpus,
            siblings: list(cell, "siblings").iter().map(core).collect(),
            memory_mb: integer(cell, "memory"),
            memory_used_mb: integer(cell, "memory_usage"),
            cpus_used: integer(cell, "cpu_usage"),
            pages: list(cell, "mempages").iter().filter_map(pages).collect(),
        }
    }

    /// Whether its cores have several threads.
    pub(crate) fn has_siblings(&self) -> bool {
        !self.siblings.is_empty()
    }

    /// Whether a guest cell fits, with `reserved` processors more for its emulator. Leaves in the
    /// guest cell the page size that was found: Nova keeps it for every later try.
    pub(crate) fn fits(&self, guest: &mut GuestCell, reserved: usize, ratios: Ratios) -> bool {
        // No guest may over-commit a cell alone.
        if guest.memory_mb > self.memory_mb || guest.cpus + reserved > self.cpus.len() {
            return false;
        }
        let fits = if guest.is_pinned {
            self.pins(guest, reserved)
        } else {
            self.shares(guest, ratios)
        };
        fits && self.has_pages(guest)
    }

    fn shares(&self, guest: &GuestCell, ratios: Ratios) -> bool {
        let memory = self.memory_used_mb.saturating_add(guest.memory_mb) as f64;
        let cpus = self.cpus_used.saturating_add(guest.cpus as i64) as f64;
        memory <= self.memory_mb as f64 * ratios.ram && cpus <= self.cpus.len() as f64 * ratios.cpu
    }

    /// Processors of its own cannot be over-committed, nor can the memory beside them.
    fn pins(&self, guest: &GuestCell, reserved: usize) -> bool {
        let wanted = guest.cpus + reserved;
        let free_memory = self.memory_mb.saturating_sub(self.memory_used_mb);
        if guest.cpus == 0 || self.free_cpus.len() < wanted || free_memory < guest.memory_mb {
            return false;
        }
        if !self.has_siblings() {
            return guest.threads != Threads::Require;
        }
        let free_threads = |core: &Vec<i64>| {
            let free = core.iter().filter(|cpu| self.free_cpus.contains(cpu));
            free.count()
        };
        let free: Vec<usize> = self.siblings.iter().map(free_threads).collect();
        let cores_with = |threads: usize| free.iter().filter(|&&free| free >= threads).count();
        let threads_max = self.siblings.iter().map(Vec::len).max().unwrap_or(1);
        match guest.threads {
            Threads::Prefer => cores_with(1) > 0,
            Threads::Require => {
                (2..=threads_max).any(|threads| threads * cores_with(threads) >= wanted)
            }
            // The core must be free as a whole.
            Threads::Isolate => cores_with(threads_max) >= wanted,
        }
    }

    fn has_pages(&self, guest: &mut GuestCell) -> bool {
        let wanted = match guest.page_size {
            None | Some(0) => return true,
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
        let found = of_words
            .iter()
            .copied()
            .find(|&size| self.holds(size, memory_kb));
        if found.is_some() {
            guest.page_size = found;
        }
        found.is_some()
    }

    /// Whether there is memory enough in pages of a size, which must divide it.
    fn holds(&self, size_kb: i64, memory_kb: i64) -> bool {
        let mut pages = self.pages.iter().filter(|pages| pages.size_kb == size_kb);
        pages.next().map_or(false, |pages| {
            size_kb > 0
                && memory_kb <= pages.free.saturating_mul(size_kb)
                && memory_kb % size_kb == 0
        })
    }
}

impl GuestCell {
    fn of(cell: &Members) -> Self {
        Self {
            cpus: set(list(cell, "cpuset")).len(),
            memory_mb: integer(cell, "memory"),
            is_pinned: text_of(cell, "cpu_policy") == Some("dedicated"),
            threads: match text_of(cell, "cpu_thread_policy") {
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
