//! The table of instances: creating, compare-and-swap, soft delete, lists.
//!
//! Must not know which operation is running; the expected states come with each call.

use longshore_objects::state::task_word;
use longshore_objects::{
    Conflict, Expected, Flavor, Instance, ObjectError, TaskState, VersionedObject, VmState, now,
};
use serde_json::{Map, Value, json};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, QueryBuilder, Sqlite};

use crate::error::StoreError;
use crate::query::{InstanceQuery, LIST_MAX, ProjectUsage};
use crate::sqlite::table;

const TABLE: &str = "instances";
/// Fields that a save never writes: identity, and what only create and destroy set.
const FIXED: &[&str] = &[
    "id",
    "uuid",
    "fault",
    "created_at",
    "updated_at",
    "deleted",
    "deleted_at",
];

pub(crate) async fn create(
    conn: &mut SqliteConnection,
    instance: &Instance,
) -> Result<Instance, StoreError> {
    let mut values = set_fields(instance);
    values.remove("id");
    values.insert("created_at".to_owned(), json!(now().to_string()));
    table::insert(conn, TABLE, &values, instance.uuid()).await
}

fn set_fields(instance: &Instance) -> Map<String, Value> {
    let fields = Instance::FIELDS.iter().map(|info| info.name);
    fields
        .filter_map(|name| Some((name.to_owned(), instance.field(name)?)))
        .collect()
}

/// Writes the changed fields where the row is as expected, and returns the whole row.
pub(crate) async fn save(
    conn: &mut SqliteConnection,
    instance: &Instance,
    expected: &Expected,
) -> Result<Instance, StoreError> {
    let uuid = instance.uuid();
    let mut values = instance.changed_fields();
    values.retain(|name, _| !FIXED.contains(&name.as_str()));
    if values.is_empty() {
        return read(conn, uuid).await;
    }
    values.insert("updated_at".to_owned(), json!(now().to_string()));
    let mut query = table::update::<Instance>(TABLE, &values);
    query
        .push("uuid = ")
        .push_bind(uuid.to_owned())
        .push(" AND deleted = 0");
    push_expected(&mut query, expected);
    query.push(" RETURNING ");
    table::push_columns::<Instance>(&mut query);
    match table::fetch(query, &mut *conn, "save an instance")
        .await?
        .pop()
    {
        Some(row) => Ok(row),
        None => Err(conflict(&read(conn, uuid).await?, expected).into()),
    }
}

fn push_expected(query: &mut QueryBuilder<Sqlite>, expected: &Expected) {
    if let Some(states) = &expected.task_states {
        query.push(" AND ");
        table::push_in(query, "task_state", &task_words(states));
    }
    if let Some(states) = &expected.vm_states {
        query.push(" AND ");
        table::push_in(query, "vm_state", &vm_words(states));
    }
    if let Some(host) = &expected.host {
        query.push(" AND host IS ").push_bind(host.clone());
    }
}

fn task_words(states: &[Option<TaskState>]) -> Vec<Option<&'static str>> {
    states
        .iter()
        .map(|state| state.map(TaskState::as_str))
        .collect()
}

fn vm_words(states: &[VmState]) -> Vec<Option<&'static str>> {
    states.iter().map(|state| Some(state.as_str())).collect()
}

