//! The columns of a row, read strictly. This alone knows what a row of the engine is.

use dskpp::server::DeviceRef;
use dskpp_crypto::Secret;
use pskc::DateTime;
use rusqlite::Connection;
pub(super) use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use super::{StoreError, Unreadable};
use crate::store::seal::Kek;

/// The columns of a row, the first of which is its identifier.
pub(super) struct Columns<'a> {
    table: &'static str,
    row: &'a Row<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(table: &'static str, row: &'a Row<'a>) -> Self {
        Columns { table, row }
    }

    /// What the same row has of another table.
    pub(super) fn of_table(&self, table: &'static str) -> Self {
        Columns { table, row: self.row }
    }

    /// A value as it stands.
    pub(super) fn get<T: FromSql>(&self, i: usize) -> Result<T, StoreError> {
        self.row.get(i).map_err(|_| self.unreadable(i))
    }

    /// A text that means something.
    pub(super) fn parse<T>(&self, i: usize, meaning: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        self.parse_if_any(i, meaning)?.ok_or_else(|| self.unreadable(i))
    }

    /// The same where there may be none.
    pub(super) fn parse_if_any<T>(
        &self,
        i: usize,
        meaning: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let text = self.row.get_ref(i).ok().and_then(|value| value.as_str_or_null().ok());
        match text.ok_or_else(|| self.unreadable(i))? {
            None => Ok(None),
            Some(text) => meaning(text).map(Some).ok_or_else(|| self.unreadable(i)),
        }
    }

    /// A number within the type's range.
    pub(super) fn number<T: TryFrom<i64>>(&self, i: usize) -> Result<T, StoreError> {
        self.number_if_any(i)?.ok_or_else(|| self.unreadable(i))
    }

    /// The same where there may be none.
    pub(super) fn number_if_any<T: TryFrom<i64>>(&self, i: usize) -> Result<Option<T>, StoreError> {
        let number = self.get::<Option<i64>>(i)?.map(T::try_from).transpose();
        number.map_err(|_| self.unreadable(i))
    }

    /// Seconds since 1970 that a calendar has.
    pub(super) fn time(&self, i: usize) -> Result<i64, StoreError> {
        self.time_if_any(i)?.ok_or_else(|| self.unreadable(i))
    }

    /// The same where there may be none.
    pub(super) fn time_if_any(&self, i: usize) -> Result<Option<i64>, StoreError> {
        match self.get(i)? {
            Some(time) if DateTime::from_unix_s(time).is_none() => Err(self.unreadable(i)),
            time => Ok(time),
        }
    }

    /// A device by its manufacturer, which stands in the column `i`, and its serial number, in the next; both or none.
    pub(super) fn device(&self, i: usize) -> Result<Option<DeviceRef>, StoreError> {
        match (self.get(i)?, self.get(i + 1)?) {
            (Some(manufacturer), Some(serial)) => Ok(Some(DeviceRef { manufacturer, serial })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(self.unreadable(i + 1)),
            (None, Some(_)) => Err(self.unreadable(i)),
        }
    }

    /// The secret that a column has, sealed to the row's identifier.
    pub(super) fn sealed(&self, kek: &Kek, column: &'static str, i: usize) -> Result<Secret, StoreError> {
        Ok(kek.open(self.table, column, &self.get::<String>(0)?, &self.get::<Vec<u8>>(i)?)?)
    }

    /// The same where there may be none.
    pub(super) fn sealed_if_any(
        &self,
        kek: &Kek,
        column: &'static str,
        i: usize,
    ) -> Result<Option<Secret>, StoreError> {
        match self.row.get_ref(i) {
            Ok(ValueRef::Null) => Ok(None),
            _ => self.sealed(kek, column, i).map(Some),
        }
    }

    /// The same in the same time: nobody may see whether there is one (profile P16).
    pub(super) fn sealed_or_nothing(
        &self,
        kek: &Kek,
        column: &'static str,
        i: usize,
    ) -> Result<Option<Secret>, StoreError> {
        let opened = self.sealed_if_any(kek, column, i)?;
        if opened.is_none() {
            kek.open_nothing();
        }
        Ok(opened)
    }

    /// Whether the column `id` names a row of another table of which `found` should have come, and did not.
    pub(super) fn leads_nowhere(&self, id: usize, found: usize) -> bool {
        let is_null = |i| matches!(self.row.get_ref(i), Ok(ValueRef::Null));
        !is_null(id) && is_null(found)
    }

    pub(super) fn unreadable(&self, i: usize) -> StoreError {
        let column = self.row.as_ref().column_name(i).map_or_else(|_| i.to_string(), str::to_owned);
        let row = self.row.get(0).unwrap_or_else(|_| "unreadable too".to_owned());
        StoreError::Row(Unreadable { table: self.table, column, row })
    }
}

/// For strangers and for searches among many: a row that cannot be read is as good as none, and the log names it.
pub(super) fn readable<T>(found: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Err(why @ (StoreError::Row(_) | StoreError::Sealed(_))) => {
            tracing::error!("{why}");
            Ok(None)
        }
        found => found,
    }
}

/// A list goes on behind a row that cannot be read.
pub(super) fn listed<T>(found: Result<T, StoreError>) -> Result<Result<T, Unreadable>, StoreError> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(StoreError::Row(why)) => {
            tracing::error!("{why}");
            Ok(Err(why))
        }
        Err(why) => Err(why),
    }
}

/// What `read` makes of the first row that a query finds.
pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    db.prepare_cached(sql)?.query_and_then(values, read)?.next().transpose()
}

/// The second column of that row, which is of `table`; the first one is its identifier.
pub(super) fn value<T: FromSql>(
    db: &Connection,
    table: &'static str,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Option<T>, StoreError> {
    first(db, sql, values, |row| Columns::of(table, row).get(1))
}

/// The secret in the second column of that row, which is sealed to `table` and `column`; none where that is NULL.
pub(super) fn secret(
    db: &Connection,
    kek: &Kek,
    (table, column): (&'static str, &'static str),
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Option<Secret>, StoreError> {
    let read = |row: &Row<'_>| Columns::of(table, row).sealed_if_any(kek, column, 1);
    first(db, sql, values, read).map(Option::flatten)
}

/// What was read of a row, if its column `asked_for` says that it is the one; see
/// [`row_or_first`](super::stand_in::row_or_first). A row that stands in may be damaged.
pub(super) fn if_asked_for<T>(
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> impl FnMut(&Row<'_>) -> Result<Option<T>, StoreError> {
    move |row| {
        let found = read(row);
        match row.get("asked_for")? {
            true => found.map(Some),
            false => Ok(None),
        }
    }
}

/// Some rows of a list, in the order of their identifiers.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    /// What they are; of one that cannot be read, why.
    pub items: Vec<Result<T, Unreadable>>,
    /// The identifier behind which the next page begins, if there is one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The first `limit` of the rows that a query finds, which asks for one more.
    pub(super) fn of(
        rows: impl Iterator<Item = Result<T, StoreError>>,
        limit: usize,
        id: impl FnOnce(&T) -> &str,
    ) -> Result<Self, StoreError> {
        let mut items = rows.map(listed).collect::<Result<Vec<_>, _>>()?;
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let last = items.last().filter(|_| !is_last);
        let next = last.map(|item| item.as_ref().map_or_else(|why| why.row.clone(), |item| id(item).to_owned()));
        Ok(Page { items, next })
    }
}
