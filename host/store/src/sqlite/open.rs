//! Opening a database file: is it ours, is it healthy, is its schema the newest?
//!
//! Nothing is written before the file is known to be empty or ours: a foreign or damaged file is
//! refused as it is. Must not know any table. Called once by `Store::open`.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::codes;
use crate::error::StoreError;
use crate::store::Options;

/// Marks our files in SQLite's header: the letters `LSHR`.
pub(crate) const APPLICATION_ID: i64 = 0x4c53_4852;
/// The migrations; the schema version of a file is how many of them it has.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_first.sql"),
    include_str!("../../migrations/0002_aggregates.sql"),
    include_str!("../../migrations/0003_server_groups.sql"),
];
/// The schema version that this release writes.
pub(super) const NEWEST: usize = MIGRATIONS.len();
/// How every SQLite file begins.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// The path of a database url.
pub(crate) fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let path = url
        .strip_prefix("sqlite://")
        .filter(|path| !path.is_empty());
    path.map(PathBuf::from).ok_or_else(|| {
        let why = "only `sqlite://` with a path is understood";
        StoreError::fault(codes::BAD_URL, format!("open database `{url}`"), why)
    })
}

/// Settings of every connection; they write nothing by themselves.
fn settings(path: &Path, options: &Options) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .disable_statement_logging()
}

/// Settings of the reading connections.
pub(crate) fn reader(path: &Path, options: &Options) -> SqliteConnectOptions {
    settings(path, options).read_only(true)
}

/// Opens the writing connection, creating or migrating the schema when needed.
pub(crate) async fn writer(path: &Path, options: &Options) -> Result<SqliteConnection, StoreError> {
    let what = format!("open database `{}`", path.display());
    prepare(path, &what)?;
    let failed = |error| StoreError::database(&what, error);
    let mut conn = settings(path, options)
        .create_if_missing(true)
        .connect()
        .await
        .map_err(failed)?;
    let version = recognise(&mut conn, &what).await?;
    // WAL lets readers run beside the writer; FULL makes each commit one fsync, hence durable.
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        sqlx::query(pragma)
            .fetch_all(&mut conn)
            .await
            .map_err(failed)?;
    }
    if version < MIGRATIONS.len() {
        migrate(&mut conn, &what).await?;
    }
    Ok(conn)
}

/// Makes the directory, and refuses what can be seen to be no database without SQLite's help.
fn prepare(path: &Path, what: &str) -> Result<(), StoreError> {
    let unwritable = |why: String| StoreError::fault(codes::CANNOT_WRITE, what, why);
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(parent)
            .map_err(|error| unwritable(format!("directory `{}`: {error}", parent.display())))?;
    }
    if path.is_dir() {
        return Err(unwritable("the path is a directory".to_owned()));
    }
    let head = match read_head(path) {
        Ok(head) => head,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unwritable(error.to_string())),
    };
    if head.is_empty() || head == MAGIC {
        return Ok(());
    }
    Err(StoreError::fault(
        codes::CORRUPT,
        what,
        "the file is not an SQLite database",
    ))
}

fn read_head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::with_capacity(MAGIC.len());
    std::fs::File::open(path)?
        .take(MAGIC.len() as u64)
        .read_to_end(&mut head)?;
    Ok(head)
}

/// The schema version of a file that is ours or empty.
async fn recognise(conn: &mut SqliteConnection, what: &str) -> Result<usize, StoreError> {
    let id = number(conn, "PRAGMA application_id", what).await?;
    let version = number(conn, "PRAGMA user_version", what).await?;
    let tables = number(conn, "SELECT count(*) FROM sqlite_schema", what).await?;
    if id != APPLICATION_ID {
        if id == 0 && version == 0 && tables == 0 {
            return Ok(0);
        }
        let why = format!("the database belongs to another program (application id {id})");
        return Err(StoreError::fault(codes::CORRUPT, what, why));
    }
    let newest = MIGRATIONS.len();
    usize::try_from(version)
        .ok()
        .filter(|version| *version <= newest)
        .ok_or_else(|| {
            let why = format!("its schema has version {version}, this release knows {newest}");
            StoreError::fault(codes::NEWER, what, why)
        })
}

async fn number(
    conn: &mut SqliteConnection,
    sql: &'static str,
    what: &str,
) -> Result<i64, StoreError> {
    let failed = |error| StoreError::database(what, error);
    sqlx::query_scalar(sql)
        .fetch_one(conn)
        .await
        .map_err(failed)
}

/// Brings the schema to the newest version, one transaction for each migration.
async fn migrate(conn: &mut SqliteConnection, what: &str) -> Result<(), StoreError> {
    let failed = |error| StoreError::database(what, error);
    loop {
        let mut step = conn.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        // Read inside the transaction: another process may have migrated meanwhile.
        let version = recognise(&mut step, what).await?;
        let Some(script) = MIGRATIONS.get(version) else {
            return step.rollback().await.map_err(failed);
        };
        sqlx::raw_sql(*script)
            .execute(&mut *step)
            .await
            .map_err(failed)?;
        let marks = format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}",
            version + 1
        );
        sqlx::raw_sql(AssertSqlSafe(marks))
            .execute(&mut *step)
            .await
            .map_err(failed)?;
        step.commit().await.map_err(failed)?;
        tracing::info!(version = version + 1, "migrated the database schema");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_writer_syncs_each_commit_and_readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let (path, options) = (dir.path().join("host.db"), Options::default());
        let mut conn = writer(&path, &options).await.unwrap();
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut conn)
            .await
            .unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(
            number(&mut conn, "PRAGMA synchronous", "test")
                .await
                .unwrap(),
            2,
            "FULL"
        );
        assert_eq!(
            number(&mut conn, "PRAGMA foreign_keys", "test")
                .await
                .unwrap(),
            1
        );
        let mut conn = reader(&path, &options).connect().await.unwrap();
        let error = sqlx::query("DELETE FROM flavors")
            .execute(&mut conn)
            .await
            .unwrap_err();
        assert_eq!(
            StoreError::database("test", error).code(),
            codes::CANNOT_WRITE
        );
    }
}
