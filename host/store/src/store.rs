//! `Store`: every verb on the database, one line each.
//!
//! Reads go to the pool, writes to the group-committing writer. Must not hold statements: those are
//! in `sqlite/`, one file per table. Used by `LocalObjects` and by services that may read directly.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use longshore_objects::{
    Aggregate, ComputeNode, Expected, Flavor, ImageMeta, Instance, InstanceFault, InstanceGroup,
    MetadataUpdates, ObjectError, RequestSpec, Service, VersionedObject,
};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnection, SqlitePoolOptions};

use crate::error::StoreError;
use crate::query::{InstanceQuery, ProjectUsage};
use crate::sqlite::writer::Writer;
use crate::sqlite::{
    aggregates, compute_nodes, faults, flavors, images, instance_groups, instances, open,
    request_specs, services,
};

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

/// Server groups.
impl Store {
    /// Creates a group, of which its project may have `groups_max`; a missing uuid is made up.
    ///
    /// # Errors
    /// `ObjectAction` when the project has too many, `Exists` when the uuid is taken, or a fault.
    pub async fn create_instance_group(
        &self,
        group: InstanceGroup,
        groups_max: i64,
    ) -> Result<InstanceGroup, StoreError> {
        write!(self, "create a server group", |conn| {
            instance_groups::create(conn, &group, groups_max)
        })
    }

    /// Deletes a group; its members stay.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_instance_group(&self, uuid: &str) -> Result<(), StoreError> {
        let uuid = uuid.to_owned();
        write!(self, "delete a server group", |conn| {
            instance_groups::destroy(conn, &uuid)
        })
    }

    /// Reads a group with its members and their hosts as they are now.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn instance_group(&self, uuid: &str) -> Result<InstanceGroup, StoreError> {
        instance_groups::read(self.readers(), uuid).await
    }

    /// All groups, or those of a name, oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn instance_groups(
        &self,
        name: Option<&str>,
    ) -> Result<Vec<InstanceGroup>, StoreError> {
        instance_groups::list(self.readers(), name).await
    }

    /// The hosts that run members of a group now, without regard to the members `exclude`; none
    /// when the group is gone.
    ///
    /// # Errors
    /// A fault.
    pub async fn instance_group_hosts(
        &self,
        uuid: &str,
        exclude: &[String],
    ) -> Result<Vec<String>, StoreError> {
        instance_groups::hosts_without(self.readers(), uuid, exclude).await
    }
}

/// Compute nodes and services.
impl Store {
    /// Creates a node; a missing uuid is made up.
    ///
    /// # Errors
    /// `Exists` when the host has a live node of this name, or a fault.
    pub async fn create_compute_node(&self, node: ComputeNode) -> Result<ComputeNode, StoreError> {
        let values = node.changed_fields();
        write!(self, "create a compute node", |conn| compute_nodes::create(
            conn, values
        ))
    }

    /// Writes the changed fields of a node, found by `id`; returns the whole row.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn save_compute_node(&self, node: ComputeNode) -> Result<ComputeNode, StoreError> {
        let (id, values) = (node.id(), node.changed_fields());
        write!(self, "save a compute node", |conn| compute_nodes::save(
            conn, id, values
        ))
    }

    /// Marks a node as deleted.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_compute_node(&self, id: i64) -> Result<ComputeNode, StoreError> {
        write!(
            self,
            "delete a compute node",
            |conn| compute_nodes::destroy(conn, id)
        )
    }

    /// Reads a live node.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn compute_node(&self, host: &str, node: &str) -> Result<ComputeNode, StoreError> {
        compute_nodes::read(self.readers(), host, node).await
    }

    /// All live nodes, or those of one host.
    ///
    /// # Errors
    /// A fault.
    pub async fn compute_nodes(&self, host: Option<&str>) -> Result<Vec<ComputeNode>, StoreError> {
        compute_nodes::list(self.readers(), host).await
    }

    /// Nodes written after a generation, deleted ones included, oldest change first.
    ///
    /// # Errors
    /// A fault.
    pub async fn compute_nodes_changed_since(
        &self,
        generation: i64,
    ) -> Result<Vec<ComputeNode>, StoreError> {
        compute_nodes::changed_since(self.readers(), generation).await
    }

    /// Creates a service; a missing uuid is made up.
    ///
    /// # Errors
    /// `Exists` when the host has a live service of this binary, or a fault.
    pub async fn create_service(&self, service: Service) -> Result<Service, StoreError> {
        let values = service.changed_fields();
        write!(self, "create a service", |conn| services::create(
            conn, values
        ))
    }

    /// Writes the changed fields of a service, found by `id`; a larger report count stamps
    /// `last_seen_up`.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn save_service(&self, service: Service) -> Result<Service, StoreError> {
        let (id, values) = (service.id(), service.changed_fields());
        write!(self, "save a service", |conn| services::save(
            conn, id, values
        ))
    }

    /// Marks a service as deleted.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_service(&self, id: i64) -> Result<Service, StoreError> {
        write!(self, "delete a service", |conn| services::destroy(conn, id))
    }

    /// Reads a live service.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn service(&self, host: &str, binary: &str) -> Result<Service, StoreError> {
        services::read(self.readers(), host, binary).await
    }

    /// All live services.
    ///
    /// # Errors
    /// A fault.
    pub async fn services(&self) -> Result<Vec<Service>, StoreError> {
        services::list(self.readers()).await
    }

    /// Services written after a generation, deleted ones included, oldest change first.
    ///
    /// # Errors
    /// A fault.
    pub async fn services_changed_since(
        &self,
        generation: i64,
    ) -> Result<Vec<Service>, StoreError> {
        services::changed_since(self.readers(), generation).await
    }
}

