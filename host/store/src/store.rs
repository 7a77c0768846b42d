//! `Store`: every verb on the database, one line each.
//!
//! Reads go to the pool, writes to the group-committing writer. Must not hold statements: those are
//! in `sqlite/`, one file per table. The verbs on instances are here, the others in `store/`. Used by `LocalObjects` and by services that may read directly.

use std::sync::Arc;
use std::time::Duration;

use longshore_objects::{Expected, Instance, InstanceFault, RequestSpec, VersionedObject};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnection, SqlitePoolOptions};

use crate::error::StoreError;
use crate::query::{InstanceQuery, ProjectUsage};
use crate::sqlite::writer::Writer;
use crate::sqlite::{faults, instance_groups, instances, open, request_specs};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a statement waits for another process's lock.
    pub busy_timeout: Duration,
    /// Reading connections.
    pub readers_max: u32,
    /// How long a read waits for one of them.
    pub reader_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            readers_max: 4,
            reader_wait: Duration::from_secs(30),
        }
    }
}

/// An open database; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    readers: SqlitePool,
    writer: Writer,
}

/// A write: the closure borrows a connection for the length of one savepoint.
macro_rules! write {
    ($store:expr, $what:literal, |$conn:ident| $body:expr) => {
        $store
            .inner
            .writer
            .run($what, move |$conn| Box::pin(async move { $body.await }))
            .await
    };
}

mod aggregates;
mod catalog;
mod groups;
mod hosts;

impl Store {
    /// Opens a database, creating the file and its directory, and migrating the schema.
    ///
    /// `url` is `sqlite://PATH`; a relative path counts from the working directory.
    ///
    /// # Errors
    /// `store/bad-url`, `store/cannot-write`, `store/corrupt`, `store/newer-schema`,
    /// `store/locked`, `store/io`. A file that is refused is left as it was.
    pub async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        let path = open::path_of(url)?;
        let conn = open::writer(&path, &options).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers_max)
            .acquire_timeout(options.reader_wait)
            .connect_lazy_with(open::reader(&path, &options));
        Ok(Self {
            inner: Arc::new(Inner {
                readers,
                writer: Writer::start(conn),
            }),
        })
    }

    /// Commits what is queued, then closes every connection; later verbs fail with `store/closed`.
    pub async fn close(&self) {
        // The last connection folds the log file into the database, which a reader may not do.
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }
}

/// Instances and what belongs to them.
impl Store {
    /// Creates instances with their request specs: all or none.
    ///
    /// # Errors
    /// `Exists` when a uuid is taken, `InvalidField` without one, or a fault.
    pub async fn create_instances(
        &self,
        batch: Vec<(Instance, RequestSpec)>,
    ) -> Result<Vec<Instance>, StoreError> {
        write!(self, "create instances", |conn| create_all(conn, &batch))
    }

    /// Creates instances with their request specs as members of a group, which may have
    /// `members_max` of them: all or none.
    ///
    /// # Errors
    /// As [`Store::create_instances`]; `NotFound` when the group is gone, `ObjectAction` when it
    /// would have too many members.
    pub async fn create_members(
        &self,
        group: &str,
        members_max: i64,
        batch: Vec<(Instance, RequestSpec)>,
    ) -> Result<Vec<Instance>, StoreError> {
        let group = group.to_owned();
        write!(self, "create members of a group", |conn| async {
            let created = create_all(conn, &batch).await?;
            let uuids: Vec<&str> = created.iter().map(Instance::uuid).collect();
            instance_groups::enter(conn, &group, &uuids, members_max).await?;
            Ok(created)
        })
    }

    /// Creates one instance without a request spec.
    ///
    /// # Errors
    /// As [`Store::create_instances`].
    pub async fn create_instance(&self, instance: Instance) -> Result<Instance, StoreError> {
        write!(self, "create an instance", |conn| instances::create(
            conn, &instance
        ))
    }

