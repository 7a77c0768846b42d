//! What an instance has printed, and how little of it is kept. The program appends to `output`;
//! when that has grown past half of the limit, its end is moved to `output.old` and it starts anew.
//! What is printed at that very moment may be lost. Knows nothing of processes; `driver` calls it
//! when the host asks about instances.

use crate::errors::cannot;
use crate::home::Home;
use longshore_plugin_api::DriverError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The most that one answer holds, in bytes: what is not UTF-8 takes three times as much on its way
/// to the host.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// The file, for the program to append to.
pub(crate) fn open(home: &Home) -> Result<File, DriverError> {
    let path = home.output();
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options
        .open(&path)
        .map_err(|error| cannot("open", &path, &error))
}

/// Keeps at most about `bytes_max` bytes.
pub(crate) fn trim(home: &Home, bytes_max: u64) -> Result<(), DriverError> {
    let path = home.output();
    let half = bytes_max / 2;
    let trim = || {
        if size(&path)? <= half {
            return Ok(());
        }
        let next = home.directory.join("output.next");
        fs::write(&next, end_of(&path, half)?)?;
        fs::rename(&next, old(home))?;
        // The program's descriptor appends: it goes on at the new end.
        OpenOptions::new().write(true).open(&path)?.set_len(0)
    };
    trim().map_err(|error| cannot("shorten", &path, &error))
}

/// The last `bytes` bytes, as text.
pub(crate) fn tail(home: &Home, bytes: u64) -> Result<String, DriverError> {
    let path = home.output();
    let bytes = bytes.min(ANSWER_BYTES_MAX);
    let read = || {
        let new = end_of(&path, bytes)?;
        let rest = bytes - (new.len() as u64).min(bytes);
        let mut all = end_of(&old(home), rest)?;
        all.extend(new);
        Ok(all)
    };
    let all: Vec<u8> = read().map_err(|error| cannot("read", &path, &error))?;
    // The first character may have lost its beginning: at most three bytes, and none of them starts
    // one.
    let start = all
        .iter()
        .take(3)
        .take_while(|&&byte| byte & 0xC0 == 0x80)
        .count();
    Ok(String::from_utf8_lossy(&all[start..]).into_owned())
}

fn old(home: &Home) -> PathBuf {
    home.directory.join("output.old")
}

fn size(path: &Path) -> io::Result<u64> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn end_of(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let size = size(path)?;
    let mut end = Vec::new();
    if size > 0 && bytes > 0 {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(size.saturating_sub(bytes)))?;
        file.take(bytes).read_to_end(&mut end)?;
    }
    Ok(end)
}