/// Aggregates, and the zones that they put hosts into.
impl Store {
    /// Creates an aggregate without hosts; a missing uuid is made up.
    ///
    /// # Errors
    /// `Exists` when the name is taken, `ObjectAction` for an empty zone, or a fault.
    pub async fn create_aggregate(&self, aggregate: Aggregate) -> Result<Aggregate, StoreError> {
        write!(self, "create an aggregate", |conn| aggregates::create(
            conn, &aggregate
        ))
    }

    /// Gives an aggregate another name and other metadata, both or neither.
    ///
    /// # Errors
    /// `NotFound`; `Exists` when the name is taken; `ObjectAction` for an empty zone, or when another aggregate puts one
    /// of its hosts into another zone; or a fault.
    pub async fn update_aggregate(
        &self,
        id: i64,
        name: Option<String>,
        metadata: MetadataUpdates,
    ) -> Result<Aggregate, StoreError> {
        write!(self, "change an aggregate", |conn| aggregates::update(
            conn,
            id,
            name.as_deref(),
            metadata
        ))
    }

    /// Takes a host into an aggregate; whether there is such a host is not asked.
    ///
    /// # Errors
    /// `NotFound`; `Exists` when it is in it; `ObjectAction` when another aggregate puts it into another zone; or a
    /// fault.
    pub async fn add_aggregate_host(&self, id: i64, host: &str) -> Result<Aggregate, StoreError> {
        let host = host.to_owned();
        write!(self, "add a host to an aggregate", |conn| {
            aggregates::add_host(conn, id, &host)
        })
    }

    /// Takes a host out of an aggregate.
    ///
    /// # Errors
    /// `NotFound`, also when the host is not in it, or a fault.
    pub async fn delete_aggregate_host(
        &self,
        id: i64,
        host: &str,
    ) -> Result<Aggregate, StoreError> {
        let host = host.to_owned();
        write!(self, "remove a host from an aggregate", |conn| {
            aggregates::delete_host(conn, id, &host)
        })
    }

    /// Marks an aggregate as deleted.
    ///
    /// # Errors
    /// `NotFound`, `ObjectAction` when it has hosts, or a fault.
    pub async fn destroy_aggregate(&self, id: i64) -> Result<Aggregate, StoreError> {
        write!(self, "delete an aggregate", |conn| aggregates::destroy(
            conn, id
        ))
    }

    /// Reads an aggregate that is not deleted.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn aggregate(&self, id: i64) -> Result<Aggregate, StoreError> {
        aggregates::by_id(self.readers(), id).await
    }

    /// All aggregates that are not deleted, or those that a host is in.
    ///
    /// # Errors
    /// A fault.
    pub async fn aggregates(&self, host: Option<&str>) -> Result<Vec<Aggregate>, StoreError> {
        aggregates::list(self.readers(), host).await
    }

    /// Aggregates written after a generation, deleted ones included, oldest change first.
    ///
    /// # Errors
    /// A fault.
    pub async fn aggregates_changed_since(
        &self,
        generation: i64,
    ) -> Result<Vec<Aggregate>, StoreError> {
        aggregates::changed_since(self.readers(), generation).await
    }

    /// The zone of each of these hosts, or of all hosts, that is in one by its aggregates.
    ///
    /// # Errors
    /// A fault.
    pub async fn host_zones(
        &self,
        hosts: Option<&[String]>,
    ) -> Result<HashMap<String, String>, StoreError> {
        aggregates::zones(self.readers(), hosts).await
    }

    /// Whether an enabled service of this binary is on a host of the zone; hosts in no zone are in `default_zone`.
    ///
    /// # Errors
    /// A fault.
    pub async fn zone_has_service(
        &self,
        zone: &str,
        default_zone: &str,
        binary: &str,
    ) -> Result<bool, StoreError> {
        aggregates::zone_has_service(self.readers(), zone, default_zone, binary).await
    }
}

