//! Which driver is being called right now, kept where the death of the process does not reach it: a small file, mapped
//! and shared. The next start reads from it who was in a call ([`post_mortem`]), and `quarantine` draws conclusions.
//!
//! Beginning and ending a call is a handful of stores: no lock, no system call, no allocation. Must not know kinds,
//! managers, or what follows from a death. Opened by the program, used by factories and around calls.

mod layout;
mod post_mortem;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::dynlib::shared_file::SharedFile;
use layout::{CLEAN, DRIVER_WORDS, DRIVERS, DROPPED, SLOT_WORDS, SLOTS};
pub use layout::{CallName, DRIVERS_MAX, SLOTS_MAX};
pub use post_mortem::{Death, DeathCall, post_mortem};

/// The file's name in the state directory.
pub const FILE: &str = "inflight";
/// A slot that somebody has taken and not filled yet.
const TAKEN: u64 = 1;
/// Added to a driver's number in a slot: 0 is free, 1 is taken.
const FIRST: u64 = 2;

/// Who a driver is, across restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DriverId {
    /// Namespace of the entry.
    pub namespace: String,
    /// Name of the entry.
    pub name: String,
    /// SHA-256 of its file, in hex.
    pub digest: String,
    /// The plugin's version.
    pub version: String,
    /// Its file, for people; longer ones are cut.
    pub file: String,
}

/// A driver's place in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriverNumber(Option<u32>);

/// The record of one process.
#[derive(Debug)]
pub struct InFlight {
    file: SharedFile,
    drivers: Mutex<Vec<DriverId>>,
}

impl InFlight {
    /// Begins a new record in `dir`, in place of the last process's: read that one first. One process at a time.
    ///
    /// # Errors
    /// The system's.
    pub fn open(dir: &Path) -> io::Result<InFlight> {
        let (path, fresh) = (dir.join(FILE), dir.join(format!("{FILE}.new")));
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        let mut file = options.mode(0o600).open(&fresh)?;
        // Written and not only sized: a page that the disk has no room for would end the process later.
        file.write_all(&layout::empty(now_ms()))?;
        let record = InFlight {
            file: SharedFile::map(&file)?,
            drivers: Mutex::default(),
        };
        fs::rename(&fresh, &path)?;
        Ok(record)
    }

    /// A driver's number in this record; the same driver has the same one. The driver after [`DRIVERS_MAX`] and those
    /// that follow get a number whose calls are not recorded.
    pub fn register(&self, driver: &DriverId) -> DriverNumber {
        let mut drivers = self.lock_drivers();
        let known = drivers.iter().position(|known| known == driver);
        let number = known.unwrap_or(drivers.len());
        if number >= DRIVERS_MAX {
            return DriverNumber(None);
        }
        if known.is_none() {
            let start = DRIVERS + number * DRIVER_WORDS;
            let entry = &self.file.words()[start..start + DRIVER_WORDS];
            layout::write_driver(entry, driver);
            drivers.push(driver.clone());
        }
        DriverNumber(u32::try_from(number).ok())
    }

    /// Notes a call as running until the guard is dropped. `since_ms` is when it began, in milliseconds since 1970, as
    /// the caller knows it anyway; 0 if not. With [`SLOTS_MAX`] calls running, one more is counted and not noted.
    pub fn begin(&self, driver: DriverNumber, call: CallName, since_ms: u64) -> InCall<'_> {
        let noted = self.noted(driver, call, since_ms);
        InCall {
            state: noted.map(|(_, state)| state),
        }
    }

    /// As `begin`, for whoever cannot keep a guard: the slot is free again after [`InFlight::end`].
    pub fn note(&self, driver: DriverNumber, call: CallName, since_ms: u64) -> Option<Slot> {
        self.noted(driver, call, since_ms).map(|(slot, _)| slot)
    }

    /// The slot that a call got, and its first word.
    #[inline]
    fn noted(
        &self,
        driver: DriverNumber,
        call: CallName,
        since_ms: u64,
    ) -> Option<(Slot, &AtomicU64)> {
        let number = driver.0?;
        let (taken, slot) = self.take_slot()?;
        slot[1].store(since_ms, Ordering::Relaxed);
        for (word, part) in slot[2..].iter().zip(call.words()) {
            word.store(*part, Ordering::Relaxed);
        }
        // Last: whoever reads a driver here reads its call too.
        slot[0].store(u64::from(number) + FIRST, Ordering::Release);
        Some((taken, &slot[0]))
    }

    /// The call that was noted here has ended.
    #[inline]
    pub fn end(&self, Slot(at): Slot) {
        // A number that is not from here means no other slot than the last one.
        let at = (at as usize).min(SLOTS_MAX - 1);
        self.file.words()[SLOTS + at * SLOT_WORDS].store(0, Ordering::Release);
    }

    /// The calls that run now, the longest first.
    pub fn running(&self) -> Vec<DeathCall> {
        let words = self.file.words().iter();
        let words: Vec<u64> = words.map(|word| word.load(Ordering::Acquire)).collect();
        post_mortem::calls(&words)
    }

    /// Says that the process ends by its own decision: whatever still runs then is nobody's fault.
    pub fn end_clean(&self) {
        self.file.words()[CLEAN].store(1, Ordering::Release);
    }

    /// Calls that found no free slot so far.
    pub fn dropped(&self) -> u64 {
        self.file.words()[DROPPED].load(Ordering::Relaxed)
    }

    /// A free slot, now taken. Threads begin to look at different places, as their stacks are.
    #[inline]
    fn take_slot(&self) -> Option<(Slot, &[AtomicU64])> {
        const PAGE_BITS: u32 = 12;
        let words = self.file.words();
        let on_stack = 0_u8;
        let page = (&raw const on_stack).addr() >> PAGE_BITS;
        let first = page.wrapping_mul(0x9E37_79B9) >> 8;
        for step in 0..SLOTS_MAX {
            let number = first.wrapping_add(step) % SLOTS_MAX;
            let at = SLOTS + number * SLOT_WORDS;
            let slot = &words[at..at + SLOT_WORDS];
            let taken = slot[0].load(Ordering::Relaxed) == 0
                && slot[0]
                    .compare_exchange(0, TAKEN, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok();
            if taken {
                return Some((Slot(u32::try_from(number).ok()?), slot));
            }
        }
        words[DROPPED].fetch_add(1, Ordering::Relaxed);
        None
    }

    fn lock_drivers(&self) -> MutexGuard<'_, Vec<DriverId>> {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a running call is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(pub u32);

/// A call that runs; it has ended when this is dropped.
#[derive(Debug)]
#[must_use = "the call counts as ended when this is dropped"]
pub struct InCall<'r> {
    state: Option<&'r AtomicU64>,
}

impl Drop for InCall<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(state) = self.state {
            state.store(0, Ordering::Release);
        }
    }
}

/// A driver with its place in a record: what calls it needs no more than this.
#[derive(Debug, Clone)]
pub struct Recorded {
    record: Arc<InFlight>,
    number: DriverNumber,
}

impl Recorded {
    /// Registers a driver.
    pub fn new(record: Arc<InFlight>, driver: &DriverId) -> Recorded {
        let number = record.register(driver);
        Recorded { record, number }
    }

    /// Notes a call that begins now.
    pub fn begin(&self, call: CallName) -> InCall<'_> {
        self.record.begin(self.number, call, now_ms())
    }

    /// The same without a guard.
    pub fn note(&self, call: CallName) -> Option<Slot> {
        self.record.note(self.number, call, now_ms())
    }

    /// The call that was noted here has ended.
    pub fn end(&self, slot: Slot) {
        self.record.end(slot);
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}
