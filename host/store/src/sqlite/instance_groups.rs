//! The tables of server groups: read through a view that has members and hosts as they are now.
//!
//! Must not know what a policy means. A group that is deleted leaves its members as they are.

use longshore_objects::{InstanceGroup, ObjectError, VersionedObject, now};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Sqlite};

use crate::error::StoreError;
use crate::sqlite::table;

/// Groups with their members and hosts.
const VIEW: &str = "instance_groups_now";

fn not_found(id: &str) -> StoreError {
    ObjectError::NotFound(InstanceGroup::NAME.to_owned(), id.to_owned()).into()
}

/// Creates a group, unless its project has `max` of them; a missing uuid is made up. A negative
/// bound is none, here and for members.
pub(crate) async fn create(
    conn: &mut SqliteConnection,
    group: &InstanceGroup,
    max: i64,
) -> Result<InstanceGroup, StoreError> {
    let failed = |error| StoreError::database("count the server groups of a project", error);
    let sql = "SELECT count(*) FROM instance_groups WHERE project_id IS ?";
    let present: i64 = sqlx::query_scalar(sql)
        .bind(group.project_id())
        .fetch_one(&mut *conn)
        .await
        .map_err(failed)?;
    within("create server group", "server groups", present + 1, max)?;
    let uuid = match group.is_set("uuid") {
        true => group.uuid().to_owned(),
        false => uuid::Uuid::new_v4().to_string(),
    };
    let sql = "INSERT INTO instance_groups (uuid, name, user_id, project_id, policies, created_at) \
               VALUES (?, ?, ?, ?, ?, ?)";
    sqlx::query(sql)
        .bind(&uuid)
        .bind(group.name().unwrap_or_default())
        .bind(group.user_id())
        .bind(group.project_id())
        .bind(json!(group.policies()).to_string())
        .bind(now().to_string())
        .execute(&mut *conn)
        .await
        .map_err(|error| table::refused::<InstanceGroup>(error, &uuid))?;
    read(conn, &uuid).await
}

/// Makes instances members of a group, unless it then has more than `max` that are not deleted.
pub(crate) async fn enter(
    conn: &mut SqliteConnection,
    group: &str,
    instances: &[&str],
    max: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO instance_group_members (instance_uuid, group_id) \
               SELECT ?, id FROM instance_groups WHERE uuid = ?";
    for uuid in instances {
        let done = sqlx::query(sql)
            .bind(*uuid)
            .bind(group)
            .execute(&mut *conn)
            .await
            .map_err(|error| table::refused::<InstanceGroup>(error, uuid))?;
        if done.rows_affected() == 0 {
            return Err(not_found(group));
        }
    }
    let members = read(conn, group).await?.members().len();
    let members = i64::try_from(members).unwrap_or(i64::MAX);
    within("enter server group", "members", members, max)
}

fn within(action: &str, what: &str, wanted: i64, max: i64) -> Result<(), StoreError> {
    if max < 0 || wanted <= max {
        return Ok(());
    }
    let reason = format!("{wanted} {what} would be more than {max}");
    Err(ObjectError::ObjectAction(action.to_owned(), reason).into())
}

/// Deletes a group; its members stay.
pub(crate) async fn destroy(conn: &mut SqliteConnection, uuid: &str) -> Result<(), StoreError> {
    let failed = |error| StoreError::database("delete a server group", error);
    let sql = "DELETE FROM instance_groups WHERE uuid = ?";
    let done = sqlx::query(sql)
        .bind(uuid)
        .execute(conn)
        .await
        .map_err(failed)?;
    if done.rows_affected() == 0 {
        Err(not_found(uuid))
    } else {
        Ok(())
    }
}

pub(crate) async fn read<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    uuid: &str,
) -> Result<InstanceGroup, StoreError> {
    let mut query = table::select::<InstanceGroup>(VIEW);
    query.push("uuid = ").push_bind(uuid.to_owned());
    table::fetch(query, from, "read a server group")
        .await?
        .pop()
        .ok_or_else(|| not_found(uuid))
}

/// All groups, or those of a name, oldest first.
pub(crate) async fn list<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    name: Option<&str>,
) -> Result<Vec<InstanceGroup>, StoreError> {
    let mut query = table::select::<InstanceGroup>(VIEW);
    match name {
        Some(name) => query.push("name = ").push_bind(name.to_owned()),
        None => query.push("1 = 1"),
    };
    query.push(" ORDER BY id");
    table::fetch(query, from, "list server groups").await
}

/// The hosts of a group's members that are not deleted and not among `exclude`.
pub(crate) async fn hosts_without<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    uuid: &str,
    exclude: &[String],
) -> Result<Vec<String>, StoreError> {
    let failed = |error| StoreError::database("list the hosts of a server group", error);
    let sql = "SELECT DISTINCT i.host FROM instance_groups AS g \
               JOIN instance_group_members AS m ON m.group_id = g.id \
               JOIN instances AS i ON i.uuid = m.instance_uuid \
               WHERE g.uuid = ? AND i.deleted = 0 AND i.host IS NOT NULL \
               AND i.uuid NOT IN (SELECT value FROM json_each(?))";
    sqlx::query_scalar(sql)
        .bind(uuid)
        .bind(Value::from(exclude).to_string())
        .fetch_all(from)
        .await
        .map_err(failed)
}
