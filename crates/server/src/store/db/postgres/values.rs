//! Values as they travel to a server, and cells as they come back.

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::store::db::{Cell, Value};

/// A value that lives as long as its statement is on its way.
pub(super) enum Owned {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

pub(super) fn owned(values: &[Value<'_>]) -> Vec<Owned> {
    let owned = |value: &Value<'_>| match *value {
        Value::Int(number) => Owned::Int(number),
        Value::Text(text) => Owned::Text(text.map(str::to_owned)),
        Value::Blob(octets) => Owned::Blob(octets.map(<[u8]>::to_vec)),
    };
    values.iter().map(owned).collect()
}

pub(super) fn borrowed(values: &[Owned]) -> Vec<Value<'_>> {
    let borrowed = |value| match value {
        &Owned::Int(number) => Value::Int(number),
        Owned::Text(text) => Value::Text(text.as_deref()),
        Owned::Blob(octets) => Value::Blob(octets.as_deref()),
    };
    values.iter().map(borrowed).collect()
}

/// Whether a text has a NUL character, which no text in this engine has: no row matches it.
pub(super) fn has_nul(values: &[Value<'_>]) -> bool {
    values.iter().any(|value| matches!(value, Value::Text(Some(text)) if text.contains('\0')))
}

pub(super) fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Blob(_) => Type::BYTEA,
    }
}

pub(in crate::store::db) fn cell(row: &Row, i: usize) -> Option<Cell<'_>> {
    let is_of = |types: &[Type]| row.columns().get(i).is_some_and(|column| types.contains(column.type_()));
    let cell = if is_of(&[Type::INT8]) {
        row.try_get::<_, Option<i64>>(i).ok()?.map(Cell::Int)
    } else if is_of(&[Type::INT4]) {
        row.try_get::<_, Option<i32>>(i).ok()?.map(|number| Cell::Int(number.into()))
    } else if is_of(&[Type::BOOL]) {
        row.try_get::<_, Option<bool>>(i).ok()?.map(|flag| Cell::Int(flag.into()))
    } else if is_of(&[Type::TEXT]) {
        row.try_get::<_, Option<&str>>(i).ok()?.map(Cell::Text)
    } else if is_of(&[Type::BYTEA]) {
        row.try_get::<_, Option<&[u8]>>(i).ok()?.map(Cell::Blob)
    } else {
        return None;
    };
    Some(cell.unwrap_or(Cell::Null))
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value") // `ToSql` asks for it; the value may be secret
    }
}

type Written = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Written {
        match self {
            Value::Int(number) => number.to_sql(of, out),
            Value::Text(text) => text.to_sql(of, out),
            Value::Blob(octets) => octets.to_sql(of, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // statements are prepared with the types of their values
    }

    to_sql_checked!();
}
