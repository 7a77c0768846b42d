//! Every error code of this crate, spelled once, and which SQLite failure has which.
//!
//! Must not know how errors are rendered. Read by `error.rs` and the program's `explain` command.

pub use longshore_objects::codes::Code;

pub(crate) const NEWER: &str = "store/newer-schema";
pub(crate) const CORRUPT: &str = "store/corrupt";
pub(crate) const CANNOT_WRITE: &str = "store/cannot-write";
pub(crate) const LOCKED: &str = "store/locked";
pub(crate) const FULL: &str = "store/full";
pub(crate) const IO: &str = "store/io";
pub(crate) const CLOSED: &str = "store/closed";
pub(crate) const BAD_URL: &str = "store/bad-url";
pub(crate) const BAD_ROW: &str = "store/bad-row";
pub(crate) const READERS: &str = "store/readers-busy";
pub(crate) const FAILED: &str = "store/failed";

/// All codes which this crate can produce, besides those of the objects.
pub const TABLE: &[Code] = &[
    Code {
        code: NEWER,
        title: "the database was written by a newer release",
        cause: "a newer longshore migrated the schema of this file",
        cure: "start that release again, or restore the copy made before the upgrade",
    },
    Code {
        code: CORRUPT,
        title: "the file is not a healthy longshore database",
        cause: "it is another kind of file, belongs to another program, or is damaged",
        cure: "point `database.url` at the right file, or restore a copy; it is never overwritten",
    },
    Code {
        code: CANNOT_WRITE,
        title: "the database file cannot be created or written",
        cause: "its path is a directory, or ownership, mode or mount forbid writing",
        cure: "give the service's user write access to the file and its directory",
    },
    Code {
        code: LOCKED,
        title: "another process holds the database",
        cause: "a second program keeps a write transaction open beyond the busy timeout",
        cure: "stop the other program, then repeat the operation",
    },
    Code {
        code: FULL,
        title: "there is no room left for the database",
        cause: "the file system or its quota is full",
        cure: "free some space, then repeat the operation; nothing was half written",
    },
    Code {
        code: IO,
        title: "reading or writing the database file failed",
        cause: "the operating system reported an input/output error",
        cure: "check the disk and the kernel log, then restart the service",
    },
    Code {
        code: CLOSED,
        title: "the store is closed",
        cause: "the service is stopping, or the writer ended because of a bug",
        cure: "wait for the restart; look for a panic in the log if it was not stopped",
    },
    Code {
        code: BAD_URL,
        title: "the database url is not understood",
        cause: "it has another scheme, or names no file",
        cure: "write `sqlite://path/to/file.db`",
    },
    Code {
        code: BAD_ROW,
        title: "a row of the database cannot be read",
        cause: "it holds a value which this release does not know",
        cure: "undo changes made by hand, or use the release that wrote the row",
    },
    Code {
        code: READERS,
        title: "no reading connection became free in time",
        cause: "long queries occupy all readers",
        cure: "ask for fewer rows at a time, or raise the number of readers",
    },
    Code {
        code: FAILED,
        title: "the database refused a statement",
        cause: "a bug, or a schema changed by hand",
        cure: "report it with the log line, which names the statement's purpose",
    },
];

/// The code of an SQLite result; extended results count as their primary one.
pub(crate) fn of_sqlite(result: i32) -> &'static str {
    match result & 0xff {
        5 | 6 => LOCKED,
        3 | 8 | 14 | 23 => CANNOT_WRITE,
        10 => IO,
        11 | 26 => CORRUPT,
        13 => FULL,
        _ => FAILED,
    }
}

/// The cure of a code in [`TABLE`].
pub(crate) fn cure(code: &str) -> &'static str {
    TABLE
        .iter()
        .find(|row| row.code == code)
        .map_or("", |row| row.cure)
}
