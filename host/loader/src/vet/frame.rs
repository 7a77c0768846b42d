//! What crosses between the host, the guardian and the child: frames of magic, nonce, length and JSON.
//!
//! The nonce is new for each vetting. Text that a plugin prints, or writes to every descriptor it finds, has another one
//! and is told apart from an answer. Must not know what the JSON means.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How a frame starts.
const MAGIC: [u8; 8] = *b"LSVET\0\0\x01";
/// Magic, nonce and length.
const HEAD_BYTES: usize = MAGIC.len() + NONCE_BYTES + 4;
/// Bytes of a nonce.
pub(super) const NONCE_BYTES: usize = 16;
/// Longest JSON in one frame: settings are the longest part of it.
pub(super) const JSON_BYTES_MAX: usize = 4 << 20;

/// What only the two ends know.
pub(super) type Nonce = [u8; NONCE_BYTES];

/// A nonce nobody can guess.
pub(super) fn nonce() -> io::Result<Nonce> {
    let mut nonce = [0; NONCE_BYTES];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut nonce)?;
    Ok(nonce)
}

/// Writes one frame, at once.
pub(super) fn write(to: &mut impl Write, nonce: &Nonce, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(value).map_err(io::Error::other)?;
    let length = u32::try_from(json.len()).ok();
    let length = length.filter(|_| json.len() <= JSON_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::other("the frame is too long"))?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + json.len());
    bytes.extend(MAGIC);
    bytes.extend(nonce);
    bytes.extend(length.to_le_bytes());
    bytes.extend(json);
    to.write_all(&bytes)
}

/// Reads the first frame of a stream, which says the nonce of those that follow.
pub(super) fn read_first<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<(Nonce, T)> {
    let mut head = [0; HEAD_BYTES];
    from.read_exact(&mut head)?;
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(&head[MAGIC.len()..MAGIC.len() + NONCE_BYTES]);
    Ok((nonce, read_body(from, &head)?))
}

/// Reads one frame that must have this nonce.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read, nonce: &Nonce) -> io::Result<T> {
    let mut head = [0; HEAD_BYTES];
    from.read_exact(&mut head)?;
    if &head[MAGIC.len()..MAGIC.len() + NONCE_BYTES] != nonce {
        return Err(io::Error::other("the nonce does not match"));
    }
    read_body(from, &head)
}

fn read_body<T: DeserializeOwned>(from: &mut impl Read, head: &[u8]) -> io::Result<T> {
    if head[..MAGIC.len()] != MAGIC {
        return Err(io::Error::other("not a frame"));
    }
    let length = length(head);
    if length > JSON_BYTES_MAX {
        return Err(io::Error::other("the frame is too long"));
    }
    let mut json = vec![0; length];
    from.read_exact(&mut json)?;
    serde_json::from_slice(&json).map_err(io::Error::other)
}

fn length(head: &[u8]) -> usize {
    let bytes = &head[HEAD_BYTES - 4..HEAD_BYTES];
    let bytes = bytes.try_into().map_or(u32::MAX, u32::from_le_bytes);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Frames out of bytes as they arrive.
pub(super) struct Frames {
    nonce: Nonce,
    bytes: Vec<u8>,
}

/// Something was written that is no frame of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forged;

impl Frames {
    pub(super) fn new(nonce: Nonce) -> Frames {
        let bytes = Vec::new();
        Frames { nonce, bytes }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame; none when more bytes are needed.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Forged> {
        let start = MAGIC.iter().chain(&self.nonce);
        if self.bytes.iter().zip(start).any(|(is, want)| is != want) {
            return Err(Forged);
        }
        if self.bytes.len() < HEAD_BYTES {
            return Ok(None);
        }
        let length = length(&self.bytes);
        if length > JSON_BYTES_MAX {
            return Err(Forged);
        }
        let end = HEAD_BYTES + length;
        if self.bytes.len() < end {
            return Ok(None);
        }
        let value = serde_json::from_slice(&self.bytes[HEAD_BYTES..end]).map_err(|_| Forged)?;
        self.bytes.drain(..end);
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let mut bytes = Vec::new();
        write(&mut bytes, &[7; 16], &"one").unwrap();
        write(&mut bytes, &[7; 16], &"two").unwrap();
        let mut frames = Frames::new([7; 16]);
        let mut out = Vec::new();
        for byte in bytes {
            frames.add(&[byte]);
            out.extend(frames.next::<String>().unwrap());
        }
        assert_eq!(out, ["one", "two"]);
    }

    #[test]
    fn other_bytes_are_forged_at_the_first_one() {
        let mut frames = Frames::new([7; 16]);
        frames.add(b"passed");
        assert_eq!(frames.next::<String>(), Err(Forged));
        let mut bytes = Vec::new();
        write(&mut bytes, &[8; 16], &"passed").unwrap();
        let mut frames = Frames::new([7; 16]);
        frames.add(&bytes);
        assert_eq!(frames.next::<String>(), Err(Forged));
    }

    #[test]
    fn a_length_from_outside_reserves_nothing() {
        let mut head = MAGIC.to_vec();
        head.extend([7; 16]);
        head.extend(u32::MAX.to_le_bytes());
        let mut frames = Frames::new([7; 16]);
        frames.add(&head);
        assert_eq!(frames.next::<String>(), Err(Forged));
        assert!(read::<String>(&mut head.as_slice(), &[7; 16]).is_err());
    }
}
