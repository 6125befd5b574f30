//! The columns of a row, read strictly.

use dskpp::server::DeviceRef;
use dskpp_crypto::Secret;
use pskc::DateTime;

pub(super) use super::db::Row;
use super::db::{Cell, Connection, FromCell, Value};
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
    pub(super) fn get<T: FromCell>(&self, i: usize) -> Result<T, StoreError> {
        self.row.cell(i).and_then(T::from_cell).ok_or_else(|| self.unreadable(i))
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
        match self.row.cell(i) {
            Some(Cell::Null) => Ok(None),
            Some(Cell::Text(text)) => meaning(text).map(Some).ok_or_else(|| self.unreadable(i)),
            _ => Err(self.unreadable(i)),
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
        match self.row.cell(i) {
            Some(Cell::Null) => Ok(None),
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
        let is_null = |i| self.row.cell(i) == Some(Cell::Null);
        !is_null(id) && is_null(found)
    }

    pub(super) fn unreadable(&self, i: usize) -> StoreError {
        let column = self.row.name(i).map_or_else(|| i.to_string(), str::to_owned);
        let row = self.row.cell(0).and_then(String::from_cell).unwrap_or_else(|| "unreadable too".to_owned());
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
        Err(StoreError::Sealed(why)) => {
            tracing::error!("{why}");
            Ok(Err(Unreadable { table: why.table, column: why.column.to_owned(), row: why.row }))
        }
        Err(why) => Err(why),
    }
}

/// The second column of the first row that a query finds, which is of `table`; the first column is its identifier.
pub(super) fn value<T: FromCell>(
    db: &Connection,
    table: &'static str,
    sql: &str,
    values: &[Value<'_>],
) -> Result<Option<T>, StoreError> {
    db.first(sql, values, |row| Columns::of(table, row).get(1))
}

/// The secret in the second column of that row, which is sealed to `table` and `column`; none where that is NULL.
pub(super) fn secret(
    db: &Connection,
    kek: &Kek,
    (table, column): (&'static str, &'static str),
    sql: &str,
    values: &[Value<'_>],
) -> Result<Option<Secret>, StoreError> {
    let read = |row: &Row<'_>| Columns::of(table, row).sealed_if_any(kek, column, 1);
    db.first(sql, values, read).map(Option::flatten)
}

/// What was read of a row, if its column `asked_for` says that it is the one; see
/// [`row_or_first`](super::stand_in::row_or_first). A row that stands in may be damaged.
pub(super) fn if_asked_for<T>(
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> impl FnMut(&Row<'_>) -> Result<Option<T>, StoreError> {
    move |row| {
        let found = read(row);
        match row.named("asked_for").and_then(bool::from_cell) {
            Some(true) => found.map(Some),
            _ => Ok(None),
        }
    }
}

/// Some rows of a list.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    /// What they are; of one that cannot be read, why.
    pub items: Vec<Result<T, Unreadable>>,
    /// What the next page begins behind, if there is one: an identifier, or what the list says.
    pub next: Option<String>,
}

/// What was read of a row, with what a page behind it begins behind.
pub(super) type Placed<T> = (String, Result<T, StoreError>);

impl<T> Page<T> {
    /// The first `limit` of the rows that a query finds, which asks for one more.
    pub(super) fn of(
        rows: Vec<Result<T, StoreError>>,
        limit: usize,
        id: impl FnOnce(&T) -> &str,
    ) -> Result<Self, StoreError> {
        let mut items = rows.into_iter().map(listed).collect::<Result<Vec<_>, _>>()?;
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let last = items.last().filter(|_| !is_last);
        let next = last.map(|item| item.as_ref().map_or_else(|why| why.row.clone(), |item| id(item).to_owned()));
        Ok(Page { items, next })
    }

    /// As [`Page::of`], of rows that each know their place.
    pub(super) fn along(rows: Vec<Placed<T>>, limit: usize) -> Result<Self, StoreError> {
        let is_last = rows.len() <= limit;
        let (mut items, mut next) = (Vec::with_capacity(rows.len()), None);
        for (place, row) in rows.into_iter().take(limit) {
            items.push(listed(row)?);
            next = Some(place);
        }
        Ok(Page { items, next: next.filter(|_| !is_last) })
    }
}
