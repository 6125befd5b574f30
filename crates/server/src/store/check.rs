//! Whether a database is as this version expects it: its schema, every row, references between rows, the audit trail. Only
//! reads, and a piece at a time, so that servers go on beside it.

mod catalogue;

use std::collections::HashSet;
use std::fmt;
use std::thread;

use super::audit::Link;
use super::columns::{Columns, Row};
use super::db::{Cell, Connection, Database, values};
use super::idempotent::IDEMPOTENT;
use super::migrate::{SCHEMA, version_of};
use super::outbox::OUTBOX;
use super::rows::{self, DEVICE_ENTRY, ENROLMENT, KEY};
use super::{StoreError, enrolments, keys, read_setting};
use crate::model::clock::now;
use crate::store::key_package::restore;
use crate::store::seal::Kek;

/// Rows that are read at once.
const PIECE: usize = 1000;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// Where: a table, a column, a row.
    pub place: String,
    /// What.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What a check has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// The last migration that was done.
    pub schema: usize,
    /// The oldest version that may use the database, by its schema.
    pub oldest: usize,
    /// How many rows of each table were read.
    pub rows: Vec<(&'static str, u64)>,
    /// All that is not as it should be.
    pub findings: Vec<Finding>,
}

impl Checked {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), what: what.into() });
    }
}

/// Checks a database. Blocks.
///
/// # Errors
/// What keeps it from being read: [`StoreError::Unavailable`], another key-encryption key, a database of another program.
pub(crate) fn check(database: &Database, kek: &Kek) -> Result<Checked, StoreError> {
    // On a thread of its own: a connection may have a runtime, which cannot begin inside another.
    let check = || check_by(&database.reader()?, kek);
    let checked = thread::scope(|scope| scope.spawn(check).join());
    checked.unwrap_or_else(|_| Err(StoreError::Unavailable("checking it panicked".into())))
}

pub(super) fn check_by(db: &Connection, kek: &Kek) -> Result<Checked, StoreError> {
    let version = version_of(db)?;
    if version.done == 0 {
        return Err(StoreError::NotFound("store in the database"));
    }
    version.check()?;
    read_setting(db, kek, "kek_check")?;
    let mut checked = Checked { schema: version.done, oldest: version.oldest, ..Checked::default() };
    if let Connection::Sqlite(sqlite) = db {
        let mut said = sqlite.prepare("PRAGMA integrity_check")?;
        for line in said.query_map([], |row| row.get::<_, String>(0))? {
            match line? {
                line if line == "ok" => {}
                line => checked.find("the database file", line),
            }
        }
    }
    checked.findings.extend(catalogue::compare(db, version.done)?);
    if version.done < SCHEMA {
        let what = format!(
            "is {}, this version needs {SCHEMA}: run `dskpp database migrate`, then check the rows",
            version.done
        );
        checked.find("the schema", what);
        return Ok(checked);
    }
    for table in tables() {
        match read_rows(db, kek, &table, &mut checked.findings) {
            Ok(count) => checked.rows.push((table.name, count)),
            Err(why) => checked.find(table.name, format!("cannot be read: {why}")),
        }
    }
    match read_audit(db, &mut checked.findings) {
        Ok(count) => checked.rows.push(("audit", count)),
        Err(why) => checked.find("audit", format!("cannot be read: {why}")),
    }
    for reference in REFERENCES {
        if let Err(why) = follow(db, reference, &mut checked.findings) {
            checked.find(reference.0, format!("its references cannot be followed: {why}"));
        }
    }
    let mut seen = HashSet::new();
    checked.findings.retain(|finding| seen.insert(finding.place.clone()));
    Ok(checked)
}

