//! The digest of what is being copied. Of a large file it is worked out in a thread beside the copying: both take about as
//! long, and neither needs the other's result. Must not know files.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

use crate::inspect;

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;
/// From this size on a thread is worth its start.
const BESIDE_BYTES_MIN: u64 = 512 << 10;
/// Most chunks that wait to be hashed.
const AHEAD_MAX: usize = 4;

/// A digest that is not finished.
pub(super) enum Hashing {
    Here {
        hasher: Sha256,
        spare: Vec<u8>,
    },
    Beside {
        full: SyncSender<(Vec<u8>, usize)>,
        spare: Receiver<Vec<u8>>,
        thread: JoinHandle<Sha256>,
    },
}

impl Hashing {
    /// Of about this many bytes.
    pub(super) fn of(bytes: u64) -> Hashing {
        let beside = (bytes >= BESIDE_BYTES_MIN).then(Hashing::beside);
        beside.flatten().unwrap_or_else(|| Hashing::Here {
            hasher: Sha256::new(),
            spare: Vec::new(),
        })
    }

    /// None when no thread can be had.
    fn beside() -> Option<Hashing> {
        let (full, next) = sync_channel::<(Vec<u8>, usize)>(AHEAD_MAX);
        // Room for all there are: handing one back never waits.
        let (empty, spare) = sync_channel(AHEAD_MAX + 2);
        let hash = move || {
            let mut hasher = Sha256::new();
            for (chunk, length) in next {
                hasher.update(&chunk[..length]);
                let _ = empty.try_send(chunk);
            }
            hasher
        };
        let thread = thread::Builder::new().name("hash plugin".to_owned());
        let thread = thread.spawn(hash).ok()?;
        Some(Hashing::Beside {
            full,
            spare,
            thread,
        })
    }

    /// Something to read into, with anything in it.
    pub(super) fn chunk(&mut self) -> Vec<u8> {
        let mut chunk = match self {
            Hashing::Here { spare, .. } => std::mem::take(spare),
            Hashing::Beside { spare, .. } => spare.try_recv().unwrap_or_default(),
        };
        chunk.resize(CHUNK, 0);
        chunk
    }

    /// Takes the first `length` bytes of a chunk.
    pub(super) fn take(&mut self, chunk: Vec<u8>, length: usize) {
        match self {
            Hashing::Here { hasher, spare } => {
                hasher.update(&chunk[..length]);
                *spare = chunk;
            }
            // A thread that is gone has no digest: `finish` says so.
            Hashing::Beside { full, .. } => drop(full.send((chunk, length))),
        }
    }

    /// The digest, 64 lower-case hex digits; nothing when the thread is gone.
    pub(super) fn finish(self) -> Option<String> {
        let hasher = match self {
            Hashing::Here { hasher, .. } => hasher,
            Hashing::Beside { full, thread, .. } => {
                drop(full);
                thread.join().ok()?
            }
        };
        Some(inspect::hex(&hasher.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_digest_of_the_bytes_in_order() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        for told in [0, u64::MAX] {
            let mut hashing = Hashing::of(told);
            for (n, part) in bytes.chunks(200_000).enumerate() {
                let mut chunk = hashing.chunk();
                assert_eq!(chunk.len(), CHUNK, "chunk {n}");
                chunk[..part.len()].copy_from_slice(part);
                hashing.take(chunk, part.len());
            }
            assert_eq!(hashing.finish(), Some(inspect::sha256_bytes(&bytes)));
        }
    }
}
