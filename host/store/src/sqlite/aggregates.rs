//! The tables of aggregates and of their hosts: each write gives the aggregate a new, larger generation.
//!
//! Holds the two rules that more than one row decides, and that must hold while others write: a host is in one zone at
//! most, and only an empty aggregate is deleted. Must not know which hosts there are.

use std::collections::HashMap;

use longshore_objects::aggregate::update_pairs;
use longshore_objects::{Aggregate, MetadataUpdates, ObjectError, VersionedObject, ZONE_KEY, now};
use serde_json::{Map, Value, json};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, QueryBuilder, Row, Sqlite};

use crate::error::StoreError;
use crate::sqlite::table;

const TABLE: &str = "aggregates";
/// The view that has the hosts as well.
const WHOLE: &str = "aggregates_with_hosts";
/// What a host of an aggregate is called in errors.
const HOST: &str = "AggregateHost";

fn not_found(id: i64) -> StoreError {
    ObjectError::NotFound("Aggregate".to_owned(), id.to_string()).into()
}

fn refused(action: &str, reason: impl Into<String>) -> StoreError {
    ObjectError::ObjectAction(action.to_owned(), reason.into()).into()
}

/// Hosts of the object are left out: they are added one by one.
pub(crate) async fn create(
    conn: &mut SqliteConnection,
    aggregate: &Aggregate,
) -> Result<Aggregate, StoreError> {
    if aggregate.availability_zone() == Some("") {
        return Err(no_zone("create", aggregate.name()));
    }
    let generation = table::next_generation(conn, TABLE).await?;
    let uuid = match aggregate.uuid() {
        "" => uuid::Uuid::new_v4().to_string(),
        given => given.to_owned(),
    };
    let sql = "INSERT INTO aggregates (uuid, name, metadata, created_at, generation) \
               VALUES (?, ?, ?, ?, ?) RETURNING id";
    let created = sqlx::query_scalar(sql)
        .bind(uuid)
        .bind(aggregate.name())
        .bind(json!(aggregate.metadata()).to_string())
        .bind(now().to_string())
        .bind(generation)
        .fetch_one(&mut *conn)
        .await;
    let id = created.map_err(|error| table::refused::<Aggregate>(error, aggregate.name()))?;
    by_id(conn, id).await
}

/// Writes the name, if one is given, and changes the metadata.
pub(crate) async fn update(
    conn: &mut SqliteConnection,
    id: i64,
    name: Option<&str>,
    updates: MetadataUpdates,
) -> Result<Aggregate, StoreError> {
    let before = by_id(&mut *conn, id).await?;
    let mut values = Map::new();
    if let Some(name) = name {
        values.insert("name".to_owned(), json!(name));
    }
    if !updates.is_empty() {
        if let Some(zone) = updates.get(ZONE_KEY) {
            let zone = zone.as_deref().filter(|zone| !zone.is_empty());
            let zone = zone.ok_or_else(|| no_zone("update_metadata", before.name()))?;
            check_zone(conn, "update_metadata", id, zone, before.hosts()).await?;
        }
        let mut metadata = before.metadata().clone();
        update_pairs(&mut metadata, updates);
        values.insert("metadata".to_owned(), json!(metadata));
    }
    write(conn, id, values, name.unwrap_or(before.name())).await?;
    by_id(conn, id).await
}

pub(crate) async fn add_host(
    conn: &mut SqliteConnection,
    id: i64,
    host: &str,
) -> Result<Aggregate, StoreError> {
    let before = by_id(&mut *conn, id).await?;
    if let Some(zone) = before.availability_zone() {
        check_zone(conn, "add_host", id, zone, &[host.to_owned()]).await?;
    }
    let sql = "INSERT OR IGNORE INTO aggregate_hosts (aggregate_id, host) VALUES (?, ?)";
    if change_host(conn, sql, id, host).await? == 0 {
        return Err(ObjectError::Exists(HOST.to_owned(), host.to_owned()).into());
    }
    write(conn, id, Map::new(), before.name()).await?;
    by_id(conn, id).await
}

pub(crate) async fn delete_host(
    conn: &mut SqliteConnection,
    id: i64,
    host: &str,
) -> Result<Aggregate, StoreError> {
    let before = by_id(&mut *conn, id).await?;
    let sql = "DELETE FROM aggregate_hosts WHERE aggregate_id = ? AND host = ?";
    if change_host(conn, sql, id, host).await? == 0 {
        return Err(ObjectError::NotFound(HOST.to_owned(), host.to_owned()).into());
    }
    write(conn, id, Map::new(), before.name()).await?;
    by_id(conn, id).await
}

/// Runs a statement over (aggregate, host), and says how many rows it changed.
async fn change_host(
    conn: &mut SqliteConnection,
    sql: &'static str,
    id: i64,
    host: &str,
) -> Result<u64, StoreError> {
    let done = sqlx::query(sql).bind(id).bind(host).execute(conn).await;
    let failed = |error| StoreError::database("change the hosts of an aggregate", error);
    Ok(done.map_err(failed)?.rows_affected())
}

