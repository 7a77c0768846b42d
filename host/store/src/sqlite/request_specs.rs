//! The table of request specs: one wire object per instance.
//!
//! Must not look into the spec. Written with the instance, read again for each retry.

use longshore_objects::{ObjectError, RequestSpec, VersionedObject};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Sqlite};

use crate::codes;
use crate::error::StoreError;
use crate::sqlite::table;

/// Inserts or replaces the spec of an instance; returns it with its row number.
pub(crate) async fn save(
    conn: &mut SqliteConnection,
    spec: &RequestSpec,
) -> Result<RequestSpec, StoreError> {
    let mut saved = spec.clone();
    saved.clear("id");
    saved.reset_changes();
    let sql = "INSERT INTO request_specs (instance_uuid, spec) VALUES (?, ?) \
               ON CONFLICT (instance_uuid) DO UPDATE SET spec = excluded.spec RETURNING id";
    let uuid = spec.instance_uuid();
    let id: i64 = sqlx::query_scalar(sql)
        .bind(uuid)
        .bind(saved.to_primitive().to_string())
        .fetch_one(conn)
        .await
        .map_err(|error| table::refused::<RequestSpec>(error, uuid))?;
    saved.set_id(id);
    saved.reset_changes();
    Ok(saved)
}

pub(crate) async fn read<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    uuid: &str,
) -> Result<RequestSpec, StoreError> {
    let failed = |error| StoreError::database("read a request spec", error);
    let sql = "SELECT id, spec FROM request_specs WHERE instance_uuid = ?";
    let row: Option<(i64, String)> = sqlx::query_as(sql)
        .bind(uuid)
        .fetch_optional(from)
        .await
        .map_err(failed)?;
    let Some((id, text)) = row else {
        return Err(ObjectError::NotFound("RequestSpec".to_owned(), uuid.to_owned()).into());
    };
    let bad = |why: String| {
        StoreError::fault(
            codes::BAD_ROW,
            format!("read the request spec of `{uuid}`"),
            why,
        )
    };
    let value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let mut spec = RequestSpec::from_primitive(&value).map_err(|error| bad(error.to_string()))?;
    spec.set_id(id);
    spec.reset_changes();
    Ok(spec)
}
