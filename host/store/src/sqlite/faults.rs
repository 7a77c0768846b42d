//! The table of instance faults: written once, never changed.
//!
//! Must not know the instance's state.

use longshore_objects::{InstanceFault, VersionedObject, now};
use serde_json::json;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Sqlite};

use crate::error::StoreError;
use crate::sqlite::table;

const TABLE: &str = "instance_faults";

pub(crate) async fn create(
    conn: &mut SqliteConnection,
    fault: &InstanceFault,
) -> Result<InstanceFault, StoreError> {
    let mut values = fault.changed_fields();
    values.remove("id");
    values
        .entry("created_at")
        .or_insert(json!(now().to_string()));
    table::insert(conn, TABLE, &values, fault.instance_uuid()).await
}

/// The latest fault of each of these instances that has one, in no order.
pub(crate) async fn latest<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    uuids: &[String],
) -> Result<Vec<InstanceFault>, StoreError> {
    let mut query = table::select::<InstanceFault>(TABLE);
    query.push("id IN (SELECT max(id) FROM instance_faults WHERE instance_uuid IN (");
    let mut list = query.separated(", ");
    for uuid in uuids {
        list.push_bind(uuid.clone());
    }
    query.push(") GROUP BY instance_uuid)");
    table::fetch(query, from, "read the faults of instances").await
}