    /// Writes the changed fields if the row is as expected, in one step; returns the whole row.
    ///
    /// # Errors
    /// The conflicts of `Instance::save`, `InstanceNotFound`, or a fault.
    pub async fn save_instance(
        &self,
        instance: Instance,
        expected: Expected,
    ) -> Result<Instance, StoreError> {
        write!(self, "save an instance", |conn| instances::save(
            conn, &instance, &expected
        ))
    }

    /// Marks an instance as deleted; with `host_is_null` only while it has no host.
    ///
    /// # Errors
    /// `InstanceNotFound`, `ObjectAction` when it has a host, or a fault.
    pub async fn destroy_instance(
        &self,
        uuid: &str,
        host_is_null: bool,
    ) -> Result<Instance, StoreError> {
        let uuid = uuid.to_owned();
        write!(self, "destroy an instance", |conn| instances::destroy(
            conn,
            &uuid,
            host_is_null
        ))
    }

    /// Reads a live instance with its latest fault.
    ///
    /// # Errors
    /// `InstanceNotFound`, or a fault.
    pub async fn instance(&self, uuid: &str) -> Result<Instance, StoreError> {
        let mut instance = instances::read(self.readers(), uuid).await?;
        let fault = faults::latest(self.readers(), &[uuid.to_owned()])
            .await?
            .pop();
        instance.set_fault(fault);
        instance.reset_changes();
        Ok(instance)
    }

    /// A page of instances, newest first, without their faults.
    ///
    /// # Errors
    /// `NotFound` when the marker names no instance, or a fault.
    pub async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, StoreError> {
        let before = match &query.marker {
            Some(uuid) => Some(instances::marker(self.readers(), uuid).await?),
            None => None,
        };
        instances::list(self.readers(), query, before).await
    }

    /// All live instances of a host, oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn instances_by_host(&self, host: &str) -> Result<Vec<Instance>, StoreError> {
        instances::by_host(self.readers(), host).await
    }

    /// A page of the live instances that have a host, oldest first, those after a row number, with
    /// the few fields that their neighbours are judged by.
    ///
    /// # Errors
    /// A fault.
    pub async fn placed_instances(&self, after_id: i64) -> Result<Vec<Instance>, StoreError> {
        instances::placed(self.readers(), after_id).await
    }

    /// What the live instances of a project use.
    ///
    /// # Errors
    /// A fault.
    pub async fn project_usage(&self, project: &str) -> Result<ProjectUsage, StoreError> {
        instances::usage(self.readers(), project).await
    }

    /// Records a fault.
    ///
    /// # Errors
    /// `InstanceNotFound` when the instance never existed, or a fault of the database.
    pub async fn create_fault(&self, fault: InstanceFault) -> Result<InstanceFault, StoreError> {
        write!(self, "record a fault", |conn| faults::create(conn, &fault))
    }

    /// The latest fault of each of these instances that has one, in no order; ask for at most a
    /// page of them ([`crate::LIST_MAX`]).
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn latest_faults(&self, uuids: &[String]) -> Result<Vec<InstanceFault>, StoreError> {
        faults::latest(self.readers(), uuids).await
    }

    /// Writes the request spec of an instance.
    ///
    /// # Errors
    /// `InstanceNotFound` when the instance never existed, or a fault.
    pub async fn save_request_spec(&self, spec: RequestSpec) -> Result<RequestSpec, StoreError> {
        write!(self, "save a request spec", |conn| request_specs::save(
            conn, &spec
        ))
    }

    /// Reads the request spec of an instance.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn request_spec(&self, uuid: &str) -> Result<RequestSpec, StoreError> {
        request_specs::read(self.readers(), uuid).await
    }
}

async fn create_all(
    conn: &mut SqliteConnection,
    batch: &[(Instance, RequestSpec)],
) -> Result<Vec<Instance>, StoreError> {
    let mut created = Vec::with_capacity(batch.len());
    for (instance, spec) in batch {
        created.push(instances::create(conn, instance).await?);
        request_specs::save(conn, spec).await?;
    }
    Ok(created)
}
