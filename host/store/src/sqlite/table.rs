//! Rows and objects: columns are the fields, by name.
//!
//! Booleans are 0 or 1, maps, lists and nested objects JSON text. Text that reaches a statement as
//! text is a field name of an object or a literal of this crate; values are always bound. Must not
//! know any table. Used by the files of the tables.

use longshore_objects::base::FieldInfo;
use longshore_objects::field::Kind;
use longshore_objects::{ObjectError, VersionedObject};
use serde_json::{Map, Value};
use sqlx::error::ErrorKind;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite, ValueRef};

use crate::codes;
use crate::error::StoreError;

/// Fields of objects that no table has as columns.
const LAZY: &[&str] = &["fault"];

fn columns<T: VersionedObject>() -> impl Iterator<Item = &'static FieldInfo> {
    T::FIELDS.iter().filter(|info| !LAZY.contains(&info.name))
}

/// `SELECT` of all columns of `T`, ready for a condition.
pub(crate) fn select<T: VersionedObject>(table: &'static str) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT ");
    push_columns::<T>(&mut query);
    query.push(" FROM ").push(table).push(" WHERE ");
    query
}

pub(crate) fn push_columns<T: VersionedObject>(query: &mut QueryBuilder<Sqlite>) {
    let mut list = query.separated(", ");
    for info in columns::<T>() {
        list.push(format_args!("\"{}\"", info.name));
    }
}

/// Binds a wire value.
pub(crate) fn push_value(query: &mut QueryBuilder<Sqlite>, value: &Value) {
    match value {
        Value::Null => query.push_bind(None::<String>),
        Value::Bool(flag) => query.push_bind(i64::from(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => query.push_bind(whole),
            None => query.push_bind(number.as_f64()),
        },
        Value::String(text) => query.push_bind(text.clone()),
        Value::Array(_) | Value::Object(_) => query.push_bind(value.to_string()),
    };
}

/// Adds `column IN (…)`, null in the list matching null; an empty list matches nothing.
pub(crate) fn push_in(
    query: &mut QueryBuilder<Sqlite>,
    column: &'static str,
    values: &[Option<&'static str>],
) {
    query.push("(").push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values.iter().flatten() {
        list.push_bind(*value);
    }
    query.push(")");
    if values.contains(&None) {
        query.push(" OR ").push(column).push(" IS NULL");
    }
    query.push(")");
}

/// Reads a row whose columns are those of `T`, in order; nothing is marked as changed.
pub(crate) fn object<T: VersionedObject>(row: &SqliteRow) -> Result<T, StoreError> {
    let what = format!("read a row of `{}`", T::NAME);
    let mut data = Map::new();
    for (index, info) in columns::<T>().enumerate() {
        let value = column(row, index, info).map_err(|why| {
            StoreError::fault(
                codes::BAD_ROW,
                &what,
                format!("column `{}`: {why}", info.name),
            )
        })?;
        // A null where the field allows none is a field that was never set.
        if info.nullable || !value.is_null() {
            data.insert(info.name.to_owned(), value);
        }
    }
    let mut object = T::default();
    object
        .assign_fields(&data)
        .map_err(|error| StoreError::fault(codes::BAD_ROW, &what, error.to_string()))?;
    object.reset_changes();
    Ok(object)
}

fn column(row: &SqliteRow, index: usize, info: &FieldInfo) -> Result<Value, String> {
    let text = |error: sqlx::Error| error.to_string();
    if row.try_get_raw(index).map_err(text)?.is_null() {
        return Ok(Value::Null);
    }
    Ok(match info.kind {
        Kind::Integer => Value::from(row.try_get_unchecked::<i64, _>(index).map_err(text)?),
        Kind::Boolean => Value::from(row.try_get_unchecked::<i64, _>(index).map_err(text)? != 0),
        Kind::Float => Value::from(row.try_get_unchecked::<f64, _>(index).map_err(text)?),
        Kind::Text => Value::from(row.try_get_unchecked::<String, _>(index).map_err(text)?),
        Kind::Json => {
            let json = row.try_get_unchecked::<String, _>(index).map_err(text)?;
            serde_json::from_str(&json).map_err(|error| error.to_string())?
        }
    })
}

/// Inserts the given columns and returns the whole row as an object.
///
/// `identity` names the record when its identity is taken, or the instance it refers to when that
/// does not exist.
pub(crate) async fn insert<T: VersionedObject>(
    conn: &mut SqliteConnection,
    table: &'static str,
    values: &Map<String, Value>,
    identity: &str,
) -> Result<T, StoreError> {
    let named: Vec<_> = columns::<T>()
        .filter_map(|c| Some((c, values.get(c.name)?)))
        .collect();
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO ");
    query.push(table).push(" (");
    let mut list = query.separated(", ");
    for (info, _) in &named {
        list.push(format_args!("\"{}\"", info.name));
    }
    query.push(") VALUES (");
    for (index, (_, value)) in named.iter().enumerate() {
        query.push(if index == 0 { "" } else { ", " });
        push_value(&mut query, value);
    }
    query.push(") RETURNING ");
    push_columns::<T>(&mut query);
    let row = query
        .build()
        .fetch_one(conn)
        .await
        .map_err(|error| refused::<T>(error, identity))?;
    object(&row)
}

/// Why a row of `T` was not written: a condition of the caller's, or a fault.
pub(crate) fn refused<T: VersionedObject>(error: sqlx::Error, identity: &str) -> StoreError {
    let kind = error.as_database_error().map(|report| report.kind());
    match kind {
        Some(ErrorKind::UniqueViolation) => {
            ObjectError::Exists(T::NAME.to_owned(), identity.to_owned()).into()
        }
        Some(ErrorKind::ForeignKeyViolation) => {
            ObjectError::InstanceNotFound(identity.to_owned()).into()
        }
        Some(ErrorKind::NotNullViolation) => {
            let reason = error.to_string();
            ObjectError::InvalidField(T::NAME.to_owned(), reason).into()
        }
        _ => StoreError::database(&format!("write `{}` `{identity}`", T::NAME), error),
    }
}

/// Starts `UPDATE table SET column = value, …`, ready for a condition; `values` are not empty.
pub(crate) fn update<T: VersionedObject>(
    table: &'static str,
    values: &Map<String, Value>,
) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new("UPDATE ");
    query.push(table).push(" SET ");
    let mut first = true;
    for (info, value) in columns::<T>().filter_map(|c| Some((c, values.get(c.name)?))) {
        query.push(if first { "" } else { ", " });
        first = false;
        query.push(format_args!("\"{}\" = ", info.name));
        push_value(&mut query, value);
    }
    query.push(" WHERE ");
    query
}

/// Runs a statement that returns rows of `T`.
pub(crate) async fn fetch<'e, T: VersionedObject>(
    mut query: QueryBuilder<Sqlite>,
    from: impl sqlx::Executor<'e, Database = Sqlite>,
    what: &str,
) -> Result<Vec<T>, StoreError> {
    let failed = |error| StoreError::database(what, error);
    let rows = query.build().fetch_all(from).await.map_err(failed)?;
    rows.iter().map(object).collect()
}

/// The next change number of a table that has them.
pub(crate) async fn next_generation(
    conn: &mut SqliteConnection,
    table: &'static str,
) -> Result<i64, StoreError> {
    let sql = "UPDATE generations SET value = value + 1 WHERE name = ? RETURNING value";
    let failed = |error| StoreError::database("number a change", error);
    sqlx::query_scalar(sql)
        .bind(table)
        .fetch_one(conn)
        .await
        .map_err(failed)
}
