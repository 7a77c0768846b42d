//! Opening a database: fresh, again, newer, foreign, broken, unwritable, locked.
//!
//! Goes through the public surface, with a second SQLite connection as the other program.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use longshore_objects::Instance;
use longshore_store::{Looked, Options, Store, StoreError, look};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

async fn open(path: &Path) -> Result<Store, StoreError> {
    let options = Options {
        busy_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    Store::open(&url(path), options).await
}

async fn refused(path: &Path) -> StoreError {
    open(path).await.err().unwrap()
}

async fn other_program(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_fresh_file_has_the_flavors_and_the_image() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("deep/down/host.db")).await.unwrap();
    let flavors: Vec<_> = store
        .flavors()
        .await
        .unwrap()
        .iter()
        .map(|f| {
            (
                f.flavorid().to_owned(),
                f.name().to_owned(),
                f.memory_mb(),
                f.vcpus(),
                f.root_gb(),
            )
        })
        .collect();
    let wanted = [
        ("1", "m1.tiny", 512, 1, 1),
        ("2", "m1.small", 2048, 1, 20),
        ("3", "m1.medium", 4096, 2, 40),
        ("4", "m1.large", 8192, 4, 80),
        ("5", "m1.xlarge", 16384, 8, 160),
    ];
    let wanted = wanted.map(|(id, name, ram, cpu, disk)| (id.into(), name.into(), ram, cpu, disk));
    assert_eq!(flavors, wanted);
    let none = store.find_image("none").await.unwrap();
    assert_eq!((none.name(), none.status()), ("none", "active"));
    assert_eq!(store.image(none.id()).await.unwrap(), none);
    store.close().await;
}

/// The last connection to close was a reader, and what was written stayed in the `-wal` file: a copy of
/// the database alone was empty.
#[tokio::test]
async fn a_closed_database_is_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("host.db")).await.unwrap();
    let mut instance = Instance::new();
    instance.set_uuid("u1");
    store.create_instance(instance).await.unwrap();
    // A reader is open.
    store.instance("u1").await.unwrap();
    store.close().await;
    let names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["host.db"]);
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("host.db");
    let store = open(&path).await.unwrap();
    let mut instance = Instance::new();
    instance.set_uuid("u1").set_display_name("web");
    let created = store.create_instance(instance).await.unwrap();
    // Opened beside the first one: nothing depends on an orderly close.
    let second = open(&path).await.unwrap();
    assert_eq!(
        second.instances(&Default::default()).await.unwrap(),
        vec![created.clone()]
    );
    store.close().await;
    second.close().await;
    let third = open(&path).await.unwrap();
    assert_eq!(
        third.instances(&Default::default()).await.unwrap(),
        vec![created]
    );
}

#[tokio::test]
async fn an_older_schema_is_brought_up_to_date_and_keeps_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("host.db");
    let mut other = other_program(&path).await;
    let first = include_str!("../migrations/0001_first.sql");
    sqlx::raw_sql(first).execute(&mut other).await.unwrap();
    let marks = "PRAGMA application_id = 0x4c534852; PRAGMA user_version = 1; \
                 UPDATE flavors SET name = 'mine' WHERE flavorid = '1'";
    sqlx::raw_sql(marks).execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let looked = look(&url(&path)).unwrap();
    assert!(matches!(looked, Looked::Ours { version: 1, newest } if newest > 1));
    let store = open(&path).await.unwrap();
    assert_eq!(store.flavor("1").await.unwrap().name(), "mine");
    assert!(store.aggregates(None).await.unwrap().is_empty());
    store.close().await;
    let looked = look(&url(&path)).unwrap();
    assert!(matches!(looked, Looked::Ours { version, newest } if version == newest));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("host.db");
    open(&path).await.unwrap().close().await;
    let mut other = other_program(&path).await;
    other.execute("PRAGMA user_version = 99").await.unwrap();
    other.close().await.unwrap();
    let error = refused(&path).await;
    assert_eq!(error.code(), "store/newer-schema");
    assert!(error.to_string().contains("version 99"), "{error}");
    let mut other = other_program(&path).await;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(version, 99);
}

