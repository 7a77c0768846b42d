//! Where things are in the record's file: a header, slots of running calls, the table of drivers. All in 64-bit words
//! of this machine: the file is read by the next process here, and by nobody else.
//!
//! Called by `record` and `post_mortem`; must not open files of its own but for the machine's boot id.

use std::sync::atomic::{AtomicU64, Ordering};

use super::DriverId;

/// Calls that are noted at the same time.
pub const SLOTS_MAX: usize = 256;
/// Drivers of one process.
pub const DRIVERS_MAX: usize = 128;

/// What the file begins with; the last byte is the layout's version.
const MAGIC: u64 = u64::from_be_bytes(*b"inflight") ^ VERSION;
const VERSION: u64 = 1;

/// When the record began, milliseconds since 1970.
pub(super) const STARTED: usize = 1;
/// 1 once the process ended by its own decision.
pub(super) const CLEAN: usize = 2;
/// Its process id.
pub(super) const PID: usize = 3;
/// Calls that found no slot.
pub(super) const DROPPED: usize = 4;
/// Which run of the machine it was: two words.
pub(super) const BOOT: usize = 5;

/// A slot is a cache line: state, since, call.
pub(super) const SLOT_WORDS: usize = 8;
/// An entry of the table is 1 KiB of fields, each ended by a zero byte.
pub(super) const DRIVER_WORDS: usize = 128;
pub(super) const SLOTS: usize = 16;
pub(super) const DRIVERS: usize = SLOTS + SLOTS_MAX * SLOT_WORDS;
pub(super) const WORDS: usize = DRIVERS + DRIVERS_MAX * DRIVER_WORDS;
/// Size of the file in bytes.
pub(super) const BYTES: usize = WORDS * 8;

const CALL_WORDS: usize = 4;
const CALL_BYTES: usize = CALL_WORDS * 8;
/// Bytes of each field of a driver: namespace, name, digest, version, file. With a zero after each they fit an entry.
const FIELDS_MAX: [usize; 5] = [255, 255, 64, 64, 380];

/// The name of a call, packed; longer ones are cut to 32 bytes. Made at compile time where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallName([u64; CALL_WORDS]);

impl CallName {
    /// Packs a name.
    pub const fn new(name: &str) -> CallName {
        let bytes = name.as_bytes();
        let mut words = [0; CALL_WORDS];
        let mut at = 0;
        while at < bytes.len() && at < CALL_BYTES {
            words[at / 8] |= (bytes[at] as u64) << (at % 8 * 8);
            at += 1;
        }
        CallName(words)
    }

    pub(super) fn words(&self) -> &[u64; CALL_WORDS] {
        &self.0
    }
}

/// The name that a slot holds.
pub(super) fn call_name(words: &[u64]) -> String {
    let bytes: Vec<u8> = words
        .iter()
        .take(CALL_WORDS)
        .flat_map(|w| w.to_le_bytes())
        .collect();
    text(bytes.split(|b| *b == 0).next().unwrap_or_default())
}

/// A record without calls and drivers.
pub(super) fn empty(started_ms: u64) -> Vec<u8> {
    let mut words = vec![0; WORDS];
    words[0] = MAGIC;
    words[STARTED] = started_ms;
    words[PID] = u64::from(std::process::id());
    words[BOOT..BOOT + 2].copy_from_slice(&boot_id());
    words
        .iter()
        .flat_map(|word: &u64| word.to_ne_bytes())
        .collect()
}

/// The words of a file that is a record of this version.
pub(super) fn words(bytes: &[u8]) -> Option<Vec<u64>> {
    if bytes.len() != BYTES {
        return None;
    }
    let (words, _) = bytes.as_chunks::<8>();
    let words: Vec<u64> = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
    (words[0] == MAGIC).then_some(words)
}

/// Writes a driver into its entry of the table.
pub(super) fn write_driver(entry: &[AtomicU64], driver: &DriverId) {
    let DriverId {
        namespace,
        name,
        digest,
        version,
        file,
    } = driver;
    let mut bytes = Vec::with_capacity(DRIVER_WORDS * 8);
    for (field, max) in [namespace, name, digest, version, file]
        .into_iter()
        .zip(FIELDS_MAX)
    {
        bytes.extend_from_slice(&field.as_bytes()[..field.floor_char_boundary(max)]);
        bytes.push(0);
    }
    bytes.resize(DRIVER_WORDS * 8, 0);
    let (words, _) = bytes.as_chunks::<8>();
    for (word, bytes) in entry.iter().zip(words) {
        word.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
    }
}

/// The driver of an entry; none when the entry was never written.
pub(super) fn driver(entry: &[u64]) -> Option<DriverId> {
    let bytes: Vec<u8> = entry.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut fields = bytes.split(|b| *b == 0).map(text);
    let mut next = || fields.next().unwrap_or_default();
    let driver = DriverId {
        namespace: next(),
        name: next(),
        digest: next(),
        version: next(),
        file: next(),
    };
    (!driver.namespace.is_empty() && !driver.name.is_empty()).then_some(driver)
}

/// Which run of the machine this is; zeros where it does not say.
pub(super) fn boot_id() -> [u64; 2] {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let hex: String = id
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(32)
        .collect();
    let whole = u128::from_str_radix(&hex, 16).unwrap_or_default();
    [(whole >> 64) as u64, whole as u64]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
