//! Group commit: one task owns the only writing connection.
//!
//! Waiting operations are taken together, each in its own savepoint, and committed once: one fsync
//! for all of them. No operation is answered before that commit. Must not know what the operations
//! do. Used by the `Store` facade.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::codes;
use crate::error::StoreError;

/// Most operations that wait; a further one waits for room.
pub const WRITE_QUEUE_MAX: usize = 4096;
/// Most operations in one commit.
pub const WRITE_BATCH_MAX: usize = 256;

/// What an operation returns while it runs on the connection.
pub(crate) type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// A handle to the writing task.
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
    task: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Run(Box<dyn Job>),
    Close,
}

impl Writer {
    pub(crate) fn start(conn: SqliteConnection) -> Self {
        let (queue, waiting) = mpsc::channel(WRITE_QUEUE_MAX);
        let task = tokio::spawn(serve(conn, waiting));
        Self {
            queue,
            task: Mutex::new(Some(task)),
        }
    }

    /// Runs an operation; returns when it is durable or failed.
    ///
    /// Once queued it runs even if the caller stops waiting.
    pub(crate) async fn run<T, F>(&self, what: &'static str, operation: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Operation {
            what,
            run: Some(operation),
            outcome: None,
            reply,
        };
        let closed = || StoreError::fault(codes::CLOSED, what, "the writer has stopped");
        self.queue
            .send(Message::Run(Box::new(job)))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Stops after everything queued so far is committed; later operations are refused.
    pub(crate) async fn close(&self) {
        // A refused message means that it has stopped already, which is what is wanted.
        let _ = self.queue.send(Message::Close).await;
        let task = self
            .task
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer ended because of a bug");
        }
    }
}

/// An operation whose result type is not named.
trait Job: Send {
    /// Runs it and keeps the result; tells whether it succeeded.
    fn run<'c>(
        &'c mut self,
        conn: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'c>>;
    /// Answers with the kept result, or with the failure that undid it.
    fn answer(self: Box<Self>, undone: Option<StoreError>);
}

struct Operation<T, F> {
    what: &'static str,
    run: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Operation<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, T> + Send + 'static,
{
    fn run<'c>(
        &'c mut self,
        conn: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'c>> {
        Box::pin(async move {
            let run = self.run.take().expect("a job is run once");
            let outcome = run(conn).await;
            let done = outcome.is_ok();
            self.outcome = Some(outcome);
            done
        })
    }

    fn answer(self: Box<Self>, undone: Option<StoreError>) {
        let result = match (self.outcome, undone) {
            // An operation's own failure says more than the failure of the batch.
            (Some(Err(error)), _) | (_, Some(error)) => Err(error),
            (Some(outcome), None) => outcome,
            (None, None) => Err(StoreError::fault(
                codes::CLOSED,
                self.what,
                "it was not run",
            )),
        };
        // Nobody waits any more when the caller was cancelled.
        let _ = self.reply.send(result);
    }
}

async fn serve(mut conn: SqliteConnection, mut waiting: mpsc::Receiver<Message>) {
    let mut messages = Vec::with_capacity(WRITE_BATCH_MAX);
    loop {
        messages.clear();
        // Those just answered often write again: let them queue before the batch is taken.
        tokio::task::yield_now().await;
        if waiting.recv_many(&mut messages, WRITE_BATCH_MAX).await == 0 {
            break;
        }
        let mut jobs = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            match message {
                Message::Run(job) => jobs.push(job),
                Message::Close => waiting.close(),
            }
        }
        commit_together(&mut conn, jobs).await;
    }
    if let Err(error) = conn.close().await {
        tracing::warn!(%error, "closing the database failed; everything answered is durable");
    }
}

async fn commit_together(conn: &mut SqliteConnection, mut jobs: Vec<Box<dyn Job>>) {
    if jobs.is_empty() {
        return;
    }
    let undone = match run_batch(conn, &mut jobs).await {
        Ok(()) => None,
        Err(error) => {
            // The transaction may be gone already; the next BEGIN shows if this did not help.
            let _ = sqlx::query("ROLLBACK").execute(&mut *conn).await;
            Some(error)
        }
    };
    for job in jobs {
        job.answer(undone.clone());
    }
}

