//! The table of services: heartbeats and switches, each write with a new, larger generation.
//!
//! Stamps `last_seen_up` when the report count grows. Must not judge who is up.

use longshore_objects::{ObjectError, Service, now};
use serde_json::{Map, Value, json};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Sqlite};

use crate::error::StoreError;
use crate::sqlite::table;

const TABLE: &str = "services";

pub(crate) async fn create(
    conn: &mut SqliteConnection,
    mut values: Map<String, Value>,
) -> Result<Service, StoreError> {
    let generation = table::next_generation(conn, TABLE).await?;
    values.remove("id");
    values.insert("generation".to_owned(), json!(generation));
    let at = json!(now().to_string());
    values.insert("created_at".to_owned(), at.clone());
    values.insert("updated_at".to_owned(), at);
    values
        .entry("uuid")
        .or_insert_with(|| json!(uuid::Uuid::new_v4().to_string()));
    let text = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or("");
    let identity = format!("{}/{}", text("host"), text("binary"));
    table::insert(conn, TABLE, &values, &identity).await
}

/// Writes fields of a live row; `deleted` among them deletes it.
pub(crate) async fn save(
    conn: &mut SqliteConnection,
    id: i64,
    mut values: Map<String, Value>,
) -> Result<Service, StoreError> {
    let generation = table::next_generation(conn, TABLE).await?;
    for fixed in ["id", "uuid", "created_at"] {
        values.remove(fixed);
    }
    values.insert("generation".to_owned(), json!(generation));
    values.insert("updated_at".to_owned(), json!(now().to_string()));
    if let Some(count) = values.get("report_count").and_then(Value::as_i64)
        && count > report_count(conn, id).await?
    {
        values.insert("last_seen_up".to_owned(), json!(now().to_string()));
    }
    let mut query = table::update::<Service>(TABLE, &values);
    query
        .push("id = ")
        .push_bind(id)
        .push(" AND deleted = 0 RETURNING ");
    table::push_columns::<Service>(&mut query);
    let row = table::fetch(query, conn, "save a service").await?.pop();
    row.ok_or_else(|| not_found(&id.to_string()))
}

async fn report_count(conn: &mut SqliteConnection, id: i64) -> Result<i64, StoreError> {
    let failed = |error| StoreError::database("read a heartbeat", error);
    let sql = "SELECT report_count FROM services WHERE id = ?";
    let found = sqlx::query_scalar(sql)
        .bind(id)
        .fetch_optional(conn)
        .await
        .map_err(failed)?;
    Ok(found.unwrap_or(i64::MAX))
}

pub(crate) async fn destroy(conn: &mut SqliteConnection, id: i64) -> Result<Service, StoreError> {
    let values = Map::from_iter([
        ("deleted".to_owned(), json!(true)),
        ("deleted_at".to_owned(), json!(now().to_string())),
    ]);
    save(conn, id, values).await
}

fn not_found(identity: &str) -> StoreError {
    ObjectError::NotFound("Service".to_owned(), identity.to_owned()).into()
}

pub(crate) async fn read<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    host: &str,
    binary: &str,
) -> Result<Service, StoreError> {
    let mut query = table::select::<Service>(TABLE);
    query
        .push("deleted = 0 AND host = ")
        .push_bind(host.to_owned());
    query
        .push(" AND \"binary\" = ")
        .push_bind(binary.to_owned());
    let row = table::fetch(query, from, "read a service").await?.pop();
    row.ok_or_else(|| not_found(&format!("{host}/{binary}")))
}

/// All live services.
pub(crate) async fn list<'e>(
    from: impl Executor<'e, Database = Sqlite>,
) -> Result<Vec<Service>, StoreError> {
    let mut query = table::select::<Service>(TABLE);
    query.push("deleted = 0 ORDER BY id");
    table::fetch(query, from, "list services").await
}

/// Rows written after a generation, deleted ones included, in the order of their generations.
pub(crate) async fn changed_since<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    generation: i64,
) -> Result<Vec<Service>, StoreError> {
    let mut query = table::select::<Service>(TABLE);
    query
        .push("generation > ")
        .push_bind(generation)
        .push(" ORDER BY generation");
    table::fetch(query, from, "list changed services").await
}
