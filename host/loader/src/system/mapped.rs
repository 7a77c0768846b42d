//! Which files this process runs code of: the program, and every library that is open.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

/// Longest list that is read, in bytes.
const MAPS_BYTES_MAX: u64 = 8 << 20;
/// What the system calls memory that plugins run from; see `stage`.
const OWN_MEMORY: &str = "/memfd:longshore:";

/// The files, sorted. Plugins in sealed memory are none, and have their names to themselves.
pub(super) fn files() -> Vec<PathBuf> {
    let mut maps = Vec::new();
    let read = File::open("/proc/self/maps").map(|f| f.take(MAPS_BYTES_MAX));
    // What cannot be read names nobody, and so keeps nobody out.
    let _ = read.and_then(|mut f| f.read_to_end(&mut maps));
    let text = String::from_utf8_lossy(&maps);
    let files: BTreeSet<PathBuf> = text.lines().filter_map(file).collect();
    files.into_iter().collect()
}

/// The file of a line such as `7f…-7f… r-xp 00026000 fe:00 1234    /usr/lib/libc.so.6`.
fn file(line: &str) -> Option<PathBuf> {
    let (head, path) = line.split_once(" /")?;
    let runs = head.split(' ').nth(1)?.contains('x');
    let path = format!("/{path}");
    (runs && !path.starts_with(OWN_MEMORY)).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_named_and_nothing_else() {
        let line =
            |modes: &str, path: &str| format!("7f00-7f01 {modes} 00026000 fe:00 12     {path}");
        assert_eq!(
            file(&line("r-xp", "/usr/lib/libc.so.6")),
            Some("/usr/lib/libc.so.6".into())
        );
        assert_eq!(file(&line("r--p", "/usr/lib/locale-archive")), None);
        assert_eq!(file(&line("r-xp", "[vdso]")), None);
        assert_eq!(file(&line("r-xp", "/memfd:longshore:x.so (deleted)")), None);
        let here = std::env::current_exe().unwrap();
        assert!(files().contains(&here.canonicalize().unwrap()));
    }
}