/// One transaction; an error means that nothing of it is durable.
async fn run_batch(
    conn: &mut SqliteConnection,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), StoreError> {
    statement(conn, "BEGIN IMMEDIATE").await?;
    for job in jobs {
        statement(conn, "SAVEPOINT operation").await?;
        if !job.run(conn).await {
            // Fails when SQLite gave up the whole transaction (disk full, I/O error).
            statement(conn, "ROLLBACK TO operation").await?;
        }
        statement(conn, "RELEASE operation").await?;
    }
    statement(conn, "COMMIT").await
}

async fn statement(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    let failed = |error| StoreError::database("commit a group of writes", error);
    sqlx::query(sql)
        .execute(conn)
        .await
        .map(drop)
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = oneshot::Receiver<Result<(), StoreError>>;

    fn job(sql: &'static str) -> (Box<dyn Job>, Answer) {
        let (reply, answer) = oneshot::channel();
        let run = any_lifetime(move |conn| {
            Box::pin(async move {
                let done = sqlx::query(sql).execute(conn).await;
                done.map(drop)
                    .map_err(|error| StoreError::database("test", error))
            })
        });
        (
            Box::new(Operation {
                what: "test",
                run: Some(run),
                outcome: None,
                reply,
            }),
            answer,
        )
    }

    /// Lets the compiler take a closure for any lifetime of the connection.
    fn any_lifetime<F>(run: F) -> F
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Running<'c, ()>,
    {
        run
    }

    async fn codes(conn: &mut SqliteConnection, batch: &[&'static str]) -> Vec<String> {
        let (jobs, answers): (Vec<_>, Vec<_>) = batch.iter().map(|sql| job(sql)).unzip();
        commit_together(conn, jobs).await;
        let mut codes = Vec::new();
        for answer in answers {
            let code = answer
                .await
                .unwrap()
                .err()
                .map(|error| error.code().to_owned());
            codes.push(code.unwrap_or_else(|| "done".to_owned()));
        }
        codes
    }

    async fn rows(conn: &mut SqliteConnection) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM t")
            .fetch_one(conn)
            .await
            .unwrap()
    }

    async fn database() -> (tempfile::TempDir, SqliteConnection) {
        let dir = tempfile::tempdir().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(dir.path().join("t.db"))
            .create_if_missing(true);
        let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("CREATE TABLE t (x)")
            .execute(&mut conn)
            .await
            .unwrap();
        (dir, conn)
    }

    #[tokio::test]
    async fn a_transaction_lost_on_the_way_fails_the_whole_group() {
        let (_dir, mut conn) = database().await;
        let good = "INSERT INTO t VALUES (1)";
        // SQLite itself rolls back after some failures; an operation that does so stands for them.
        let answers = codes(&mut conn, &[good, "ROLLBACK", good]).await;
        assert_eq!(answers, ["store/failed", "store/failed", "store/failed"]);
        assert_eq!(
            rows(&mut conn).await,
            0,
            "nothing was written outside of the transaction"
        );
        assert_eq!(
            codes(&mut conn, &[good, "nonsense", good]).await,
            ["done", "store/failed", "done"]
        );
        assert_eq!(rows(&mut conn).await, 2, "the next group is not affected");
    }

    #[tokio::test]
    async fn a_full_disk_is_named_and_spares_the_rest() {
        let (_dir, mut conn) = database().await;
        sqlx::query("PRAGMA max_page_count = 10")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let (small, big) = (
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (zeroblob(200000))",
        );
        let answers = codes(&mut conn, &[small, big]).await;
        assert_eq!(answers[1], "store/full");
        let kept = i64::from(answers[0] == "done");
        assert_eq!(
            rows(&mut conn).await,
            kept,
            "what was answered as done is there"
        );
        assert_eq!(codes(&mut conn, &[small]).await, ["done"]);
    }

    #[tokio::test]
    async fn a_failing_commit_fails_all() {
        let (_dir, mut conn) = database().await;
        sqlx::query("CREATE TABLE p (id INTEGER PRIMARY KEY)")
            .execute(&mut conn)
            .await
            .unwrap();
        let child = "CREATE TABLE c (p REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)";
        sqlx::query(child).execute(&mut conn).await.unwrap();
        let answers = codes(
            &mut conn,
            &["INSERT INTO t VALUES (1)", "INSERT INTO c VALUES (7)"],
        )
        .await;
        assert_eq!(answers, ["store/failed", "store/failed"]);
        assert_eq!(rows(&mut conn).await, 0);
        assert_eq!(
            codes(&mut conn, &["INSERT INTO t VALUES (1)"]).await,
            ["done"]
        );
    }
}
