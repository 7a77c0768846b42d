//! The table of images: descriptions only, the bytes stay in their files.
//!
//! Must not open those files.

use longshore_objects::{ImageMeta, ObjectError, VersionedObject, now};
use serde_json::json;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Sqlite};

use crate::error::StoreError;
use crate::sqlite::table;

const TABLE: &str = "images";

fn not_found(id: &str) -> StoreError {
    ObjectError::NotFound("ImageMeta".to_owned(), id.to_owned()).into()
}

pub(crate) async fn create(
    conn: &mut SqliteConnection,
    image: &ImageMeta,
) -> Result<ImageMeta, StoreError> {
    let mut values = image.changed_fields();
    values.insert("created_at".to_owned(), json!(now().to_string()));
    values
        .entry("id")
        .or_insert_with(|| json!(uuid::Uuid::new_v4().to_string()));
    table::insert(conn, TABLE, &values, image.id()).await
}

pub(crate) async fn save(
    conn: &mut SqliteConnection,
    image: &ImageMeta,
) -> Result<ImageMeta, StoreError> {
    let mut values = image.changed_fields();
    for fixed in ["id", "created_at"] {
        values.remove(fixed);
    }
    values.insert("updated_at".to_owned(), json!(now().to_string()));
    let mut query = table::update::<ImageMeta>(TABLE, &values);
    query
        .push("id = ")
        .push_bind(image.id().to_owned())
        .push(" RETURNING ");
    table::push_columns::<ImageMeta>(&mut query);
    let row = table::fetch(query, conn, "save an image").await?.pop();
    row.ok_or_else(|| not_found(image.id()))
}

pub(crate) async fn destroy(conn: &mut SqliteConnection, id: &str) -> Result<(), StoreError> {
    let failed = |error| StoreError::database("delete an image", error);
    let sql = "DELETE FROM images WHERE id = ?";
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

pub(crate) async fn by_id<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    id: &str,
) -> Result<ImageMeta, StoreError> {
    let mut query = table::select::<ImageMeta>(TABLE);
    query.push("id = ").push_bind(id.to_owned());
    table::fetch(query, from, "read an image")
        .await?
        .pop()
        .ok_or_else(|| not_found(id))
}

/// All images, or those of a name.
pub(crate) async fn list<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    name: Option<&str>,
) -> Result<Vec<ImageMeta>, StoreError> {
    let mut query = table::select::<ImageMeta>(TABLE);
    match name {
        Some(name) => query.push("name = ").push_bind(name.to_owned()),
        None => query.push("1 = 1"),
    };
    query.push(" ORDER BY created_at, id");
    table::fetch(query, from, "list images").await
}