/// Which condition the row does not meet; a delete in progress goes before all others.
fn conflict(row: &Instance, expected: &Expected) -> ObjectError {
    let found = |expected: String, actual: &str| Conflict {
        uuid: row.uuid().to_owned(),
        expected,
        actual: actual.to_owned(),
    };
    let list = |words: &[Option<&'static str>]| {
        words
            .iter()
            .map(|word| word.unwrap_or("none"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if let Some(states) = &expected.task_states
        && !states.contains(&row.task_state())
    {
        let conflict = found(list(&task_words(states)), task_word(row.task_state()));
        return match row.task_state() {
            Some(TaskState::Deleting) => ObjectError::UnexpectedDeletingTaskState(conflict),
            _ => ObjectError::UnexpectedTaskState(conflict),
        };
    }
    let vm_state = row.vm_state().map_or("none", VmState::as_str);
    match (&expected.vm_states, &expected.host) {
        (Some(states), _) if !row.vm_state().is_some_and(|vm| states.contains(&vm)) => {
            ObjectError::InstanceUpdateConflict(found(list(&vm_words(states)), vm_state))
        }
        (_, Some(host)) => {
            let wanted = host.as_deref().unwrap_or("none").to_owned();
            let actual = row.host().unwrap_or("none");
            ObjectError::InstanceUpdateConflict(found(wanted, actual))
        }
        _ => ObjectError::InstanceUpdateConflict(found("any".to_owned(), vm_state)),
    }
}

/// Marks the row as deleted; with `host_is_null` only while no host is assigned.
pub(crate) async fn destroy(
    conn: &mut SqliteConnection,
    uuid: &str,
    host_is_null: bool,
) -> Result<Instance, StoreError> {
    let at = now().to_string();
    let values = Map::from_iter([
        ("deleted".to_owned(), json!(true)),
        ("deleted_at".to_owned(), json!(at)),
        ("updated_at".to_owned(), json!(at)),
    ]);
    let mut query = table::update::<Instance>(TABLE, &values);
    query
        .push("uuid = ")
        .push_bind(uuid.to_owned())
        .push(" AND deleted = 0");
    if host_is_null {
        query.push(" AND host IS NULL");
    }
    query.push(" RETURNING ");
    table::push_columns::<Instance>(&mut query);
    if let Some(row) = table::fetch(query, &mut *conn, "destroy an instance")
        .await?
        .pop()
    {
        return Ok(row);
    }
    read(conn, uuid).await?;
    let reason = "host changed".to_owned();
    Err(ObjectError::ObjectAction("destroy".to_owned(), reason).into())
}

/// The row of an instance that is not deleted.
pub(crate) async fn read<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    uuid: &str,
) -> Result<Instance, StoreError> {
    let mut query = table::select::<Instance>(TABLE);
    query
        .push("uuid = ")
        .push_bind(uuid.to_owned())
        .push(" AND deleted = 0");
    let found = table::fetch(query, from, "read an instance").await?.pop();
    found.ok_or_else(|| ObjectError::InstanceNotFound(uuid.to_owned()).into())
}

/// A page of instances, newest first.
pub(crate) async fn list<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    wanted: &InstanceQuery,
    before_id: Option<i64>,
) -> Result<Vec<Instance>, StoreError> {
    let mut query = table::select::<Instance>(TABLE);
    query
        .push("deleted = ")
        .push_bind(i64::from(wanted.deleted));
    let texts = [
        (" AND display_name = ", &wanted.name),
        (" AND host = ", &wanted.host),
        (" AND node = ", &wanted.node),
        (" AND project_id = ", &wanted.project_id),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            query.push(condition).push_bind(value.clone());
        }
    }
    if let Some(part) = &wanted.name_contains {
        query
            .push(" AND instr(display_name, ")
            .push_bind(part.clone())
            .push(") > 0");
    }
    let states = Expected {
        vm_states: wanted.vm_states.clone(),
        task_states: wanted.task_states.clone(),
        host: None,
    };
    push_expected(&mut query, &states);
    if let Some(id) = before_id {
        query.push(" AND id < ").push_bind(id);
    }
    let limit = wanted.limit.unwrap_or(LIST_MAX).min(LIST_MAX);
    query
        .push(" ORDER BY id DESC LIMIT ")
        .push_bind(i64::from(limit));
    table::fetch(query, from, "list instances").await
}

/// The row number of a marker, deleted or not.
pub(crate) async fn marker<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    uuid: &str,
) -> Result<i64, StoreError> {
    let failed = |error| StoreError::database("find the marker of a list", error);
    let sql = "SELECT id FROM instances WHERE uuid = ?";
    let found = sqlx::query_scalar(sql)
        .bind(uuid)
        .fetch_optional(from)
        .await
        .map_err(failed)?;
    found.ok_or_else(|| ObjectError::NotFound("marker".to_owned(), uuid.to_owned()).into())
}

/// All instances of a host that are not deleted, oldest first; bounded by what a host can run.
pub(crate) async fn by_host<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    host: &str,
) -> Result<Vec<Instance>, StoreError> {
    let mut query = table::select::<Instance>(TABLE);
    query
        .push("deleted = 0 AND host = ")
        .push_bind(host.to_owned())
        .push(" ORDER BY id");
    table::fetch(query, from, "list the instances of a host").await
}

/// A page of the instances that have a host and are not deleted, oldest first, those behind a row
/// number, with the fields of [`InstanceList::get_placed`](longshore_objects::InstanceList).
pub(crate) async fn placed<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    after_id: i64,
) -> Result<Vec<Instance>, StoreError> {
    let failed = |error| StoreError::database("list the instances of all hosts", error);
    let sql = "SELECT id, uuid, host, project_id, \
               json_extract(flavor, '$.\"nova_object.data\".flavorid') FROM instances \
               WHERE id > ? AND deleted = 0 AND host IS NOT NULL ORDER BY id LIMIT ?";
    type Row = (i64, String, String, Option<String>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(sql)
        .bind(after_id)
        .bind(i64::from(LIST_MAX))
        .fetch_all(from)
        .await
        .map_err(failed)?;
    let instance = |(id, uuid, host, project, flavorid): Row| {
        let mut instance = Instance::new();
        let mut flavor = Flavor::new();
        flavor.set_flavorid(flavorid.unwrap_or_default());
        instance
            .set_id(id)
            .set_uuid(uuid)
            .set_host(host)
            .set_project_id(project)
            .set_flavor(flavor);
        instance.reset_changes();
        instance
    };
    Ok(rows.into_iter().map(instance).collect())
}

/// What a project uses, counted from its instances.
pub(crate) async fn usage<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    project: &str,
) -> Result<ProjectUsage, StoreError> {
    let failed = |error| StoreError::database("count the instances of a project", error);
    let sql = "SELECT count(*), coalesce(sum(vcpus), 0), coalesce(sum(memory_mb), 0) \
               FROM instances WHERE deleted = 0 AND project_id = ?";
    let row: (i64, i64, i64) = sqlx::query_as(sql)
        .bind(project)
        .fetch_one(from)
        .await
        .map_err(failed)?;
    Ok(ProjectUsage {
        instances: row.0,
        cores: row.1,
        ram_mb: row.2,
    })
}