/// How the rows of a table are read.
struct Table {
    name: &'static str,
    /// What [`Table::read`] reads, and from where.
    select: String,
    /// The column that identifies a row, which comes first.
    id: &'static str,
    read: fn(&Row<'_>, &Kek) -> Result<(), StoreError>,
}

/// All tables with rows of the store, but the audit trail.
fn tables() -> Vec<Table> {
    let table = |name, id, select: String, read| Table { name, select, id, read };
    vec![
        table("answer", "session_id", "session_id, request_hash, sealed_response FROM answer".into(), |row, kek| {
            rows::answer(row, kek).map(drop)
        }),
        table("api_token", "id", "id, roles FROM api_token".into(), |row, _| rows::token(row).map(drop)),
        table("device", "id", format!("{DEVICE_ENTRY}, sealed_shared_key FROM device"), |row, kek| {
            rows::device_entry(row)?;
            Columns::of("device", row).sealed_if_any(kek, "sealed_shared_key", 7).map(drop)
        }),
        table("enrolment", "e.id", format!("{ENROLMENT} {}", enrolments::FROM), |row, kek| {
            rows::enrolment(row, kek, now()).map(drop)
        }),
        table("idempotent", "id", format!("{IDEMPOTENT} FROM idempotent"), |row, kek| {
            rows::kept_call(row, kek).map(drop)
        }),
        table("import", "id", "id, done, accepted, duplicate, refused, rejected FROM import".into(), |row, _| {
            rows::progress(row).map(drop)
        }),
        table("k_server", "id", "id, sealed_key, created_at, retired_at FROM k_server".into(), |row, kek| {
            rows::k_server(row, kek).map(drop)
        }),
        table("key", "k.id", format!("{KEY}, k.sealed_k_token, k.sealed_k_mac, k.sealed_package {}", keys::FROM), key),
        table("outbox", "id", format!("{OUTBOX}, lease FROM outbox"), |row, _| {
            rows::delivery(row)?;
            Columns::of("outbox", row).get::<Option<String>>(10).map(drop)
        }),
        table("pending_key", "id", "id, sealed_k_token, sealed_k_mac, url_s FROM pending_key".into(), |row, kek| {
            let row = Columns::of("pending_key", row);
            row.sealed(kek, "sealed_k_token", 1)?;
            row.sealed(kek, "sealed_k_mac", 2)?;
            row.get::<Option<String>>(3).map(drop)
        }),
        table("refusal", "enrolment_id", "enrolment_id, hour, count, cause, at FROM refusal".into(), |row, _| {
            rows::hour(row)?;
            Columns::of("refusal", row).time(4).map(drop)
        }),
        table("session_key", "day", "day, sealed_key FROM session_key".into(), |row, kek| {
            rows::session_key(row, kek).map(drop)
        }),
        table("setting", "name", "name, sealed_value FROM setting".into(), |row, kek| {
            Columns::of("setting", row).sealed(kek, "sealed_value", 1).map(drop)
        }),
        table("store", "id", "id FROM store".into(), |row, _| rows::identity(row).map(drop)),
        table("user", "id", "id, name FROM \"user\"".into(), |row, _| {
            Columns::of("user", row).get::<String>(1).map(drop)
        }),
        table("wrong_password", "subject", "subject, count, at FROM wrong_password".into(), |row, _| {
            rows::guesses(row).map(drop)
        }),
        table("wrong_try", "enrolment_id", "enrolment_id, address, count, at FROM wrong_try".into(), |row, _| {
            rows::wrong_tries(row, u32::MAX, now()).map(drop)
        }),
    ]
}

fn key(row: &Row<'_>, kek: &Kek) -> Result<(), StoreError> {
    let (record, row) = (rows::key(row)?, Columns::of("key", row));
    let secret = row.sealed(kek, "sealed_k_token", rows::KEY_COLUMNS)?;
    row.sealed_if_any(kek, "sealed_k_mac", rows::KEY_COLUMNS + 1)?;
    let package = row.sealed_if_any(kek, "sealed_package", rows::KEY_COLUMNS + 2)?;
    let restored = restore(&record, package.as_ref().map(|package| package.expose()), secret);
    restored.map(drop).ok_or_else(|| row.unreadable(rows::KEY_COLUMNS + 2))
}

/// Reads all rows of a table, in pieces; gives how many there are.
fn read_rows(db: &Connection, kek: &Kek, table: &Table, findings: &mut Vec<Finding>) -> Result<u64, StoreError> {
    let Table { name, select, id, read } = table;
    let from = table_of(name, id);
    // Identifiers behind the last one of the piece before; those of the first piece may be empty.
    let (mut behind, mut after, mut count) = (">=", String::new(), 0);
    loop {
        // All rows of one identifier are in one piece.
        let next = format!("SELECT DISTINCT {id} FROM {from} WHERE {id} {behind} ? ORDER BY {id} LIMIT {PIECE}");
        let ids = db.rows(&next, values![after], |row| Columns::of(name, row).get::<String>(0))?;
        let Some(last) = ids.last() else { return Ok(count) };
        let last = last.clone()?; // without it nobody knows where the next piece begins
        let sql = format!("SELECT {select} WHERE {id} {behind} ? AND {id} <= ? ORDER BY {id}");
        for row in db.rows(&sql, values![after, last], |row| read(row, kek))? {
            count += 1;
            findings.extend(fault_of(row)?);
        }
        (behind, after) = (">", last);
    }
}

/// A table with the short name that its identifier has.
fn table_of(name: &str, id: &str) -> String {
    let short = id.split_once('.').map_or("", |(short, _)| short);
    format!("\"{name}\" {short}")
}

/// What is wrong with a row.
fn fault_of(read: Result<(), StoreError>) -> Result<Option<Finding>, StoreError> {
    match read {
        Ok(()) => Ok(None),
        Err(StoreError::Row(why)) => {
            let place = format!("{}.{} of row '{}'", why.table, why.column, why.row);
            Ok(Some(Finding { place, what: "is unreadable".into() }))
        }
        Err(StoreError::Sealed(why)) => {
            let place = format!("{}.{} of row '{}'", why.table, why.column, why.row);
            Ok(Some(Finding { place, what: "cannot be unsealed: it was changed or moved".into() }))
        }
        Err(why) => Err(why),
    }
}

/// Follows every chain of the audit trail; gives the number of entries.
fn read_audit(db: &Connection, findings: &mut Vec<Finding>) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT chain, seq, at, event, subject, hash FROM audit WHERE (chain, seq) > (?, ?) ORDER BY chain, seq LIMIT {PIECE}"
    );
    let (mut link, mut count) = (Link::default(), 0);
    loop {
        let (chain, seq) = (link.chain.clone(), link.seq);
        let entries = db.rows(&sql, values![chain, seq], |row| link.follow(row))?;
        let read = entries.len();
        count += read as u64;
        for entry in entries {
            match entry {
                Ok(None) => {}
                Ok(Some((chain, seq))) => {
                    let place = format!("audit: entry {seq} of chain '{chain}'");
                    findings.push(Finding { place, what: "does not follow from those before it".into() });
                }
                Err(why) => findings.extend(fault_of(Err(why))?),
            }
        }
        if read < PIECE {
            return Ok(count);
        }
    }
}