pub(crate) async fn destroy(conn: &mut SqliteConnection, id: i64) -> Result<Aggregate, StoreError> {
    let mut gone = by_id(&mut *conn, id).await?;
    if !gone.hosts().is_empty() {
        return Err(refused("destroy", "Host aggregate is not empty"));
    }
    let at = now();
    let values = Map::from_iter([
        ("deleted".to_owned(), json!(true)),
        ("deleted_at".to_owned(), json!(at.to_string())),
    ]);
    let generation = write(conn, id, values, gone.name()).await?;
    gone.set_deleted(true)
        .set_deleted_at(at)
        .set_generation(generation);
    gone.reset_changes();
    Ok(gone)
}

/// Writes columns of a live row, and numbers the change.
async fn write(
    conn: &mut SqliteConnection,
    id: i64,
    mut values: Map<String, Value>,
    name: &str,
) -> Result<i64, StoreError> {
    let generation = table::next_generation(conn, TABLE).await?;
    values.insert("generation".to_owned(), json!(generation));
    values.insert("updated_at".to_owned(), json!(now().to_string()));
    let mut query = table::update::<Aggregate>(TABLE, &values);
    query.push("id = ").push_bind(id).push(" AND deleted = 0");
    let done = query.build().execute(conn).await;
    let done = done.map_err(|error| table::refused::<Aggregate>(error, name))?;
    match done.rows_affected() {
        0 => Err(not_found(id)),
        _ => Ok(generation),
    }
}

fn no_zone(action: &str, name: &str) -> StoreError {
    let reason = format!("Aggregate {name} does not support empty named availability zone");
    refused(action, reason)
}

/// Refuses a zone for hosts of which another aggregate puts one into another zone.
async fn check_zone(
    conn: &mut SqliteConnection,
    action: &str,
    id: i64,
    zone: &str,
    hosts: &[String],
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT DISTINCT zone FROM host_zones WHERE ");
    push_hosts(&mut query, hosts);
    query.push(" AND aggregate_id <> ").push_bind(id);
    query.push(" AND zone <> ").push_bind(zone.to_owned());
    query.push(" ORDER BY zone");
    let failed = |error| StoreError::database("look for other zones of hosts", error);
    let others: Vec<String> = query
        .build_query_scalar()
        .fetch_all(conn)
        .await
        .map_err(failed)?;
    if others.is_empty() {
        return Ok(());
    }
    let others = others.join(", ");
    let reason = format!("One or more hosts already in availability zone(s) {others}");
    Err(refused(action, reason))
}

/// One parameter, however many hosts there are.
fn push_hosts(query: &mut QueryBuilder<Sqlite>, hosts: &[String]) {
    query
        .push("host IN (SELECT value FROM json_each(")
        .push_bind(json!(hosts).to_string())
        .push("))");
}

pub(crate) async fn by_id<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    id: i64,
) -> Result<Aggregate, StoreError> {
    let mut query = table::select::<Aggregate>(WHOLE);
    query.push("deleted = 0 AND id = ").push_bind(id);
    let row = table::fetch(query, from, "read an aggregate").await?.pop();
    row.ok_or_else(|| not_found(id))
}

/// All that are not deleted, or those of a host.
pub(crate) async fn list<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    host: Option<&str>,
) -> Result<Vec<Aggregate>, StoreError> {
    let mut query = table::select::<Aggregate>(WHOLE);
    query.push("deleted = 0");
    if let Some(host) = host {
        query
            .push(" AND id IN (SELECT aggregate_id FROM aggregate_hosts WHERE host = ")
            .push_bind(host.to_owned())
            .push(")");
    }
    query.push(" ORDER BY id");
    table::fetch(query, from, "list aggregates").await
}

/// Those written after a generation, deleted ones included, in the order of their generations.
pub(crate) async fn changed_since<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    generation: i64,
) -> Result<Vec<Aggregate>, StoreError> {
    let mut query = table::select::<Aggregate>(WHOLE);
    query
        .push("generation > ")
        .push_bind(generation)
        .push(" ORDER BY generation");
    table::fetch(query, from, "list changed aggregates").await
}

/// The zone of each of these hosts, or of all, that an aggregate puts into one.
pub(crate) async fn zones<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    hosts: Option<&[String]>,
) -> Result<HashMap<String, String>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT host, zone FROM host_zones");
    if let Some(hosts) = hosts {
        query.push(" WHERE ");
        push_hosts(&mut query, hosts);
    }
    let failed = |error| StoreError::database("read the zones of hosts", error);
    let rows = query.build().fetch_all(from).await.map_err(failed)?;
    let pair = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
    let pairs: Result<_, sqlx::Error> = rows.iter().map(pair).collect();
    pairs.map_err(failed)
}

/// Whether an enabled service of this binary is on a host of the zone; hosts in no zone are in `default_zone`.
pub(crate) async fn zone_has_service<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    zone: &str,
    default_zone: &str,
    binary: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM services LEFT JOIN host_zones USING (host) \
               WHERE deleted = 0 AND disabled = 0 AND \"binary\" = ? AND coalesce(zone, ?) = ?)";
    let asked = sqlx::query_scalar(sql)
        .bind(binary)
        .bind(default_zone)
        .bind(zone);
    let found = asked.fetch_one(from).await;
    found.map_err(|error| StoreError::database("look for a zone's services", error))
}