/// Flavors and images.
impl Store {
    /// Creates a flavor; a missing `flavorid` is made up.
    ///
    /// # Errors
    /// `Exists` when name or identifier is taken, or a fault.
    pub async fn create_flavor(&self, flavor: Flavor) -> Result<Flavor, StoreError> {
        write!(self, "create a flavor", |conn| flavors::create(
            conn, &flavor
        ))
    }

    /// Writes the changed fields of a flavor, found by `flavorid`.
    ///
    /// # Errors
    /// `NotFound`, `Exists` when the new name is taken, or a fault.
    pub async fn save_flavor(&self, flavor: Flavor) -> Result<Flavor, StoreError> {
        write!(self, "save a flavor", |conn| flavors::save(conn, &flavor))
    }

    /// Sets and removes extra specs of a flavor, found by `flavorid`; those that are not named stay.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn update_extra_specs(
        &self,
        flavorid: &str,
        updates: MetadataUpdates,
    ) -> Result<Flavor, StoreError> {
        let id = flavorid.to_owned();
        write!(self, "change the extra specs of a flavor", |conn| {
            flavors::update_extra_specs(conn, &id, updates)
        })
    }

    /// Deletes a flavor by `flavorid`; instances keep their copy.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_flavor(&self, flavorid: &str) -> Result<(), StoreError> {
        let id = flavorid.to_owned();
        write!(self, "delete a flavor", |conn| flavors::destroy(conn, &id))
    }

    /// Reads a flavor by `flavorid`.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn flavor(&self, flavorid: &str) -> Result<Flavor, StoreError> {
        flavors::by_id(self.readers(), flavorid).await
    }

    /// Reads a flavor by `flavorid`, else by name.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn find_flavor(&self, id_or_name: &str) -> Result<Flavor, StoreError> {
        flavors::find(self.readers(), id_or_name).await
    }

    /// All flavors.
    ///
    /// # Errors
    /// A fault.
    pub async fn flavors(&self) -> Result<Vec<Flavor>, StoreError> {
        flavors::list(self.readers()).await
    }

    /// Creates an image; a missing `id` is made up.
    ///
    /// # Errors
    /// `Exists` when the identifier is taken, or a fault.
    pub async fn create_image(&self, image: ImageMeta) -> Result<ImageMeta, StoreError> {
        write!(self, "create an image", |conn| images::create(conn, &image))
    }

    /// Writes the changed fields of an image.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn save_image(&self, image: ImageMeta) -> Result<ImageMeta, StoreError> {
        write!(self, "save an image", |conn| images::save(conn, &image))
    }

    /// Deletes the description of an image; its file stays.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn destroy_image(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        write!(self, "delete an image", |conn| images::destroy(conn, &id))
    }

    /// Reads an image by identifier.
    ///
    /// # Errors
    /// `NotFound`, or a fault.
    pub async fn image(&self, id: &str) -> Result<ImageMeta, StoreError> {
        images::by_id(self.readers(), id).await
    }

    /// Reads an image by identifier, else by name.
    ///
    /// # Errors
    /// `NotFound`; `ObjectAction` when several images have the name; or a fault.
    pub async fn find_image(&self, id_or_name: &str) -> Result<ImageMeta, StoreError> {
        let missing = match images::by_id(self.readers(), id_or_name).await {
            Err(StoreError::Object(missing)) => missing,
            found => return found,
        };
        let mut named = images::list(self.readers(), Some(id_or_name)).await?;
        match (named.pop(), named.len()) {
            (Some(image), 0) => Ok(image),
            (None, _) => Err(missing.into()),
            (Some(_), others) => {
                let reason = format!("{} images have the name {id_or_name}", others + 1);
                Err(ObjectError::ObjectAction("find image".to_owned(), reason).into())
            }
        }
    }

    /// All images, or those of a name, oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn images(&self, name: Option<&str>) -> Result<Vec<ImageMeta>, StoreError> {
        images::list(self.readers(), name).await
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