/// Table, column, and the table whose `id` it names.
pub(super) const REFERENCES: &[(&str, &str, &str)] = &[
    ("enrolment", "delivers", "key"),
    ("enrolment", "device_id", "device"),
    ("enrolment", "key_id", "key"),
    ("enrolment", "renews", "key"),
    ("enrolment", "user_id", "user"),
    ("key", "device_id", "device"),
    ("key", "enrolment_id", "enrolment"),
    ("key", "user_id", "user"),
    ("outbox", "key_id", "key"),
    ("pending_key", "enrolment_id", "enrolment"),
    ("pending_key", "id", "key"),
    ("refusal", "enrolment_id", "enrolment"),
    ("wrong_try", "enrolment_id", "enrolment"),
];

/// Finds rows that refer to one that is not there.
fn follow(
    db: &Connection,
    &(table, column, to): &(&'static str, &'static str, &'static str),
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let id = if ["refusal", "wrong_try"].contains(&table) { "enrolment_id" } else { "id" };
    let sql = format!(
        "SELECT f.{id}, f.{column} FROM \"{table}\" f LEFT JOIN \"{to}\" t ON t.id = f.{column} \
         WHERE f.{column} IS NOT NULL AND t.id IS NULL ORDER BY f.{id}"
    );
    let text = |row: &Row<'_>, i| match row.cell(i) {
        Some(Cell::Text(text)) => text.to_owned(),
        _ => "unreadable too".to_owned(),
    };
    for row in db.rows(&sql, &[], |row| Ok((text(row, 0), text(row, 1))))? {
        let (row, value) = row?;
        let place = format!("{table}.{column} of row '{row}'");
        findings.push(Finding { place, what: format!("names the {to} '{value}', which is not there") });
    }
    Ok(())
}