#[tokio::test]
async fn a_foreign_database_is_refused_and_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let mut other = other_program(&path).await;
    other.execute("CREATE TABLE theirs (x)").await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = refused(&path).await;
    assert_eq!(error.code(), "store/corrupt");
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    let broken: Vec<u8> = [b"SQLite format 3\0".as_slice(), &[7; 2000]].concat();
    for content in [b"short".as_slice(), &[b'x'; 5000], &broken] {
        std::fs::write(&path, content).unwrap();
        let error = refused(&path).await;
        assert_eq!(error.code(), "store/corrupt", "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn an_empty_file_counts_as_fresh() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.db");
    std::fs::write(&path, b"").unwrap();
    assert_eq!(open(&path).await.unwrap().flavors().await.unwrap().len(), 5);
}

#[tokio::test]
async fn paths_that_cannot_be_written_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    for path in [dir.path().to_owned(), file.join("below.db")] {
        let error = refused(&path).await;
        assert_eq!(error.code(), "store/cannot-write", "{error}");
        assert!(error.to_string().contains("(do: "), "{error}");
    }
}

#[tokio::test]
async fn a_locked_database_is_named_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("host.db");
    let store = open(&path).await.unwrap();
    let mut other = other_program(&path).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut instance = Instance::new();
    instance.set_uuid("u1");
    let error = store.create_instance(instance.clone()).await.unwrap_err();
    assert_eq!(error.code(), "store/locked");
    other.execute("ROLLBACK").await.unwrap();
    store.create_instance(instance).await.unwrap();
}

#[tokio::test]
async fn other_urls_are_refused() {
    for url in ["postgres://db/nova", "sqlite://", "host.db", ""] {
        let error = Store::open(url, Options::default()).await.err().unwrap();
        assert_eq!(error.code(), "store/bad-url", "{url}");
    }
}

#[tokio::test]
async fn a_row_changed_by_hand_is_reported_with_its_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("host.db");
    let store = open(&path).await.unwrap();
    let mut instance = Instance::new();
    instance.set_uuid("u1");
    store.create_instance(instance).await.unwrap();
    let mut other = other_program(&path).await;
    other
        .execute("UPDATE instances SET vm_state = 'floating'")
        .await
        .unwrap();
    let error = store.instance("u1").await.unwrap_err();
    assert_eq!(error.code(), "store/bad-row");
    assert!(error.to_string().contains("`vm_state`"), "{error}");
}

/// Looking at a database made a `-wal` and a `-shm` beside it.
#[tokio::test]
async fn looking_says_what_opening_would_and_makes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    let path = dir.path().join("host.db");
    assert_eq!(look(&url(&path)).unwrap(), Looked::Fresh);
    assert_eq!(files(), 0);
    open(&path).await.unwrap().close().await;
    let newest = match look(&url(&path)).unwrap() {
        Looked::Ours { version, newest } if version == newest => newest,
        other => panic!("{other:?}"),
    };
    assert_eq!(files(), 1);
    let mut other = other_program(&path).await;
    other.execute("PRAGMA user_version = 99").await.unwrap();
    other.close().await.unwrap();
    let error = look(&url(&path)).unwrap_err();
    assert_eq!(error.code(), "store/newer-schema");
    assert!(error.to_string().contains(&newest.to_string()), "{error}");
}

#[tokio::test]
async fn looking_refuses_what_opening_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let mut other = other_program(&path).await;
    other.execute("CREATE TABLE theirs (x)").await.unwrap();
    other.close().await.unwrap();
    assert_eq!(look(&url(&path)).unwrap_err().code(), "store/corrupt");
    std::fs::write(&path, "short").unwrap();
    assert_eq!(look(&url(&path)).unwrap_err().code(), "store/corrupt");
    assert_eq!(
        look(&url(dir.path())).unwrap_err().code(),
        "store/cannot-write"
    );
    let path = dir.path().join("cut.db");
    open(&path).await.unwrap().close().await;
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 4096]).unwrap();
    let error = look(&url(&path)).unwrap_err();
    assert!(error.to_string().contains("its header promises"), "{error}");
}

/// A host that was killed soon after its first start leaves everything in the journal.
#[tokio::test]
async fn a_database_in_its_journal_is_not_called_foreign() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("host.db");
    let store = open(&path).await.unwrap();
    assert_eq!(look(&url(&path)).unwrap(), Looked::InJournal);
    store.close().await;
}
