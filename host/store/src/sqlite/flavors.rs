//! The table of flavors, found by public identifier or by name.
//!
//! Must not know which instances were made from one: they keep their own copy.

use longshore_objects::aggregate::update_pairs;
use longshore_objects::{Flavor, MetadataUpdates, ObjectError, VersionedObject, now};
use serde_json::json;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Sqlite};

use crate::error::StoreError;
use crate::sqlite::table;

const TABLE: &str = "flavors";

fn not_found(id: &str) -> StoreError {
    ObjectError::NotFound("Flavor".to_owned(), id.to_owned()).into()
}

pub(crate) async fn create(
    conn: &mut SqliteConnection,
    flavor: &Flavor,
) -> Result<Flavor, StoreError> {
    let mut values = flavor.changed_fields();
    values.remove("id");
    values.insert("created_at".to_owned(), json!(now().to_string()));
    values
        .entry("flavorid")
        .or_insert_with(|| json!(uuid::Uuid::new_v4().to_string()));
    table::insert(conn, TABLE, &values, flavor.name()).await
}

pub(crate) async fn save(
    conn: &mut SqliteConnection,
    flavor: &Flavor,
) -> Result<Flavor, StoreError> {
    let mut values = flavor.changed_fields();
    for fixed in ["id", "flavorid", "created_at"] {
        values.remove(fixed);
    }
    values.insert("updated_at".to_owned(), json!(now().to_string()));
    let mut query = table::update::<Flavor>(TABLE, &values);
    query
        .push("flavorid = ")
        .push_bind(flavor.flavorid().to_owned())
        .push(" RETURNING ");
    table::push_columns::<Flavor>(&mut query);
    let row = query.build().fetch_optional(conn).await;
    let row = row.map_err(|error| table::refused::<Flavor>(error, flavor.name()))?;
    table::object(&row.ok_or_else(|| not_found(flavor.flavorid()))?)
}

/// Reads and writes in one step, so that of two changes at a time none is lost.
pub(crate) async fn update_extra_specs(
    conn: &mut SqliteConnection,
    id: &str,
    updates: MetadataUpdates,
) -> Result<Flavor, StoreError> {
    let mut flavor = by_id(&mut *conn, id).await?;
    let mut specs = flavor.extra_specs().clone();
    update_pairs(&mut specs, updates);
    flavor.set_extra_specs(specs);
    save(conn, &flavor).await
}

pub(crate) async fn destroy(conn: &mut SqliteConnection, id: &str) -> Result<(), StoreError> {
    let failed = |error| StoreError::database("delete a flavor", error);
    let sql = "DELETE FROM flavors WHERE flavorid = ?";
    let done = sqlx::query(sql)
        .bind(id)
        .execute(conn)
        .await
        .map_err(failed)?;
    if done.rows_affected() == 0 {
        Err(not_found(id))
    } else {
        Ok(())
    }
}

/// By public identifier.
pub(crate) async fn by_id<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    id: &str,
) -> Result<Flavor, StoreError> {
    let mut query = table::select::<Flavor>(TABLE);
    query.push("flavorid = ").push_bind(id.to_owned());
    table::fetch(query, from, "read a flavor")
        .await?
        .pop()
        .ok_or_else(|| not_found(id))
}

/// By public identifier, else by name.
pub(crate) async fn find<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    id_or_name: &str,
) -> Result<Flavor, StoreError> {
    let mut query = table::select::<Flavor>(TABLE);
    query.push("flavorid = ").push_bind(id_or_name.to_owned());
    query.push(" OR name = ").push_bind(id_or_name.to_owned());
    query
        .push(" ORDER BY flavorid <> ")
        .push_bind(id_or_name.to_owned())
        .push(" LIMIT 1");
    table::fetch(query, from, "find a flavor")
        .await?
        .pop()
        .ok_or_else(|| not_found(id_or_name))
}

pub(crate) async fn list<'e>(
    from: impl Executor<'e, Database = Sqlite>,
) -> Result<Vec<Flavor>, StoreError> {
    let mut query = table::select::<Flavor>(TABLE);
    query.push("1 = 1 ORDER BY id");
    table::fetch(query, from, "list flavors").await
}
