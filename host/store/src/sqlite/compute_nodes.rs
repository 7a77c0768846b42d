//! The table of compute nodes: each write gives the row a new, larger generation.
//!
//! A deleted node keeps its row, so that readers of changes see that it went. Must not judge the
//! figures.

use longshore_objects::{ComputeNode, ObjectError, now};
use serde_json::{Map, Value, json};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Sqlite};

use crate::error::StoreError;
use crate::sqlite::table;

const TABLE: &str = "compute_nodes";

pub(crate) async fn create(
    conn: &mut SqliteConnection,
    mut values: Map<String, Value>,
) -> Result<ComputeNode, StoreError> {
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
    let identity = format!("{}/{}", text("host"), text("hypervisor_hostname"));
    table::insert(conn, TABLE, &values, &identity).await
}

/// Writes fields of a live row; `deleted` among them deletes it.
pub(crate) async fn save(
    conn: &mut SqliteConnection,
    id: i64,
    mut values: Map<String, Value>,
) -> Result<ComputeNode, StoreError> {
    let generation = table::next_generation(conn, TABLE).await?;
    for fixed in ["id", "uuid", "created_at"] {
        values.remove(fixed);
    }
    values.insert("generation".to_owned(), json!(generation));
    values.insert("updated_at".to_owned(), json!(now().to_string()));
    let mut query = table::update::<ComputeNode>(TABLE, &values);
    query
        .push("id = ")
        .push_bind(id)
        .push(" AND deleted = 0 RETURNING ");
    table::push_columns::<ComputeNode>(&mut query);
    let row = table::fetch(query, conn, "save a compute node")
        .await?
        .pop();
    row.ok_or_else(|| not_found(&id.to_string()))
}

pub(crate) async fn destroy(
    conn: &mut SqliteConnection,
    id: i64,
) -> Result<ComputeNode, StoreError> {
    let values = Map::from_iter([
        ("deleted".to_owned(), json!(true)),
        ("deleted_at".to_owned(), json!(now().to_string())),
    ]);
    save(conn, id, values).await
}

fn not_found(identity: &str) -> StoreError {
    ObjectError::NotFound("ComputeNode".to_owned(), identity.to_owned()).into()
}

pub(crate) async fn read<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    host: &str,
    node: &str,
) -> Result<ComputeNode, StoreError> {
    let mut query = table::select::<ComputeNode>(TABLE);
    query
        .push("deleted = 0 AND host = ")
        .push_bind(host.to_owned());
    query
        .push(" AND hypervisor_hostname = ")
        .push_bind(node.to_owned());
    let row = table::fetch(query, from, "read a compute node")
        .await?
        .pop();
    row.ok_or_else(|| not_found(&format!("{host}/{node}")))
}

/// All live nodes, or those of one host.
pub(crate) async fn list<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    host: Option<&str>,
) -> Result<Vec<ComputeNode>, StoreError> {
    let mut query = table::select::<ComputeNode>(TABLE);
    query.push("deleted = 0");
    if let Some(host) = host {
        query.push(" AND host = ").push_bind(host.to_owned());
    }
    query.push(" ORDER BY id");
    table::fetch(query, from, "list compute nodes").await
}

/// Rows written after a generation, deleted ones included, in the order of their generations.
pub(crate) async fn changed_since<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    generation: i64,
) -> Result<Vec<ComputeNode>, StoreError> {
    let mut query = table::select::<ComputeNode>(TABLE);
    query
        .push("generation > ")
        .push_bind(generation)
        .push(" ORDER BY generation");
    table::fetch(query, from, "list changed compute nodes").await
}
