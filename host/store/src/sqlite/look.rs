//! What can be seen of a database file without opening it as one: SQLite makes files beside a
//! database even to read it.
//!
//! Reads the header alone, never writes. Must not know any table. Called by checks that run before
//! a start, and perhaps beside a running host.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::open::{APPLICATION_ID, MAGIC, NEWEST, path_of};
use crate::codes;
use crate::error::StoreError;

/// The header, and of the first page as much as says whether there are tables.
const HEAD_BYTES: usize = 108;

/// What a start would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// No file, or an empty database: a start makes the tables.
    Fresh,
    /// A database of this program, and the schema version that it will have.
    Ours {
        /// The schema version in the file.
        version: usize,
        /// The one that this release writes.
        newest: usize,
    },
    /// What the file is cannot be said: its first commits are still in the journal beside it.
    InJournal,
}

/// Looks at the database of a `sqlite://` url.
///
/// # Errors
/// `store/bad-url`, `store/cannot-write`, `store/corrupt`, `store/newer-schema`: what opening it
/// would fail with, as far as the header tells.
pub fn look(url: &str) -> Result<Looked, StoreError> {
    let path = path_of(url)?;
    let what = format!("open database `{}`", path.display());
    let fault = |code, why: String| StoreError::fault(code, what.clone(), why);
    if path.is_dir() {
        let why = "the path is a directory".to_owned();
        return Err(fault(codes::CANNOT_WRITE, why));
    }
    let (head, size) = match read_head(&path) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Looked::Fresh),
        Err(error) => return Err(fault(codes::CANNOT_WRITE, error.to_string())),
    };
    if head.is_empty() {
        return Ok(Looked::Fresh);
    }
    if !head.starts_with(MAGIC) || head.len() < HEAD_BYTES {
        let why = "the file is not an SQLite database".to_owned();
        return Err(fault(codes::CORRUPT, why));
    }
    if let Some(promised) = promised_bytes(&head).filter(|promised| *promised > size) {
        let why = format!("the file has {size} bytes, its header promises {promised}");
        return Err(fault(codes::CORRUPT, why));
    }
    let (version, id) = (number(&head, 60), i64::from(number(&head, 68)));
    let tables = u16::from_be_bytes([head[103], head[104]]);
    if id != APPLICATION_ID {
        return match (id, version, tables) {
            _ if has_journal(&path) => Ok(Looked::InJournal),
            (0, 0, 0) => Ok(Looked::Fresh),
            _ => {
                let why = format!("the database belongs to another program (application id {id})");
                Err(fault(codes::CORRUPT, why))
            }
        };
    }
    let version = version as usize;
    if version > NEWEST {
        let why = format!("its schema has version {version}, this release knows {NEWEST}");
        return Err(fault(codes::NEWER, why));
    }
    let newest = NEWEST;
    Ok(Looked::Ours { version, newest })
}

fn read_head(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let meta = fs::metadata(path)?;
    // Opening a pipe would wait for who writes into it.
    if !meta.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut head = Vec::with_capacity(HEAD_BYTES);
    File::open(path)?
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    Ok((head, meta.len()))
}

fn number(head: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

/// The size of the file, if the header's count of pages is up to date.
fn promised_bytes(head: &[u8]) -> Option<u64> {
    let page = match u64::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65_536,
        bytes => bytes,
    };
    let is_current = number(head, 24) == number(head, 92);
    is_current.then(|| page * u64::from(number(head, 28)))
}

fn has_journal(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    fs::metadata(journal).is_ok_and(|meta| meta.len() > 0)
}
